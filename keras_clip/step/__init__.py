"""One step as a pure function, which all optimizers of this package run.

`Settings` stores what is constant over steps, `State` what changes. `take` has
three parts: `decide` computes norms, clips and whether the step is taken,
`move` updates variables and slots by the rule, and `observe` updates the
counters. It needs no optimizer and runs on any backend.

The rules are in `keras_clip.rules`, one module per algorithm. The settings of
an optimizer are its `step_settings`. On JAX, a thousand runs of a hundred steps
are one program:

```python
def run(x0, noise):
    def step(carry, noise):
        values, state = carry
        gradients = [x + n for x, n in zip(values, noise)]
        return take(settings, values, state, gradients, 0.1), ()
    (values, _), _ = jax.lax.scan(step, (x0, start(settings, x0)), noise)
    return values

runs = jax.jit(jax.vmap(run))
```

Here `x0` is a list of arrays, `noise` one of arrays with an axis of steps. The
learning rate and the threshold, `state.scalars.threshold_scales`, may be arrays
that `vmap` maps over; hyperparameters of the rule are Python numbers.
"""

from keras_clip.step.part import Part
from keras_clip.step.pure_step import take
from keras_clip.step.scalars import Scalars
from keras_clip.step.settings import Settings
from keras_clip.step.state import State
from keras_clip.step.state import start

__all__ = ["Part", "Scalars", "Settings", "State", "start", "take"]
