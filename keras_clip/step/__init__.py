"""One step as a pure function: what all optimizers of this package compute.

`Settings` is what is the same in all steps, `State` what changes. `take` takes
a step in three: `decide` (norms, clips, what is shared, whether the step is
taken), `move` (variables and slots, by the rule) and `observe` (what is to be
known of it). It needs no optimizer, and runs on any backend.

The rules are in `keras_clip.rules`, one module an algorithm. The settings of an
optimizer's steps are its `step_settings`. On JAX, a thousand runs of a hundred
steps are one program:

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
that `vmap` goes over; hyperparameters of the rule are Python numbers.
"""

from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.settings import Settings
from keras_clip.step.state import State
from keras_clip.step.state import start
from keras_clip.step.state import take

__all__ = ["Part", "Scalars", "Settings", "State", "start", "take"]
