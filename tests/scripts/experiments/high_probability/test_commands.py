"""The commands of the lab, small."""

import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import command_line
from experiments.high_probability import claims
from experiments.high_probability import own_case
from keras_clip.registry import OPTIMIZERS
from tests.support.programs.launch import results_of

FOLDER = Path(claims.__file__).parent


def script(name, *arguments):
    """Runs a script of the lab; returns its status, output and errors."""
    done = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_every_claim_is_decided_and_every_figure_drawn_at_smoke_size(tmp_path):
    verdicts, drawn = results_of(
        "high_probability", "smoke", str(tmp_path), backend="jax"
    )
    assert verdicts.keys() == claims.load().keys()
    assert set(verdicts.values()) <= {"holds", "fails", "undecided"}
    text = (tmp_path / "results-share-2e-05/results.md").read_text()
    assert all(f"\n## {name}\n" in text for name in verdicts)
    # A tail of twenty runs cannot be drawn.
    assert "theorems.png" in drawn
    for name in drawn:
        assert (tmp_path / "results-share-2e-05" / name).stat().st_size > 10_000


@pytest.mark.slow
def test_a_second_start_gives_the_same_tables_by_any_number_of_processes(
    tmp_path,
):
    tables = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        status, output, lines = script(
            "run",
            *("--claim", "power_of_threshold", "--share", "1e-3"),
            *("--processes", processes, "--output_dir", folder),
        )
        assert status == 0, lines
        assert json.loads(output).keys() == {"power_of_threshold"}
        results = folder / "results-share-0.001"
        tables.append(
            [
                (results / name).read_bytes()
                for name in ("results.md", "verdicts.json")
            ]
        )
    assert tables[0] == tables[1]
    # The runs are there: no case is made again.
    _, _, lines = script(
        "run",
        *("--claim", "power_of_threshold", "--share", "1e-3"),
        *("--processes", 1, "--output_dir", tmp_path / "1"),
    )
    assert "made in" not in lines


@pytest.mark.slow
def test_the_committed_figures_are_those_of_the_committed_logs(tmp_path):
    shutil.copytree(FOLDER / "results/arms", tmp_path / "arms")
    status, output, lines = script("draw", "--results_dir", tmp_path)
    assert status == 0, lines
    drawn = json.loads(output)["figures"]
    committed = {path.name for path in (FOLDER / "results").glob("*.png")}
    assert set(drawn) == committed
    text = (FOLDER / "README.md").read_text("utf-8")
    assert all(f"(results/{name})" in text for name in drawn)


@pytest.mark.slow
def test_figures_are_drawn_of_the_arms_that_are_there(tmp_path):
    (tmp_path / "arms").mkdir()
    name = "theorem-4.json"
    (tmp_path / "arms" / name).write_text(
        (FOLDER / "results/arms" / name).read_text()
    )
    status, output, lines = script("draw", "--results_dir", tmp_path)
    assert status == 0, lines
    assert json.loads(output) == {"figures": []}
    assert "headline: left out" in lines
    (tmp_path / "arms" / name).write_text("half")
    status, _, lines = script("draw", "--results_dir", tmp_path)
    assert status == 2 and lines.endswith(f"{name}\n")


def test_a_missing_package_is_named_with_what_installs_it():
    with pytest.raises(command_line.InputError, match="no_such_module.* x in"):
        with command_line.installed("x"):
            import no_such_module  # noqa: F401


def test_a_case_of_ones_own_is_of_any_optimizer_with_a_threshold():
    names = {
        name
        for name, info in OPTIMIZERS.items()
        if "clip_threshold" in inspect.signature(info.keras_class).parameters
    }
    assert set(own_case.OPTIMIZERS) == names


@pytest.mark.slow
def test_a_case_of_ones_own_is_printed_and_drawn(tmp_path):
    figure = tmp_path / "own.png"
    status, output, lines = script(
        "own_case",
        *("--tail_index", 1.6, "--learning_rate", 0.1, "--clip_threshold", 1),
        *("--runs", 2_000, "--steps", 200, "--output_file", figure),
    )
    assert status == 0, lines
    found = json.loads(output)
    assert found["delta"] == [0.5, 0.1, 0.05]
    assert found["unclipped"][-1] > 5 * found["clipped"][-1]
    assert figure.stat().st_size > 10_000
    rows = [line.split() for line in lines.splitlines()[-3:]]
    columns = list(zip(*rows, strict=True))
    for column, name in zip(
        columns, ("delta", "unclipped", "clipped"), strict=True
    ):
        assert [float(value) for value in column] == found[name]


@pytest.mark.parametrize(
    ("name", "arguments", "end"),
    [
        (
            "own_case",
            ["--tail_index", "1"],
            "must be above 1 and at most 2. Received: tail_index=1",
        ),
        (
            "own_case",
            ["--tail_index", "2.5"],
            "Received: tail_index=2.5",
        ),
        (
            "own_case",
            ["--tail_index", "1.5", "--runs", "0"],
            "must be an integer from 200 to 10000000. Received: 0",
        ),
        (
            "own_case",
            ["--tail_index", "1.5", "--output_file", "no/such/place.png"],
            "Received: output_file=no/such/place.png",
        ),
        ("run", ["--claim", "nothing"], "Received: claim=nothing"),
        ("run", ["--share", "0"], "Received: 0"),
        ("draw", ["--results_dir", "nowhere"], "Received: results_dir=nowhere"),
    ],
)
def test_what_cannot_be_ends_in_one_line(name, arguments, end):
    if name == "own_case":
        arguments += ["--learning_rate", "0.1", "--clip_threshold", "1"]
    status, _, lines = script(name, *arguments)
    assert status == 2
    assert lines.startswith(f"{name}.py: error: ")
    assert lines.endswith(f"{end}\n") and lines.count("\n") == 1
