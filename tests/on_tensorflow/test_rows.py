"""Rows of a gradient are updated alone where that is the same as all."""

import numpy as np
import pytest
import tensorflow as tf

from keras_clip.on_tensorflow import rows
from keras_clip.on_tensorflow.steps import Steps
from keras_clip.registry import OPTIMIZERS
from keras_clip.rules.clip_adagrad import ClipAdaGradRule
from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.shared_code import few_variants_once
from tests.support.trajectories import assert_close
from tests.support.trajectories import same_bits

TABLE, LOOKED_UP, STEPS = (40, 3), 12, 5
# They move what has a gradient and nothing else.
LOCAL = [
    ("gclip", {"learning_rate": 0.5, "clip_threshold": 0.5}),
    ("cclip", {"learning_rate": 0.5}),
    ("clip_adagrad", {}),
    ("clip_adagrad", {"clipping": "layer", "delay": 1}),
    ("clip_adagrad", {"clipping": "coordinate", "clip_threshold": None}),
    ("clip_adagrad_norm", {"delay": 2, "learning_rate": 0.5}),
    ("clip_adam_norm", {"beta_1": 0.0}),
]
IDS = [f"{name}-{','.join(arguments)}" for name, arguments in LOCAL]
# What makes a step touch rows without a gradient.
NOT_LOCAL = [
    ("gclip", {"momentum": 0.5}),
    ("gclip", {"projection_radius": 1.0}),
    ("gclip", {"weight_decay": 0.5}),
    ("gclip", {"nonfinite": "propagate"}),
    ("cclip", {"clip_threshold": [np.full(TABLE, 0.1), 0.5]}),
    ("clip_adagrad", {"beta_1": 0.5}),
    ("clip_adagrad_norm", {"beta_1": 0.5}),
    ("clip_adam_norm", {}),
    ("clip_adam", {}),
    ("acclip", {}),
]

every_local = pytest.mark.parametrize(("name", "arguments"), LOCAL, ids=IDS)


@pytest.fixture(autouse=True)
def small_tables(monkeypatch):
    """Lets small tables be updated by rows too; notes each that is."""
    monkeypatch.setattr(rows, "SMALLEST_TABLE", 0)


@pytest.fixture
def merges(monkeypatch):
    """Returns a list that grows with each gradient that is left in rows."""
    found, merged = [], rows.merged

    def noted(*arguments):
        found.append(arguments)
        return merged(*arguments)

    monkeypatch.setattr("keras_clip.on_tensorflow.steps.merged", noted)
    return found


def gradients(seed=3):
    """Yields indices with duplicates, rows, and a vector's gradient."""
    rng = np.random.default_rng(seed)
    for values, other in heavy_tailed_gradients(((LOOKED_UP, 3), (5,)), STEPS):
        indices = rng.integers(0, TABLE[0] // 2, LOOKED_UP)
        indices[-1] = indices[0]
        yield indices, values, other


def in_rows(indices, values, dtype="float64"):
    return tf.IndexedSlices(
        tf.constant(values, dtype), tf.constant(indices), tf.constant(TABLE)
    )


def whole(indices, values):
    result = np.zeros(TABLE)
    np.add.at(result, indices, values)
    return result


def run(front_end, name, arguments, make, bad=None, in_a_graph=False):
    """Returns the variables before and after each step, and the state."""
    optimizer = front_end.optimizer(name, **arguments)
    variables = front_end.variables([np.ones(TABLE), np.ones(5)], "float64")
    optimizer.build(variables)

    def apply(gradient, other):
        front_end.apply(optimizer, [gradient, other], variables)

    step = tf.function(apply) if in_a_graph else apply
    path = [front_end.values(variables)]
    for number, (indices, values, other) in enumerate(gradients()):
        if number == 2 and bad is not None:
            values[4, 1] = bad
        step(make(indices, values), tf.constant(other))
        path.append(front_end.values(variables))
    return path, front_end.state(optimizer)


def compare(front_end, name, arguments, **how):
    by_rows, state = run(front_end, name, arguments, in_rows, **how)
    expected, other = run(front_end, name, arguments, whole, **how)
    assert_close(by_rows, expected, "float64")
    for one, two in zip(state, other, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)
    return by_rows


@pytest.mark.parametrize("in_a_graph", [False, True])
@every_local
@both_front_ends
def test_rows_lead_where_the_dense_gradient_leads(
    merges, front_end, name, arguments, in_a_graph
):
    compare(front_end, name, arguments, in_a_graph=in_a_graph)
    assert merges


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@every_local
def test_bad_rows_stop_what_bad_gradients_stop(merges, name, arguments, bad):
    path = compare(KERAS, name, arguments, bad=bad)
    assert all(np.isfinite(x).all() for x in path[-1])
    assert merges


@pytest.mark.parametrize(
    "clipping",
    [
        {"clipnorm": 0.5},
        {"clipvalue": 0.25},
        {"global_clipnorm": 0.5},
        {"monitor": True},
        {"use_ema": True, "ema_overwrite_frequency": 2},
    ],
    ids=lambda arguments: ",".join(arguments),
)
@pytest.mark.parametrize("name", ["gclip", "cclip"])
@both_front_ends
def test_keras_clips_and_counts_what_rows_stand_for(
    merges, front_end, name, clipping
):
    compare(front_end, name, {"learning_rate": 0.5, **clipping})
    assert merges


@few_variants_once
def test_variant_that_is_enrolled_takes_sparse_gradients(
    front_end, enrolment, variant
):
    compare(front_end, enrolment.name, enrolment.variants[variant])


@every_local
def test_other_rows_keep_every_bit(name, arguments):
    path, _ = run(KERAS, name, arguments, in_rows)
    looked_up = np.unique([indices for indices, *_ in gradients()])
    others = np.setdiff1d(np.arange(TABLE[0]), looked_up)
    assert len(others) >= TABLE[0] // 2
    table = path[-1][0]
    assert np.all(table[others] == 1)
    assert np.any(table[looked_up] != 1, axis=1).all()


@pytest.mark.parametrize(
    ("name", "arguments"),
    NOT_LOCAL,
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_what_moves_all_rows_is_given_all(merges, name, arguments):
    compare(KERAS, name, arguments)
    assert not merges


def test_settings_say_where_a_zero_gradient_changes_nothing():
    """Of everything that is enrolled, those that say so keep all bits."""
    said = set()
    for enrolment in ENROLMENTS.values():
        for arguments in enrolment.variants.values():
            optimizer = KERAS.optimizer(enrolment.name, **arguments)
            if not optimizer.step_settings.rests_at_zero(0):
                continue
            said.add(enrolment.name)
            shapes = ((4, 3), (5,), ())
            variables = KERAS.variables([np.ones(s) for s in shapes])
            optimizer.build(variables)
            slots = [slot for group in optimizer._slots for slot in group]
            KERAS.apply(optimizer, [np.full(s, 0.3) for s in shapes], variables)
            before = KERAS.values([*variables, *slots])
            KERAS.apply(optimizer, [np.zeros(s) for s in shapes], variables)
            assert same_bits(KERAS.values([*variables, *slots]), before)
    assert said == {name for name, _ in LOCAL}


@every_local
def test_nothing_in_the_graph_is_as_large_as_the_table(name, arguments):
    shape = (1000, 8)
    optimizer = KERAS.optimizer(name, **arguments)
    variables = KERAS.variables([np.ones(shape)])
    optimizer.build(variables)

    @tf.function
    def apply(values, indices):
        gradient = tf.IndexedSlices(values, indices, tf.constant(shape))
        optimizer.apply([gradient], variables)

    graph = apply.get_concrete_function(
        tf.zeros((10, 8)), tf.zeros((10,), tf.int64)
    ).graph
    sizes = {
        output.shape.num_elements()
        for op in graph.get_operations()
        for output in op.outputs
    }
    # That of rows that are looked up, once they are merged, is not known.
    assert None in sizes and 80 in sizes
    assert max(size or 0 for size in sizes) < 1000


@both_front_ends
def test_rows_that_do_not_fit_are_an_error_and_move_nothing(front_end):
    table, other = (40, 3), (5,)
    fit, shape = tf.ones((2, 3)), tf.constant(table)
    first = tf.constant([0, 1])
    for slices in (
        tf.IndexedSlices(tf.ones((2, 1)), first),
        tf.IndexedSlices(tf.ones((3,)), tf.constant([0, 1, 2])),
        tf.IndexedSlices(fit, first, tf.constant((41, 3))),
        tf.IndexedSlices(fit, tf.constant([0, 40]), shape),
    ):
        optimizer = front_end.optimizer("gclip")
        variables = front_end.variables([np.ones(table), np.ones(other)])
        good = tf.IndexedSlices(fit, first, shape)
        front_end.apply(optimizer, [good, tf.ones(other)], variables)
        before = [*front_end.values(variables), *front_end.state(optimizer)]
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            front_end.apply(optimizer, [slices, tf.ones(other)], variables)
        after = [*front_end.values(variables), *front_end.state(optimizer)]
        assert same_bits(after, before)


@both_front_ends
def test_dense_gradient_of_a_wrong_shape_is_an_error_beside_rows(front_end):
    optimizer = front_end.optimizer("gclip")
    variables = front_end.variables([np.ones(TABLE), np.ones((4, 3))])
    rows_alone = in_rows([0, 1], np.ones((2, 3)), "float32")
    for count in (2, 3):
        gradient = in_rows(range(count), np.ones((count, 3)), "float32")
        front_end.apply(optimizer, [gradient, tf.ones((4, 3))], variables)
    before = [*front_end.values(variables), *front_end.state(optimizer)]
    with pytest.raises(ValueError, match="must have the shapes"):
        front_end.apply(optimizer, [rows_alone, tf.ones((3, 4))], variables)
    after = [*front_end.values(variables), *front_end.state(optimizer)]
    assert same_bits(after, before)


@both_front_ends
def test_rows_at_negative_indices_are_left_out(merges, front_end):
    ends = []
    for indices in ([3, -1, 5], [3, 5]):
        optimizer = front_end.optimizer("gclip", clip_threshold=0.5)
        variables = front_end.variables([np.ones(TABLE)])
        values = np.ones((len(indices), 3))
        gradient = in_rows(indices, values, "float32")
        front_end.apply(optimizer, [gradient], variables)
        ends.append(front_end.values(variables))
    assert same_bits(*ends) and len(merges) == 2


def test_other_forms_of_rows_are_made_dense(merges):
    values, indices = np.ones((2, 3), "float32"), np.array([3, 5])
    for slices in (
        tf.IndexedSlices(values, indices, np.array(TABLE)),
        tf.IndexedSlices(
            tf.constant(values), tf.constant(indices, tf.int16), None
        ),
    ):
        optimizer = KERAS.optimizer("gclip")
        variables = KERAS.variables([np.ones(TABLE)])
        optimizer.apply([slices], variables)
        (x,) = KERAS.values(variables)
        assert np.flatnonzero(np.any(x != 1, axis=1)).tolist() == [3, 5]
    assert not merges


def test_subclass_that_clips_is_given_dense_gradients(merges):
    class Halving(OPTIMIZERS["gclip"].keras_class):
        def _clip_gradients(self, gradients):
            return [0.5 * gradient for gradient in gradients]

    optimizer = Halving(1.0, clip_threshold=None)
    variables = KERAS.variables([np.ones(TABLE)])
    gradient = in_rows([3], np.ones((1, 3)), "float32")
    optimizer.apply([gradient], variables)
    (x,) = KERAS.values(variables)
    assert np.all(x[3] == 0.5) and not merges


def test_rule_that_moves_otherwise_says_anew_where_it_rests():
    class Fading(ClipAdaGradRule):
        def moments(self, u, before, learning_rate):
            return (before[-1] / 2 + u * u,)

    class Renamed(ClipAdaGradRule):
        pass

    assert ClipAdaGradRule().rests_at_zero and Renamed().rests_at_zero
    assert not Fading().rests_at_zero


@every_local
def test_gradient_without_rows_moves_nothing_but_counts(name, arguments):
    optimizer = KERAS.optimizer(name, **arguments)
    variables = KERAS.variables([np.ones(TABLE)])
    none = in_rows(np.zeros(0, np.int64), np.zeros((0, 3)), "float32")
    KERAS.apply(optimizer, [none], variables)
    assert np.all(KERAS.value(variables[0]) == 1)
    assert int(optimizer.update_count) == 1
    assert int(optimizer.skipped_steps) == 0


@both_front_ends
def test_inside_of_xla_gradients_are_dense(merges, front_end):
    """XLA has to know the number of rows that are left."""
    optimizer = front_end.optimizer("gclip")
    variables = front_end.variables([np.ones(TABLE)])
    optimizer.build(variables)

    @tf.function(jit_compile=True)
    def apply(values, indices):
        gradient = tf.IndexedSlices(values, indices, tf.constant(TABLE))
        front_end.apply(optimizer, [gradient], variables)

    apply(tf.ones((2, 3)), tf.constant([3, 3], tf.int64))
    assert not merges
    (x,) = front_end.values(variables)
    assert np.flatnonzero(np.any(x != 1, axis=1)).tolist() == [3]


@both_front_ends
def test_other_numbers_of_rows_are_traced_once_more_at_most(front_end):
    optimizer = front_end.optimizer("gclip")
    variables = front_end.variables([np.ones(TABLE)])
    optimizer.build(variables)
    for count in (2, 3, 4, 5, 6):
        indices = np.arange(count)
        gradient = in_rows(indices, np.ones((count, 3)), "float32")
        front_end.apply(optimizer, [gradient], variables)
    steps = optimizer._tensorflow_steps
    assert isinstance(steps, Steps)
    (traced,) = steps.traced
    assert traced.experimental_get_tracing_count() == 2


@pytest.mark.parametrize("front_end", [KERAS, TF_KERAS], ids=repr)
def test_small_tables_and_many_rows_are_made_dense(
    monkeypatch, merges, front_end
):
    optimizer = front_end.optimizer("gclip")
    variables = front_end.variables([np.ones(TABLE)])
    many = np.arange(TABLE[0] + 1) % TABLE[0]
    gradient = in_rows(many, np.ones((len(many), 3)), "float32")
    front_end.apply(optimizer, [gradient], variables)
    monkeypatch.setattr(rows, "SMALLEST_TABLE", np.prod(TABLE) + 1)
    few = in_rows(many[:2], np.ones((2, 3)), "float32")
    front_end.apply(optimizer, [few], variables)
    assert not merges
