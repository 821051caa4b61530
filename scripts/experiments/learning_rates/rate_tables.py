r"""Writes tables of the runs of try_rates.py.

Example:

    python scripts/experiments/learning_rates/rate_tables.py \
        --runs runs/rates.jsonl --output_file results.md
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import command_line  # noqa: E402

# Minimum share of Adam's progress to count as training.
TRAINS = 0.5


def progress(runs: Sequence[Mapping]) -> dict[str, dict[float, list[float]]]:
    """Returns shares of Adam's progress, with the same seed, on one problem.

    Args:
        runs: The runs on this problem.

    Returns:
        Dict from optimizer to a dict from learning rate to the shares of its
        seeds. The share of a run that is not finite is 0.
    """
    losses = {}
    for run in runs:
        by_rate = losses.setdefault(run["optimizer"], {})
        by_seed = by_rate.setdefault(run["learning_rate"], {})
        by_seed[run["seed"]] = run["loss"]
    guess = runs[0]["entropy"]
    adam = min(losses["Adam()"].values(), key=lambda by_seed: by_seed[0])
    return {
        name: {
            rate: [
                (guess - loss) / (guess - adam[seed])
                if math.isfinite(loss)
                else 0.0
                for seed, loss in sorted(by_rate[rate].items())
            ]
            for rate in sorted(by_rate)
        }
        for name, by_rate in losses.items()
    }


def best(by_rate: Mapping[float, Sequence[float]]) -> float:
    """Returns the learning rate with the largest share, by the first seed."""
    return max(by_rate, key=lambda rate: by_rate[rate][0])


def table(runs: Sequence[Mapping]) -> str:
    """Returns the table of one problem.

    Args:
        runs: The runs on it.
    """
    shares = progress(runs)
    rates = sorted({run["learning_rate"] for run in runs})
    lines = [
        "| optimizer | best rate, three seeds | "
        + " | ".join(f"{rate:g}" for rate in rates)
        + " |",
        "| --- " * (len(rates) + 2) + "|",
    ]
    for name, by_rate in shares.items():
        at = best(by_rate)
        seeds = " ".join(percent(share) for share in by_rate[at])
        cells = [
            percent(by_rate[rate][0]) if rate in by_rate else ""
            for rate in rates
        ]
        lines.append(
            f"| `{name}` | {at:g}: {seeds} | " + " | ".join(cells) + " |"
        )
    return "\n".join(lines)


def percent(share: float) -> str:
    """Returns a share for a table, bold where the optimizer trains."""
    text = "< 0" if share < 0 else f"{100 * share:.0f}"
    return f"**{text}**" if share >= TRAINS else text


def growth(problems: Mapping[str, Sequence[Mapping]]) -> str:
    """Returns the table of best rates against the number of parameters."""
    lines = [
        "| problem | parameters d | √d | Adam's best rate | `ClipAdamNorm()` "
        "| over Adam's | `ClipAdaGradNorm()` | over Adam's |",
        "| --- " * 8 + "|",
    ]
    for name, runs in problems.items():
        shares = progress(runs)
        d = runs[0]["parameters"]
        adam = best(shares["Adam()"])
        cells = [name, f"{d:,}", f"{math.sqrt(d):.0f}", f"{adam:g}"]
        for other in ("ClipAdamNorm()", "ClipAdaGradNorm()"):
            if other in shares:
                at = best(shares[other])
                cells += [f"{at:g}", f"{at / adam:.0f}"]
            else:
                cells += ["", ""]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def by_problem(path: Path) -> dict[str, list[dict]]:
    """Returns the runs of a file by problem."""
    found = {}
    for line in path.read_text("utf-8").splitlines():
        run = json.loads(line)
        found.setdefault(run["problem"], []).append(run)
    return found


def run(arguments: argparse.Namespace) -> dict[str, int]:
    """Writes the tables.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict with the number of `problems`.
    """
    problems = by_problem(arguments.runs)
    parts = [
        "# Shares of Adam's progress, in percent",
        "By learning rate, for the first seed. Bold: it trains.",
    ]
    for name, runs in problems.items():
        d = runs[0]["parameters"]
        parts += [f"## {name}, {d:,} parameters", table(runs)]
    parts += ["## Rates against the size of the model", growth(problems)]
    arguments.output_file.write_text("\n\n".join(parts) + "\n", "utf-8")
    return {"problems": len(problems)}


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    add(
        "--runs",
        type=Path,
        required=True,
        metavar="FILE",
        help="what try_rates.py writes",
    )
    add(
        "--output_file",
        type=Path,
        required=True,
        metavar="FILE",
        help="Markdown to write",
    )
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
