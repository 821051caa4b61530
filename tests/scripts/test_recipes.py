"""Runs without a configuration have steps and intervals by their data."""

import pytest

from bert import recipes

SIZES = {"train_examples": 4_001, "max_seq_length": 96}


@pytest.mark.parametrize(
    ("examples", "epochs", "steps", "interval"),
    # Epochs of 250 batches of 16 and one example more, of one batch, of less.
    [(4_001, 3, 750, 250), (4_001, 1, 250, 250), (16, 2, 2, 1), (5, 2, 1, 1)],
)
def test_it_takes_whole_epochs_and_evaluates_after_each(
    examples, epochs, steps, interval
):
    sizes = {**SIZES, "train_examples": examples}
    trainer = recipes.finetuning(sizes, epochs, "f1")["trainer"]
    assert trainer["train_steps"] == steps
    assert trainer["validation_interval"] == interval
    assert trainer["validation_steps"] == -1
    assert trainer["best_checkpoint_eval_metric"] == "f1"
    assert trainer["best_checkpoint_metric_comp"] == "higher"
    assert trainer["summary_interval"] % trainer["steps_per_loop"] == 0


def test_lengths_and_windows_are_those_of_the_data():
    windows = {"max_query_length": 12, "doc_stride": 24}
    task = recipes.finetuning({**SIZES, **windows}, 2, "final_f1")["task"]
    train, evaluation = task["train_data"], task["validation_data"]
    assert train["seq_length"] == evaluation["seq_length"] == 96
    assert evaluation["query_length"] == 12 and evaluation["doc_stride"] == 24
    assert evaluation["is_training"] is evaluation["drop_remainder"] is False


def test_pretraining_takes_one_epoch_and_keeps_no_best_checkpoint():
    settings = recipes.pretraining({**SIZES, "max_predictions_per_seq": 7})
    assert settings["trainer"]["train_steps"] == 250
    assert not any(name.startswith("best") for name in settings["trainer"])
    for name in ("train_data", "validation_data"):
        assert settings["task"][name]["max_predictions_per_seq"] == 7
