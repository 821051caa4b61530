"""Finished runs are read as they were written, and damaged ones told."""

import json
import math
import shutil
from pathlib import Path

import keras
import pytest

import keras_clip.tf_keras
from command_line import InputError
from experiments.real_models import finished
from experiments.real_models import run
from experiments.real_models.experiments import EXPERIMENTS
from experiments.real_models.run_key import RunKey

EXPERIMENT = {
    "name": "e",
    "steps": 5,
    "most_steps": None,
    "seeds": 3,
    "arms": {"Adam, clipped": {"rate": 0.1, "arguments": {"beta_1": 0.8}}},
}
KEY = RunKey("e", "Adam, clipped", 0.001, 0)
RUN = {
    "experiment": "e",
    "arm": "Adam, clipped",
    "learning_rate": 0.001,
    "seed": 0,
    "settings": {"steps": 5, "arm": {"arguments": {"beta_1": 0.8}}},
    "diverged": False,
    "metrics": {"loss": 1.5, "by": [1.0, math.nan]},
}


@pytest.fixture
def folder(tmp_path):
    finished.write(tmp_path, KEY, RUN)
    return tmp_path


def test_a_run_is_read_as_it_was_written(folder):
    expected = {**RUN, "metrics": {"loss": 1.5, "by": [1.0, None]}}
    assert finished.read(folder, EXPERIMENT) == {KEY: expected}
    assert finished.read(folder, {**EXPERIMENT, "name": "other"}) == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: "[]",
        lambda text: text.replace('"seed": 0', '"seed": 1'),
        lambda text: text.replace('"diverged": false', '"diverged": 0'),
        lambda text: text.replace('"metrics"', '"metric"'),
    ],
)
def test_a_damaged_run_is_told_by_name(folder, damage):
    (path,) = (folder / "runs/e").glob("*.json")
    path.write_text(damage(path.read_text()))
    with pytest.raises(InputError, match=r"`--results` must .*Received: "):
        finished.read(folder, EXPERIMENT)


def test_a_run_under_another_name_is_told(folder):
    (path,) = (folder / "runs/e").glob("*.json")
    shutil.move(path, path.with_name("adam-0.1-0.json"))
    with pytest.raises(InputError, match=r"adam-0\.1-0\.json of e is none"):
        finished.read(folder, EXPERIMENT)


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 6},
        {"most_steps": 2},
        {"arms": {"Adam, clipped": {"arguments": {"beta_1": 0.9}}}},
        {"arms": {"Adam": EXPERIMENT["arms"]["Adam, clipped"]}},
    ],
)
def test_a_run_with_other_settings_is_told(folder, change):
    with pytest.raises(InputError, match="was made with other settings"):
        finished.read(folder, {**EXPERIMENT, **change})


def test_what_a_single_run_does_not_depend_on_may_change(folder):
    arms = {"Adam, clipped": {**EXPERIMENT["arms"]["Adam, clipped"], "rate": 1}}
    changed = {**EXPERIMENT, "seeds": 9, "arms": {**arms, "other": {}}}
    assert KEY in finished.read(folder, changed)


def test_files_hold_no_number_that_json_lacks(folder):
    (path,) = (folder / "runs/e").glob("*.json")
    json.loads(path.read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e["name"])
def test_committed_runs_had_the_defaults_that_their_classes_have(experiment):
    """An arm names what differs from them only."""
    results = Path(run.__file__).parent / "results"
    for made in finished.read(results, experiment).values():
        # Earlier runs do not have it.
        if "optimizer" not in made:
            continue
        arm = experiment["arms"][made["arm"]]
        # The layers of Model Garden are tf_keras'.
        is_tf_keras = experiment["name"] in ("language", "images")
        ours = keras_clip.tf_keras if is_tf_keras else keras_clip
        cls = getattr(ours, arm["optimizer"], None)
        if cls is None:
            cls = getattr(keras.optimizers, arm["optimizer"])
        config = cls(**arm["arguments"]).get_config()
        for name in made["optimizer"].keys() - {"monitor"}:
            # tf_keras reads numbers from variables, in single precision.
            expected = pytest.approx(made["optimizer"][name])
            assert config[name] == expected, name
