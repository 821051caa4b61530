"""Writes the results of a benchmark: JSON, Markdown tables and plots."""

import dataclasses
import functools
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from benchmarks import plots
from benchmarks import summary
from benchmarks.contestants import CONTESTANTS
from benchmarks.contestants import OURS
from benchmarks.modes import MODES
from command_line import files

_EXPLANATION = """\
Every optimizer takes a step in each round, in random order. A ratio is that of
two times of the same round: the median of all rounds, in brackets the
quartiles. `ms` is the median of the step. The first call traces, compiles and
takes the first step. The floor is the time in which a copy, an in-place sum of
two buffers timed in the same rounds, moves the bytes that the step has to read
and write at least; a share near 100% leaves nothing to gain, and caches can
make it more. A peak is what building and three steps add to the memory of the
variables and gradients, with what the compiler takes."""


@dataclasses.dataclass(frozen=True)
class Target:
    """A bound on the worst of some contestants.

    Args:
        mode: The mode.
        contestants: Names of those that it is for.
        at_most: The bound on the median.
        against: Name of the one that their time is divided by; `None` for a
            bound on the seconds of the first call.
        shapes: Name of the shapes.
    """

    mode: str
    contestants: tuple[str, ...]
    at_most: float
    against: str | None
    shapes: str = "bert-base"


_TWO_SLOTS = ("acclip_threshold", "acclip_unscaled")
TARGETS = (
    Target("graph", _TWO_SLOTS, 0.50, "adam"),
    Target("graph", ("acclip_threshold_decay",), 0.45, "adamw"),
    Target("graph", ("acclip",), 0.75, "adam"),
    Target("graph", ("clip_adam_norm", "clip_adagrad_norm"), 0.35, "adam"),
    Target("graph", ("clip_adam",), 0.60, "adam_clipped"),
    Target("eager", OURS, 0.20, "adam"),
    Target("graph", OURS, 0.85, "adam", "many-small"),
    Target("eager", OURS, 0.06, "adam", "many-small"),
    Target("tf_keras", _TWO_SLOTS, 0.55, "tf_keras_adam"),
    Target("jax", OURS, 1.00, "optax_adam"),
    Target("graph", OURS, 3.0, None),
    *(
        Target(mode, names, at_most, "adam", shapes)
        for shapes in ("bert-small", "bert-base")
        for names, compiled, uncompiled in (
            (_TWO_SLOTS, 1.0, 1.5),
            (("acclip",), 1.3, 1.9),
            (("clip_adam",), 1.1, 1.6),
            (("clip_adam_norm",), 0.7, 1.0),
            (("gclip",), 0.5, 0.8),
        )
        for mode, at_most in (
            ("torch", compiled),
            ("torch-uncompiled", uncompiled),
        )
    ),
    Target("torch", OURS, 1.00, "adam", "many-small"),
    Target(
        "rows",
        ("gclip", "cclip", "clip_adagrad", "clip_adagrad_norm"),
        0.10,
        "sgd_clipped",
        "embedding",
    ),
)


def write(results: Mapping, out: str) -> list[str]:
    """Writes `results.json`, `results.md` and plots.

    Args:
        results: What `summary.merged` returns.
        out: The directory.

    Returns:
        The paths of what it wrote.
    """
    folder = Path(out)
    written = [str(folder / name) for name in ("results.json", "results.md")]
    summary.write(results, written[0])
    pictures = plots.draw(results["results"], folder)
    with files.whole(written[1]) as partial:
        Path(partial).write_text(markdown(results, pictures), "utf-8")
    return [*written, *(str(folder / name) for name in pictures)]


def markdown(results: Mapping, pictures: Sequence[str] = ()) -> str:
    """Returns a page of tables.

    Args:
        results: What `summary.merged` returns.
        pictures: Names of the plots beside the page.
    """
    parts = ["# What a step costs", *results["machines"], _EXPLANATION]
    parts += [f"![{name.removesuffix('.png')}]({name})" for name in pictures]
    bounds = targets(results["results"])
    if bounds:
        parts += ["## Targets", bounds]
    for result in results["results"]:
        title = MODES[result["mode"]].title
        parts.append(f"## {title}, {result['shapes']}")
        parts.append(
            f"{result['variables']:,} variables, {result['parameters']:,} "
            f"parameters, {result['rounds']} rounds; the copy moves "
            f"{result['copy_bytes_per_second'] / 1e9:.3g} GB/s."
        )
        parts.append(table(result))
    for result in results["skipped"]:
        title = MODES[result["mode"]].title
        parts.append(
            f"{title}, {result['shapes']} was left out: {result['skipped']}."
        )
    return "\n\n".join(parts) + "\n"


def table(result: Mapping) -> str:
    """Returns the Markdown table of one mode on one kind of shapes.

    Args:
        result: One of `"results"` of `summary.merged`.
    """
    mode, rows = MODES[result["mode"]], result["optimizers"]
    columns = {
        "ms": lambda row: f"{row['milliseconds'][1]:.3g}",
        **{
            f"/ {CONTESTANTS[name].title}": functools.partial(_ratio, name)
            for name in mode.references
        },
        "/ its counterpart": functools.partial(_to_counterpart, mode),
        "first call, s": lambda row: f"{row['first_call_seconds']:.2f}",
        "state, MB": lambda row: f"{row['state_bytes'] / 1e6:.4g}",
    }
    if mode.trains:
        columns["of it the update, ms"] = lambda row: _quartiles(
            row.get("update_milliseconds")
        )
    elif not mode.by_rows:
        columns["share of the floor"] = lambda row: (
            f"{row['share_of_floor']:.0%}"
        )
    if any("peak_bytes" in row for row in rows.values()):
        columns["peak, MB"] = lambda row: (
            f"{row['peak_bytes'] / 1e6:.4g}" if "peak_bytes" in row else ""
        )
    lines = [
        ["optimizer", *columns],
        ["---"] * (1 + len(columns)),
        *(
            [CONTESTANTS[name].title, *(cell(row) for cell in columns.values())]
            for name, row in rows.items()
        ),
    ]
    return _table(lines)


def targets(results: Sequence[Mapping]) -> str:
    """Returns the Markdown table of the targets that were measured, if any.

    Args:
        results: `"results"` of `summary.merged`.
    """
    lines = []
    for target in TARGETS:
        found = worst(target, results)
        if not found:
            continue
        median, name, ratio = found
        first, *others = target.contestants
        what = CONTESTANTS[first].title
        if others:
            what = f"the slowest of {len(target.contestants)} of ours"
        what += f", {MODES[target.mode].title}, {target.shapes}"
        against = "the first call, in seconds"
        if target.against:
            against = CONTESTANTS[target.against].title
        measured = _quartiles(ratio) or f"{median:.2f}"
        if others:
            measured += f", {CONTESTANTS[name].title}"
        holds = "yes" if median <= target.at_most else "no"
        lines.append([what, against, f"{target.at_most:.2f}", measured, holds])
    if not lines:
        return ""
    head = ["what", "against", "at most", "measured", "holds"]
    return _table([head, ["---"] * len(head), *lines])


def worst(
    target: Target, results: Sequence[Mapping]
) -> tuple[float, str, Sequence[float] | None] | None:
    """Returns which optimizer of a target comes out worst.

    Args:
        target: The target.
        results: `"results"` of `summary.merged`.

    Returns:
        Its median ratio or its seconds, its name, and the quartiles of the
        ratio; `None` unless all of the target were measured.
    """
    place = (target.mode, target.shapes)
    rows = {}
    for result in results:
        if (result["mode"], result["shapes"]) == place:
            rows = result["optimizers"]
    found = []
    for name in target.contestants:
        row, ratio = rows.get(name), None
        if row and target.against:
            ratio = row["ratios"].get(target.against)
        if not (ratio if target.against else row):
            return None
        median = ratio[1] if ratio else row["first_call_seconds"]
        found.append((median, name, ratio))
    return max(found, key=lambda entry: entry[:2])


def _table(lines):
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _quartiles(values):
    """Returns the median with the other quartiles in brackets."""
    return "{1:.3g} [{0:.3g}, {2:.3g}]".format(*values) if values else ""


def _ratio(name, row):
    return _quartiles(row["ratios"].get(name))


def _to_counterpart(mode, row):
    """Returns the ratio to a contestant without a column."""
    for name in row["ratios"]:
        if name not in mode.references:
            return f"{_ratio(name, row)} / {CONTESTANTS[name].title}"
    return ""
