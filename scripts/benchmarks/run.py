"""Measures what a step of every optimizer costs, here and in other libraries.

Every mode is measured in a separate process on each kind of shapes, all
optimizers in every round in random order. The same command continues after a
kill, with what is already measured. It writes results.json, results.md and
plots.

Example:

    python scripts/benchmarks/run.py --out runs/benchmarks
    python scripts/benchmarks/run.py --out runs/scaling --study scaling
    python scripts/benchmarks/run.py --out runs/base --modes graph eager \\
        --shapes bert-base --optimizers acclip adamw --memory
    python scripts/benchmarks/run.py --remake scripts/benchmarks/results/cpu/*/
"""

import argparse
import datetime
import itertools
import os
import sys
import time
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SCRIPTS))

import command_line  # noqa: E402
from benchmarks import jobs  # noqa: E402
from benchmarks import modes  # noqa: E402
from benchmarks import report  # noqa: E402
from benchmarks import summary  # noqa: E402
from benchmarks.contestants import CONTESTANTS  # noqa: E402
from command_line import InputError  # noqa: E402
from command_line import files  # noqa: E402


def parser() -> command_line.Parser:
    """Returns the parser of the command line."""
    parser = command_line.Parser(__doc__)
    add = parser.add_argument
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", metavar="DIR", help="directory of the results")
    where.add_argument(
        "--remake",
        nargs="+",
        action="extend",
        metavar="DIR",
        help=(
            "directories of results whose tables and plots are made again of "
            "their results.json; nothing is measured"
        ),
    )
    add(
        "--study",
        choices=("comparison", "scaling"),
        default="comparison",
        help="all optimizers, or a few against the size of a model",
    )
    add(
        "--backend",
        choices=tuple(jobs.NEEDS),
        help="only its modes; by default those of all that is installed",
    )
    add(
        "--modes",
        nargs="+",
        action="extend",
        metavar="MODE",
        help=f"of {', '.join(modes.MODES)}",
    )
    add(
        "--shapes",
        nargs="+",
        action="extend",
        metavar="NAME",
        help=(
            f"of {', '.join([*modes.BERTS, *modes.OTHERS])}, parameters:N, "
            "variables:N; by default what suits the study and the mode"
        ),
    )
    add(
        "--optimizers",
        nargs="+",
        action="extend",
        metavar="NAME",
        help=(
            f"of {', '.join(CONTESTANTS)}; those that they are "
            "compared with are added"
        ),
    )
    add(
        "--rounds",
        type=command_line.integer(2),
        default=30,
        help="steps of every optimizer that are timed",
    )
    add("--seed", type=int, default=0, help="of gradients and orders")
    add(
        "--memory",
        action="store_true",
        help="measure peaks of memory too, in a process for every optimizer",
    )
    add(
        "--quick",
        action="store_true",
        help="tiny shapes and 3 rounds: whether all works, not how fast",
    )
    return parser


def run(arguments: argparse.Namespace) -> dict:
    """Measures what is asked for and writes the results.

    Args:
        arguments: The parsed command line.

    Returns:
        The paths of what it wrote.

    Raises:
        InputError: If an argument cannot be used, or a process failed.
    """
    if arguments.remake:
        found = {
            out: summary.read("--remake", os.path.join(out, "results.json"))
            for out in arguments.remake
        }
        written = [report.write(results, out) for out, results in found.items()]
        return {"written": list(itertools.chain(*written))}
    work = jobs.planned(arguments)
    files.make_directory("--out", arguments.out)
    start = time.monotonic()

    def say(line):
        spent = datetime.timedelta(seconds=round(time.monotonic() - start))
        print(f"{spent} {line}", file=sys.stderr, flush=True)

    failed = jobs.run(work, arguments.out, say)
    results = summary.merged(jobs.results(arguments.out))
    written = report.write(results, arguments.out)
    if failed:
        raise InputError(
            f"`--out` lacks {', '.join(failed)}: the processes failed, and "
            "what they printed is above. The same command tries these again. "
            f"Received: --out={arguments.out}"
        )
    return {"written": written}


if __name__ == "__main__":
    command_line.main(parser(), run)
