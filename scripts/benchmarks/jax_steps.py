"""Updates and whole training steps on JAX, of Keras' optimizers and Optax'."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax

from benchmarks.contestants import Contestant
from benchmarks.modes import MODES
from benchmarks.modes import shapes_of
from benchmarks.stepping import Bench
from benchmarks.stepping import Stepper
from benchmarks.stepping import bert
from benchmarks.stepping import bert_batch
from benchmarks.stepping import bytes_of_state
from benchmarks.stepping import gradient

# On a CPU one large array is added at half the speed of the same in pieces, and
# models come in pieces (jax 0.10.2).
PIECES = 16


def bench(mode: str, shapes: str, seed: int) -> Bench:
    """Returns what builds optimizers on what they share, and the copy.

    Args:
        mode: The mode, of JAX.
        shapes: Name of the shapes.
        seed: Seed of the gradients, or of the weights and the batch.
    """
    steps = MODES[mode].steps
    if MODES[mode].trains:
        shared = _Training(shapes, seed)
    else:
        shared = _Updates(shapes, seed, steps)
    return Bench(shared.build, functools.partial(copy, times=steps))


class _Updates:
    """Optimizers that all move the same variables by the same gradients."""

    def __init__(self, shapes: str, seed: int, steps: int) -> None:
        self._steps = steps
        rng = np.random.default_rng(seed)
        self._variables, self._gradients = [], []
        for shape in shapes_of(shapes):
            self._variables.append(keras.Variable(jnp.zeros(shape)))
            self._gradients.append(jnp.asarray(gradient(rng, shape)))
        self._x = [variable.value for variable in self._variables]

    def build(self, contestant: Contestant) -> Stepper:
        """Returns a contestant with its state."""
        state, state_bytes, update = _optimizer(
            contestant, "jax", self._variables, self._x
        )

        @functools.partial(jax.jit, donate_argnums=(0, 1))
        def updated(x, state, gradients):
            if self._steps == 1:
                return update(gradients, state, x)
            return jax.lax.fori_loop(
                0,
                self._steps,
                lambda _, moved: update(gradients, moved[1], moved[0]),
                (x, state),
            )

        def step():
            nonlocal state
            self._x, state = jax.block_until_ready(
                updated(self._x, state, self._gradients)
            )

        return Stepper(step, lambda: free(state), state_bytes)


class _Training:
    """Optimizers that all train the same weights on the same batch."""

    def __init__(self, shapes: str, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        self._model = model = bert(shapes)
        inputs, labels = bert_batch(shapes, seed)
        self._batch = jax.device_put((inputs, labels))
        self._variables = model.trainable_variables
        self._x = [variable.value for variable in self._variables]
        others = [variable.value for variable in model.non_trainable_variables]

        def loss(x, batch):
            inputs, labels = batch
            logits, _ = model.stateless_call(x, others, inputs, training=True)
            losses = optax.softmax_cross_entropy_with_integer_labels(
                logits, labels
            )
            return losses.mean()

        self._gradients = jax.value_and_grad(loss)

    def build(self, contestant: Contestant) -> Stepper:
        """Returns a contestant with its state."""
        if contestant.family == "none":
            both = jax.jit(self._gradients)
            return Stepper(
                lambda: jax.block_until_ready(both(self._x, self._batch)),
                lambda: None,
                state_bytes=0,
            )
        state, state_bytes, update = _optimizer(
            contestant, "jax-fit", self._variables, self._x
        )

        @functools.partial(jax.jit, donate_argnums=(0, 1))
        def trained(x, state, batch):
            loss, gradients = self._gradients(x, batch)
            return *update(gradients, state, x), loss

        def step():
            nonlocal state
            self._x, state, _ = jax.block_until_ready(
                trained(self._x, state, self._batch)
            )

        return Stepper(step, lambda: free(state), state_bytes)


def copy(elements: int, times: int) -> Callable[[], None]:
    """Returns what adds one buffer to another in place.

    Args:
        elements: Elements of either buffer, a multiple of `PIECES`.
        times: How often one program does that.
    """
    shape = (elements // PIECES,)
    target = [jnp.zeros(shape) for _ in range(PIECES)]
    source = [jnp.ones(shape) for _ in range(PIECES)]

    @functools.partial(jax.jit, donate_argnums=0)
    def add(target, source):
        return jax.lax.fori_loop(
            0,
            times,
            lambda _, target: [
                a + b for a, b in zip(target, source, strict=True)
            ],
            target,
        )

    def step():
        nonlocal target
        target = jax.block_until_ready(add(target, source))

    return step


def free(state: object) -> None:
    """Gives the memory of an optimizer's state back.

    Args:
        state: A tree of arrays, not to be used any more.
    """
    for leaf in jax.tree.leaves(state):
        leaf.delete()


def _optimizer(contestant: Contestant, mode: str, variables: list, x: list):
    """Returns the state, its bytes, and `update(gradients, state, x)`."""
    optimizer = contestant.make(mode)
    if contestant.family == "optax":
        state = optimizer.init(x)

        def update(gradients, state, x):
            steps, state = optimizer.update(gradients, state, x)
            return optax.apply_updates(x, steps), state

        return (
            state,
            sum(leaf.nbytes for leaf in jax.tree.leaves(state)),
            update,
        )

    # The arrays of `variables` are gone after the first donation; shapes and
    # dtypes, which are all that is asked for here, remain.
    optimizer.build(variables)
    state = [variable.value for variable in optimizer.variables]

    def update(gradients, state, x):
        return optimizer.stateless_apply(state, gradients, x)

    return state, bytes_of_state(optimizer.variables), update
