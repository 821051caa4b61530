"""An optimizer keeps its slots and few scalars, and nothing else."""

import collections
import gc
import math

import numpy as np
import pytest
import tensorflow as tf

from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment.record import Adaptive
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.shared_code import KINDS

pytestmark = pytest.mark.slow

NUMBER = 4
SCALARS = 12 * 8

# Arguments, and how many tensors like each variable are kept with them.
SLOTS = (
    ("acclip", {}, 3),
    ("acclip", {"alpha": 2.0}, 2),
    ("acclip", {"step_scaling": "threshold"}, 2),
    ("acclip", {"step_scaling": None, "global_clipnorm": 1.0}, 2),
    ("gclip", {}, 0),
    ("gclip", {"clip_threshold": Adaptive(), "projection_radius": 1.0}, 0),
    ("gclip", {"momentum": 0.5}, 1),
    ("cclip", {"monitor": True}, 0),
    ("cclip", {"momentum": 0.5, "clip_threshold": Adaptive()}, 1),
    ("clip_adam_norm", {}, 1),
    ("clip_adam_norm", {"beta_1": 0.0}, 0),
    ("clip_adam_norm", {"delay": 50, "clip_threshold": Adaptive()}, 1),
    ("clip_adagrad_norm", {}, 0),
    ("clip_adagrad_norm", {"delay": 50}, 0),
    ("clip_adagrad_norm", {"beta_1": 0.5}, 1),
    ("clip_adam", {}, 2),
    ("clip_adam", {"delay": 1, "clip_threshold": None}, 2),
    ("clip_adam", {"clipping": "layer", "clip_threshold": Adaptive()}, 2),
    ("clip_adagrad", {}, 1),
    ("clip_adagrad", {"delay": 1, "clipping": "coordinate"}, 1),
    ("clip_adagrad", {"beta_1": 0.5, "clipvalue": 1.0}, 2),
)


@pytest.mark.usefixtures("functions_run_eagerly")
@pytest.mark.parametrize("shapes", [((5, 3), (7,)), ((400, 30), (70,))])
@pytest.mark.parametrize(
    ("front_end", "name", "arguments", "slots"),
    [
        *((KERAS, *case) for case in SLOTS),
        *((TF_KERAS, *case) for case in SLOTS if not case[1]),
    ],
)
def test_state_is_so_many_slots_and_at_most_a_dozen_scalars(
    front_end, name, arguments, slots, shapes
):
    """And one number more for each step of delay, or each own count."""
    optimizer = front_end.optimizer(name, **arguments)
    ones = [np.ones(shape) for shape in shapes]
    variables = front_end.variables(ones)
    front_end.apply(optimizer, ones, variables)
    state = sum(value.nbytes for value in front_end.state(optimizer))
    in_slots = slots * NUMBER * sum(math.prod(shape) for shape in shapes)
    in_ring = NUMBER * arguments.get("delay", 0) * ("norm" in name)
    counts = optimizer.missed_updates
    in_counts = 0 if counts is None else 8 * len(variables)
    assert 0 < state - in_slots - in_ring - in_counts <= SCALARS


def _shapes():
    """Yields shapes of which there is nothing else in the process."""
    for columns in range(1009, 2009):
        yield 5, columns


def _step(front_end, optimizer, shape):
    """Steps a variable in eager mode, and returns what to keep alive."""
    variables = front_end.variables([np.ones(shape)])
    for _ in range(2):
        front_end.apply(optimizer, [np.ones(shape)], variables)
    return variables


def _fit(front_end, optimizer, shape):
    """Fits a model with one variable, and returns what to keep alive."""
    framework = front_end.framework
    dense = framework.layers.Dense(shape[1], use_bias=False)
    model = framework.Sequential([framework.layers.Input(shape[:1]), dense])
    model.compile(optimizer=optimizer, loss="mse")
    x, y = np.ones((6, shape[0])), np.ones((6, shape[1]))
    model.fit(x, y, batch_size=2, verbose=0)
    return model


def _kind(thing):
    # Not `isinstance`, which asks the objects that stand for others.
    cls = type(thing)
    if issubclass(cls, tf.Variable):
        return "variable"
    # Symbolic tensors, of which graphs are full, have no memory.
    eager = issubclass(cls, tf.Tensor) and hasattr(thing, "numpy")
    return "other" if eager or issubclass(cls, np.ndarray) else None


def _alive():
    """Returns counts of the variables and of the tensors and arrays in memory.

    They are counted by their shapes and these two kinds. NumPy's arrays are
    known to the garbage collector by what refers to them alone.
    """
    gc.collect()
    found = {}
    for thing in gc.get_objects():
        for each in (thing, *gc.get_referents(thing)):
            kind = _kind(each)
            if kind is not None:
                found[id(each)] = str(each.shape), kind
    return collections.Counter(found.values())


# Every optimizer by eager steps, two kinds in `fit` and on tf_keras.
TRAINED = [
    *((KERAS, name, _step) for name in ENROLMENTS),
    *((KERAS, name, _fit) for name in KINDS),
    *((TF_KERAS, name, train) for name in KINDS for train in (_step, _fit)),
]


@pytest.fixture(scope="module")
def memory():
    """The counts, and by test the shape and the optimizer that it is about."""
    shapes, trained = _shapes(), {}
    for front_end, name, train in TRAINED:
        arguments = ENROLMENTS[name].variants[ENROLMENTS[name].few[-1]]
        optimizer = front_end.optimizer(name, **arguments)
        shape = next(shapes)
        kept = train(front_end, optimizer, shape)
        trained[front_end, name, train] = shape, optimizer, kept
    array, tensor = np.ones(next(shapes)), tf.ones(next(shapes))
    hidden = {"other": [lambda: (array, tensor)]}
    return _alive(), trained, hidden


@pytest.mark.parametrize(("front_end", "name", "train"), TRAINED)
def test_nothing_like_a_variable_is_in_memory_but_it_and_its_slots(
    memory, front_end, name, train
):
    alive, trained, _ = memory
    shape, optimizer, _ = trained[front_end, name, train]
    assert alive[str(shape), "variable"] == 1 + len(optimizer.rule.slots)
    assert alive[str(shape), "other"] == 0


def test_tensors_and_arrays_that_are_hidden_would_be_found(memory):
    alive, _, hidden = memory
    for thing in hidden["other"][0]():
        assert alive[str(thing.shape), "other"] == 1
