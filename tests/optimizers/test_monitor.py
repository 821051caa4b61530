"""What the optimizer's own variables say of the last step."""

import numpy as np
import pytest

from tests.enrolment import every_optimizer
from tests.enrolment import few_variants
from tests.front_ends import both_front_ends
from tests.gradients import heavy_tailed_gradients
from tests.gradients import parameters
from tests.trajectories import oracle_of

GRADIENTS = heavy_tailed_gradients(steps=6)


def _norm(gradients):
    return np.sqrt(sum(np.sum(np.square(g)) for g in gradients))


@pytest.mark.parametrize(
    "clipping",
    [{}, {"clipnorm": 0.5}, {"clipvalue": 0.5}, {"global_clipnorm": 0.5}],
    ids=lambda clipping: next(iter(clipping), "none"),
)
@every_optimizer
@both_front_ends
def test_gradient_norm_is_that_before_clipping(front_end, enrolment, clipping):
    optimizer = front_end.optimizer(enrolment.name, monitor=True, **clipping)
    variables = front_end.variables(parameters())
    for gradients in GRADIENTS:
        front_end.apply(optimizer, gradients, variables)
        np.testing.assert_allclose(
            float(optimizer.gradient_norm), _norm(gradients), rtol=1e-6
        )


@few_variants
@both_front_ends
def test_clip_fraction_is_the_share_that_the_last_step_clipped(
    front_end, enrolment, variant
):
    arguments = enrolment.variants[variant]
    optimizer = front_end.optimizer(enrolment.name, monitor=True, **arguments)
    oracle, rate_at = oracle_of(enrolment, arguments, parameters())
    variables = front_end.variables(parameters(), "float64")
    shares = set()
    for step, gradients in enumerate(GRADIENTS):
        front_end.apply(optimizer, gradients, variables)
        oracle.step(gradients, rate_at(step))
        share = enrolment.clip_fraction(oracle)
        shares.add(share)
        np.testing.assert_allclose(
            float(optimizer.clip_fraction), share, rtol=1e-6
        )
    assert len(shares) > 1


@few_variants
@both_front_ends
def test_monitoring_changes_no_step(front_end, enrolment, variant):
    ends = []
    for monitor in (True, False):
        optimizer = front_end.optimizer(
            enrolment.name, monitor=monitor, **enrolment.variants[variant]
        )
        variables = front_end.variables(parameters())
        for gradients in GRADIENTS:
            front_end.apply(optimizer, gradients, variables)
        ends.append(front_end.values(variables))
    for monitored, plain in zip(*ends, strict=True):
        np.testing.assert_array_equal(monitored, plain)


@few_variants
@both_front_ends
def test_counters_are_kept_without_the_monitor_where_that_is_free(
    front_end, enrolment, variant
):
    """They always exist; where counting would cost a pass, they are idle.

    A norm that the step needs anyway tells of a bad gradient, and a factor that
    it clips by of the share; all variants with one clip the first gradient.
    """
    arguments = enrolment.variants[variant]
    optimizer = front_end.optimizer(enrolment.name, **arguments)
    variables = front_end.variables(parameters())
    bad = [np.full_like(g, np.nan) for g in GRADIENTS[0]]
    for gradients in (bad, GRADIENTS[0]):
        front_end.apply(optimizer, gradients, variables)
    counters = (
        optimizer.gradient_norm,
        optimizer.clip_fraction,
        optimizer.skipped_steps,
    )
    for counter in counters:
        assert any(counter is variable for variable in optimizer.variables)
    measured = enrolment.nonfinite_scope(arguments) != "coordinate"
    expected = (
        _norm(GRADIENTS[0]) if measured else 0.0,
        1.0 if enrolment.counts_for_free(arguments) else 0.0,
        1.0 if measured else 0.0,
    )
    np.testing.assert_allclose(
        [float(counter) for counter in counters], expected, rtol=1e-6
    )
