"""Reads the directory of a Hugging Face BERT, and checks it.

Such a directory holds `config.json`, `model.safetensors` and `vocab.txt`.
Nothing here imports TensorFlow, so that errors come within a second.
"""

import dataclasses
import os
from collections.abc import Mapping

import numpy as np

from bert import tensor_names
from bert import vocabulary
from bert.tensor_files import TensorFiles
from command_line import InputError
from command_line import files

CONFIG = "config.json"
# Names in config.json, from those of Model Garden's encoder.
SIZES = {
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "num_layers": "num_hidden_layers",
    "num_attention_heads": "num_attention_heads",
    "intermediate_size": "intermediate_size",
    "max_position_embeddings": "max_position_embeddings",
    "type_vocab_size": "type_vocab_size",
}
RATES = {
    "dropout_rate": "hidden_dropout_prob",
    "attention_dropout_rate": "attention_probs_dropout_prob",
    "initializer_range": "initializer_range",
}
# Model Garden's names of Hugging Face's activations. Its `gelu` is the
# approximation with tanh (official/modeling/activations/gelu.py, 2.20.0).
ACTIVATIONS = {
    "gelu": "keras_clip>gelu",
    "gelu_new": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "relu": "relu",
    "silu": "swish",
    "swish": "swish",
}
# What Model Garden's encoder always has, and Hugging Face's by default.
_ALWAYS = {
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}
# What Model Garden's encoder may have besides, and Hugging Face's never.
_PLAIN = {"embedding_size": None, "output_range": None, "norm_first": False}


@dataclasses.dataclass(frozen=True)
class HuggingFaceBert:
    """A directory with a pretrained BERT that can be used.

    Attributes:
        directory: The directory.
        encoder: Settings of Model Garden's encoder.
        do_lower_case: Whether text is lower-cased and loses its accents.
        tensors: Its weights.
        ties_embeddings: Whether masked tokens are predicted with the word
            embeddings.
    """

    directory: str
    encoder: dict[str, object]
    do_lower_case: bool
    tensors: TensorFiles
    ties_embeddings: bool

    def has(self, names: Mapping[str, str]) -> bool:
        """Returns whether all tensors of a part are there.

        Args:
            names: A dict of `tensor_names`.
        """
        return all(map(self.tensors.find, names.values()))


def is_one(directory: str) -> bool:
    """Returns whether a directory is one of Hugging Face, and no run's.

    Args:
        directory: The directory.
    """
    return os.path.isfile(os.path.join(directory, CONFIG)) and not (
        os.path.exists(os.path.join(directory, "params.yaml"))
    )


def read(argument: str, directory: str) -> HuggingFaceBert:
    """Returns a pretrained BERT, whose weights are not read yet.

    Args:
        argument: Name of the command line's argument, for errors.
        directory: Its directory.

    Returns:
        The BERT.

    Raises:
        InputError: If the directory is not complete, or the model is not one
            that Model Garden's BERT can be.
    """
    found, encoder, pieces = _settings(argument, directory)
    tensors = TensorFiles(argument, directory)
    # A config of too many layers is told before all of them are named.
    last = _last(encoder["num_layers"])
    tensors.check({last: (encoder["hidden_size"],)})
    shapes = tensor_names.shapes(encoder)
    needed = {*tensor_names.encoder(encoder["num_layers"]).values()}
    tensors.check(
        {
            name: shape
            for name, shape in shapes.items()
            if name in needed or tensors.find(name)
        }
    )
    if tensors.find(_last(encoder["num_layers"] + 1)):
        raise InputError(
            f"`{argument}` must hold the BERT that its {CONFIG} describes; the "
            f"weights have more layers than {encoder['num_layers']}. Received: "
            f"{argument}={directory}"
        )
    return HuggingFaceBert(
        directory=directory,
        encoder=encoder,
        do_lower_case=vocabulary.do_lower_case(argument, directory, pieces),
        tensors=tensors,
        ties_embeddings=found.get("tie_word_embeddings", True) is not False,
    )


def read_vocabulary(argument: str, directory: str) -> list[str]:
    """Returns the vocabulary of a BERT, whose weights need not be there.

    Args:
        argument: Name of the command line's argument, for errors.
        directory: Its directory.

    Returns:
        The pieces, in order.

    Raises:
        InputError: If the model is not one that Model Garden's BERT can be, or
            the vocabulary is not the model's.
    """
    return _settings(argument, directory)[-1]


def config(encoder: Mapping[str, object]) -> dict[str, object]:
    """Returns the contents of `config.json` for an encoder.

    Args:
        encoder: Settings of Model Garden's encoder.

    Returns:
        Dict without the architecture, which depends on the heads.
    """
    # The first of several names of an activation is the usual one.
    names = {ours: theirs for theirs, ours in reversed(ACTIVATIONS.items())}
    return {
        "model_type": "bert",
        **{
            theirs: encoder[ours]
            for ours, theirs in (SIZES | RATES).items()
            if ours in encoder
        },
        **_ALWAYS,
        "hidden_act": names[encoder["hidden_activation"]],
        "pad_token_id": 0,
    }


def write(
    directory: str,
    config: Mapping[str, object],
    tensors: Mapping[str, np.ndarray],
) -> None:
    """Writes the settings and the weights of a model.

    Args:
        directory: Directory to write to, which exists.
        config: Contents of `config.json`.
        tensors: Dict from Hugging Face's names to float32 arrays.
    """
    # Only these scripts need it.
    from safetensors import numpy as safetensors

    # `transformers` refuses a file without this.
    metadata = {"format": "pt"}
    whole = {k: np.ascontiguousarray(v) for k, v in tensors.items()}
    path = os.path.join(directory, "model.safetensors")
    with files.whole(path) as partial:
        # `save_file` would keep other users from reading it (0.8.0).
        with open(partial, "wb") as file:
            file.write(safetensors.save(whole, metadata))
    files.write_json(os.path.join(directory, CONFIG), config)


def _last(num_layers):
    """Returns the name of a tensor of the last layer."""
    return f"bert.encoder.layer.{num_layers - 1}.output.dense.bias"


def _settings(argument, directory):
    """Returns the config, the settings of the encoder, and the vocabulary."""
    received = f"Received: {argument}={directory}"
    found = files.read_json(argument, os.path.join(directory, CONFIG))
    encoder = encoder_of(found, argument, directory)
    path = os.path.join(directory, "vocab.txt")
    if not os.path.isfile(path):
        raise InputError(
            f"`{argument}` must hold the model's vocabulary, vocab.txt. "
            f"{received}"
        )
    pieces = vocabulary.read(argument, path)
    if len(pieces) != encoder["vocab_size"]:
        raise InputError(
            f"`{argument}` must hold the vocabulary of its model; vocab.txt "
            f"has {len(pieces):,} pieces, the model {encoder['vocab_size']:,}. "
            f"{received}"
        )
    return found, encoder, pieces


def encoder_of(
    config: object, argument: str, directory: str
) -> dict[str, object]:
    """Returns the settings of Model Garden's encoder.

    Args:
        config: Contents of `config.json`.
        argument: Name of the command line's argument, for errors.
        directory: Directory of the model, for errors.

    Returns:
        The settings.

    Raises:
        InputError: If Model Garden's BERT cannot be such an encoder.
    """
    received = f"Received: {argument}={directory}"

    def check(holds, what):
        if not holds:
            raise InputError(f"`{argument}` must hold {what}. {received}")

    check(isinstance(config, Mapping), f"a model's settings in {CONFIG}")
    kind = config.get("model_type")
    check(
        kind == "bert",
        f"a BERT, whose {CONFIG} has the model_type 'bert', not {kind!r}",
    )
    encoder = {}
    for ours, theirs in SIZES.items():
        value = config.get(theirs, 2 if ours == "type_vocab_size" else None)
        check(
            type(value) is int and value > 0,
            f"a BERT, whose {CONFIG} has a positive integer {theirs}, not "
            f"{value!r}",
        )
        encoder[ours] = value
    heads = encoder["num_attention_heads"]
    check(
        encoder["hidden_size"] % heads == 0,
        f"a BERT, whose hidden_size is a multiple of its {heads} attention "
        f"heads, not {encoder['hidden_size']}",
    )
    # Sentences and questions are told from what follows by their type.
    check(
        encoder["type_vocab_size"] >= 2,
        "a BERT for pairs, whose type_vocab_size is at least 2, not "
        f"{encoder['type_vocab_size']}",
    )
    for ours, theirs in RATES.items():
        value = config.get(theirs, 0.02 if ours == "initializer_range" else 0.1)
        check(
            type(value) in (int, float) and 0 <= value < 1,
            f"a BERT, whose {theirs} is a number of at least 0 and less than "
            f"1, not {value!r}",
        )
        encoder[ours] = float(value)
    for name, expected in _ALWAYS.items():
        value = config.get(name, expected)
        check(
            value == expected,
            f"a BERT as Model Garden has it, whose {name} is {expected}, not "
            f"{value!r}",
        )
    activation = config.get("hidden_act", "gelu")
    check(
        isinstance(activation, str) and activation in ACTIVATIONS,
        f"a BERT as Model Garden has it, whose hidden_act is one of "
        f"{', '.join(ACTIVATIONS)}, not {activation!r}",
    )
    encoder["hidden_activation"] = ACTIVATIONS[activation]
    return encoder | _PLAIN
