"""The whole path, from plain text to an answer, in a few steps each."""

import json

import numpy as np
import pytest
import tensorflow as tf
from official.nlp.tools import tokenization

import answer
import evaluate_squad
import finetune_glue
import finetune_squad
import predict_squad
import prepare_glue_data
import pretrain_bert
from bert import vocabulary
from demo import report
from keras_clip.registry import OPTIMIZERS
from tests.support.tiny import PARAGRAPH
from tests.support.tiny import QUESTIONS
from tests.support.tiny import call

pytestmark = pytest.mark.slow


def pretrain(folder, pretraining, name, *more):
    model_dir = folder / f"bert_{name}"
    call(pretrain_bert, *pretraining, "--model_dir", model_dir, *more)
    return model_dir


def variables(model_dir):
    reader = tf.train.load_checkpoint(str(model_dir))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.endswith("VARIABLE_VALUE")
    }


def first_loss(model_dir):
    return report.loss_curve(model_dir / "train")[1]


def metrics(model_dir):
    return json.loads((model_dir / "metrics.json").read_text())


def test_the_vocabulary_has_berts_tokens_and_covers_the_text(data):
    pieces = (data / "vocab.txt").read_text().splitlines()
    assert pieces[:5] == vocabulary.RESERVED_TOKENS
    assert (
        len(pieces)
        == json.loads((data / "sizes.json").read_text())["vocab_size"]
    )
    tokenizer = tokenization.FullTokenizer(str(data / "vocab.txt"))
    assert "[UNK]" not in tokenizer.tokenize(PARAGRAPH)


def test_heldout_documents_are_not_trained_on(data):
    pieces = (data / "vocab.txt").read_text().splitlines()

    def digits(name):
        found = set()
        paths = [str(path) for path in data.glob(f"{name}-*.tfrecord")]
        records = tf.data.TFRecordDataset(paths)
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


@pytest.mark.parametrize("optimizer", ["clip_adam_norm", "adamw"])
def test_pretraining_leaves_a_checkpoint_of_that_optimizer(
    folder, pretraining, optimizer, pretrained
):
    model_dir = pretrain(
        folder,
        pretraining,
        f"again_{optimizer}",
        *("--optimizer", optimizer, "--learning_rate", 0.1),
    )
    saved = variables(model_dir)
    ours = "optimizer/update_count/.ATTRIBUTES/VARIABLE_VALUE" in saved
    assert ours == (optimizer in OPTIMIZERS)
    assert f"type: {optimizer}" in (model_dir / "params.yaml").read_text()
    # The same weights and the same batch, whatever the optimizer.
    assert first_loss(model_dir) == first_loss(pretrained)


def test_another_seed_starts_from_other_weights(
    folder, pretraining, pretrained
):
    other = pretrain(folder, pretraining, "seed", "--seed", 1)
    assert first_loss(other) != first_loss(pretrained)


def test_finetuning_starts_from_the_pretrained_encoder(
    folder, finetuning, pretrained, finetuned
):
    call(
        finetune_squad,
        *finetuning,
        *("--model_dir", folder / "start", "--train_steps", 0),
    )
    name = "encoder/layer_with_weights-1/embeddings/.ATTRIBUTES/VARIABLE_VALUE"
    start = variables(folder / "start")[name]
    assert np.array_equal(start, variables(pretrained)[name])
    assert not np.array_equal(start, variables(finetuned)[name])


def test_every_evaluation_is_recorded_with_its_step(finetuned):
    entries = metrics(finetuned)
    assert [entry["step"] for entry in entries] == [20, 40, 60]
    for entry in entries:
        scores = entry["validation"]
        assert 0 <= scores["exact_match"] <= scores["final_f1"] <= 1
        assert entry["training_loss"] > 0 and entry["steps_per_second"] > 0


def test_the_checkpoint_with_the_best_f1_is_kept(finetuned):
    scores = [entry["validation"]["final_f1"] for entry in metrics(finetuned)]
    best = json.loads((finetuned / "best" / "info.json").read_text())
    assert best["final_f1"] == max(scores)
    first = 20 * (1 + scores.index(max(scores)))
    assert best["best_ckpt_global_step"] == first
    name = "optimizer/update_count/.ATTRIBUTES/VARIABLE_VALUE"
    assert variables(finetuned / "best")[name] == first
    assert variables(finetuned)[name] == 60


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
    best = json.loads((finetuned / "best" / "info.json").read_text())
    assert scores["f1"] == pytest.approx(100 * best["final_f1"])
    assert scores["exact_match"] == pytest.approx(100 * best["exact_match"])


def test_one_question_is_answered_from_its_paragraph(finetuned):
    given = call(
        answer,
        *("--model_dir", finetuned, "--paragraph", PARAGRAPH),
        *("--question", "Where did the cat sit?", "--checkpoint", "newest"),
    )
    assert given and given in PARAGRAPH


@pytest.mark.parametrize(
    ("task", "lines", "metric", "name"),
    [
        (
            "cola",
            ["x\t1\t\tThe cat sat.", "x\t0\t*\tDog ran to."] * 2,
            "matthews_corrcoef",
            "matthews_corrcoef",
        ),
        (
            "rte",
            [
                "index\tsentence1\tsentence2\tlabel",
                *["0\tThe cat sat.\tThe cat sat.\tentailment"] * 2,
                *["1\tThe cat sat.\tBlue door.\tnot_entailment"] * 2,
            ],
            "accuracy",
            "cls_accuracy",
        ),
    ],
)
def test_sentences_are_classified_with_the_tasks_metric(
    folder, data, task, lines, metric, name
):
    path = folder / f"{task}.tsv"
    path.write_text("\n".join(lines) + "\n")
    call(
        prepare_glue_data,
        *("--task", task, "--train", path, "--dev", path),
        *("--vocab", data / "vocab.txt", "--max_seq_length", 32),
        *("--output_dir", folder / task),
    )
    scores = call(
        finetune_glue,
        *("--data_dir", folder / task),
        *("--config", folder / "tiny.yaml", "--train_steps", 60),
        # A model as narrow as this one starts to learn late with less.
        *(
            "--params_override",
            "task: {model: {encoder: {bert: {initializer_range: 0.3}}}}",
        ),
        *("--params_override", f"task: {{metric_type: {metric}}}"),
        *("--params_override", "trainer: {steps_per_loop: 30}"),
        *("--params_override", "trainer: {summary_interval: 30}"),
        *("--params_override", "trainer: {validation_interval: 60}"),
        *("--model_dir", folder / f"{task}_run"),
    )
    # Four examples, learned by heart.
    assert scores[name] == 1
