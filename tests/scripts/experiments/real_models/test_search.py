"""Every arm has as many learning rates, and the best is not at an edge."""

import math

import pytest

from experiments.real_models import search
from experiments.real_models.experiments import EXPERIMENTS
from experiments.real_models.run_key import RunKey

EXPERIMENT = {
    "name": "e",
    "tuned_for": "loss",
    "tuning_seeds": 1,
    "searched": True,
    "refined": False,
    "seeds": 2,
    "arms": {"a": {"rate": 1e-3}, "b": {"rate": 1.0}},
}


def run(loss, diverged=False):
    return {"diverged": diverged, "metrics": {"loss": loss}}


def searched(best, experiment=EXPERIMENT, most=200):
    """Makes runs until none is missing; the loss is least at `best`."""
    done = {}
    while missing := search.next_runs(experiment, done):
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


def test_a_rate_is_judged_by_the_mean_of_its_seeds():
    several = {**EXPERIMENT, "tuning_seeds": 2, "tuned_for": "accuracy"}
    keys = search.search(several, {}).missing
    assert len(keys) == 2 * 3 * 2 and {key.seed for key in keys} == {0, 100}
    lucky = {0.00032: (0.9, 0.1), 0.001: (0.6, 0.6), 0.0032: (0.5, 0.6)}
    lucky |= {0.32: (0.1, 0.2), 1.0: (0.5, 0.5), 3.2: (0.2, 0.9)}
    done = {
        key: {
            "diverged": False,
            "metrics": {"accuracy": lucky[key.learning_rate][key.seed > 0]},
        }
        for key in keys
    }
    found = search.search(several, done)
    assert {key.learning_rate for key in found.missing} == {10.0, 0.01}
    done |= {
        key: {"diverged": False, "metrics": {"accuracy": 0.0}}
        for key in found.missing
    }
    assert search.search(several, done).best == {"a": 0.001, "b": 3.2}


def test_rates_between_the_best_and_its_neighbours_are_tried_last():
    refined = {**EXPERIMENT, "refined": True}
    done = searched({"a": 0.0017, "b": 1.0}, refined)
    assert rates(done, "a") == [0.00032, 0.00056, 0.001, 0.0018, 0.0032]
    assert rates(done, "b") == [0.32, 0.56, 1.0, 1.8, 3.2]
    assert rates(done, "a", tuning=False) == [0.0018]
    assert rates(done, "b", tuning=False) == [1.0]


def test_where_nothing_is_searched_each_arm_has_its_own_rate():
    fixed = {**EXPERIMENT, "searched": False}
    done = searched({"a": 1.0, "b": 0.1}, fixed)
    assert {(key.arm, key.learning_rate) for key in done} == {
        ("a", 1e-3),
        ("b", 1.0),
    }
    assert {key.seed for key in done} == {1, 2}
    assert not search.search(fixed, done).at_edge


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
    keys = search.next_runs(experiment, {})
    names = {key.file_name for key in keys}
    assert len(names) == len(keys) >= len(experiment["arms"])
    for name in experiment["arms"]:
        key = RunKey(experiment["name"], name, 0.1, 1)
        assert key.file_name.endswith("-0.1-1.json")
