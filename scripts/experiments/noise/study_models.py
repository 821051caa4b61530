"""Builds the models of the study, all from TF Model Garden."""

import tensorflow as tf
import tf_keras
from official.nlp import modeling as nlp
from official.nlp.modeling import layers
from official.nlp.modeling import models
from official.vision.modeling import classification_model
from official.vision.modeling.backbones import resnet as resnet_backbone

HIDDEN_SIZE = 128


class NoAttention(tf_keras.layers.Layer):
    """Replaces attention, and adds nothing to the residual stream."""

    def call(self, query, value, attention_mask=None):
        """Returns zeros.

        Args:
            query: Tensor of shape `(batch, length, hidden)`.
            value: Likewise.
            attention_mask: Not used.

        Returns:
            Tensor like `query`.
        """
        return tf.zeros_like(query)


def bert(
    vocab_size: int, length: int, attention: bool, gaussian: bool
) -> tf_keras.Model:
    """Returns a BERT for the masked-LM loss, with or without attention.

    Args:
        vocab_size: Number of classes.
        length: Tokens in a sequence.
        attention: Whether its layers have attention; if not, each is a
            feedforward network with a residual connection.
        gaussian: Whether it reads vectors in place of word ids.

    Returns:
        Model.
    """
    hidden_cfg = {
        "num_attention_heads": 2,
        "intermediate_size": 4 * HIDDEN_SIZE,
        "intermediate_activation": tf_keras.activations.gelu,
        "kernel_initializer": _initializer(),
    }
    if not attention:
        hidden_cfg.update(attention_cls=NoAttention, attention_cfg={})
    embedding = {
        "embedding_cfg": {
            "vocab_size": vocab_size,
            "type_vocab_size": 2,
            "hidden_size": HIDDEN_SIZE,
            "max_seq_length": length,
            "initializer": _initializer(),
            "dropout_rate": 0.0,
        }
    }
    if gaussian:
        embedding = {
            "embedding_cls": _vector_embedding(length),
            "embedding_data": tf.Variable(
                _initializer()((vocab_size, HIDDEN_SIZE)),
                name="output_table",
            ),
        }
    encoder = nlp.networks.EncoderScaffold(
        pooled_output_dim=HIDDEN_SIZE,
        num_hidden_instances=2,
        hidden_cls=layers.TransformerScaffold,
        hidden_cfg=hidden_cfg,
        dict_outputs=True,
        **embedding,
    )
    return models.BertPretrainerV2(
        encoder,
        mlm_activation=tf_keras.activations.gelu,
        mlm_initializer=_initializer(),
    )


def _initializer():
    """Returns BERT's initializer; each instance generates other values."""
    return tf_keras.initializers.TruncatedNormal(stddev=0.02)


def _vector_embedding(length):
    """Returns BERT's embedding layers for vectors in place of words."""
    vectors = tf_keras.layers.Input(
        (length, HIDDEN_SIZE), name="input_word_embeddings"
    )
    mask = tf_keras.layers.Input((length,), dtype=tf.int32, name="input_mask")
    positions = layers.PositionEmbedding(length, _initializer())
    x = tf_keras.layers.Add()([vectors, positions(vectors)])
    x = tf_keras.layers.LayerNormalization(epsilon=1e-12)(x)
    return tf_keras.Model(
        [vectors, mask], [x, layers.SelfAttentionMask()(x, mask)]
    )


def resnet(num_classes: int = 10) -> tf_keras.Model:
    """Returns a ResNet-18 for images of 32 × 32.

    Args:
        num_classes: Number of classes.

    Returns:
        Model.
    """
    specs = tf_keras.layers.InputSpec(shape=[None, 32, 32, 3])
    return classification_model.ClassificationModel(
        resnet_backbone.ResNet(18, input_specs=specs, depth_multiplier=0.5),
        num_classes,
        input_specs=specs,
    )
