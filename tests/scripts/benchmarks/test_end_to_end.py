"""The one command, on tiny shapes, in processes of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import jobs
from benchmarks import run
from benchmarks.contestants import CONTESTANTS

pytestmark = pytest.mark.slow

ROOT = Path(run.__file__).resolve().parents[2]
ON_JAX = ["--modes", "jax", "--optimizers", "clip_adam_norm"]


def measure(out, *options, **environment):
    """Runs the command in another directory; returns what it found and said."""
    done = subprocess.run(
        [sys.executable, run.__file__, "--out", "out", "--quick", *options],
        cwd=out,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    written = json.loads(done.stdout)["written"]
    assert all((out / path).is_file() for path in written)
    results = json.loads((out / written[0]).read_text("utf-8"))
    return results, written, done.stderr


def check(result, names):
    """Checks that what was measured makes sense, whatever the machine."""
    assert result["rounds"] == 3
    assert list(result["optimizers"]) == names
    for name, row in result["optimizers"].items():
        slots = 4 * result["parameters"] * CONTESTANTS[name].slots
        # Some scalars, and two vectors with an entry for each variable.
        others = 100 + 8 * result["variables"]
        assert slots <= row["state_bytes"] < slots + others
        low, median, high = row["milliseconds"]
        assert 0 < low <= median <= high
        assert row["first_call_seconds"] > 0
        assert row["share_of_floor"] > 0


def test_tensorflow_is_measured_and_not_twice(tmp_path):
    options = ("--modes", "graph", "--optimizers", "acclip", "gclip")
    first, written, said = measure(tmp_path, *options)
    check(*first["results"], ["adam", "sgd_clipped", "acclip", "gclip"])
    (machine,) = first["machines"]
    assert ", keras_clip " in machine and ", tensorflow " in machine
    assert ", jax " not in machine
    (job,) = (tmp_path / "out/jobs").iterdir()
    (group,) = json.loads(job.read_text("utf-8"))["groups"]
    assert {len(times) for times in group.values()} == {3}
    assert "1/1 graph-tiny-test\n" in said
    assert [os.path.basename(path) for path in written] == [
        "results.json",
        "results.md",
        "ratios-tiny-test.png",
    ]
    second, _, said = measure(tmp_path, *options)
    assert second == first
    assert "1/1 graph-tiny-test: done before\n" in said


def test_jax_is_measured_where_there_is_no_tensorflow(tmp_path):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for name in ("tensorflow", "tf_keras"):
        (hidden / f"{name}.py").write_text(f"raise ImportError('no {name}')\n")
    path = os.pathsep.join([str(hidden), str(ROOT)])
    results, _, _ = measure(tmp_path, *ON_JAX, PYTHONPATH=path)
    (result,), (machine,) = results["results"], results["machines"]
    check(result, ["adam", "optax_adam", "clip_adam_norm"])
    for name in ("keras_clip", "jax", "optax"):
        assert f", {name} " in machine


def test_torch_is_measured_with_its_compiler_and_without(tmp_path):
    options = ("--backend", "torch", "--optimizers", "acclip")
    results, _, _ = measure(tmp_path, *options)
    for result in results["results"]:
        check(result, ["adam", "acclip"])
    modes = [result["mode"] for result in results["results"]]
    assert modes == ["torch", "torch-uncompiled"]
    (machine,) = results["machines"]
    assert ", torch " in machine and ", tensorflow " not in machine


def test_steps_by_rows_are_measured(tmp_path):
    options = ("--modes", "rows", "--optimizers", "gclip", "sgd")
    results, _, _ = measure(tmp_path, *options)
    (result,) = results["results"]
    rows = result["optimizers"]
    assert list(rows) == ["adam", "sgd_clipped", "sgd", "gclip"]
    assert "share_of_floor" not in rows["gclip"]


def test_a_process_measures_its_peak_of_memory(tmp_path):
    options = ["--out", str(tmp_path), "--quick", *ON_JAX, "--memory"]
    *_, job = jobs.planned(run.parser().parse_args(options))
    assert jobs.run([job], tmp_path, print) == []
    (result,) = jobs.results(tmp_path)
    assert result["peak_bytes"] > 0
