"""A step in place does what the pure one does, with tensors where they are."""

import keras
import numpy as np
import pytest
import torch

from keras_clip.on_torch import groups
from keras_clip.on_torch.steps import take_in_place
from keras_clip.step import start
from keras_clip.step import take
from keras_clip.step.part import Part
from keras_clip.step.scalars import each
from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_optimizer
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters

# Alone and in chunks; together, in two groups; empty; of one element.
SHAPES = ((12, 7), (3, 4), (5,), (2, 2, 2), (3, 0), ())
ALL = [
    pytest.param(enrolment.name, arguments, id=f"{enrolment.name}-{variant}")
    for enrolment in ENROLMENTS.values()
    for variant, arguments in enrolment.variants.items()
    # Their thresholds are for other shapes.
    if not {"arrays", "floats"} & set(variant.replace(",", " ").split())
]

every_variant = pytest.mark.parametrize(("name", "arguments"), ALL)


@pytest.fixture
def small_sizes(monkeypatch):
    """Divides a few dozen elements as millions are."""
    monkeypatch.setattr(groups, "SMALLEST_ALONE", 20)
    monkeypatch.setattr(groups, "LARGEST_GROUP", 16)
    monkeypatch.setattr(groups, "CHUNK", 10)


def tensors(arrays, dtype="float32"):
    return [torch.tensor(x, dtype=getattr(torch, dtype)) for x in arrays]


def turned(tensor):
    """Returns a tensor with the same elements, not contiguous in memory."""
    return tensor.t().contiguous().t() if tensor.ndim == 2 else tensor


def both_ways(name, arguments, of=lambda tensor: tensor, dtype="float32"):
    """Returns values and state after five steps, in place and by `take`."""
    settings = KERAS.optimizer(name, **arguments).step_settings
    ours = [of(x) for x in tensors(parameters(SHAPES), dtype)]
    values = tensors(parameters(SHAPES), dtype)
    state = start(settings, values)
    slots = [[of(slot.clone()) for slot in group] for group in state.slots]
    scalars, part = state.scalars, Part.all_of(values)
    for gradient in heavy_tailed_gradients(SHAPES, 5):
        gradient = tensors(gradient, dtype)
        scalars = take_in_place(
            settings, False, ours, slots, scalars, gradient, 0.125, part
        )
        values, state = take(settings, values, state, gradient, 0.125)
    return (ours, slots, scalars), (values, *state)


def same(one, other):
    """Returns whether two structures hold the same bits, and how many."""
    one, other = (keras.tree.flatten(each) for each in (one, other))
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        if a is not None:
            a, b = (x.detach().double().numpy() for x in (a, b))
            np.testing.assert_array_equal(a, b)
    return True


@every_variant
def test_step_in_place_is_the_pure_step_to_the_bit(
    small_sizes, name, arguments
):
    assert same(*both_ways(name, arguments))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
@every_optimizer
def test_so_it_is_in_other_dtypes(small_sizes, enrolment, dtype):
    arguments = enrolment.variants[enrolment.few[0]]
    assert same(*both_ways(enrolment.name, arguments, dtype=dtype))


@every_optimizer
def test_so_it_is_on_tensors_that_are_not_contiguous(small_sizes, enrolment):
    assert not turned(torch.zeros(3, 4)).is_contiguous()
    arguments = enrolment.variants[enrolment.few[0]]
    assert same(*both_ways(enrolment.name, arguments, of=turned))


@every_optimizer
def test_optimizer_keeps_every_tensor_where_it_is(enrolment):
    optimizer = KERAS.optimizer(enrolment.name)
    variables = KERAS.variables([np.ones((300, 200)), np.ones(5)])
    optimizer.build(variables)
    slots = [v for v in optimizer.variables if v.shape in [(300, 200), (5,)]]
    before = [v.value for v in [*variables, *slots]]
    places = [tensor.data_ptr() for tensor in before]
    x = KERAS.values(variables)
    KERAS.apply(optimizer, [np.full((300, 200), 0.5), np.ones(5)], variables)
    for one, other in zip(x, KERAS.values(variables), strict=True):
        assert np.all(one != other)
    after = [v.value for v in [*variables, *slots]]
    assert all(a is b for a, b in zip(before, after, strict=True))
    assert [tensor.data_ptr() for tensor in after] == places


@pytest.mark.parametrize("monitor", [False, True])
@every_variant
def test_nothing_in_a_step_waits_for_the_device(
    monkeypatch, small_sizes, name, arguments, monitor
):
    """A tensor of the device `meta` has no numbers that could be read.

    A number that is copied to a GPU is waited for, once the rule is traced.
    """
    arguments = {**arguments, "monitor": monitor}
    settings = KERAS.optimizer(name, **arguments).step_settings
    values = tensors(parameters(SHAPES))
    state = start(settings, values)

    def empty(tensor):
        return torch.empty_like(tensor, device="meta")

    def copied(value, *arguments, **more):
        assert isinstance(value, torch.Tensor), f"{value} is copied"
        return as_tensor(value, *arguments, **more)

    as_tensor, scalars = torch.as_tensor, each(empty, state.scalars)
    with keras.device("meta"):
        for _ in range(2):
            scalars = take_in_place(
                settings,
                False,
                [empty(value) for value in values],
                [[empty(slot) for slot in group] for group in state.slots],
                scalars,
                [empty(value) for value in values],
                empty(torch.ones(())),
                Part.all_of(values),
            )
            monkeypatch.setattr(torch, "as_tensor", copied)
        with pytest.raises(RuntimeError, match="meta"):
            bool(scalars.update_count)


@pytest.mark.parametrize("size", [3, 40_000])
def test_gradient_may_be_the_value_of_another_variable(size):
    x, y = KERAS.variables([np.full(size, 1.0), np.full(size, 2.0)])
    optimizer = KERAS.optimizer("gclip", learning_rate=0.5, clip_threshold=None)
    optimizer.build([x, y])
    optimizer.apply([y.value, x.value], [x, y])
    assert np.all(KERAS.value(x) == 0) and np.all(KERAS.value(y) == 1.5)


def test_gradient_that_is_the_variable_itself_is_counted_before_it_moves():
    (x,) = KERAS.variables([np.full(4, 1.5)])
    optimizer = KERAS.optimizer(
        "cclip", learning_rate=1.0, clip_threshold=1.0, monitor=True
    )
    optimizer.apply([x.value], [x])
    assert float(optimizer.clip_fraction) == 1
    assert np.all(KERAS.value(x) == 0.5)


def test_learning_rate_of_a_callable_is_exact_in_float64():
    optimizer = KERAS.optimizer(
        "gclip", learning_rate=lambda: 0.1, clip_threshold=None
    )
    (x,) = KERAS.variables([np.zeros(2)], "float64")
    KERAS.apply(optimizer, [np.ones(2)], [x])
    assert np.all(KERAS.value(x) == -0.1)


@every_optimizer
def test_stateless_apply_leaves_the_tensors_it_is_given_alone(enrolment):
    optimizer = KERAS.optimizer(enrolment.name)
    variables = KERAS.variables(parameters())
    optimizer.build(variables)
    (gradient,) = heavy_tailed_gradients(steps=1)
    gradient = tensors(gradient)
    given = [v.value.detach().clone() for v in optimizer.variables]
    x = [v.value.detach().clone() for v in variables]
    moved, state = optimizer.stateless_apply(given, gradient, x)
    assert same(
        [given, x],
        [[v.value for v in optimizer.variables], [v.value for v in variables]],
    )
    optimizer.apply(gradient, variables)
    assert same([v.value.detach() for v in variables], moved)
    assert same([v.value.detach() for v in optimizer.variables], state)
