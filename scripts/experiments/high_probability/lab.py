"""Makes the runs of cases, once, and stores what came of them."""

import dataclasses
import functools
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from command_line.files import read_json
from command_line.files import write_json
from experiments.high_probability import simulator
from experiments.high_probability import tuning
from experiments.high_probability.arms import arms
from experiments.high_probability.case import Case
from experiments.high_probability.samples import LEAST_BEYOND
from experiments.high_probability.samples import Samples

# Levels of the quantiles, and ε of the probabilities, that logs hold.
DELTAS = (0.5, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
EPSILON = 0.2
# Checkpoints that a log holds at most.
LOGGED = 64

cached_arms = functools.cache(arms)


@dataclasses.dataclass(frozen=True)
class Lab:
    """Stores where runs are saved, how many are made, and their seed.

    Args:
        folder: Folder of the runs.
        seed: Seed: other seeds give other noise.
        share: Share of the runs that is made.
    """

    folder: Path
    seed: int = 0
    share: float = 1.0

    def make(self, arm: str, name: str, report: Callable[[str], None]) -> dict:
        """Makes the runs of a case, unless they are there.

        Args:
            arm: Name of the arm.
            name: Name of the case.
            report: Callable that prints a line.

        Returns:
            Dict with the `rate`, the `tuning`, whether it is `at_edge`, and the
            `seconds` that it took.
        """
        case = cached_arms()[arm][name]
        path = self._path(case) / "made.json"
        if path.exists():
            return read_json("output_dir", str(path))
        start = time.monotonic()
        made = {"rate": case.learning_rate, "tuning": None, "at_edge": False}
        if case.learning_rate is None:
            report(f"{name}: {len(tuning.GRID)} learning rates")
            found = tuning.tuned(case, 10 * self.seed + 2, self.share)
            made = {
                "rate": found.best,
                "tuning": list(found.quantiles),
                "at_edge": found.is_at_edge,
            }
        until_tuned = round(time.monotonic() - start, 1)
        simulator.errors(
            self._simulation(case, made["rate"]),
            path.parent,
            lambda line: report(f"{name}: {line}"),
        )
        total = round(time.monotonic() - start, 1)
        made["seconds"] = {"tuning": until_tuned, "all": total}
        write_json(str(path), made)
        report(f"{name}: made in {total:.0f} s")
        return made

    def samples(self, arm: str, name: str) -> Samples:
        """Returns the errors of a case whose runs are made.

        Args:
            arm: Name of the arm.
            name: Name of the case.
        """
        case = cached_arms()[arm][name]
        folder = self._path(case)
        made = read_json("output_dir", str(folder / "made.json"))
        found = simulator.errors(self._simulation(case, made["rate"]), folder)
        return Samples(found, case.checkpoints)

    def log(self, arm: str, name: str) -> dict:
        """Returns what is known of a case, as it is committed."""
        case = cached_arms()[arm][name]
        made = self.make(arm, name, lambda line: None)
        samples = self.samples(arm, name)
        deltas = [
            delta for delta in DELTAS if delta * samples.runs >= LEAST_BEYOND
        ]
        quantiles = samples.quantiles(deltas)[0] if deltas else []
        stride = -(-len(case.checkpoints) // LOGGED)
        # The last one is always there.
        logged = case.checkpoints[::-stride][::-1]
        chances = samples.probability(EPSILON)[0, ::-stride][::-1]
        by_rate = made["tuning"]
        if by_rate is not None:
            rates = map(str, tuning.GRID)
            by_rate = dict(zip(rates, _rounded(by_rate), strict=True))
        return {
            **made,
            "tuning": by_rate,
            "tuned_for": None if by_rate is None else case.tuned_for,
            "runs": samples.runs,
            "checkpoints": list(logged),
            "means": _rounded([samples.mean(step)[0] for step in logged]),
            "chances": _rounded(chances),
            "quantiles": dict(
                zip(map(str, deltas), _rounded(quantiles), strict=True)
            ),
        }

    def _simulation(self, case: Case, rate: float) -> simulator.Simulation:
        stream = 10 * self.seed + case.second_stream
        return tuning.simulation(case, rate, stream, self.share)

    def _path(self, case):
        """Returns the folder of all that depends on what a case is."""
        made_by = (
            *(simulator.CHUNK, simulator.BLOCK),
            *(tuning.GRID, tuning.NUMBERS, tuning.LEAST_RUNS),
        )
        described = repr((case, self.seed, self.share, *made_by))
        name = hashlib.sha256(described.encode()).hexdigest()[:16]
        return self.folder / "cases" / name


def _rounded(values):
    return [float(f"{value:.6g}") for value in np.asarray(values)]
