"""Adapts the intervals of a run to its number of steps."""

from collections.abc import Collection

from official.core import config_definitions

from command_line import InputError

_LEAST_STEPS = {
    "train_steps": 0,
    "steps_per_loop": 1,
    "validation_interval": 1,
    "summary_interval": 1,
    "checkpoint_interval": 1,
}
# A shortened run has as many checkpoints, so that a kill costs at most this
# share of it.
_PARTS = 10


def check_numbers(trainer: config_definitions.TrainerConfig) -> None:
    """Checks that each number of steps is an integer in its range.

    Args:
        trainer: Parameters of the trainer.

    Raises:
        InputError: If one is not an integer or is too small.
    """
    for name, least in _LEAST_STEPS.items():
        value = getattr(trainer, name)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number or value < least:
            raise InputError(
                f"`trainer.{name}` must be an integer of at least {least}. "
                f"Received: {name}={value}"
            )


def check_multiple(trainer: config_definitions.TrainerConfig) -> None:
    """Checks that summaries are due at the end of a loop, as Orbit requires.

    Args:
        trainer: Parameters of the trainer.

    Raises:
        InputError: If the interval is not a multiple of the loop's steps.
    """
    if trainer.summary_interval % trainer.steps_per_loop:
        raise InputError(
            "`trainer.summary_interval` must be a multiple of steps_per_loop, "
            f"{trainer.steps_per_loop}. "
            f"Received: summary_interval={trainer.summary_interval}"
        )


def shorten(
    trainer: config_definitions.TrainerConfig,
    configured_steps: int,
    by_hand: Collection[str],
) -> None:
    """Shortens the intervals of a run that is shorter than configured.

    Loops, summaries and checkpoints are due every tenth of the run or more
    often. Evaluations may take longer than training: their number stays that of
    the configured run, at most ten. No interval becomes longer.

    Args:
        trainer: Parameters of the trainer, changed in place.
        configured_steps: Number of steps that the intervals are meant for.
        by_hand: Names of the intervals that are not changed.
    """
    steps = trainer.train_steps
    if not 0 < steps < configured_steps:
        return
    part = max(steps // _PARTS, 1)
    loop, summary = trainer.steps_per_loop, trainer.summary_interval
    if "steps_per_loop" not in by_hand:
        loop = min(loop, part)
        if "summary_interval" in by_hand:
            loop = max(n for n in range(1, loop + 1) if summary % n == 0)
        trainer.steps_per_loop = loop
    if "summary_interval" not in by_hand and loop <= summary:
        loops = max(min(summary, part) // loop, 1)
        trainer.summary_interval = loops * loop
    if "checkpoint_interval" not in by_hand:
        trainer.checkpoint_interval = min(trainer.checkpoint_interval, part)
    if "validation_interval" not in by_hand:
        interval = trainer.validation_interval
        times = min(-(-configured_steps // interval), _PARTS)
        trainer.validation_interval = min(interval, -(-steps // times))
