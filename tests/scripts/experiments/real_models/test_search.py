"""Every arm has as many learning rates, and the best is not at an edge."""

import math

import pytest

from experiments.real_models import search
from experiments.real_models.experiments import EXPERIMENTS
from experiments.real_models.run_key import RunKey

EXPERIMENT = {
    "name": "e",
    "measure": "loss",
    "higher_is_better": False,
    "seeds": 2,
    "arms": {"a": {"rate": 1e-3}, "b": {"rate": 1.0}},
}


def run(loss, diverged=False):
    return {"diverged": diverged, "metrics": {"loss": loss}}


def searched(best, most=200):
    """Makes runs until none is missing; the loss is least at `best`."""
    done = {}
    while missing := search.next_runs(EXPERIMENT, done):
        assert len(done) + len(missing) < most
        for key in missing:
            off = abs(math.log10(key.learning_rate / best[key.arm]))
            done[key] = run(off)
    return done


def rates(done, arm, tuning=True):
    return sorted(
        {
            key.learning_rate
            for key in done
            if key.arm == arm and key.is_tuning == tuning
        }
    )


def test_the_best_rate_of_each_arm_is_run_with_fresh_seeds():
    done = searched({"a": 1e-3, "b": 1.0})
    assert rates(done, "a") == [0.00032, 0.001, 0.0032]
    assert rates(done, "b") == [0.32, 1.0, 3.2]
    assert rates(done, "a", tuning=False) == [0.001]
    assert {key.seed for key in done} == {0, 1, 2}
    assert search.search(EXPERIMENT, done).at_edge == []


def test_every_arm_gets_a_rate_more_where_one_is_best_at_an_edge():
    done = searched({"a": 1e-3, "b": 10.0})
    assert rates(done, "a") == [0.00032, 0.001, 0.0032, 0.01, 0.032]
    assert rates(done, "b") == [0.32, 1.0, 3.2, 10.0, 32.0]
    assert search.search(EXPERIMENT, done).best == {"a": 0.001, "b": 10.0}


def test_edges_on_both_sides_are_moved_at_once():
    done = searched({"a": 3.2e-4, "b": 3.2})
    assert rates(done, "a") == [0.0001, 0.00032, 0.001, 0.0032, 0.01]
    assert rates(done, "b") == [0.1, 0.32, 1.0, 3.2, 10.0]
    assert not search.search(EXPERIMENT, done).at_edge


def test_after_two_extensions_it_is_said_which_arm_is_at_an_edge():
    found = search.search(EXPERIMENT, searched({"a": 1e-3, "b": 1e4}))
    assert found.at_edge == ["b"]
    assert found.best["b"] == 32.0
    assert {len(tried) for tried in found.rates.values()} == {5}


def test_a_run_that_has_diverged_is_the_worst():
    assert search.score(EXPERIMENT, run(None, diverged=True)) < search.score(
        EXPERIMENT, run(1e9)
    )


def test_models_that_score_the_same_are_ordered_by_their_loss():
    scored = {**EXPERIMENT, "measure": "matthews", "higher_is_better": True}

    def of(matthews, loss):
        metrics = {"matthews": matthews, "loss": loss}
        return search.score(scored, {"diverged": False, "metrics": metrics})

    assert of(0.2, 0.9) > of(0.1, 0.1)
    assert of(0.0, 0.6) > of(0.0, 0.7)


def test_a_seed_is_complete_before_the_next_one_begins():
    done = {
        key: run(abs(math.log10(key.learning_rate)) % 3)
        for key in search.search(EXPERIMENT, {}).missing
    }
    while any(key.is_tuning for key in search.next_runs(EXPERIMENT, done)):
        done |= {
            key: run(abs(math.log10(key.learning_rate)) % 3)
            for key in search.next_runs(EXPERIMENT, done)
        }
    seeds = [key.seed for key in search.next_runs(EXPERIMENT, done)]
    assert seeds == [1, 1, 2, 2]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e["name"])
def test_no_two_runs_of_an_experiment_share_a_file(experiment):
    keys = search.search(experiment, {}).missing
    names = {key.file_name for key in keys}
    assert len(names) == len(keys) == 3 * len(experiment["arms"])
    for name in experiment["arms"]:
        key = RunKey(experiment["name"], name, 0.1, 1)
        assert key.file_name.endswith("-0.1-1.json")
