"""LinearAverage for Keras 3."""

import keras

from keras_clip.callbacks.base_linear_average import BaseLinearAverage


class LinearAverage(BaseLinearAverage, keras.callbacks.Callback):
    """Callback that averages parameters with weights that grow linearly.

    For clipped SGD on strongly convex functions, this average of the iterates
    converges, not the last iterate:

    ```
    x̄_k = Σ j·x_{j−1} / Σ j,   j = 1, …, k
    ```

    Steps that are skipped and micro-steps that only accumulate do not count.
    The callback needs three times the memory of the parameters, on their
    device. The next training with this callback continues the average, or
    starts a new one if it has another optimizer or other variables. A new
    average also starts after the first step of a model that creates its
    variables in that step: on TensorFlow, without an `Input`.

    Args:
        optimizer: Optimizer whose updates are counted and whose variables are
            averaged, for a model with a `train_step` that uses another than
            `model.optimizer`, or several. Defaults to `None`:
            `model.optimizer`.

    Attributes:
        averages: List of arrays, the average of each variable that the
            optimizer trains, in the order of `model.trainable_variables`.

    Raises:
        ValueError: If `optimizer` is not an optimizer. When training starts, if
            `steps_per_execution` is not 1 or there is no optimizer. After the
            first step, if parameters have changed without the optimizer. After
            an epoch, if it has taken no step or several in a batch.

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
