"""A run that the libraries or the system stop says why in one line."""

import re

import pytest
import tensorflow as tf

import finetune_squad
import pretrain_bert
from bert import training

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("optimizer", ["sgd", "acclip"])
def test_a_run_that_diverges_says_so_and_gives_status_1(
    complain, pretraining, optimizer, functions_run_eagerly
):
    options = ["--optimizer", optimizer, "--learning_rate", 1e6]
    message = complain(pretrain_bert, *pretraining, *options, status=1)
    assert message.startswith("the run has diverged: The loss value is ")
    assert message.endswith(
        "Take a lower learning rate or a longer warm-up, and another directory"
    )


def test_weights_that_are_not_finite_are_a_divergence(
    complain, finetuning, functions_run_eagerly
):
    options = [*finetuning, "--optimizer", "sgd", "--learning_rate", 0.1]
    options += ["--params_override", "trainer: {recovery_max_trials: -1}"]
    rate = "{polynomial: {initial_learning_rate: 1.0e+38}}"
    options += [
        "--params_override",
        f"trainer: {{optimizer_config: {{learning_rate: {rate}}}}}",
    ]
    message = complain(finetune_squad, *options, status=1)
    assert re.match("the run has diverged: .* is not finite at step 3", message)
    # So it is for the same command again, which goes on from there.
    assert complain(finetune_squad, *options, status=1) == message


@pytest.mark.parametrize(
    "yaml",
    [
        "task: {model: {encoder: {bert: {num_layers: -1}}}}",
        "task: {model: {cls_heads: 3}}",
        "task: {train_data: {global_batch_size: 0}}",
        "task: {train_data: {shuffle_buffer_size: 0}}",
        "task: {train_data: {seed: one}}",
        "task: {init_checkpoint: none}",
        "task: {model: {encoder: {type: null}}}",
        "trainer: {train_steps: -5}",
        "trainer: {train_steps: 1.5}",
        "trainer: {train_steps: 2020-13-45}",
        "trainer: {validation_steps: 0}",
        "trainer: {optimizer_config: {optimizer: {type: null}}}",
        "trainer: {best_checkpoint_export_subdir: best, "
        "best_checkpoint_eval_metric: final_f2}",
        "runtime: {mixed_precision_dtype: float15}",
        "!!bool x",
        "[" * 999,
    ],
)
def test_settings_that_the_libraries_refuse_end_in_one_line(
    complain, pretraining, tmp_path, yaml
):
    message = complain(pretrain_bert, *pretraining, "--params_override", yaml)
    assert message.startswith("`")
    log = tmp_path / "new" / "log.txt"
    assert ("log.txt says" not in message) or "Traceback" in log.read_text()


@pytest.fixture
def stopped(complain, pretraining, monkeypatch):
    """Returns what a run says whose training ends with an error."""

    def stopped(error):
        def train(*arguments):
            raise error

        monkeypatch.setattr(training, "_train", train)
        return complain(pretrain_bert, *pretraining)

    return stopped


def test_a_batch_that_does_not_fit_into_memory_ends_in_one_line(stopped):
    error = tf.errors.ResourceExhaustedError(None, None, "OOM: no memory.")
    message = stopped(error)
    assert message.startswith("`task.train_data.global_batch_size` and that of")
    assert "ResourceExhaustedError: OOM: no memory. Received" in message
    assert message.endswith("Received: global_batch_size=4")


def test_what_the_system_refuses_ends_in_one_line(stopped):
    error = OSError(28, "No space left on device", "ckpt-1")
    assert stopped(error) == (
        "the system refuses: [Errno 28] No space left on device: 'ckpt-1'"
    )
