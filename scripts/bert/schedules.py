"""Adapts the schedule of the learning rate to the number of steps."""

from official.core import config_definitions
from official.modeling import optimization

from command_line import InputError


def stretch(config: optimization.OptimizationConfig, steps: int) -> None:
    """Stretches decay and warm-up to another number of steps.

    Args:
        config: Parameters of the optimizer and its schedule, changed in place.
        steps: Number of steps of the run.
    """
    schedule, warmup = config.learning_rate.get(), config.warmup.get()
    if not getattr(schedule, "decay_steps", None):
        return
    if warmup is not None and warmup.warmup_steps:
        share = warmup.warmup_steps / schedule.decay_steps
        warmup.warmup_steps = max(round(share * steps), 1)
    schedule.decay_steps = steps


def complete(params: config_definitions.ExperimentConfig) -> None:
    """Fills in missing parameters of the schedule from the number of steps.

    Args:
        params: Parameters of the run, changed in place.

    Raises:
        InputError: If the warm-up is longer than the decay.
    """
    steps = max(params.trainer.train_steps, 1)
    schedule = params.trainer.optimizer_config.learning_rate.get()
    if getattr(schedule, "decay_steps", steps) is None:
        schedule.decay_steps = steps
    warmup = params.trainer.optimizer_config.warmup.get()
    if warmup is not None and warmup.warmup_steps is None:
        warmup.warmup_steps = max(steps // 10, 1)
    decay_steps = getattr(schedule, "decay_steps", None)
    if warmup and decay_steps and warmup.warmup_steps > decay_steps:
        raise InputError(
            "`trainer.optimizer_config.warmup` must be shorter than the decay, "
            f"{decay_steps} steps; the learning rate would stay 0. Received: "
            f"warmup_steps={warmup.warmup_steps}"
        )
