"""Names a run."""

import dataclasses
import re

# The seeds that learning rates are searched with, on data of their own.
TUNING_SEEDS = (0, 100, 200)


@dataclasses.dataclass(frozen=True)
class RunKey:
    """Stores what tells a run from the others.

    Args:
        experiment: Name of the experiment.
        arm: Name of the arm.
        learning_rate: The highest learning rate of the schedule.
        seed: Seed of new weights, of the order of the data and of dropout;
            one of `TUNING_SEEDS` in the search for the learning rate.
    """

    experiment: str
    arm: str
    learning_rate: float
    seed: int

    @property
    def is_tuning(self) -> bool:
        """Returns whether it is a run of the search."""
        return self.seed in TUNING_SEEDS

    @property
    def file_name(self) -> str:
        """Returns the name of its file, in the folder of the experiment."""
        arm = re.sub(r"[^a-z0-9.]+", "-", self.arm.lower()).strip("-")
        return f"{arm}-{self.learning_rate:.2g}-{self.seed}.json"
