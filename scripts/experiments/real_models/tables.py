"""Writes what came of an experiment as Markdown."""

import math
from collections.abc import Mapping

import numpy as np

from experiments.real_models import measures
from experiments.real_models import search
from experiments.real_models.run_key import RunKey

# The arms that others are compared with: the first of them that is there.
_BASELINES = ("Adam", "Adam, clipped")


def of_experiment(experiment: Mapping, runs: Mapping[RunKey, Mapping]) -> str:
    """Returns the tables of an experiment: its arms, and their learning rates.

    Args:
        experiment: The experiment.
        runs: Its runs, all of them.
    """
    found = search.search(experiment, runs)
    names = _scalars(runs)
    baseline = _baseline(experiment)
    less = [f"less {baseline}"] if baseline else []
    lines = [
        f"## The experiment `{experiment['name']}`",
        "",
        f"Means of {experiment['seeds']} seeds at the best learning rate, in "
        "brackets the 5 and 95 % quantiles. Less another: the mean difference "
        f"of {experiment['measure']} with the same seed, and its interval of "
        "95 %.",
        "",
        row("arm", "rate", *names, *less, "spikes", "clipped"),
        row(*["---"] * (len(names) + len(less) + 4)),
    ]
    for arm in experiment["arms"]:
        compared = measures.compared(runs, arm)
        rate = f"{found.best[arm]:g}" + " (edge)" * (arm in found.at_edge)
        lines.append(
            row(
                arm,
                rate,
                *(_band(measures.values(compared, name)) for name in names),
                *(_difference(experiment, runs, arm, baseline) for _ in less),
                f"{measures.values(compared, 'spikes').mean():.3g}",
                _clipped(compared),
            )
        )
    lines += ["", *_whole(experiment, runs), *_rates(experiment, runs, found)]
    return "\n".join(lines)


def of_hours(complete: Mapping[str, tuple]) -> str:
    """Returns the table of the time that the runs took.

    Args:
        complete: Experiment and its runs, by name.
    """
    lines = [
        "## Time",
        "",
        "Hours of one core, with as many runs at a time as there are cores.",
        "",
        row("experiment", "runs", "diverged", "hours", "processors"),
        row(*["---"] * 5),
    ]
    for name, (_, found) in complete.items():
        runs = found.values()
        hours = sum(run["seconds"]["all"] for run in runs) / 3600
        processors = {run["machine"]["processor"] for run in runs}
        lines.append(
            row(
                f"`{name}`",
                f"{len(runs)}",
                f"{sum(run['diverged'] for run in runs)}",
                f"{hours:.1f}",
                ", ".join(sorted(processors)),
            )
        )
    return "\n".join([*lines, ""])


def row(*cells: str) -> str:
    """Returns a line of a table.

    Args:
        *cells: Its cells.
    """
    return "| " + " | ".join(cells) + " |"


def _scalars(runs):
    """Returns the names of what is measured with every seed."""
    for key, run in runs.items():
        if not key.is_tuning and not run["diverged"]:
            return [
                name
                for name, value in run["metrics"].items()
                if not isinstance(value, list) and not name.startswith("whole_")
            ]
    return []


def _baseline(experiment):
    """Returns the arm to compare others with, if there are others."""
    arms = experiment["arms"]
    found = [name for name in _BASELINES if name in arms and len(arms) > 1]
    return found[0] if found else None


def _difference(experiment, runs, arm, baseline):
    if arm == baseline:
        return ""
    name = experiment["name"]
    estimate, low, high = measures.difference(
        {name: runs}, name, arm, baseline, experiment["measure"]
    )
    return f"{_number(estimate)} [{_number(low)}, {_number(high)}]"


def _whole(experiment, runs):
    """Returns the table of the scores on all held-out data, if there is one."""
    seed = experiment.get("whole_for_seed")
    if seed is None:
        return []
    rows = {}
    for arm in experiment["arms"]:
        metrics = measures.compared(runs, arm)[seed - 1]["metrics"]
        rows[arm] = {
            name.removeprefix("whole_"): value
            for name, value in metrics.items()
            if name.startswith("whole_")
        }
    names = max(rows.values(), key=len)
    lines = [
        f"All held-out data, seed {seed}:",
        "",
        row("arm", *names),
        row(*["---"] * (len(names) + 1)),
    ]
    for arm, whole in rows.items():
        lines.append(
            row(arm, *(_number(whole.get(name, math.nan)) for name in names))
        )
    return [*lines, ""]


def _rates(experiment, runs, found):
    """Returns the table of the search: the score at each learning rate."""
    if not experiment["searched"]:
        return []
    tuned_for = experiment["tuned_for"]
    number = experiment["tuning_seeds"]
    seeds = "one seed" if number == 1 else f"the mean of {number} seeds"
    lines = [
        f"The search: {tuned_for} on data of its own at each learning rate, "
        f"{seeds}. Bold: the best.",
        "",
    ]
    columns = max(map(len, found.rates.values()))
    names = (f"rate {place + 1}" for place in range(columns))
    lines += [row("arm", *names), row(*["---"] * (columns + 1))]
    for arm, rates in found.rates.items():
        cells = []
        for rate in rates:
            keys = search.tuning_keys(experiment, arm, rate)
            tried = measures.values([runs[key] for key in keys], tuned_for)
            value = tried.mean()
            shown = _number(value) if math.isfinite(value) else "diverged"
            if rate == found.best[arm]:
                shown = f"**{shown}**"
            cells.append(f"{rate:g}: {shown}")
        lines.append(row(arm, *cells, *[""] * (columns - len(cells))))
    return [*lines, ""]


def _band(values):
    if not np.isfinite(values).all():
        return f"{np.sum(~np.isfinite(values))} of {len(values)} diverged"
    low, high = np.quantile(values, [0.05, 0.95])
    return f"{_number(values.mean())} ({_number(low)} to {_number(high)})"


def _clipped(runs):
    shares = [run["clipped"] for run in runs if run["clipped"] is not None]
    return f"{np.mean(shares):.2g}" if shares else ""


def _number(value):
    return f"{value:.4g}".replace("inf", "∞")
