"""LinearAverage for Keras 3."""

import keras

from keras_clip.callbacks.base_linear_average import BaseLinearAverage


class LinearAverage(BaseLinearAverage, keras.callbacks.Callback):
    """Callback that averages the parameters, the later the heavier.

    Clipped SGD on strongly convex functions converges in this average of its
    iterates, not in the last one:

    ```
    x̄_k = Σ j·x_{j−1} / Σ j,   j = 1, …, k
    ```

    Steps that are skipped and micro-steps that only accumulate do not count.
    It takes the memory of the parameters three times, on their device. The
    average goes on in the next training with this callback, over the steps that
    it sees; if that one is by another optimizer or of other variables, a new
    average begins. So it does after the first step of a model that has its
    variables only then: on TensorFlow, without an `Input`.

    Args:
        optimizer: Optimizer whose updates are counted and whose variables are
            averaged, for a model with a `train_step` that uses another than
            `model.optimizer`, or several. Defaults to `None`:
            `model.optimizer`.

    Attributes:
        averages: List of arrays, the average of each variable that the
            optimizer trains, in the order of `model.trainable_variables`.

    Raises:
        ValueError: If `optimizer` is not one. When training starts, if
            `steps_per_execution` is not 1 or there is no optimizer. After the
            first step, if the parameters have moved without the optimizer.
            After an epoch, if it made no step or several in a batch.

    Example:

    >>> import numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)),
    ...                           keras.layers.Dense(1)])
    >>> model.compile(optimizer=keras_clip.GClip(projection_radius=10.0),
    ...               loss="mse")
    >>> average = keras_clip.callbacks.LinearAverage()
    >>> _ = model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0,
    ...               callbacks=[average])
    >>> average.assign_averages()

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), Theorems 4
          and 8
    """
