"""Programs that `torch.compile` compiles, and what happens where it cannot."""

import warnings

import keras
import numpy as np
import pytest
import torch

from keras_clip.on_torch import compiled
from keras_clip.on_torch import groups
from tests.support.enrolment import every_optimizer
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.trajectories import assert_close

# One that is updated alone, and two that are together.
SHAPES = ((200, 250), (7,), (3, 4))


@pytest.fixture(autouse=True)
def nothing_has_failed(monkeypatch):
    monkeypatch.setattr(compiled, "_failed", False)


def path(name, steps=3, shapes=SHAPES, **arguments):
    """Returns the positions of the steps of an optimizer."""
    optimizer = KERAS.optimizer(name, **arguments)
    variables = KERAS.variables(parameters(shapes))
    result = [KERAS.values(variables)]
    for gradient in heavy_tailed_gradients(shapes, steps):
        KERAS.apply(optimizer, gradient, variables)
        result.append(KERAS.values(variables))
    return result


def fail(*arguments, **more):
    raise RuntimeError("no compiler here")


@pytest.mark.slow
@every_optimizer
def test_compiled_steps_are_those_that_are_not(enrolment):
    for variant in enrolment.few:
        arguments = enrolment.variants[variant]
        plain = path(enrolment.name, jit_compile=False, **arguments)
        assert_close(
            path(enrolment.name, jit_compile=True, **arguments),
            [[x.astype(np.float64) for x in xs] for xs in plain],
            "float32",
            relative=2e-6,
        )


@pytest.mark.slow
def test_all_lengths_share_one_compilation():
    counted = torch._dynamo.utils.counters["stats"]
    # The learning rate is like no other's: nothing is compiled for it yet.
    arguments = {"weight_decay": 0.0123, "jit_compile": True}
    before = counted["unique_graphs"]
    for shapes in (
        ((200, 250), (7, 6000), (50_000,)),
        ((300, 200), (5,), (6,)),
        ((40, 30, 50), (8,)),
    ):
        path("cclip", shapes=shapes, **arguments)
        assert counted["unique_graphs"] - before == 1


@every_optimizer
def test_failing_compiler_warns_once_and_changes_no_number(
    monkeypatch, enrolment
):
    plain = path(enrolment.name, jit_compile=False)
    compiled._compiled.cache_clear()
    monkeypatch.setattr(torch, "compile", fail)
    with pytest.warns(UserWarning, match="no compiler here") as caught:
        steps = path(enrolment.name, jit_compile=True)
    assert len([w for w in caught if "torch.compile" in str(w.message)]) == 1
    for one, other in zip(steps, plain, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        path(enrolment.name, jit_compile=True)


def test_function_that_fails_when_called_is_left_too(monkeypatch):
    compiled._compiled.cache_clear()
    monkeypatch.setattr(torch, "compile", lambda *a, **k: fail)
    with pytest.warns(UserWarning, match="RuntimeError: no compiler here"):
        path("gclip", jit_compile=True)


def test_memory_that_runs_out_is_no_failure_of_the_compiler(monkeypatch):
    def exhausted(*arguments):
        raise torch.OutOfMemoryError("all is taken")

    compiled._compiled.cache_clear()
    monkeypatch.setattr(torch, "compile", lambda *a, **k: exhausted)
    with pytest.raises(torch.OutOfMemoryError):
        path("gclip", jit_compile=True)
    assert not compiled._failed


@pytest.mark.parametrize(
    ("jit_compile", "total", "compiles"),
    [
        ("auto", groups.SMALLEST_COMPILED_TOTAL, True),
        ("auto", groups.SMALLEST_COMPILED_TOTAL - 1, False),
        (True, 2, True),
        (True, 1, False),
        (False, groups.SMALLEST_COMPILED_TOTAL, False),
    ],
)
def test_what_is_compiled_depends_on_the_number_of_parameters(
    monkeypatch, jit_compile, total, compiles
):
    ran = []
    monkeypatch.setattr(
        groups, "run_compiled", lambda *given: bool(ran.append(given))
    )
    path("gclip", 1, shapes=[(total,)], jit_compile=jit_compile)
    assert bool(ran) == compiles


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_compiled_training_step_trains_alike(jit_compile):
    """Keras compiles forward and backward pass, and leaves the step to us."""
    keras.utils.set_random_seed(0)
    x = np.random.normal(size=(64, 200)).astype("float32")
    losses = []
    for whole in (False, True):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((200,)), keras.layers.Dense(200)])
        optimizer = KERAS.optimizer("acclip", jit_compile=jit_compile)
        model.compile(optimizer, "mse", jit_compile=whole)
        history = model.fit(x, 2 * x, 16, epochs=3, verbose=0)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    assert losses[0][-1] < losses[0][0]
