"""The commands make what is missing, decide, and tell what they cannot use."""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from command_line import InputError
from experiments import claims
from experiments.real_models import finished
from experiments.real_models import noise_points
from experiments.real_models import report
from experiments.real_models import run
from experiments.real_models import sample_noise
from experiments.real_models import search
from experiments.real_models.experiments import EXPERIMENTS
from experiments.real_models.experiments import by_name
from experiments.real_models.noise_measures import NOISE_MEASURES
from experiments.real_models.run_key import RunKey
from tests.support.tiny import call

FOLDER = Path(run.__file__).parent
CLAIMS = claims.load(FOLDER / "claims.yaml")


def write_all(folder, name, better="SGD", without=(), best=None, **changes):
    """Writes runs of an experiment, of which an arm is better by 1."""
    experiment = {**by_name(name), **changes}
    best = best or experiment["arms"]
    sign = -1 if experiment["measure"] == "loss" else 1
    rng = np.random.default_rng(0)
    done = {}
    while missing := search.next_runs(experiment, done):
        for key in missing:
            middle = best[key.arm]["rate"]
            value = sign * (key.arm == better) + 0.01 * rng.random()
            value -= sign * abs(math.log10(key.learning_rate / middle))
            made = {
                "experiment": name,
                "arm": key.arm,
                "learning_rate": key.learning_rate,
                "seed": key.seed,
                "settings": finished.settings(experiment, key.arm),
                "diverged": False,
                "metrics": {
                    "loss": -sign * value,
                    experiment["measure"]: value,
                },
                "training_loss": {"step": [1, 2], "loss": [2.0, 1.0]},
                "spikes": key.seed,
                "clipped": 0.5,
                "seconds": {"training": 8.0, "all": 9.0},
                "steps": 2,
                "machine": {"processor": "a processor"},
            }
            done[key] = made
            if key not in without:
                finished.write(folder, key, made)
    return done


@pytest.mark.slow
def test_what_is_missing_is_made_and_nothing_twice(paths, tmp_path):
    missing = {
        RunKey("images", *arm, 1) for arm in (("SGD", 0.032), ("Adam", 0.001))
    }
    # One run of each arm, as of an experiment that is tried out.
    tried = {"most_steps": 2, "searched": False, "seeds": 1}
    made_with = {**by_name("images"), **tried}
    done = write_all(tmp_path, "images", without=missing, **tried)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.json")}
    command = [
        *(sys.executable, FOLDER / "run.py", "--experiment", "images"),
        *("--images", paths["images"], "--results", tmp_path),
        *("--most_steps", "2", "--processes", "2"),
    ]
    ended = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ}
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {"images": len(done)}
    after = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.json")}
    assert before.items() <= after.items()
    made = finished.read(tmp_path, made_with)
    assert made.keys() == done.keys()
    for key in missing:
        assert made[key]["steps"] == 2
        optimizer = made[key]["optimizer"]
        if key.arm == "SGD":
            assert optimizer["momentum"] == 0.9
        else:
            assert optimizer["beta_1"] == 0.9
        assert made[key]["machine"]["backend"] == "tensorflow"


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e["name"])
def test_missing_data_are_told_before_anything_else(experiment, tmp_path):
    with pytest.raises(InputError, match=r"^`--\w+` must be .*Received: --"):
        call(run, "--experiment", experiment["name"], "--results", tmp_path)


@pytest.mark.parametrize("command", [run, sample_noise])
def test_what_is_only_tried_out_is_kept_from_the_results(command):
    with pytest.raises(InputError, match=r"`--results` must .*own with"):
        call(command, "--experiment", "cola", "--most_steps", 1)


def test_a_damaged_run_is_told_before_anything_is_made(paths, tmp_path):
    write_all(tmp_path, "images")
    (path, *_) = (tmp_path / "runs/images").glob("*.json")
    path.write_text("{")
    options = ("--images", paths["images"], "--results", tmp_path)
    with pytest.raises(InputError, match="`--results`"):
        call(run, "--experiment", "images", *options)
    with pytest.raises(InputError, match="`--results`"):
        call(report, "--results", tmp_path)


def test_a_report_decides_what_is_complete(tmp_path):
    write_all(tmp_path, "images")
    write_all(
        tmp_path, "language", without={RunKey("language", "SGD", 0.32, 5)}
    )
    verdicts = call(report, "--results", tmp_path)
    assert verdicts == {"sgd_on_images": "holds", "acclip_on_images": "holds"}
    written = json.loads((tmp_path / "verdicts.json").read_text())
    (test,) = written["sgd_on_images"]["tests"]
    assert test["estimate"] == pytest.approx(1, abs=0.02)
    low, high = test["interval"]
    assert low <= test["estimate"] <= high
    text = (tmp_path / "results.md").read_text()
    assert "**holds**" in text and "`language`" not in text
    assert (tmp_path / "images.png").stat().st_size > 10_000


def test_other_arms_are_compared_with_adam_or_else_with_clipped_adam(tmp_path):
    write_all(tmp_path, "language")
    write_all(tmp_path, "images")
    call(report, "--results", tmp_path)
    *_, language, images = (
        (tmp_path / "results.md").read_text().split("## The experiment ")
    )
    assert "| less Adam, clipped |" in language
    assert "| less Adam |" in images


def test_a_claim_is_undecided_where_a_rate_is_at_an_edge(tmp_path):
    experiment = by_name("images")
    far = {**experiment["arms"], "SGD": {"rate": 1e4}}
    write_all(tmp_path, "images", best=far)
    verdicts = call(report, "--results", tmp_path)
    assert set(verdicts.values()) == {"undecided"}
    text = (tmp_path / "results.md").read_text()
    assert "best rate at the edge: SGD of images" in text
    assert "(edge)" in text


def test_one_seed_decides_nothing(tmp_path):
    write_all(tmp_path, "cola_as_published", better="ClipAdam by layer")
    assert call(report, "--results", tmp_path) == {}
    text = (tmp_path / "results.md").read_text()
    assert "[-∞, ∞]" in text and "The search" not in text


def test_without_a_complete_experiment_there_is_no_report(tmp_path):
    with pytest.raises(InputError, match="must hold all runs"):
        call(report, "--results", tmp_path)


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_about_arms_of_its_experiment(name):
    for test in CLAIMS[name].tests:
        assert -math.inf < test.low or test.high < math.inf
        if test.measure in NOISE_MEASURES:
            assert test.arguments["noise_of"] in noise_points.EXPERIMENTS
            assert test.arguments["at"] in noise_points.POINTS
            assert test.arguments["size"] in noise_points.BATCH_SIZES
            continue
        experiment = test.arguments["experiment"]
        other = test.arguments.get("to_experiment", experiment)
        assert test.arguments["arm"] in by_name(experiment)["arms"]
        assert test.arguments["to"] in by_name(other)["arms"]
    assert CLAIMS[name].refuted_by and CLAIMS[name].margin


def test_the_committed_results_are_those_of_the_committed_runs(tmp_path):
    results = FOLDER / "results"
    for name in ("runs", "noise"):
        if (results / name).exists():
            shutil.copytree(results / name, tmp_path / name)
    complete = [
        experiment
        for experiment in EXPERIMENTS
        if not search.next_runs(experiment, finished.read(results, experiment))
    ]
    if not complete and not noise_points.reports(results):
        assert not (results / "results.md").exists()
        return
    call(report, "--results", tmp_path)
    for name in ("results.md", "verdicts.json"):
        assert (tmp_path / name).read_text() == (results / name).read_text()
    for experiment in complete:
        assert (results / f"{experiment['name']}.png").exists()


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e["name"])
def test_committed_runs_are_those_that_the_experiment_asks_for(experiment):
    """No run was made beside the search, and none is left of another grid."""
    done = finished.read(FOLDER / "results", experiment)
    asked = {}
    while missing := search.next_runs(experiment, asked):
        known = [key for key in missing if key in done]
        if not known:
            break
        asked |= {key: done[key] for key in known}
    assert asked.keys() == done.keys()
    for made in done.values():
        assert made["machine"]["processor"] and made["seconds"]["all"] > 0
        assert made["steps"] > 0
