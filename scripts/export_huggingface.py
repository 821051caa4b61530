r"""Writes the model of a run as a Hugging Face BERT.

The directory holds the encoder and the run's heads: for masked tokens and the
next sentence, for answers, or for classes. `transformers` loads both, and so do
the scripts here but for classes. KerasHub loads the encoder. Example:

    python scripts/export_huggingface.py --model_dir runs/squad \
        --output_dir exported
"""

import argparse
import itertools
import os

import command_line
from bert import hugging_face
from bert import prepared
from bert import tensor_names
from bert import vocabulary
from command_line import InputError
from command_line import files
from command_line import progress


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Writes the directory.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict with the `output_dir`, the number of `parameters` and the
        `architecture`.

    Raises:
        InputError: If the run or the directory cannot be used.
    """
    model_dir, output_dir = arguments.model_dir, arguments.output_dir
    if os.path.exists(output_dir) and (
        not os.path.isdir(output_dir) or os.listdir(output_dir)
    ):
        raise InputError(
            "`--output_dir` must be new or empty. "
            f"Received: --output_dir={output_dir}"
        )
    progress.say("importing TensorFlow")
    # These take ten seconds to import, and are imported after the checks.
    from bert import restoring
    from bert import saved_parameters

    params = saved_parameters.read_any("--model_dir", model_dir)
    encoder = params.task.model.encoder.get()
    config = _config(params.task.model, model_dir)
    pieces, do_lower_case = _tokenizer(model_dir, encoder.vocab_size)
    progress.say("restoring the model")
    _, model = restoring.restored_model(params, model_dir, arguments.checkpoint)
    tensors = _tensors(model, params.task.model)
    config["architectures"] = [_architecture(tensors)]
    if "classifier.bias" in tensors:
        labels = prepared.labels(model_dir, len(tensors["classifier.bias"]))
        config["id2label"] = {str(i): name for i, name in enumerate(labels)}
        config["label2id"] = {name: i for i, name in enumerate(labels)}
    files.make_directory("--output_dir", output_dir)
    hugging_face.write(output_dir, config, tensors)
    vocabulary.write(os.path.join(output_dir, "vocab.txt"), pieces)
    vocabulary.write_casing(output_dir, do_lower_case)
    hugging_face.read("--output_dir", output_dir)
    return {
        "output_dir": output_dir,
        "architecture": config["architectures"][0],
        "parameters": sum(tensor.size for tensor in tensors.values()),
    }


def _config(model, model_dir):
    """Returns the contents of config.json without the architecture."""
    encoder = model.encoder.get().as_dict()
    for name, expected in {
        "embedding_size": (None, encoder.get("hidden_size")),
        "norm_first": (False,),
        "hidden_activation": tuple(hugging_face.ACTIVATIONS.values()),
    }.items():
        if encoder.get(name) not in expected:
            raise InputError(
                "`--model_dir` must hold an encoder that Hugging Face's BERT "
                f"can be; {name} is {encoder.get(name)!r}. "
                f"Received: --model_dir={model_dir}"
            )
    config = hugging_face.config(encoder)
    hugging_face.encoder_of(config, "--model_dir", model_dir)
    return config


def _tokenizer(model_dir, vocab_size):
    """Returns as many pieces as the model has, and the casing."""
    path = os.path.join(model_dir, "vocab.txt")
    pieces = vocabulary.read("--model_dir", path)
    do_lower_case = vocabulary.do_lower_case("--model_dir", model_dir, pieces)
    unused = (f"[unused{number}]" for number in itertools.count())
    new = itertools.filterfalse({*pieces}.__contains__, unused)
    pieces += itertools.islice(new, vocab_size - len(pieces))
    return pieces, do_lower_case


def _tensors(model, settings):
    """Returns the tensors as Hugging Face names and shapes them."""
    encoder = settings.encoder.get()
    variables = tensor_names.variables(model)
    names = tensor_names.encoder(encoder.num_layers)
    found = {names[name]: variables[name].numpy() for name in names}
    # The pooler of a head comes after the encoder's, which it does not use.
    for head in (tensor_names.POOLER, *_heads(settings)):
        if head.keys() <= variables.keys():
            for name, tensor in head.items():
                found[tensor] = variables[name].numpy()
    shapes = tensor_names.shapes(encoder.as_dict())
    for name, value in found.items():
        rows, *columns = shapes.get(name, value.shape[::-1])
        if columns and "_embeddings." not in name:
            found[name] = value.reshape(*columns, rows).T
        else:
            found[name] = value.reshape(rows, *columns)
    return found


def _heads(settings):
    """Returns the names of heads that Hugging Face's BERT can have."""
    heads = [
        tensor_names.CLASSES_POOLER,
        tensor_names.CLASSES,
        tensor_names.ANSWER,
    ]
    if not hasattr(settings, "mlm_activation"):
        return heads
    encoder = settings.encoder.get()
    if settings.mlm_activation == encoder.hidden_activation:
        heads.append(tensor_names.MASKED_LM)
    else:
        progress.say(
            "leaving out the head for masked tokens, whose activation is "
            f"{settings.mlm_activation}"
        )
    for head in settings.cls_heads or []:
        kind = (
            head.name,
            head.inner_dim,
            head.num_classes,
            head.activation,
            head.cls_token_idx,
        )
        if kind == ("next_sentence", encoder.hidden_size, 2, "tanh", 0):
            heads.append(tensor_names.NEXT_SENTENCE)
        else:
            progress.say(
                f"leaving out the head {head.name}, which is no head of BERT "
                "for the next sentence"
            )
    return heads


def _architecture(tensors):
    """Returns the class of `transformers` that has these tensors."""
    both = {"cls.seq_relationship.weight", "cls.predictions.bias"}
    if both <= tensors.keys():
        return "BertForPreTraining"
    for name, architecture in (
        ("qa_outputs.weight", "BertForQuestionAnswering"),
        ("classifier.weight", "BertForSequenceClassification"),
        ("cls.seq_relationship.weight", "BertForNextSentencePrediction"),
        ("cls.predictions.bias", "BertForMaskedLM"),
    ):
        if name in tensors:
            return architecture
    return "BertModel"


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    add(
        "--model_dir",
        required=True,
        metavar="DIR",
        help="directory of a run of pretraining or finetuning",
    )
    add("--output_dir", required=True, metavar="DIR", help="where to write")
    add(
        "--checkpoint",
        choices=("best", "newest"),
        default="best",
        help="the one with the best metric if the run keeps it, or the newest",
    )
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
