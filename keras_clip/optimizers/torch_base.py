"""Takes the steps of Keras 3 optimizers on torch, in place."""

import torch
from keras.src.backend.common.stateless_scope import in_stateless_scope

from keras_clip.on_torch.steps import take_in_place
from keras_clip.optimizers.base import BaseClippingOptimizer
from keras_clip.step.pairing import checked


class TorchClippingOptimizer(BaseClippingOptimizer):
    """Updates tensors in place, as Keras' own optimizers do on torch."""

    # `torch.compile` of an entire training step cannot trace the tracing of a
    # rule.
    @torch.compiler.disable
    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        """Takes a step with aggregated gradients."""
        if in_stateless_scope():
            super()._backend_update_step(
                grads, trainable_variables, learning_rate
            )
            return
        self._note_monitoring()
        part = self._part_of(trainable_variables)
        before = self._read_scalars()
        after = take_in_place(
            self.step_settings,
            self.jit_compile,
            # `value` may be a copy of another dtype, and takes most of the time
            # of a step on small variables (keras 3.15.1).
            [variable._value for variable in trainable_variables],
            [[slot._value for slot in group] for group in self._slots_of(part)],
            before,
            checked(self.gradients_argument, grads, trainable_variables),
            learning_rate,
            part,
        )
        self._assign_scalars(before, after)
