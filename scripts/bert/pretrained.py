"""Takes the encoder of a run, or of a Hugging Face BERT, to start from."""

import os
from collections.abc import Mapping

import numpy as np

from bert import hugging_face
from bert import prepared
from bert import tensor_names
from command_line import InputError
from command_line import Parser
from command_line import progress
from command_line.heartbeat import Heartbeat

PRETRAINING = "keras_clip/bert/pretraining"
_ARGUMENT = "--pretrained"
# The heads of models, by what they find.
_HEADS = {
    "masked tokens": tensor_names.MASKED_LM,
    "next sentences": tensor_names.NEXT_SENTENCE,
    "answers": tensor_names.ANSWER,
    "classes": tensor_names.CLASSES,
}


def add_argument(parser: Parser) -> None:
    """Adds the option that names the pretrained model.

    Args:
        parser: The script's parser.
    """
    parser.add_argument(
        _ARGUMENT,
        metavar="DIR",
        help=(
            "directory of a pretraining run, or of a Hugging Face BERT with "
            "config.json, model.safetensors and vocab.txt; without it, weights "
            "are random"
        ),
    )


def check(directory: str, data_dir: str, sizes: Mapping[str, object]) -> None:
    """Checks a pretrained model as far as possible without TensorFlow.

    Args:
        directory: Directory of the model.
        data_dir: Directory of the prepared data.
        sizes: Contents of its `sizes.json`.

    Raises:
        InputError: If the model cannot be used, or the data were prepared for
            another one.
    """
    if hugging_face.is_one(directory):
        hugging_face.read(_ARGUMENT, directory)
    elif not os.path.exists(os.path.join(directory, "params.yaml")):
        raise InputError(
            f"`{_ARGUMENT}` must be the directory of a training run, with "
            "params.yaml, or of a Hugging Face BERT, with config.json. "
            f"Received: {_ARGUMENT}={directory}"
        )
    prepared.check_tokenizer(data_dir, sizes, directory)


def settings(directory: str) -> dict[str, object]:
    """Returns the task's settings that come from a pretrained model.

    Args:
        directory: Directory of the model, checked.

    Returns:
        Dict with `init_checkpoint` and the `encoder` of the `model`.

    Raises:
        InputError: If the model cannot be used.
    """
    if hugging_face.is_one(directory):
        encoder = hugging_face.read(_ARGUMENT, directory).encoder
    else:
        # These need TensorFlow.
        from bert import checkpoints
        from bert import saved_parameters

        params = saved_parameters.read(PRETRAINING, _ARGUMENT, directory)
        checkpoints.required(_ARGUMENT, directory)
        encoder = params.task.model.encoder.get().as_dict()
    return {
        "init_checkpoint": os.path.realpath(directory),
        "model": {"encoder": {"type": "bert", "bert": encoder}},
    }


def fit_heads(params, directory: str) -> None:
    """Gives a pretraining run the heads of its pretrained model.

    Those of Hugging Face's BERT have the encoder's width and activation.

    Args:
        params: Parameters of a run with the pretrained encoder, changed in
            place.
        directory: Directory of the model, checked.
    """
    model = params.task.model
    if not hasattr(model, "cls_heads"):
        return
    if hugging_face.is_one(directory):
        encoder = model.encoder.get()
        model.mlm_activation = encoder.hidden_activation
        for head in model.cls_heads or []:
            head.inner_dim = encoder.hidden_size
        return
    from bert import saved_parameters

    there = saved_parameters.read(PRETRAINING, _ARGUMENT, directory)
    heads = there.task.model.as_dict()
    model.override(
        {name: heads[name] for name in ("cls_heads", "mlm_activation")}
    )


def has_pooler(directory: str) -> bool:
    """Returns whether a pretrained model has a pooler to finetune with.

    Runs of `pretrain_bert.py` train the pooler of a head, not the encoder's.

    Args:
        directory: Directory of the model, checked.
    """
    return hugging_face.is_one(directory) and hugging_face.read(
        _ARGUMENT, directory
    ).has(tensor_names.POOLER)


def load(model, directory: str) -> None:
    """Gives a model the weights of a Hugging Face BERT.

    The encoder, and the heads for masked tokens, for the next sentence and for
    answers where both have them.

    Args:
        model: Model Garden's model, built.
        directory: Directory of the BERT.

    Raises:
        InputError: If the BERT cannot be used.
    """
    bert = hugging_face.read(_ARGUMENT, directory)
    names = tensor_names.encoder(bert.encoder["num_layers"])
    heads = [tensor_names.NEXT_SENTENCE, tensor_names.ANSWER]
    if bert.ties_embeddings:
        heads.append(tensor_names.MASKED_LM)
    for part in (tensor_names.POOLER, *heads):
        if bert.has(part):
            names |= part
    variables = tensor_names.variables(model)
    fresh = [
        what
        for what, head in _HEADS.items()
        if head.keys() <= variables.keys() and not head.keys() <= names.keys()
    ]
    if fresh:
        progress.say(f"heads with random weights: {', '.join(fresh)}")
    names = {k: v for k, v in names.items() if k in variables}
    with Heartbeat(f"reading the weights of {directory}"):
        tensors = bert.tensors.read(names.values())
    for name, tensor in names.items():
        variable = variables[name]
        value = tensors[tensor]
        if not np.isfinite(value).all():
            raise InputError(
                f"`{_ARGUMENT}` must hold finite weights; those of {tensor} "
                f"are not. Received: {_ARGUMENT}={directory}"
            )
        # Hugging Face keeps a kernel's outputs in its rows.
        if name.endswith("/kernel"):
            value = value.T
        variable.assign(value.reshape(variable.shape))


def report(
    directory: str, encoder: Mapping[str, object], replaced: Mapping
) -> None:
    """Says which encoder a run has, and what the configuration has instead.

    Args:
        directory: Directory of the pretrained model.
        encoder: Settings of its encoder.
        replaced: Other settings of the configuration.
    """
    text = (
        f"taking the encoder of {directory}: {encoder['num_layers']} layers, "
        f"hidden size {encoder['hidden_size']}, {encoder['vocab_size']:,} "
        "pieces"
    )
    if replaced:
        text += ", not the configuration's " + ", ".join(
            f"{name}={value}" for name, value in replaced.items()
        )
    progress.say(text)
