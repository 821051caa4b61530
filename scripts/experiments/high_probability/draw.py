r"""Draws the figures of the lab from what run.py has written.

Example:

    python scripts/experiments/high_probability/draw.py \
        --results_dir runs/high_probability/results
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import command_line  # noqa: E402
from command_line.files import read_json  # noqa: E402
from command_line.progress import say  # noqa: E402


def run(arguments: argparse.Namespace) -> dict[str, list[str]]:
    """Draws all figures whose arms are there.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict with the names of the `figures`.
    """
    with command_line.installed('".[noise]"'):
        from experiments import drawing
        from experiments.high_probability import figures
    folder = Path(arguments.results_dir)
    arms = {}
    for path in sorted((folder / "arms").glob("*.json")):
        found = read_json("results_dir", str(path))
        arms[found["arm"]] = found["cases"]
    if not arms:
        raise command_line.InputError(
            "`results_dir` must be a folder that run.py has written. "
            f"Received: results_dir={folder}"
        )
    drawn = []
    for draw in figures.FIGURES:
        try:
            with drawing.style():
                figure = draw(arms)
        except KeyError as error:
            say(f"{draw.__name__}: left out, too few runs or no {error}")
            continue
        drawn.append(f"{draw.__name__}.png")
        drawing.save(figure, folder / drawn[-1])
    return {"figures": drawn}


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    result.add_argument(
        "--results_dir",
        default="runs/high_probability/results",
        metavar="DIR",
        help="folder with the results, where figures are written too",
    )
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
