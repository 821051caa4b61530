"""Writes small Hugging Face BERTs of random weights.

The names of the tensors and of the settings are written out as Hugging Face
has them (transformers/models/bert/modeling_bert.py, 5.24.0).
"""

import json

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

from tests.support import tiny

CONFIG = {
    "architectures": ["BertForPreTraining"],
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 16,
    "initializer_range": 0.02,
    "intermediate_size": 32,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 64,
    "model_type": "bert",
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "use_cache": True,
}
# A BERT for pretraining has both, besides a pooler.
PRETRAINING = ("masked_lm", "next_sentence")
WORDS = (
    "the cat dog sat sit ran run on to red blue mat door where did it is wet "
    "a un ##s ##ed ##aff ##able . , ?"
)
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]

# What a clone without git-lfs holds in place of a large file.
POINTER = (
    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n"
)
# Those of data for every script that trains.
SIZES = {
    "labels": ["0", "1"],
    "metric": "accuracy",
    "vocab_size": len(VOCABULARY),
    "do_lower_case": True,
    "max_seq_length": 32,
    "max_predictions_per_seq": 4,
    "max_query_length": 12,
    "doc_stride": 8,
    "train_examples": 2,
    "unanswerable": False,
}


def write(
    directory,
    vocabulary=VOCABULARY,
    *,
    dtype="float32",
    shards=1,
    bare=False,
    old_norms=False,
    heads=(),
    pooler=True,
    tokenizer=None,
    without=(),
    seed=0,
    **config,
):
    """Writes a BERT and returns its weights.

    Args:
        directory: Directory to write to, which is made.
        vocabulary: The pieces.
        dtype: Type of the weights in the files.
        shards: Number of files.
        bare: Whether the names have no `bert.`.
        old_norms: Whether norms have `gamma` and `beta`.
        heads: Any of `masked_lm`, `next_sentence`, `answer`.
        pooler: Whether there is a pooler.
        tokenizer: Contents of `tokenizer_config.json`, if there is one.
        without: Names of tensors that are left out.
        seed: Seed of the weights.
        **config: Settings that differ from `CONFIG`.

    Returns:
        Dict of float32 arrays, as rounded to `dtype`, by the names in a BERT
        with heads and norms of today.
    """
    directory.mkdir()
    config = {**CONFIG, "vocab_size": len(vocabulary), **config}
    write_json(directory / "config.json", config)
    write_pieces(directory, vocabulary)
    if tokenizer is not None:
        write_json(directory / "tokenizer_config.json", tokenizer)
    exact = np.dtype(getattr(ml_dtypes, dtype, dtype))
    rounded = {
        name: value.astype(exact)
        for name, value in _weights(config, heads, pooler, seed).items()
        if name not in without
    }
    save(
        directory,
        {_here(k, bare, old_norms): v for k, v in rounded.items()},
        shards,
    )
    return {k: np.float32(v) for k, v in rounded.items()}


def save(directory, tensors, shards=1):
    """Writes tensors to a file, or to shards with their index."""
    metadata = {"format": "pt"}
    if shards == 1:
        save_file(tensors, directory / "model.safetensors", metadata)
        return
    names = sorted(tensors)
    places = {
        name: f"model-{number % shards + 1:05}-of-{shards:05}.safetensors"
        for number, name in enumerate(names)
    }
    for file in set(places.values()):
        part = {n: tensors[n] for n in names if places[n] == file}
        save_file(part, directory / file, metadata)
    total = sum(value.nbytes for value in tensors.values())
    write_json(
        directory / "model.safetensors.index.json",
        {"metadata": {"total_size": total}, "weight_map": places},
    )


def write_pieces(directory, pieces):
    lines = "".join(f"{piece}\n" for piece in pieces)
    (directory / "vocab.txt").write_text(lines, "utf-8")


def write_data(directory):
    """Writes prepared data, all but the records, and returns the directory."""
    directory.mkdir()
    write_pieces(directory, VOCABULARY)
    write_json(directory / "sizes.json", SIZES)
    write_json(directory / "dev.json", tiny.dataset())
    return directory


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2), "utf-8")


def change_json(path, **values):
    """Changes settings in a file; `...` leaves one out."""
    found = {**json.loads(path.read_text("utf-8")), **values}
    write_json(path, {k: v for k, v in found.items() if v is not ...})


def found_in(values, weights):
    """Returns the names of those weights whose numbers are among values.

    Values are arrays of any shape, with the outputs of a kernel in its columns.
    """
    there = {np.ravel(value).tobytes() for value in values}

    def is_there(name, weight):
        is_kernel = weight.ndim == 2 and "embeddings" not in name
        return np.ravel(weight.T if is_kernel else weight).tobytes() in there

    return {name for name, weight in weights.items() if is_there(name, weight)}


def problem_in(message, directory):
    """Returns a message about --pretrained, without the directory at its end.

    The end may name a file in it.
    """
    start, _, end = message.rpartition(" Received: ")
    assert start.startswith("`--pretrained` must "), message
    assert end in [
        f"--pretrained={directory}{file}"
        for file in (
            *("", "/config.json", "/tokenizer_config.json", "/vocab.txt"),
            "/model.safetensors.index.json",
        )
    ]
    return start


def _weights(config, heads, pooler, seed):
    """Returns random weights of no special value."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    pieces = config["vocab_size"]
    square = (hidden, hidden)
    embeddings, layer = "bert.embeddings", "bert.encoder.layer.{}"
    tables = {
        f"{embeddings}.word_embeddings.weight": pieces,
        f"{embeddings}.position_embeddings.weight": config[
            "max_position_embeddings"
        ],
        f"{embeddings}.token_type_embeddings.weight": config["type_vocab_size"],
    }
    dense, norms = {}, [f"{embeddings}.LayerNorm"]
    for number in range(config["num_hidden_layers"]):
        here = layer.format(number)
        dense |= {
            f"{here}.attention.self.query": square,
            f"{here}.attention.self.key": square,
            f"{here}.attention.self.value": square,
            f"{here}.attention.output.dense": square,
            f"{here}.intermediate.dense": (inner, hidden),
            f"{here}.output.dense": (hidden, inner),
        }
        norms += [
            f"{here}.attention.output.LayerNorm",
            f"{here}.output.LayerNorm",
        ]
    if pooler:
        dense["bert.pooler.dense"] = square
    shapes = {name: (rows, hidden) for name, rows in tables.items()}
    if "masked_lm" in heads:
        dense["cls.predictions.transform.dense"] = square
        norms.append("cls.predictions.transform.LayerNorm")
        shapes["cls.predictions.bias"] = (pieces,)
    if "next_sentence" in heads:
        dense["cls.seq_relationship"] = (2, hidden)
    if "answer" in heads:
        dense["qa_outputs"] = (2, hidden)
    for name, shape in dense.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for name in norms:
        shapes |= {f"{name}.weight": (hidden,), f"{name}.bias": (hidden,)}
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(
            loc=name.endswith("LayerNorm.weight"), scale=0.3, size=shape
        )
        for name, shape in sorted(shapes.items())
    }


def _here(name, bare, old_norms):
    """Returns the name of a tensor in the files."""
    if bare:
        name = name.removeprefix("bert.")
    if old_norms:
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        name = name.replace("LayerNorm.bias", "LayerNorm.beta")
    return name
