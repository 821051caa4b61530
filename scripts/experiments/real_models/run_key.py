"""Names a run."""

import dataclasses
import re

# The seed that learning rates are searched with, on data of their own.
TUNING_SEED = 0


@dataclasses.dataclass(frozen=True, order=True)
class RunKey:
    """Stores what tells a run from the others.

    Args:
        experiment: Name of the experiment.
        arm: Name of the arm.
        learning_rate: The highest learning rate of the schedule.
        seed: Seed of new weights, of the order of the data and of dropout;
            `TUNING_SEED` in the search for the learning rate.
    """

    experiment: str
    arm: str
    learning_rate: float
    seed: int

    @property
    def is_tuning(self) -> bool:
        """Returns whether it is a run of the search."""
        return self.seed == TUNING_SEED

    @property
    def file_name(self) -> str:
        """Returns the name of its file, in the folder of the experiment."""
        arm = re.sub(r"[^a-z0-9.]+", "-", self.arm.lower()).strip("-")
        return f"{arm}-{self.learning_rate:.2g}-{self.seed}.json"
