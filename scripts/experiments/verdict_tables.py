"""Writes verdicts as Markdown."""

from collections.abc import Mapping

from experiments.claims import Claim


def of_verdicts(
    claims: Mapping[str, Claim], verdicts: Mapping, command: str
) -> str:
    """Returns tables of all that is decided.

    Args:
        claims: The claims by name.
        verdicts: What is decided of them, by name.
        command: Name of the script that writes them.
    """
    decided = [claim for claim in claims.values() if claim.name in verdicts]
    lines = [
        "# Verdicts",
        "",
        f"Written by `{command}`. Estimates have intervals of 95 %, by "
        "bootstrap.",
        "",
        "| part | claim | verdict |",
        "| --- | --- | --- |",
    ]
    for claim in decided:
        verdict = verdicts[claim.name]
        lines.append(
            f"| {claim.part} | `{claim.name}`: {claim.says} | "
            f"**{verdict['verdict']}** ({verdict['reason']}) |"
        )
    for claim in decided:
        lines += ["", f"## {claim.name}", "", claim.says, ""]
        lines += [
            "| measure | of | must be | is | |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [_row(test) for test in verdicts[claim.name]["tests"]]
    return "\n".join(lines) + "\n"


def _row(test):
    own = ("measure", "estimate", "interval", "bounds", "control", "verdict")
    arguments = ", ".join(
        f"{name} {_plain(value)}"
        for name, value in test.items()
        if name not in own
    )
    low, high = map(_number, test["interval"])
    control = "control, " if test["control"] else ""
    return (
        f"| `{test['measure']}` | {arguments} | {_bounds(*test['bounds'])} | "
        f"{_number(test['estimate'])} [{low}, {high}] | "
        f"{control}{test['verdict']} |"
    )


def _bounds(low, high):
    if low == "-inf":
        return f"at most {high:g}"
    if high == "inf":
        return f"at least {low:g}"
    return f"{low:g} to {high:g}"


def _number(value):
    """Returns a number with three digits; infinities are strings in JSON."""
    if isinstance(value, str):
        return value.replace("inf", "∞")
    return f"{value:.3g}"


def _plain(value):
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
