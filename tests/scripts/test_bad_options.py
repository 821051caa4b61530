"""An option or a config that does not fit ends in one line."""

import pytest

import pretrain_bert

pytestmark = pytest.mark.slow

BERT = "task.model.encoder.bert"
OPTIMIZER = "trainer.optimizer_config.optimizer"


@pytest.mark.parametrize(
    ("yaml", "start", "end"),
    [
        (
            "task: {model: {encoder: {bert: {vocab_size: 20}}}}",
            f"`{BERT}.vocab_size` must be at least ",
            "leave it out and it is that. Received: vocab_size=20",
        ),
        (
            "task: {model: {encoder: {bert: {max_position_embeddings: 16}}}}",
            f"`{BERT}.max_position_embeddings` must be at least 32",
            "Received: max_position_embeddings=16",
        ),
        (
            "task: {train_data: {seq_length: 64}}",
            "`task.train_data.seq_length` must be 32, what the data were "
            "prepared with as --max_seq_length. Prepare data for this "
            "configuration with --max_seq_length 64 --max_predictions_per_seq "
            "4, or fit it to these data with --params_override ",
            "task.train_data.seq_length=32,task.validation_data.seq_length=32. "
            "Received: seq_length=64",
        ),
        (
            "task: {validation_data: {max_predictions_per_seq: 7}}",
            "`task.validation_data.max_predictions_per_seq` must be 4",
            "Received: max_predictions_per_seq=7",
        ),
        (
            "task: {train_data: {seq_length: 16}, model: {encoder: {bert: "
            "{max_position_embeddings: 16}}}}",
            "`task.train_data.seq_length` must be 32, what the data were "
            "prepared with as --max_seq_length. Prepare data for this "
            "configuration with --max_seq_length 16 --max_predictions_per_seq "
            "4. ",
            "Received: seq_length=16",
        ),
        (
            "trainer: {optimizer_config: {optimizer: {acclip: {alfa: 1.0}}}}",
            f"`{OPTIMIZER}.acclip.alfa` must be a setting that exists, such "
            "as alpha.",
            "Received: alfa=1.0 from --config=FILE",
        ),
        (
            "trainer: {optimizer_config: {optimizer: {type: aclip}}}",
            f"`{OPTIMIZER}.type` must be one of ",
            "Received: type='aclip' from --config=FILE",
        ),
        (
            "trainer: {optimizer_config: {optimizer: {acclip: {alpha: 3}}}}",
            "`trainer.optimizer_config` must be one that works; acclip: "
            "`alpha` must be ",
            "Received: alpha=3",
        ),
        (
            "trainer: {train_steps: many}",
            "`trainer.train_steps` must be a number.",
            "Received: train_steps='many' from --config=FILE",
        ),
        (
            "trainer: 3",
            "`trainer` must be a mapping of settings.",
            "Received: 3 from --config=FILE",
        ),
        (
            "trainer: {optimizer_config: {warmup: {polynomial: "
            "{warmup_steps: 50}}}}",
            "`trainer.optimizer_config.warmup` must be shorter than the decay",
            "Received: warmup_steps=50",
        ),
        (
            "trainer: {steps_per_loop: 2}",
            "`trainer.summary_interval` must be a multiple of steps_per_loop",
            "Received: summary_interval=1",
        ),
        ("trainer: {", "`--config=FILE` must be YAML, or key=value ", "=FILE"),
    ],
    ids=lambda text: text if "{" in text else "",
)
def test_a_config_must_fit(complain, pretraining, tmp_path, yaml, start, end):
    path = tmp_path / "bad.yaml"
    path.write_text(yaml)
    message = complain(pretrain_bert, *pretraining, path)
    message = message.replace(str(path), "FILE")
    assert message.startswith(start)
    assert message.endswith(end)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "start", "end"),
    [
        (
            ["--config", "none.yaml"],
            "`--config` must name YAML files that exist.",
            "Received: --config=none.yaml",
        ),
        (
            ["--data_dir", "none"],
            "`--data_dir` must hold what prepare_pretraining_data.py has "
            "finished; there is no sizes.json.",
            "Received: --data_dir=none",
        ),
        (
            ["--optimizer", "aclip"],
            "`--optimizer` must be one of acclip, gclip, ",
            "; did you mean acclip? Received: --optimizer=aclip",
        ),
        (
            ["--optimizer", "none"],
            "`--optimizer` must be one of acclip, gclip, ",
            ", adafactor_keras. Received: --optimizer=none",
        ),
        (
            ["--params_override", "runtime.num_gpus=64"],
            "`runtime.num_gpus` must be at most ",
            "the GPUs that TensorFlow sees. Received: num_gpus=64",
        ),
        (
            ["--train_steps", "-1"],
            "argument --train_steps: must be an integer of at least 0.",
            "Received: -1",
        ),
        (
            ["--learning_rate", "fast"],
            "argument --learning_rate: must be a number from 0 to 1000000.0.",
            "Received: fast",
        ),
        (
            ["--params_override", "runtime: {distribution_strategy: all}"],
            "`runtime` must be one that works here: Unrecognized Distribution",
            "worker_hosts=None, task_index=-1",
        ),
        (
            ["--params_override", "trainer.train_step=5,trainer.max_to_keep=2"],
            "`trainer.train_step` must be a setting that exists, such as "
            "train_steps. Received: train_step=5 from --params_override=",
            "=trainer.train_step=5,trainer.max_to_keep=2",
        ),
        (
            ["--params_override", "trainer.train_steps=5,max"],
            "`--params_override=trainer.train_steps=5,max` must be YAML, or "
            "key=value pairs with a comma between them: ",
            "Received: --params_override=trainer.train_steps=5,max",
        ),
        (["--steps", "3"], "unrecognized arguments: --steps 3", ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_must_fit(complain, pretraining, options, start, end):
    message = complain(pretrain_bert, *pretraining, *options)
    assert message.startswith(start)
    assert message.endswith(end)
