"""ClipMonitor says once that a threshold never binds, or always does."""

import re
import warnings

import keras
import numpy as np
import pytest

from keras_clip.callbacks import clip_findings
from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Polynomial
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.models import dense_model
from tests.support.monitored import fit
from tests.support.monitored import gclip
from tests.support.monitored import make_monitor
from tests.support.monitored import several
from tests.support.shared_code import every_case

pytestmark = pytest.mark.slow

EPOCHS = 3


@pytest.fixture
def few_updates(monkeypatch):
    """As many as two epochs have."""
    monkeypatch.setattr(clip_findings, "UPDATES", 32)


def _told(front_end, model, epochs=EPOCHS, interval=4, trainings=1):
    """Returns what is told of clipping in trainings, and the readings."""
    readings = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for _ in range(trainings):
            monitor = make_monitor(front_end, interval=interval)
            fit(model, monitor, epochs=epochs)
            readings += monitor.readings
    messages = [str(warning.message) for warning in warned]
    return [m for m in messages if "has clipped" in m], readings


def _numbers(message):
    """Returns the gradients' size, the threshold and the better number."""
    number = r"([0-9.e+-]+[0-9])"
    return [
        float(re.search(pattern + number, message)[1])
        for pattern in ("about ", "threshold is ", "to about ")
    ]


def test_thousand_updates_that_clip_nothing_are_told_of():
    model = dense_model(KERAS, gclip(KERAS, clip_threshold=50.0, name="own"))
    messages, readings = _told(KERAS, model, epochs=63)
    (message,) = messages
    assert message.startswith("own has clipped nothing in 1,000 updates: grad")
    assert "lower `clip_threshold` of 50 to about" in message
    assert "`keras_clip.noise.report`" in message
    assert "`GradientNoise`" in message
    norms = [reading["gradient_norm"] for reading in readings[:250]]
    expected = [np.median(norms), 50.0, np.quantile(norms, 0.9)]
    np.testing.assert_allclose(_numbers(message), expected, rtol=0.05)


@both_front_ends
def test_updates_that_clip_everything_are_told_of_once(front_end, few_updates):
    """Twice as many, and more, have one message too."""
    optimizer = gclip(front_end, clip_threshold=2.0**-20)
    model = dense_model(front_end, optimizer)
    messages, readings = _told(front_end, model, epochs=5)
    (message,) = messages
    assert f"{optimizer.name} has clipped everything in 32 updates" in message
    assert "it then follows the gradient divided by its norm; raise" in message
    norms = [reading["gradient_norm"] for reading in readings[:8]]
    expected = [np.median(norms), 2.0**-20, np.quantile(norms, 0.9)]
    np.testing.assert_allclose(_numbers(message), expected, rtol=0.05)


def test_every_training_is_told_of(few_updates):
    model = dense_model(KERAS, gclip(KERAS, clip_threshold=50.0))
    messages, _ = _told(KERAS, model, trainings=2)
    assert len(messages) == 2


def test_every_optimizer_of_several_is_told_of(few_updates):
    optimizer = several(
        gclip(KERAS, clip_threshold=50.0, name="body"),
        gclip(KERAS, clip_threshold=2.0**-20, name="head"),
    )
    messages, _ = _told(KERAS, dense_model(KERAS, optimizer))
    assert {message.split(" in ")[0] for message in messages} == {
        "body has clipped nothing",
        "head has clipped everything",
    }


FINDINGS = {
    "coordinates, nothing": (
        "cclip",
        {"clip_threshold": 50.0},
        [
            "has clipped nothing in 32 updates",
            "the threshold is compared with single coordinates",
            "lower `clip_threshold` of 50 to about",
            "those are for norms.",
        ],
    ),
    "coordinates, everything": (
        "clip_adam",
        {"clip_threshold": 2.0**-30, "clipping": "coordinate"},
        [
            "has clipped everything",
            "the threshold is compared with single coordinates",
            "it then follows the signs of the gradient; raise",
        ],
    ),
    "arrays": (
        "cclip",
        {"clip_threshold": [[50.0]] * 4},
        ["has clipped nothing", "lower `clip_threshold`. "],
    ),
    "layers, nothing": (
        "clip_adam",
        {"clip_threshold": 50.0, "clipping": "layer"},
        [
            "has clipped nothing",
            "norms of the variables' gradients were about",
            "lower `clip_threshold` of 50 to about",
        ],
    ),
    "layers, everything": (
        "clip_adam",
        {"clip_threshold": 2.0**-30, "clipping": "layer"},
        ["it then follows each variable's gradient divided by its norm"],
    ),
    "polynomial": (
        "gclip",
        {"clip_threshold": Polynomial(50.0, 0.5)},
        ["has clipped nothing", "the threshold's `scale` of 50 to about"],
    ),
    "adaptive": (
        "gclip",
        {"clip_threshold": Adaptive(2.0**-5, 0.75, 1.0)},
        ["has clipped everything", "`multiplier` of 0.03125 to about"],
    ),
    "adaptive by layer": (
        "clip_adam",
        {"clip_threshold": Adaptive(50.0), "clipping": "layer"},
        ["has clipped nothing", "the threshold's `multiplier` of 50 to about"],
    ),
}


@every_case("name, arguments, parts", FINDINGS, ["adaptive by layer"])
def test_finding_names_what_to_change_and_to_what(
    front_end, name, arguments, parts, few_updates
):
    optimizer = front_end.optimizer(name, learning_rate=2.0**-9, **arguments)
    (message,), _ = _told(front_end, dense_model(front_end, optimizer))
    for part in parts:
        assert part in message


TO_FOLLOW = {
    "number": ("gclip", float, 50.0, {}),
    "layers": ("clip_adam", float, 50.0, {"clipping": "layer"}),
    "polynomial": ("gclip", lambda scale: Polynomial(scale, 0.1), 50.0, {}),
    "adaptive": ("gclip", Adaptive, 50.0, {}),
    "adaptive of the clipped norm": (
        "gclip",
        lambda multiplier: Adaptive(multiplier, of="clipped", warmup_steps=4),
        50.0,
        {},
    ),
}


@pytest.mark.parametrize(
    ("name", "make", "value", "arguments"), TO_FOLLOW.values(), ids=TO_FOLLOW
)
def test_better_number_clips_about_one_in_ten(
    name, make, value, arguments, few_updates
):
    """For a model that does not move."""
    for _ in range(2):
        optimizer = KERAS.optimizer(
            name, learning_rate=0.0, clip_threshold=make(value), **arguments
        )
        model = dense_model(KERAS, optimizer)
        messages, readings = _told(KERAS, model, epochs=5, interval=1)
        if messages:
            better = re.search(r"to about ([0-9.]+[0-9])", messages[0])
            value = float(better[1])
    assert value < 50
    assert messages == []
    shares = [reading["clip_fraction"] for reading in readings]
    assert 0.02 < np.mean(shares) < 0.25


def test_no_number_is_named_of_few_readings(few_updates):
    model = dense_model(KERAS, gclip(KERAS, clip_threshold=50.0))
    (message,), readings = _told(KERAS, model, interval=1000)
    assert len(readings) < clip_findings.READINGS
    assert "lower `clip_threshold` of 50. " in message


SILENT = {
    "some are clipped": ("gclip", {"clip_threshold": 2.0}),
    "nothing is to be clipped": ("gclip", {"clip_threshold": None}),
    "no threshold to choose": ("acclip", {}),
    "Keras clips first": (
        "gclip",
        {"clip_threshold": 50.0, "global_clipnorm": 1.0},
    ),
    "warm-up": (
        "gclip",
        {"clip_threshold": Adaptive(2.0, of="clipped", warmup_steps=40)},
    ),
    "warm-up by layer": (
        "clip_adam",
        {
            "clip_threshold": Adaptive(2.0, of="clipped", warmup_steps=40),
            "clipping": "layer",
        },
    ),
}


@every_case("name, arguments", SILENT, ["some are clipped"])
def test_nothing_is_told_where_it_is_no_finding(
    front_end, name, arguments, few_updates
):
    optimizer = front_end.optimizer(name, **arguments)
    messages, _ = _told(front_end, dense_model(front_end, optimizer))
    assert messages == []


def test_nothing_is_told_where_there_is_no_gradient(few_updates):
    model = dense_model(KERAS, gclip(KERAS, clip_threshold=50.0))
    model.compile(
        optimizer=model.optimizer,
        loss=lambda targets, outputs: 0 * keras.ops.sum(outputs),
    )
    messages, _ = _told(KERAS, model)
    assert messages == []


def test_one_update_too_few_is_not_told_of(monkeypatch):
    model = dense_model(KERAS, gclip(KERAS, clip_threshold=50.0))
    monkeypatch.setattr(clip_findings, "UPDATES", 17)
    assert _told(KERAS, model, epochs=1, interval=1)[0] == []
    monkeypatch.setattr(clip_findings, "UPDATES", 16)
    assert len(_told(KERAS, model, epochs=1, interval=1)[0]) == 1


def test_updates_before_the_training_do_not_count(few_updates):
    model = dense_model(KERAS, gclip(KERAS, clip_threshold=50.0))
    fit(model, epochs=2)
    messages, _ = _told(KERAS, model, epochs=1)
    assert messages == []
