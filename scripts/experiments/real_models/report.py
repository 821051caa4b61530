r"""Writes verdicts, tables and figures of the finished runs.

What is not run yet is left out. Example:

    python scripts/experiments/real_models/report.py --results runs/real_models
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import command_line  # noqa: E402
from command_line import InputError  # noqa: E402
from command_line.files import write_json  # noqa: E402
from experiments.real_models import finished  # noqa: E402
from experiments.real_models import search  # noqa: E402
from experiments.real_models.experiments import EXPERIMENTS  # noqa: E402

_FOLDER = Path(__file__).parent


def run(arguments: argparse.Namespace) -> dict[str, str]:
    """Writes `results.md`, `verdicts.json` and a figure for each experiment.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict from the name of each claim that is decided to its verdict.

    Raises:
        InputError: If there is no complete experiment, or a run is damaged.
    """
    with command_line.installed('".[noise]" pyyaml'):
        from experiments import claims
        from experiments import verdict_tables
        from experiments.real_models import figures
        from experiments.real_models import noise_points
        from experiments.real_models import noise_tables
        from experiments.real_models import tables
    folder = Path(arguments.results)
    complete = {}
    for experiment in EXPERIMENTS:
        runs = finished.read(folder, experiment)
        if runs and not search.next_runs(experiment, runs):
            complete[experiment["name"]] = experiment, runs
    reports = noise_points.reports(folder)
    if not (complete or reports):
        raise InputError(
            "`--results` must hold all runs of an experiment. "
            f"Received: --results={folder}"
        )
    stated = claims.load(_FOLDER / "claims.yaml")
    verdicts = {
        claim.name: _decided(claim, complete, reports)
        for claim in stated.values()
        if all(
            _experiments(test) <= {*complete}
            and _named(test, "noise_of") <= {*reports}
            for test in claim.tests
        )
    }
    write_json(str(folder / "verdicts.json"), verdicts)
    parts = [verdict_tables.of_verdicts(stated, verdicts, "report.py")]
    for experiment, runs in complete.values():
        parts.append(tables.of_experiment(experiment, runs))
        figures.write(experiment, runs, folder / f"{experiment['name']}.png")
    if reports:
        parts.append(noise_tables.of_noise(reports))
        noise_tables.draw(reports, folder / "noise.png")
    parts.append(tables.of_hours(complete))
    (folder / "results.md").write_text("\n".join(parts), "utf-8")
    return {name: verdict["verdict"] for name, verdict in verdicts.items()}


def _experiments(test):
    """Returns the names of the experiments that a test is about."""
    return _named(test, "experiment", "to_experiment")


def _named(test, *arguments):
    """Returns the values of those arguments that a test has."""
    return {
        test.arguments[name] for name in arguments if name in test.arguments
    }


def _decided(claim, complete, reports):
    """Returns the tests of a claim and its verdict, as they are written."""
    from experiments.claims import decided
    from experiments.real_models.measures import MEASURES
    from experiments.real_models.noise_measures import NOISE_MEASURES

    all_runs = {name: runs for name, (_, runs) in complete.items()}
    tests, at_edge = [], []
    for test in claim.tests:
        if test.measure in NOISE_MEASURES:
            rows = NOISE_MEASURES[test.measure](reports, **test.arguments)
        else:
            rows = MEASURES[test.measure](all_runs, **test.arguments)
        tests.append(decided(test, rows))
        for name in sorted(_experiments(test)):
            edges = search.search(*complete[name]).at_edge
            at_edge += [
                f"{arm} of {name}"
                for arm in (test.arguments["arm"], test.arguments["to"])
                if arm in edges
            ]
    decisions = [test["verdict"] for test in tests]
    verdict, reason = claim.verdict(decisions, list(dict.fromkeys(at_edge)))
    return {"verdict": verdict, "reason": reason, "tests": tests}


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    result.add_argument(
        "--results",
        default=str(_FOLDER / "results"),
        metavar="DIR",
        help="folder of the finished runs, those here by default",
    )
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
