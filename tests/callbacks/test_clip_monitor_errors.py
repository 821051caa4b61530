"""ClipMonitor refuses what it could not read before any step."""

import keras
import pytest

from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.models import dense_model
from tests.support.monitored import fit
from tests.support.monitored import gclip
from tests.support.monitored import make_monitor
from tests.support.monitored import several
from tests.support.refusals import refused
from tests.support.trajectories import same_bits

ARGUMENT_ERRORS = [
    ({"interval": 0}, "`interval` must be an integer in [1, inf)"),
    ({"interval": 1.5}, "`interval` must be an integer in [1, inf)"),
    ({"per_layer": 1}, "`per_layer` must be one of False, True"),
    ({"log_dir": 3}, "`log_dir` must be a path or None"),
    ({"csv_path": ""}, "`csv_path` must be a path or None"),
    ({"stop_after": 0}, "`stop_after` must be an integer in [1, inf)"),
]


@pytest.mark.parametrize(("arguments", "start"), ARGUMENT_ERRORS, ids=str)
@both_front_ends
def test_bad_arguments_raise_at_once(front_end, arguments, start):
    ((name, value),) = arguments.items()
    with refused(f"{start}. Received: {name}={value!r}"):
        make_monitor(front_end, **arguments)


OPTIMIZER_ERRORS = {
    "of the framework": (
        lambda front_end: front_end.framework.optimizers.SGD(0.1),
        "`optimizer` must be an optimizer of `keras_clip`",
        "",
    ),
    "clipping on replicas": (
        lambda front_end: gclip(front_end, clip_per_replica=True),
        "`clip_per_replica` must be False for `ClipMonitor`",
        "clip_per_replica=True",
    ),
    "skipping nothing": (
        lambda front_end: gclip(front_end, nonfinite="propagate"),
        "`stop_after` must be None for a GClip that skips no step",
        "Received: stop_after=2",
    ),
}


@pytest.mark.parametrize(
    ("make", "start", "end"), OPTIMIZER_ERRORS.values(), ids=OPTIMIZER_ERRORS
)
@both_front_ends
def test_optimizer_that_has_nothing_to_read_is_refused_before_any_step(
    front_end, make, start, end
):
    model = dense_model(front_end, make(front_end))
    before = model.get_weights()
    with refused(start, end):
        fit(model, make_monitor(front_end, stop_after=2))
    assert same_bits(model.get_weights(), before)


def test_several_optimizers_none_of_them_ours_are_refused():
    sgd = keras.optimizers.SGD
    model = dense_model(KERAS, several(sgd(0.1), sgd(0.2)))
    with refused("`optimizer` must be an optimizer of", ""):
        fit(model, make_monitor(KERAS))
