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
from demo import report
from keras_clip.registry import OPTIMIZERS
from tests.support import tiny
from tests.support.tiny import PARAGRAPH
from tests.support.tiny import QUESTIONS
from tests.support.tiny import call

pytestmark = pytest.mark.slow

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def value(model_dir, name):
    return tf.train.load_variable(str(model_dir), f"{name}{VALUE}")


def metrics(model_dir):
    return json.loads((model_dir / "metrics.json").read_text())


def test_the_vocabulary_covers_the_text(data):
    tokenizer = tokenization.FullTokenizer(str(data / "vocab.txt"))
    assert "[UNK]" not in tokenizer.tokenize(PARAGRAPH)


def test_a_checkpoint_is_that_of_the_optimizer_from_the_seeds_weights(
    pretraining, tmp_path, functions_run_eagerly
):
    first_losses = []
    for number, (name, seed) in enumerate(
        [("clip_adam_norm", 0), ("adamw", 0), ("adamw", 1)]
    ):
        model_dir = tmp_path / f"{number}"
        call(
            pretrain_bert,
            *(*pretraining, "--model_dir", model_dir, "--seed", seed),
            *("--optimizer", name, "--learning_rate", 0.1, "--train_steps", 1),
        )
        saved = dict(tf.train.list_variables(str(model_dir)))
        ours = f"optimizer/update_count{VALUE}" in saved
        assert ours == (name in OPTIMIZERS)
        assert f"type: {name}" in (model_dir / "params.yaml").read_text()
        first_losses.append(report.loss_curve(model_dir / "train")[1])
    # The same weights and the same batch, whatever the optimizer.
    assert first_losses[0] == first_losses[1] != first_losses[2]


def test_finetuning_starts_from_the_pretrained_encoder(
    folder, finetuning, pretrained, finetuned
):
    call(
        finetune_squad,
        *finetuning,
        *("--model_dir", folder / "start", "--train_steps", 0),
    )
    embeddings = "encoder/layer_with_weights-1/embeddings"
    start = value(folder / "start", embeddings)
    assert np.array_equal(start, value(pretrained, embeddings))
    assert not np.array_equal(start, value(finetuned, embeddings))


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
    assert value(finetuned / "best", "optimizer/update_count") == first
    assert value(finetuned, "optimizer/update_count") == 60


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


@pytest.fixture
def finetuned_on(folder, data, tmp_path):
    """Returns the metrics of a run on lines, trained and evaluated on them."""

    def finetuned_on(name, lines, options, *more):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        call(
            prepare_glue_data,
            *(*options, "--train", path, "--dev", path),
            *("--vocab", data / "vocab.txt", "--max_seq_length", 32),
            *("--output_dir", tmp_path / "data"),
        )
        return call(
            finetune_glue,
            *("--data_dir", tmp_path / "data"),
            *("--config", folder / "tiny.yaml", "--train_steps", 60),
            # A model as narrow as this one starts to learn late with less.
            *(
                "--params_override",
                "task: {model: {encoder: {bert: {initializer_range: 0.3}}}}",
            ),
            *("--params_override", tiny.every(60)),
            *("--model_dir", tmp_path / "run", *more),
        )

    return finetuned_on


@pytest.mark.parametrize(
    ("options", "name", "lines", "metric"),
    [
        (
            ["--task", "cola"],
            "cola.tsv",
            ["x\t1\t\tThe cat sat.", "x\t0\t*\tDog ran to."] * 2,
            "matthews_corrcoef",
        ),
        (
            ["--task", "rte"],
            "rte.tsv",
            [
                "index\tsentence1\tsentence2\tlabel",
                *["0\tThe cat sat.\tThe cat sat.\tentailment"] * 2,
                *["1\tThe cat sat.\tBlue door.\tnot_entailment"] * 2,
            ],
            "cls_accuracy",
        ),
        (
            ["--task", "mrpc"],
            "mrpc.tsv",
            [
                "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String",
                *["1\t7\t8\tThe cat sat.\tThe cat sat."] * 2,
                *["0\t7\t9\tThe cat sat.\tBlue door."] * 2,
            ],
            "f1",
        ),
        (
            ["--sentences", "text", "--label", "animal"],
            "three.csv",
            [
                "animal,text",
                'cat,"The cat, the cat."',
                'dog,"The dog, the dog."',
                *['none,"The mat, the door."'] * 2,
            ],
            "cls_accuracy",
        ),
    ],
)
def test_sentences_are_classified_with_the_tasks_metric(
    finetuned_on, options, name, lines, metric
):
    # Four examples, learned by heart.
    assert finetuned_on(name, lines, options)[metric] == 1


def test_numbers_are_predicted_with_the_correlations_of_stsb(finetuned_on):
    columns = (
        "index genre filename year old_index source1 source2 sentence1 "
        "sentence2 score"
    )
    line = "0\tnews\tf\t2012\t1\tnone\tnone\tThe cat sat.\t"
    scores = finetuned_on(
        "stsb.tsv",
        [
            columns.replace(" ", "\t"),
            f"{line}The cat sat.\t5.0",
            f"{line}Red red mat.\t3.5",
            f"{line}The dog ran.\t1.25",
            f"{line}Blue door.\t0",
        ],
        ["--task", "stsb"],
        # Sooner near the numbers than the configuration's.
        *("--optimizer", "adamw"),
    )
    correlations = [scores["pearson_corr"], scores["spearman_corr"]]
    assert min(correlations) > 0.9
    assert scores["pearson_spearman_corr"] == np.mean(correlations)
