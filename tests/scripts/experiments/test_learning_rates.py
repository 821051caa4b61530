"""The search for learning rates to start with, and its rate_tables."""

import dataclasses
import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest

from experiments.learning_rates import rate_problems
from experiments.learning_rates import rate_tables
from experiments.learning_rates import try_rates
from keras_clip.registry import OPTIMIZERS

FOLDER = Path(rate_tables.__file__).parent


def run_of(optimizer, rate, loss, seed=0, entropy=3.0):
    return {
        "problem": "p",
        "optimizer": optimizer,
        "learning_rate": rate,
        "seed": seed,
        "loss": loss,
        "entropy": entropy,
        "parameters": 100,
    }


def test_progress_is_a_share_of_that_of_adam_at_its_best_rate():
    runs = [
        run_of("Adam()", 0.1, 2.5),
        run_of("Adam()", 0.01, 1.0),
        run_of("GClip()", 1.0, 2.0),
        run_of("GClip()", 10.0, math.nan),
    ]
    assert rate_tables.progress(runs) == {
        "Adam()": {0.01: [1.0], 0.1: [0.25]},
        "GClip()": {1.0: [0.5], 10.0: [0.0]},
    }


def test_the_table_marks_what_trains_and_compares_equal_seeds():
    runs = [
        run_of("Adam()", 0.01, 1.0),
        run_of("Adam()", 0.01, 2.0, seed=1),
        run_of("GClip()", 1.0, 2.0),
        run_of("GClip()", 1.0, 1.5, seed=1),
        run_of("GClip()", 0.1, 2.9),
        run_of("GClip()", 10.0, 7.0),
    ]
    row = rate_tables.table(runs).splitlines()[-1]
    assert row == "| `GClip()` | 1: **50** **150** |  | 5 | **50** | < 0 |"


@pytest.mark.parametrize("best", [1e-4, 0.1, 1.0, 1000.0])
def test_the_best_of_the_rates_that_are_searched_is_not_at_an_edge(best):
    tried = []

    def loss(rate):
        tried.append(rate)
        far = abs(math.log10(rate / best))
        return math.nan if rate > 20 * best else far

    rates = try_rates.search(1.0, loss, 2)
    assert set(rates) == set(tried)
    assert math.isclose(min(rates, key=loss), best)
    assert rates[0] < best < rates[-1]
    ratios = np.array(rates[1:]) / rates[:-1]
    assert np.allclose(ratios, math.sqrt(10))


def test_every_optimizer_of_the_registry_is_tried():
    tried = {name for name, _ in map(lambda n: n.split("("), try_rates.arms())}
    assert {info.class_name for info in OPTIMIZERS.values()} < tried


@pytest.mark.slow
def test_a_rate_is_tried_from_the_same_start_whatever_came_before():
    problem = rate_problems.characters(8)
    entropy = problem.entropy
    counts = np.unique(problem.y, return_counts=True)[1]
    assert np.isclose(
        entropy, -np.sum(counts / counts.sum() * np.log(counts / counts.sum()))
    )
    held_out = tuple(array[:8] for array in problem.held_out)
    small = dataclasses.replace(problem, blocks=1, steps=4, held_out=held_out)
    arm = try_rates.Arm(small, lambda: keras.optimizers.Adam())
    first, _, again, other = (
        arm.run(rate, seed)["loss"]
        for rate, seed in ((0.01, 0), (0.1, 0), (0.01, 0), (0.01, 1))
    )
    assert first == again != other


def test_runs_that_are_done_are_not_made_again(tmp_path):
    problem = dataclasses.replace(rate_problems.characters(8), steps=4)
    path = tmp_path / "runs.jsonl"
    keys = ("problem", "optimizer", "learning_rate", "seed")
    entry = {
        **dict(zip(keys, (problem.name, "GClip()", 0.316, 0), strict=True)),
        "loss": 2.0,
    }
    done = {tuple(entry[key] for key in keys): entry}

    def make():
        raise AssertionError("There is nothing to train.")

    trials = try_rates.Trials(problem, "GClip()", make, done, path)
    assert trials.loss(10**-0.5) == 2.0
    assert not path.exists()


def test_the_committed_tables_are_those_of_the_committed_runs(tmp_path):
    path = tmp_path / "results.md"
    runs = FOLDER / "results/runs.jsonl"
    options = ["--runs", str(runs), "--output_file", str(path)]
    rate_tables.run(rate_tables.parser().parse_args(options))
    assert path.read_text() == (FOLDER / "results/results.md").read_text()


@pytest.mark.parametrize("info", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_the_registry_starts_at_a_rate_that_trained(info):
    runs = rate_tables.by_problem(FOLDER / "results/runs.jsonl")
    shares = rate_tables.progress(runs["characters, width 64"])
    if f"{info.class_name}()" not in shares:
        pytest.skip("No rate is tried of it: CONTRIBUTING.md says when")
    by_rate = shares[f"{info.class_name}()"]
    nearest = min(
        by_rate, key=lambda rate: abs(math.log(rate / info.starting_rate))
    )
    assert abs(math.log10(nearest / info.starting_rate)) < 0.03
    assert by_rate[nearest][0] >= rate_tables.TRAINS


def test_every_committed_run_has_parameters_and_took_time():
    for line in (FOLDER / "results/runs.jsonl").read_text().splitlines():
        run = json.loads(line)
        assert run["parameters"] > 0 and run["seconds"] > 0
