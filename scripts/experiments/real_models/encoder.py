"""Builds the pretrained encoder, KerasHub's BERT, which runs on any backend."""

import functools

_DROPOUT = 0.1
# Standard deviation of new weights.
INITIAL = 0.02


@functools.cache
def _weights(directory: str):
    import keras_hub

    # KerasHub reads Hugging Face's directories as they are.
    found = keras_hub.models.BertBackbone.from_preset(directory)
    return found.get_config(), found.get_weights()


def pretrained(directory: str):
    """Returns the encoder with its pretrained weights, with dropout.

    Args:
        directory: Directory of a Hugging Face BERT.
    """
    import keras_hub

    config, weights = _weights(directory)
    kept = {
        name: config[name]
        for name in (
            *("vocabulary_size", "num_layers", "num_heads", "hidden_dim"),
            *("intermediate_dim", "max_sequence_length", "num_segments"),
        )
    }
    encoder = keras_hub.models.BertBackbone(**kept, dropout=_DROPOUT)
    encoder.set_weights(weights)
    return encoder


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
            stddev=INITIAL, seed=seed
        ),
    )
