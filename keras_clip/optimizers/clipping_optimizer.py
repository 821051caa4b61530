"""Picks the base class for the backend that Keras runs on, as Keras does."""

import keras

if keras.backend.backend() == "tensorflow":
    from keras_clip.optimizers.tensorflow_base import (
        TensorFlowClippingOptimizer as ClippingOptimizer,
    )
elif keras.backend.backend() == "torch":
    from keras_clip.optimizers.torch_base import (
        TorchClippingOptimizer as ClippingOptimizer,
    )
else:
    from keras_clip.optimizers.base import (
        BaseClippingOptimizer as ClippingOptimizer,
    )

__all__ = ["ClippingOptimizer"]
