"""The monitoring variables describe the last steps."""

import numpy as np
import pytest

from tests.support.enrolment import every_optimizer
from tests.support.enrolment import every_variant
from tests.support.enrolment import few_variants
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.trajectories import oracle_of
from tests.support.trajectories import same_bits
from tests.support.trajectories import stepped

GRADIENTS = heavy_tailed_gradients(steps=6)
BAD = [np.full_like(g, np.nan) for g in GRADIENTS[0]]


def _norm(gradients):
    return np.sqrt(sum(np.sum(np.square(g)) for g in gradients))


def _norms(gradients):
    return [_norm([g]) for g in gradients]


@pytest.mark.parametrize(
    "clipping",
    [{}, {"clipnorm": 0.5}, {"clipvalue": 0.5}, {"global_clipnorm": 0.5}],
    ids=lambda clipping: next(iter(clipping), "none"),
)
@every_optimizer
def test_gradient_norms_are_those_before_clipping(enrolment, clipping):
    """Of all variables together, and of each."""
    optimizer = KERAS.optimizer(enrolment.name, monitor=True, **clipping)
    variables = KERAS.variables(parameters())
    for gradients in GRADIENTS:
        KERAS.apply(optimizer, gradients, variables)
        np.testing.assert_allclose(
            float(optimizer.gradient_norm), _norm(gradients), rtol=1e-6
        )
        np.testing.assert_allclose(
            KERAS.value(optimizer.gradient_norms),
            _norms(gradients),
            rtol=1e-6,
        )


@few_variants
def test_clip_fractions_are_what_the_last_step_clipped(enrolment, variant):
    """The share of all, that of each variable, and the sum over the steps."""
    arguments = enrolment.variants[variant]
    optimizer = KERAS.optimizer(enrolment.name, monitor=True, **arguments)
    oracle, rate_at = oracle_of(enrolment, arguments, parameters())
    variables = KERAS.variables(parameters(), "float64")
    shares, fractions = [], []
    for step, gradients in enumerate(GRADIENTS):
        KERAS.apply(optimizer, gradients, variables)
        oracle.step(gradients, rate_at(step))
        shares.append(enrolment.clip_fraction(oracle))
        fractions.append(enrolment.clip_fractions(oracle))
        np.testing.assert_allclose(
            float(optimizer.clip_fraction), shares[-1], rtol=1e-6
        )
        np.testing.assert_allclose(
            KERAS.value(optimizer.clip_fractions), fractions[-1], rtol=1e-6
        )
        np.testing.assert_allclose(
            float(optimizer.clip_total), sum(shares), rtol=1e-6
        )
    assert len(set(shares)) > 1
    assert len({tuple(each) for each in fractions}) > 1


@every_optimizer
def test_entries_of_variables_without_a_gradient_are_zero(enrolment):
    """In this step: what they were in another one does not stay."""
    first, _, last = GRADIENTS[1]
    optimizer, variables = stepped(
        KERAS, enrolment.name, {"monitor": True}, GRADIENTS[1:2]
    )
    assert np.all(KERAS.value(optimizer.gradient_norms))
    KERAS.apply(optimizer, [first, None, last], variables)
    np.testing.assert_allclose(
        KERAS.value(optimizer.gradient_norms),
        [_norm([first]), 0.0, _norm([last])],
        rtol=1e-6,
    )
    KERAS.apply(optimizer, [last], variables[2:])
    np.testing.assert_allclose(
        KERAS.value(optimizer.gradient_norms),
        [0.0, 0.0, _norm([last])],
        rtol=1e-6,
    )
    fractions = KERAS.value(optimizer.clip_fractions)
    assert fractions[0] == fractions[1] == 0
    assert fractions[2] == float(optimizer.clip_fraction)


@every_optimizer
def test_skipped_steps_are_counted_from_the_last_good_one(enrolment):
    optimizer = KERAS.optimizer(enrolment.name, monitor=True)
    variables = KERAS.variables(parameters())
    counts = []
    for gradients in (BAD, BAD, GRADIENTS[0], GRADIENTS[1], BAD, BAD, BAD):
        KERAS.apply(optimizer, gradients, variables)
        counts.append(int(optimizer.skipped_in_a_row))
    assert counts == [1, 2, 0, 0, 1, 2, 3]


@few_variants
def test_step_that_is_skipped_whole_adds_nothing_to_the_sum(enrolment, variant):
    arguments = {"monitor": True, "global_clipnorm": 64.0}
    arguments |= enrolment.variants[variant]
    totals = []
    for steps in (GRADIENTS, [g for good in GRADIENTS for g in (BAD, good)]):
        optimizer, _ = stepped(KERAS, enrolment.name, arguments, steps)
        totals.append(float(optimizer.clip_total))
    assert totals[0] == totals[1] > 0


@every_variant
def test_last_threshold_is_the_one_number_that_the_last_update_clipped_at(
    enrolment, variant
):
    """`None` where each variable or coordinate has its own, or none has."""
    arguments = enrolment.variants[variant]
    optimizer = KERAS.optimizer(enrolment.name, **arguments)
    oracle, rate_at = oracle_of(enrolment, arguments, parameters())
    variables = KERAS.variables(parameters(), "float64")
    for step, gradients in enumerate(GRADIENTS):
        KERAS.apply(optimizer, gradients, variables)
        oracle.step(gradients, rate_at(step))
        expected = enrolment.last_threshold(oracle)
        if expected is None:
            assert optimizer.last_threshold is None
        else:
            np.testing.assert_allclose(
                optimizer.last_threshold, expected, rtol=1e-12
            )


def test_last_threshold_is_not_known_before_the_first_update():
    for gradients in ([], [BAD]):
        optimizer, _ = stepped(KERAS, "gclip", {}, gradients)
        assert np.isnan(optimizer.last_threshold)


@few_variants
def test_monitoring_changes_no_step(enrolment, variant):
    ends = []
    for monitor in (True, False):
        arguments = {"monitor": monitor, **enrolment.variants[variant]}
        _, variables = stepped(KERAS, enrolment.name, arguments, GRADIENTS)
        ends.append(KERAS.values(variables))
    assert same_bits(*ends)


@few_variants
def test_counters_are_kept_without_the_monitor_where_that_is_free(
    enrolment, variant
):
    """They always exist; where counting would cost a pass, they are idle.

    A norm that the step needs anyway tells of a bad gradient, and a factor that
    it clips by of the share; all variants with one clip the first gradient.
    """
    arguments = enrolment.variants[variant]
    optimizer, variables = stepped(
        KERAS, enrolment.name, arguments, [BAD, GRADIENTS[0]]
    )
    measured = enrolment.nonfinite_scope(arguments) != "coordinate"
    shared = enrolment.counts_for_free(arguments)
    assert optimizer.is_monitored == shared
    expected = {
        "gradient_norm": _norm(GRADIENTS[0]) if measured else 0.0,
        "gradient_norms": _norms(GRADIENTS[0]) if measured else [0.0] * 3,
        "clip_fraction": 1.0 if shared else 0.0,
        "skipped_steps": 1.0 if measured else 0.0,
        "skipped_in_a_row": 0.0,
    }
    for name, value in expected.items():
        counter = getattr(optimizer, name)
        assert any(counter is variable for variable in optimizer.variables)
        np.testing.assert_allclose(
            KERAS.value(counter), value, rtol=1e-6, err_msg=name
        )
    total = float(optimizer.clip_total)
    assert total >= 1.0 if shared else total == 0.0
    assert np.any(KERAS.value(optimizer.clip_fractions)) == shared
    KERAS.apply(optimizer, BAD, variables)
    assert int(optimizer.skipped_in_a_row) == measured


def test_sum_of_shares_loses_nothing_in_ten_million_updates():
    """Of 2^24 in float32, the next number is two more."""
    arguments = {"clip_threshold": 1.0, "monitor": True}
    optimizer, variables = stepped(
        KERAS, "cclip", arguments, [], [np.zeros(10)]
    )
    optimizer.build(variables)
    optimizer.clip_total.assign(2.0**24)
    gradient = np.where(np.arange(10) < 3, 2.0, 0.5)
    for _ in range(100):
        KERAS.apply(optimizer, [gradient], variables)
    total = np.float64(KERAS.value(optimizer.clip_total))
    error = np.float64(KERAS.value(optimizer.clip_total_error))
    np.testing.assert_allclose(total - error - 2**24, 30.0, rtol=1e-6)
