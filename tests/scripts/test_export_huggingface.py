"""A run becomes a Hugging Face BERT, with its heads, and comes back."""

import json
import shutil

import keras_hub
import numpy as np
import pytest
import tensorflow as tf

import answer
import export_huggingface
import finetune_glue
import finetune_squad
import pretrain_bert
from bert import restoring
from bert import saved_parameters
from tests.support import tiny
from tests.support.tiny import call

pytestmark = pytest.mark.slow

ARCHITECTURES = {
    "pretrained": "BertForPreTraining",
    "finetuned": "BertForQuestionAnswering",
    "finetuned_glue": "BertForSequenceClassification",
}
FILES = ["config.json", "model.safetensors", "tokenizer_config.json"]
INPUTS = {
    "input_word_ids": [[2, 7, 3, 9, 8, 3], [2, 11, 6, 3, 0, 0]],
    "input_mask": [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]],
    "input_type_ids": [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]],
}
POSITIONS = {"masked_lm_positions": [[1, 4], [2, 1]]}


@pytest.fixture(scope="module")
def exported(request, tmp_path_factory):
    """Returns the directory that a run is exported to, and what is said."""
    made = {}

    def exported(name):
        if name not in made:
            output = tmp_path_factory.mktemp("exported") / name
            run = request.getfixturevalue(name)
            options = ["--model_dir", run, "--output_dir", output]
            made[name] = output, call(export_huggingface, *options)
        return made[name]

    return exported


def restored(run):
    params = saved_parameters.read_any("--model_dir", str(run))
    return restoring.restored_model(params, str(run), "best")[1]


def outputs(model):
    """Returns all that a model computes, by name or by number."""
    given = {**INPUTS, **(POSITIONS if hasattr(model, "masked_lm") else {})}
    found = model({k: tf.constant(v) for k, v in given.items()})
    if isinstance(found, list):
        found = dict(enumerate(found))
    if not isinstance(found, dict):
        found = {"logits": found}
    found.pop("encoder_outputs", None)
    return {name: np.array(value) for name, value in found.items()}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_files_are_those_of_a_hugging_face_bert(exported, request, name):
    output, said = exported(name)
    run = request.getfixturevalue(name)
    assert sorted(p.name for p in output.iterdir()) == [*FILES, "vocab.txt"]
    config = json.loads((output / "config.json").read_text())
    assert config["model_type"] == "bert"
    assert config["architectures"] == [ARCHITECTURES[name]]
    assert said["architecture"] == ARCHITECTURES[name]
    # Model Garden's `gelu` is the approximation with tanh.
    assert config["hidden_act"] == "gelu_new"
    casing = json.loads((output / "tokenizer_config.json").read_text())
    assert casing == {"do_lower_case": True}
    pieces = (output / "vocab.txt").read_text().splitlines()
    assert len(pieces) == config["vocab_size"]
    assert pieces == (run / "vocab.txt").read_text().splitlines()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_keras_hub_computes_the_hidden_states_of_the_run(
    exported, request, name
):
    output, _ = exported(name)
    backbone = keras_hub.models.BertBackbone.from_preset(str(output))
    theirs = backbone.predict(
        {
            "token_ids": np.array(INPUTS["input_word_ids"]),
            "padding_mask": np.array(INPUTS["input_mask"]),
            "segment_ids": np.array(INPUTS["input_type_ids"]),
        },
        verbose=0,
    )
    model = restored(request.getfixturevalue(name))
    encoder = model.checkpoint_items["encoder"]
    ours = encoder({k: tf.constant(v) for k, v in INPUTS.items()})
    mask = np.array(INPUTS["input_mask"])[..., None]
    np.testing.assert_allclose(
        mask * theirs["sequence_output"],
        mask * np.array(ours["sequence_output"]),
        atol=1e-5,
    )
    tokenizer = keras_hub.models.BertTokenizer.from_preset(str(output))
    assert tokenizer.lowercase
    assert tokenizer.vocabulary_size() == backbone.vocabulary_size


def test_a_pretrained_model_comes_back_with_both_heads(
    exported, pretrained, pretraining, tmp_path
):
    output, _ = exported("pretrained")
    call(
        pretrain_bert,
        *(*pretraining, "--pretrained", output, "--train_steps", 0),
        *("--model_dir", tmp_path / "back"),
    )
    before, after = (
        outputs(restored(pretrained)),
        outputs(restored(tmp_path / "back")),
    )
    assert {"mlm_logits", "next_sentence"} <= before.keys() == after.keys()
    for name in ("mlm_logits", "next_sentence", "sequence_output"):
        np.testing.assert_allclose(after[name], before[name], atol=1e-5)


def test_a_model_that_answers_comes_back_and_answers(
    exported, finetuned, finetuning, tmp_path
):
    output, _ = exported("finetuned")
    call(
        finetune_squad,
        *(*finetuning, "--pretrained", output, "--train_steps", 0),
        *("--model_dir", tmp_path / "back"),
    )
    before, after = (
        outputs(restored(finetuned)),
        outputs(restored(tmp_path / "back")),
    )
    for number in (0, 1):
        np.testing.assert_allclose(after[number], before[number], atol=1e-5)
    asked = ["--paragraph", tiny.PARAGRAPH]
    for question, _ in tiny.QUESTIONS.values():
        options = [*asked, "--question", question]
        given = [
            call(answer, "--model_dir", run, *options)
            for run in (finetuned, tmp_path / "back")
        ]
        assert given[0] == given[1]


def test_the_pooler_is_that_of_the_heads_which_were_trained(
    exported, pretrained
):
    from safetensors.numpy import load_file

    output, _ = exported("pretrained")
    kernel = load_file(output / "model.safetensors")["bert.pooler.dense.weight"]
    head = restored(pretrained).classification_heads[0]
    assert np.array_equal(kernel, np.array(head.dense.kernel).T)


def test_a_classifier_takes_the_exported_pooler_with_it(
    exported, glue_data, tmp_path
):
    output, _ = exported("finetuned_glue")
    call(
        finetune_glue,
        *("--data_dir", glue_data, "--pretrained", output),
        *("--train_steps", 0, "--model_dir", tmp_path / "back"),
    )
    assert (
        "use_encoder_pooler: true"
        in (tmp_path / "back" / "params.yaml").read_text()
    )


def test_the_classes_have_the_labels_of_the_data(exported):
    output, _ = exported("finetuned_glue")
    config = json.loads((output / "config.json").read_text())
    assert config["id2label"] == {"0": "0", "1": "1"}
    assert config["label2id"] == {"0": 0, "1": 1}


def test_others_may_read_what_is_exported(exported):
    output, _ = exported("pretrained")
    assert len({path.stat().st_mode for path in output.iterdir()}) == 1


@pytest.mark.parametrize(
    ("settings", "said", "architecture"),
    [
        (
            "encoder: {bert: {hidden_activation: relu}}",
            "the head for masked tokens, whose activation is gelu",
            "BertForNextSentencePrediction",
        ),
        *(
            (
                f"cls_heads: [{{name: next_sentence, {other}}}]",
                "the head next_sentence, which is no head of BERT for the next",
                "BertForMaskedLM",
            )
            for other in (
                "inner_dim: 8, num_classes: 2",
                "inner_dim: 16, num_classes: 2, activation: relu",
            )
        ),
    ],
)
def test_a_head_that_is_not_berts_is_left_out_and_named(
    pretraining, tmp_path, capsys, settings, said, architecture
):
    call(
        pretrain_bert,
        *(
            *pretraining,
            "--params_override",
            f"task: {{model: {{{settings}}}}}",
        ),
        *("--train_steps", 0, "--model_dir", tmp_path / "run"),
    )
    capsys.readouterr()
    options = ["--model_dir", tmp_path / "run"]
    result = call(
        export_huggingface, *options, "--output_dir", tmp_path / "out"
    )
    assert result["architecture"] == architecture
    assert f"leaving out {said}" in capsys.readouterr().err


def test_a_run_without_its_best_checkpoint_says_what_to_do(
    complain, finetuned, tmp_path
):
    run = shutil.copytree(finetuned, tmp_path / "run")
    shutil.rmtree(run / "best")
    options = ["--model_dir", run, "--output_dir", tmp_path / "new"]
    assert "--checkpoint newest takes" in complain(export_huggingface, *options)


def test_a_vocabulary_is_filled_up_to_the_models(pretraining, data, tmp_path):
    pieces = (data / "vocab.txt").read_text().splitlines()
    settings = f"task.model.encoder.bert.vocab_size={len(pieces) + 3}"
    call(
        pretrain_bert,
        *(*pretraining, "--params_override", settings, "--train_steps", 0),
        *("--model_dir", tmp_path / "run"),
    )
    options = ["--model_dir", tmp_path / "run"]
    call(export_huggingface, *options, "--output_dir", tmp_path / "out")
    there = (tmp_path / "out" / "vocab.txt").read_text().splitlines()
    assert there == [*pieces, "[unused0]", "[unused1]", "[unused2]"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"--output_dir": "full"},
            "`--output_dir` must be new or empty. Received: --output_dir={}",
        ),
        (
            {"--model_dir": "full"},
            "`--model_dir` must be the directory of a training run; it has no "
            "params.yaml. Received: --model_dir={}",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_exported_ends_in_one_line(
    complain, pretrained, tmp_path, options, message
):
    full = tmp_path / "full"
    full.mkdir()
    (full / "file").write_text("")
    given = {"--model_dir": pretrained, "--output_dir": tmp_path / "new"}
    given |= dict.fromkeys(options, full)
    line = [word for option in given.items() for word in option]
    assert complain(export_huggingface, *line) == message.format(full)


def test_an_encoder_that_is_no_bert_of_hugging_face_is_refused(
    complain, pretrained, changed, tmp_path
):
    run = changed(pretrained, "norm_first: false", "norm_first: true")
    message = complain(
        export_huggingface,
        *("--model_dir", run, "--output_dir", tmp_path / "new"),
    )
    assert "norm_first is True" in message
    assert message.endswith(f"Received: --model_dir={run}")
