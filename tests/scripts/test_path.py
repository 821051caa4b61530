"""The whole path, from plain text to an answer, in a few steps each."""

import json

import answer
import evaluate_squad
import finetune_squad
import numpy as np
import predict_squad
import prepare_pretraining_data
import prepare_squad_data
import pretrain_bert
import pytest
import tensorflow as tf
import vocabulary
from official.nlp.tools import tokenization

from keras_clip.registry import OPTIMIZERS

PARAGRAPH = "The cat sat on the red mat. The dog ran to the blue door."
QUESTIONS = {
    "cat": ("Where did the cat sit?", "the red mat"),
    "dog": ("Where did the dog run to?", "the blue door"),
}
TINY = """
task:
  model:
    encoder:
      type: bert
      bert: {num_layers: 1, hidden_size: 16, num_attention_heads: 2,
             intermediate_size: 32, max_position_embeddings: 32}
  train_data: {global_batch_size: 4, seq_length: 32}
  validation_data: {global_batch_size: 4, seq_length: 32, is_training: false,
                    drop_remainder: false}
trainer:
  train_steps: 3
  steps_per_loop: 1
  summary_interval: 1
  checkpoint_interval: 3
  validation_interval: 3
  optimizer_config:
    learning_rate: {polynomial: {initial_learning_rate: 0.01, decay_steps: 9}}
    warmup: {polynomial: {warmup_steps: 1}}
"""
PRETRAINING = """
task:
  model: {cls_heads: [{inner_dim: 16, num_classes: 2, name: next_sentence}]}
  train_data: {max_predictions_per_seq: 4}
  validation_data: {max_predictions_per_seq: 4}
"""
FINETUNING = """
task: {validation_data: {query_length: 12, doc_stride: 8}}
"""


def call(script, *options):
    return script.run(script.parser().parse_args(list(map(str, options))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("path")
    # Each document has a digit of its own after every word.
    documents = [
        "\n".join([PARAGRAPH.replace(" ", f" {digit} ")] * 6)
        for digit in range(5)
    ]
    (folder / "text.txt").write_text("\n\n".join(documents))
    asked = [
        {
            "id": name,
            "question": question,
            "answers": [{"text": text, "answer_start": PARAGRAPH.index(text)}],
        }
        for name, (question, text) in QUESTIONS.items()
    ]
    paragraph = {"context": PARAGRAPH, "qas": asked}
    dataset = {"data": [{"title": "pets", "paragraphs": [paragraph]}]}
    (folder / "squad.json").write_text(json.dumps(dataset))
    for name, text in (
        ("tiny", TINY),
        ("pretraining", PRETRAINING),
        ("finetuning", FINETUNING),
    ):
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def data(folder):
    sizes = call(
        prepare_pretraining_data,
        *("--input", folder / "text.txt", "--output_dir", folder / "data"),
        *("--vocab_size", 60, "--max_seq_length", 32),
        *("--max_predictions_per_seq", 4, "--heldout_every", 5),
        *("--dupe_factor", 2),
    )
    assert sizes["train_examples"] > sizes["heldout_examples"] > 0
    return folder / "data"


def pretrain(folder, data, optimizer, name=None, *more):
    model_dir = folder / f"bert_{name or optimizer}"
    call(
        pretrain_bert,
        *("--data_dir", data, "--model_dir", model_dir),
        *("--config", folder / "tiny.yaml", folder / "pretraining.yaml"),
        *("--optimizer", optimizer, *more),
    )
    return model_dir


@pytest.fixture(scope="module")
def pretrained(folder, data):
    return pretrain(folder, data, "acclip")


@pytest.fixture(scope="module")
def squad_data(folder, data):
    call(
        prepare_squad_data,
        *("--train", folder / "squad.json", "--dev", folder / "squad.json"),
        *("--vocab", data / "vocab.txt", "--output_dir", folder / "asked"),
        *("--max_seq_length", 32, "--max_query_length", 12),
        *("--doc_stride", 8),
    )
    return folder / "asked"


@pytest.fixture(scope="module")
def finetuned(folder, squad_data, pretrained):
    metrics = call(
        finetune_squad,
        *("--data_dir", squad_data),
        *("--pretrained", pretrained, "--model_dir", folder / "squad"),
        *("--config", folder / "tiny.yaml", folder / "finetuning.yaml"),
        *("--optimizer", "acclip", "--train_steps", 60),
        *("--params_override", "trainer: {steps_per_loop: 20}"),
        *("--params_override", "trainer: {summary_interval: 20}"),
        *("--params_override", "trainer: {validation_interval: 60}"),
    )
    assert 0 <= metrics["exact_match"] <= metrics["final_f1"] <= 1
    return folder / "squad"


def variables(model_dir):
    reader = tf.train.load_checkpoint(str(model_dir))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.endswith("VARIABLE_VALUE")
    }


def first_loss(model_dir):
    import report

    return report.loss_curve(model_dir / "train")[1]


def test_the_vocabulary_has_berts_tokens_and_covers_the_text(data):
    pieces = (data / "vocab.txt").read_text().splitlines()
    assert pieces[:5] == vocabulary.RESERVED_TOKENS
    assert (
        len(pieces)
        == json.loads((data / "sizes.json").read_text())["vocab_size"]
    )
    tokenizer = tokenization.FullTokenizer(str(data / "vocab.txt"))
    assert "[UNK]" not in tokenizer.tokenize(PARAGRAPH)


def test_no_half_written_file_is_left(data):
    assert not list(data.glob("*.partial"))


def test_heldout_documents_are_not_trained_on(folder, data):
    pieces = (data / "vocab.txt").read_text().splitlines()

    def digits(name):
        found = set()
        records = tf.data.TFRecordDataset(
            tf.io.gfile.glob(str(data / f"{name}-*.tfrecord"))
        )
        for record in records.as_numpy_iterator():
            feature = tf.train.Example.FromString(record).features.feature
            ids = list(feature["input_ids"].int64_list.value)
            positions = feature["masked_lm_positions"].int64_list.value
            labels = feature["masked_lm_ids"].int64_list.value
            for position, label in zip(positions, labels, strict=True):
                # A masked token may have been replaced by a random one.
                if label:
                    ids[position] = label
            found |= {pieces[i] for i in ids} & set("01234")
        return found

    assert digits("heldout") == {"4"}
    assert digits("train") == {"0", "1", "2", "3"}


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, "adamw"])
def test_pretraining_leaves_a_checkpoint_of_that_optimizer(
    folder, data, optimizer, pretrained
):
    model_dir = pretrain(folder, data, optimizer, f"again_{optimizer}")
    saved = variables(model_dir)
    ours = "optimizer/update_count/.ATTRIBUTES/VARIABLE_VALUE" in saved
    assert ours == (optimizer in OPTIMIZERS)
    assert f"type: {optimizer}" in (model_dir / "params.yaml").read_text()
    # The same weights and the same batch, whatever the optimizer.
    assert first_loss(model_dir) == first_loss(pretrained)


def test_another_seed_starts_from_other_weights(folder, data, pretrained):
    other = pretrain(folder, data, "acclip", "seed", "--seed", 1)
    assert first_loss(other) != first_loss(pretrained)


def test_a_finished_run_is_not_trained_again(folder, data):
    model_dir = pretrain(folder, data, "acclip", "finished")
    before = variables(model_dir)
    pretrain(folder, data, "acclip", "finished")
    after = variables(model_dir)
    for name, value in before.items():
        if not name.startswith("save_counter"):
            assert np.array_equal(value, after[name]), name


def test_finetuning_starts_from_the_pretrained_encoder(
    folder, squad_data, pretrained, finetuned
):
    call(
        finetune_squad,
        *("--data_dir", squad_data),
        *("--pretrained", pretrained, "--model_dir", folder / "start"),
        *("--config", folder / "tiny.yaml", folder / "finetuning.yaml"),
        *("--train_steps", 0),
    )
    name = "encoder/layer_with_weights-1/embeddings/.ATTRIBUTES/VARIABLE_VALUE"
    start = variables(folder / "start")[name]
    assert np.array_equal(start, variables(pretrained)[name])
    assert not np.array_equal(start, variables(finetuned)[name])


def test_predictions_are_parts_of_the_paragraph_and_are_scored(
    folder, finetuned
):
    output = folder / "predictions.json"
    call(
        predict_squad,
        *("--model_dir", finetuned, "--input", folder / "squad.json"),
        *("--output", output),
    )
    predictions = json.loads(output.read_text())
    assert predictions.keys() == QUESTIONS.keys()
    assert all(text in PARAGRAPH for text in predictions.values())
    scores = call(
        evaluate_squad,
        *("--dataset", folder / "squad.json", "--predictions", output),
    )
    assert 0 <= scores["exact_match"] <= scores["f1"] <= 100


def test_one_question_is_answered_from_its_paragraph(finetuned):
    given = call(
        answer,
        *("--model_dir", finetuned, "--paragraph", PARAGRAPH),
        *("--question", "Where did the cat sit?"),
    )
    assert given and given in PARAGRAPH


def test_a_directory_without_a_checkpoint_is_an_error(folder, pretrained):
    empty = folder / "empty"
    empty.mkdir()
    (empty / "params.yaml").write_text(
        (folder / "squad" / "params.yaml").read_text()
    )
    with pytest.raises(FileNotFoundError, match="`model_dir`.*Received: mod"):
        call(
            answer,
            *("--model_dir", empty, "--paragraph", "a", "--question", "b"),
        )
