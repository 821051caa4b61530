"""Measures compare equal seeds, and their intervals hold the truth."""

import math

import numpy as np
import pytest

from experiments.real_models import measures
from experiments.real_models.run_key import RunKey


def runs(**losses):
    found = {
        RunKey("e", arm, 0.1, seed): {
            "diverged": loss is None,
            "metrics": {} if loss is None else {"loss": loss},
            "spikes": seed,
        }
        for arm, values in losses.items()
        for seed, loss in enumerate(values)
    }
    return {"e": found}


def test_a_difference_pairs_seeds_and_leaves_the_search_out():
    found = measures.difference(
        runs(a=[9.0, 1.5, 2.5, 3.5], b=[0.0, 1.0, 2.0, 3.0]),
        "e",
        "a",
        "b",
        "loss",
    )
    assert np.allclose(found, 0.5)


def test_a_run_that_has_diverged_counts_as_the_worst():
    diverged = runs(a=[0.0, 1.0, None], b=[0.0, 1.0, 1.0])
    assert measures.difference(diverged, "e", "a", "b", "loss")[0] == math.inf
    assert measures.difference(diverged, "e", "b", "a", "loss")[0] == -math.inf
    both = runs(a=[0.0, 1.0, None], b=[0.0, 1.0, None])
    assert list(measures.difference(both, "e", "a", "b", "loss")[1:]) == [
        -math.inf,
        math.inf,
    ]


def test_spikes_are_those_of_the_run():
    found = measures.values(
        measures.compared(runs(a=[0.0] * 4)["e"], "a"), "spikes"
    )
    assert found.tolist() == [1, 2, 3]


@pytest.mark.parametrize("number", [5, 10])
def test_an_interval_of_few_seeds_holds_the_mean_in_95_percent(number):
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        _, low, high = measures.interval(rng.standard_normal(number))
        hits += low <= 0 <= high
    # Of 300 such intervals of 95 %, one in a hundred sets has less than 275.
    assert 270 <= hits <= 299


def test_a_band_reaches_from_the_5_to_the_95_percent_quantile():
    assert measures.band(np.linspace(0, 1, 101)) == pytest.approx(0.9)
    losses = np.random.default_rng(0).standard_normal(11).tolist()
    wide = runs(a=[2 * loss for loss in losses], b=losses)
    assert measures.band_ratio(wide, "e", "a", "b", "loss") == pytest.approx(
        2.0
    )


def test_the_gap_in_rare_words_is_that_of_the_last_decile_to_the_first():
    found = {}
    for arm, off in (("a", 1.0), ("b", 0.0)):
        for seed in (1, 2, 3):
            by_decile = np.linspace(2, 6, 10) + off * np.linspace(0.5, 2, 10)
            found[RunKey("e", arm, 0.1, seed)] = {
                "diverged": False,
                "metrics": {"loss_by_decile": by_decile.tolist()},
            }
    assert measures.decile_gap({"e": found}, "e", "a", "b") == pytest.approx(
        1.5
    )
    there = {key: run for key, run in found.items() if key.arm == "b"}
    assert measures.decile_gap(
        {"e": found, "there": there}, "e", "a", "b", "there"
    ) == pytest.approx(1.5)


def test_a_share_above_a_limit_is_of_the_runs_that_end_there():
    stuck = runs(a=[0.0] + 5 * [1.0], b=[0.0] + 2 * [3.0, 1.0] + [None])
    found = measures.share_above(stuck, "e", "a", "b", "loss", 2.0)
    assert found[0] == pytest.approx(-0.6)
    assert -1 <= found[1] < -0.6 < found[2] <= 0


def test_a_gap_changes_from_one_experiment_to_another():
    here = runs(a=[0.0, 2.0, 3.0], b=[0.0, 1.0, 1.0])["e"]
    there = runs(a=[0.0, 1.0, 1.5], b=[0.0, 1.0, 1.0])["e"]
    both = {"here": here, "there": there}
    found = measures.gap_change(both, "here", "there", "a", "b", "loss")
    assert found[0] == pytest.approx(1.25)
    assert measures.difference(both, "here", "a", "b", "loss", "there")[
        0
    ] == pytest.approx(1.5)
