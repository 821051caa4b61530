"""A run that is made shorter keeps what its configuration is for."""

from pathlib import Path

import pytest
from official.core import config_definitions

import pretrain_bert
from bert import intervals
from command_line import InputError
from tests.scripts.test_parameters import build

CONFIGS = Path(pretrain_bert.__file__).parent / "configs"
NAMES = (
    "steps_per_loop",
    "summary_interval",
    "checkpoint_interval",
    "validation_interval",
)


def shortened(steps, configured, values, by_hand=()):
    """Returns the intervals, as in `NAMES`, of a run of so many steps."""
    trainer = config_definitions.TrainerConfig(
        train_steps=steps, **dict(zip(NAMES, values, strict=True))
    )
    intervals.shorten(trainer, configured, by_hand)
    intervals.check_numbers(trainer)
    intervals.check_multiple(trainer)
    return tuple(getattr(trainer, name) for name in NAMES)


@pytest.mark.parametrize(
    ("steps", "configured", "values", "expected"),
    [
        # bert_tiny.yaml: two evaluations stay two, a kill costs a tenth.
        (300, 1000, (50, 50, 500, 500), (30, 30, 30, 150)),
        (333, 1000, (50, 50, 500, 500), (33, 33, 33, 167)),
        (999, 1000, (50, 50, 500, 500), (50, 50, 99, 500)),
        # bert_12.yaml: a hundred evaluations become ten.
        (5000, 10**6, (1000, 1000, 10000, 10000), (500, 500, 500, 500)),
        (10**5, 10**6, (1000, 1000, 10000, 10000), (1000, 1000, 10000, 10000)),
        # Summaries stay on the ends of loops.
        (300, 1000, (20, 100, 500, 500), (20, 20, 30, 150)),
        (7, 1000, (50, 50, 500, 500), (1, 1, 1, 4)),
        # No interval becomes longer.
        (300, 1000, (5, 10, 10, 20), (5, 10, 10, 20)),
        (1000, 1000, (50, 50, 500, 500), (50, 50, 500, 500)),
        (5000, 1000, (50, 50, 500, 500), (50, 50, 500, 500)),
        (0, 1000, (50, 50, 500, 500), (50, 50, 500, 500)),
    ],
)
def test_a_shorter_run_has_shorter_intervals(
    steps, configured, values, expected
):
    assert shortened(steps, configured, values) == expected


@pytest.mark.parametrize(
    ("by_hand", "values", "expected"),
    [
        ({"checkpoint_interval"}, (50, 50, 500, 500), (30, 30, 500, 150)),
        ({"validation_interval"}, (50, 50, 500, 500), (30, 30, 30, 500)),
        ({"steps_per_loop"}, (50, 50, 500, 500), (50, 50, 30, 150)),
        ({"steps_per_loop"}, (20, 100, 500, 500), (20, 20, 30, 150)),
        # The loop has to divide it.
        ({"summary_interval"}, (50, 50, 500, 500), (25, 50, 30, 150)),
        (set(NAMES), (50, 50, 500, 500), (50, 50, 500, 500)),
    ],
)
def test_an_interval_given_by_hand_stays(by_hand, values, expected):
    assert shortened(300, 1000, values, by_hand) == expected


def of(params):
    return tuple(getattr(params.trainer, name) for name in NAMES)


def test_fewer_steps_on_the_command_line_shorten_the_intervals_of_a_config():
    config = ["--config", CONFIGS / "bert_tiny.yaml"]
    assert of(build(*config)) == (50, 50, 500, 500)
    assert of(build(*config, "--train_steps", 300)) == (30, 30, 30, 150)
    # Who overrides by hand says all by hand.
    steps = ["--params_override", "trainer.train_steps=300"]
    assert of(build(*config, *steps)) == (50, 50, 500, 500)
    kept = ["--params_override", "trainer.checkpoint_interval=200"]
    params = build(*config, *kept, "--train_steps", 300)
    assert of(params) == (30, 30, 200, 150)


@pytest.mark.parametrize("value", ["null", "true", "-5", "2.5"])
@pytest.mark.parametrize("name", ["train_steps", "checkpoint_interval"])
def test_numbers_of_steps_are_integers_that_can_be(name, value):
    with pytest.raises(InputError, match=f"`trainer.{name}` must be a"):
        build("--params_override", f"trainer: {{{name}: {value}}}")
