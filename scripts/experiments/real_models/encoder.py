"""Builds the pretrained encoder: KerasHub's BERT, which runs on any backend."""

_DROPOUT = 0.1
# Standard deviation of new weights.
_INITIAL = 0.02
_SIZES = (
    *("vocabulary_size", "num_layers", "num_heads", "hidden_dim"),
    *("intermediate_dim", "max_sequence_length", "num_segments"),
)


class Encoder:
    """Stores a pretrained encoder, of which each run has a copy.

    It is read once, before the seed of a run is set: KerasHub draws random
    weights first.

    Args:
        directory: Directory of a Hugging Face BERT.
    """

    def __init__(self, directory: str):
        import keras_hub

        # KerasHub reads Hugging Face's directories as they are.
        found = keras_hub.models.BertBackbone.from_preset(directory)
        config = found.get_config()
        self._sizes = {name: config[name] for name in _SIZES}
        self._weights = found.get_weights()

    def copy(self):
        """Returns a model with the pretrained weights, with dropout."""
        import keras_hub

        found = keras_hub.models.BertBackbone(**self._sizes, dropout=_DROPOUT)
        found.set_weights(self._weights)
        return found


def dropped_out(keras, x):
    """Returns a tensor after the dropout that stands before a new head.

    Args:
        keras: Keras 3.
        x: The tensor.
    """
    return keras.layers.Dropout(_DROPOUT)(x)


def head(keras, classes: int, seed: int):
    """Returns a new layer on top of the encoder.

    Args:
        keras: Keras 3.
        classes: Number of its outputs.
        seed: Seed of its weights.
    """
    return keras.layers.Dense(
        classes,
        kernel_initializer=keras.initializers.TruncatedNormal(
            stddev=_INITIAL, seed=seed
        ),
    )
