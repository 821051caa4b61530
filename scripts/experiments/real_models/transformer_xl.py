"""Builds a Transformer-XL of TF Model Garden's layers."""

import tensorflow as tf
import tf_keras
from official.nlp.modeling import layers
from official.nlp.modeling.networks import xlnet_base

_INITIAL = 0.02


class TransformerXL(tf_keras.Model):
    """Predicts each next word, and attends to what it has read before.

    Successive mini-batches continue each other: the hidden states of the last
    words are kept, without gradients, until `forget` is called.

    Args:
        vocab_size: Number of words.
        num_layers: Number of layers.
        hidden_size: Size of a hidden state.
        length: Words in a sequence.
        memory: Words before it whose hidden states are kept.
        batch_size: Sequences in a mini-batch.
        dropout: Share of what is dropped.
    """

    def __init__(
        self,
        vocab_size: int,
        num_layers: int,
        hidden_size: int,
        length: int,
        memory: int,
        batch_size: int,
        dropout: float,
    ):
        super().__init__()
        heads = max(hidden_size // 32, 1)
        self._embed = layers.OnDeviceEmbedding(
            vocab_size, hidden_size, initializer=_initializer()
        )
        self._drop = tf_keras.layers.Dropout(dropout)
        self._layers = layers.TransformerXL(
            vocab_size=vocab_size,
            num_layers=num_layers,
            hidden_size=hidden_size,
            num_attention_heads=heads,
            head_size=hidden_size // heads,
            inner_size=4 * hidden_size,
            dropout_rate=dropout,
            attention_dropout_rate=dropout,
            initializer=_initializer(),
            memory_length=memory,
            reuse_length=0,
        )
        # Only XLNet has segments.
        self._layers.segment_attention_bias._trainable = False
        self._positions = xlnet_base.RelativePositionEncoding(hidden_size)
        self._bias = self.add_weight(
            name="bias", shape=(vocab_size,), initializer="zeros"
        )
        self._memories = [
            tf.Variable(
                tf.zeros((batch_size, memory, hidden_size)),
                trainable=False,
                name=f"memory_{layer}",
            )
            for layer in range(num_layers)
        ]
        # A word sees the memory, the words before it and itself.
        before = tf.linalg.band_part(tf.ones((length, length)), -1, 0)
        self._mask = tf.concat([tf.ones((length, memory)), before], axis=1)
        keys = length + memory
        self._distances = tf.range(keys, -length, -1.0)

    def call(self, words: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns the logits of each next word.

        Args:
            words: Integer tensor of shape `(batch_size, length)`.
            training: Whether to drop.

        Returns:
            Tensor of shape `(batch_size, length, vocab_size)`.
        """
        shape = tf.shape(words)
        hidden, memories = self._layers(
            self._drop(self._embed(words), training=training),
            self._drop(self._positions(self._distances, shape[0])),
            state=list(self._memories),
            content_attention_mask=self._mask[None, None],
        )
        for memory, value in zip(self._memories, memories, strict=True):
            memory.assign(value)
        table = self._embed.embeddings
        return tf.einsum("blh,vh->blv", hidden, table) + self._bias

    def forget(self) -> None:
        """Begins new texts."""
        for memory in self._memories:
            memory.assign(tf.zeros_like(memory))

    def remember(self) -> list:
        """Returns what `recall` takes to continue the texts read last."""
        return [memory.numpy() for memory in self._memories]

    def recall(self, remembered: list) -> None:
        """Continues texts.

        Args:
            remembered: What `remember` has returned.
        """
        for memory, value in zip(self._memories, remembered, strict=True):
            memory.assign(value)


def _initializer():
    return tf_keras.initializers.RandomNormal(stddev=_INITIAL)
