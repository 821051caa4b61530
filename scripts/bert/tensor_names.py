"""Names the tensors of a Hugging Face BERT, and those of Model Garden's.

Every dict is from the name of a variable of Model Garden, without that of the
model and `:0`, to the name of a tensor in `model.safetensors` of a BERT with
heads. A BERT without heads has the same names without `bert.`.
"""

import re
from collections.abc import Mapping

_NORM = {"gamma": "weight", "beta": "bias"}
_DENSE = {"kernel": "weight", "bias": "bias"}
_EMBEDDINGS = {
    "word_embeddings": "word_embeddings",
    "position_embedding": "position_embeddings",
    "type_embeddings": "token_type_embeddings",
}
# The parts of a layer: those with a kernel, then the norms.
_PROJECTIONS = {
    "self_attention/query": "attention.self.query",
    "self_attention/key": "attention.self.key",
    "self_attention/value": "attention.self.value",
    "self_attention/attention_output": "attention.output.dense",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
}
_NORMS = {
    "self_attention_layer_norm": "attention.output.LayerNorm",
    "output_layer_norm": "output.LayerNorm",
}


def _named(parts: Mapping, kinds: Mapping) -> dict[str, str]:
    return {
        f"{ours}/{kind}": f"{theirs}.{name}"
        for ours, theirs in parts.items()
        for kind, name in kinds.items()
    }


POOLER = _named({"pooler_transform": "bert.pooler.dense"}, _DENSE)
MASKED_LM = {
    **_named(
        {"cls/predictions/transform/dense": "cls.predictions.transform.dense"},
        _DENSE,
    ),
    **_named(
        {
            "cls/predictions/transform/LayerNorm": (
                "cls.predictions.transform.LayerNorm"
            )
        },
        _NORM,
    ),
    "cls/predictions/output_bias/bias": "cls.predictions.bias",
}
NEXT_SENTENCE = _named(
    {
        "next_sentence/pooler_dense": "bert.pooler.dense",
        "next_sentence/logits": "cls.seq_relationship",
    },
    _DENSE,
)
ANSWER = _named({"predictions/transform/logits": "qa_outputs"}, _DENSE)
CLASSES = _named({"sentence_prediction/logits": "classifier"}, _DENSE)
# The pooler of a classifier that does not use the encoder's.
CLASSES_POOLER = _named(
    {"sentence_prediction/pooler_dense": "bert.pooler.dense"}, _DENSE
)


def encoder(num_layers: int) -> dict[str, str]:
    """Returns the names of an encoder's tensors, without the pooler's.

    Args:
        num_layers: Number of layers.

    Returns:
        Dict from Model Garden's names to those of Hugging Face.
    """
    names = {
        f"{ours}/embeddings": f"bert.embeddings.{theirs}.weight"
        for ours, theirs in _EMBEDDINGS.items()
    }
    norm = {"embeddings/layer_norm": "bert.embeddings.LayerNorm"}
    names |= _named(norm, _NORM)
    for parts, kinds in ((_PROJECTIONS, _DENSE), (_NORMS, _NORM)):
        for number in range(num_layers):
            of_layer = {
                f"transformer/layer_{number}/{ours}": (
                    f"bert.encoder.layer.{number}.{theirs}"
                )
                for ours, theirs in parts.items()
            }
            names |= _named(of_layer, kinds)
    return names


def shapes(sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of the tensors of a BERT, by Hugging Face's names.

    Args:
        sizes: Settings of Model Garden's encoder.

    Returns:
        Dict from names to shapes, of the encoder and of all heads but a
        classifier's, whose number of classes is its own.
    """
    hidden, inner = sizes["hidden_size"], sizes["intermediate_size"]
    rows = {
        "word_embeddings": sizes["vocab_size"],
        "position_embeddings": sizes["max_position_embeddings"],
        "token_type_embeddings": sizes["type_vocab_size"],
        "qa_outputs": 2,
        "cls.seq_relationship": 2,
    }
    found = {}
    names = [encoder(sizes["num_layers"]), POOLER, MASKED_LM, NEXT_SENTENCE]
    for name in {name for some in (*names, ANSWER) for name in some.values()}:
        owner, _, kind = name.rpartition(".")
        last = owner.removeprefix("bert.embeddings.")
        rows_here, columns = rows.get(last, hidden), hidden
        if owner.endswith("intermediate.dense"):
            rows_here = inner
        elif owner.endswith("output.dense") and "attention" not in owner:
            columns = inner
        if name == "cls.predictions.bias":
            rows_here = sizes["vocab_size"]
        is_matrix = kind == "weight" and not owner.endswith("LayerNorm")
        found[name] = (rows_here, columns) if is_matrix else (rows_here,)
    return found


def variables(model) -> dict:
    """Returns the variables of Model Garden's model, by the names above.

    Args:
        model: The model, built.
    """
    # A pretraining model puts its own name before those of its heads.
    return {
        re.sub(r"^bert(_\d+)?/", "", variable.name.removesuffix(":0")): variable
        for variable in model.weights
    }
