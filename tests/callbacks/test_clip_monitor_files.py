"""ClipMonitor writes every reading to CSV and to TensorBoard."""

import configparser
import csv
import pathlib
import sys

import pytest

from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.models import dense_model
from tests.support.monitored import assert_are_scalars
from tests.support.monitored import fit
from tests.support.monitored import gclip
from tests.support.monitored import make_monitor
from tests.support.refusals import refused
from tests.support.shared_code import every_case

pytestmark = pytest.mark.slow


@every_case("per_layer", {"model": (False,), "layers": (True,)}, ["layers"])
def test_every_reading_is_a_row_and_resumed_training_appends(
    front_end, per_layer, tmp_path
):
    path = tmp_path / "readings.csv"
    model = dense_model(front_end, gclip(front_end))
    arguments = {"interval": 8, "per_layer": per_layer, "csv_path": path}
    first = make_monitor(front_end, **arguments)
    fit(model, first)
    fit(model, first)
    second = make_monitor(front_end, **arguments)
    fit(model, second)
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    readings = [*first.readings, *second.readings]
    assert [each["step"] for each in readings] == [8, 16, 24, 32, 40, 48]
    assert [dict(zip(header, map(float, r), strict=True)) for r in rows] == (
        readings
    )


@both_front_ends
def test_rows_are_in_the_file_while_training_goes_on(front_end, tmp_path):
    path = tmp_path / "readings.csv"
    lines = []

    class Reader(front_end.framework.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch > 1:
                lines.append(len(path.read_text("utf-8").splitlines()))

    monitor = make_monitor(front_end, interval=4, csv_path=path)
    fit(dense_model(front_end, gclip(front_end)), monitor, Reader())
    assert lines == [1, 1, *[2] * 4, *[3] * 4, *[4] * 4]


@both_front_ends
def test_file_with_other_columns_is_refused_before_the_second_step(
    front_end, tmp_path
):
    path = tmp_path / "readings.csv"
    path.write_text("step,loss\n1,2.0\n", "utf-8")
    model = dense_model(front_end, gclip(front_end))
    with refused(
        "`csv_path` must be a new file", "with the columns ['step', 'loss']"
    ):
        fit(model, make_monitor(front_end, csv_path=path))
    assert int(model.optimizer.update_count) <= 1
    assert path.read_text("utf-8") == "step,loss\n1,2.0\n"


@both_front_ends
def test_tensorboard_reads_every_reading(front_end, tmp_path):
    monitor = make_monitor(
        front_end, interval=4, per_layer=True, log_dir=tmp_path / "logs"
    )
    model = dense_model(front_end, gclip(front_end))
    fit(model, monitor)
    fit(model, monitor)
    assert len(monitor.readings) == 8
    assert_are_scalars(monitor.readings, tmp_path / "logs")


def test_missing_tensorboard_is_an_error_that_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    for name in list(sys.modules):
        if name.startswith("tensorboard."):
            monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        make_monitor(KERAS, log_dir="logs")


def test_extras_of_every_backend_bring_tensorboard():
    """TensorFlow needs it itself (tensorflow 2.20.0)."""
    config = configparser.ConfigParser()
    root = pathlib.Path(__file__).resolve().parents[2]
    config.read(root / "setup.cfg", encoding="utf-8")
    for extra in ("jax", "torch"):
        packages = config["options.extras_require"][extra].split()
        assert "tensorboard" in packages
