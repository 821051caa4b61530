"""One step as values, taken as optimizers take it on this backend."""

import keras

from keras_clip.step import State
from keras_clip.step import take
from keras_clip.step.part import Part


def take_as_optimizers(settings, values, state, gradients, learning_rate):
    """Returns what `keras_clip.step.take` returns, on torch by a step in place.

    There it works on copies.
    """
    if keras.backend.backend() != "torch":
        return take(settings, values, state, gradients, learning_rate)
    from keras_clip.on_torch.steps import take_in_place

    values = [value.clone() for value in values]
    slots = [[slot.clone() for slot in group] for group in state.slots]
    scalars = take_in_place(
        settings,
        False,
        values,
        slots,
        state.scalars,
        gradients,
        learning_rate,
        Part.all_of(values),
    )
    return values, State(slots, scalars)
