"""Bad input ends in one line that names the argument, the value, the way out.

Each script is run as a command is, within this process.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import answer
import evaluate_squad
import finetune_glue
import finetune_squad
import predict_squad
import prepare_glue_data
import prepare_pretraining_data
import prepare_squad_data
import pretrain_bert

pytestmark = pytest.mark.slow

TRAINING = [finetune_glue, finetune_squad, pretrain_bert]
SCRIPTS = [
    *TRAINING,
    answer,
    evaluate_squad,
    predict_squad,
    prepare_glue_data,
    prepare_pretraining_data,
    prepare_squad_data,
]
ASKED = {"--paragraph": "The cat sat.", "--question": "Who sat?"}


def asking(options):
    return [word for option in options.items() for word in option]


def test_a_directory_holds_one_run(complain, pretraining, pretrained):
    before = (pretrained / "params.yaml").read_text()
    message = complain(
        pretrain_bert,
        *(*pretraining, "--model_dir", pretrained, "--optimizer", "adamw"),
    )
    assert message.startswith(
        "`--model_dir` must be new or hold a run of the same configuration; "
        "there trainer.optimizer_config.optimizer."
    )
    assert message.endswith(f"Received: --model_dir={pretrained}")
    assert (pretrained / "params.yaml").read_text() == before


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            "task: {train_data: {seq_length: 24}, "
            "validation_data: {doc_stride: 7}}",
            "`task.train_data.seq_length` must be 32, what the data were "
            "prepared with as --max_seq_length. Prepare data for this "
            "configuration with --max_seq_length 24 --max_query_length 12 "
            "--doc_stride 7, or fit it to these data with --params_override "
            "task.train_data.seq_length=32,task.validation_data.seq_length=32. "
            "Received: seq_length=24",
        ),
        (
            "task: {model: {encoder: {bert: {num_layers: 2}}}}",
            "`task.model.encoder.bert.num_layers` must be 1 as --pretrained "
            "has it; leave the encoder out and it is that. "
            "Received: num_layers=2",
        ),
    ],
    ids=["windows", "encoder"],
)
def test_what_is_finetuned_must_fit_the_data_and_the_pretrained_model(
    complain, finetuning, settings, expected
):
    options = [*finetuning, "--params_override", settings]
    assert complain(finetune_squad, *options) == expected


@pytest.mark.parametrize(
    ("setting", "received"),
    [
        ("model.num_classes=3", "must be 2, as the data were prepared"),
        ("metric_type=accuracy", "must be matthews_corrcoef, as the data were"),
    ],
)
def test_a_task_on_sentences_must_be_that_of_the_data(
    complain, folder, glue_data, setting, received
):
    message = complain(
        finetune_glue,
        *("--data_dir", glue_data, "--config", folder / "tiny.yaml"),
        *("--params_override", f"task.{setting}"),
    )
    assert message.startswith(f"`task.{setting.partition('=')[0]}` {received}")
    assert message.endswith(f"Received: {setting.removeprefix('model.')}")


# A copy of a run then describes a wider model than it holds.
NARROW, WIDE = "intermediate_size: 32", "intermediate_size: 64"
WIDER = f"task: {{model: {{encoder: {{bert: {{{WIDE}}}}}}}}}"


def test_a_checkpoint_has_the_shapes_of_the_model(
    complain, changed, pretraining, finetuning, pretrained
):
    run = changed(pretrained, NARROW, WIDE)
    more = ["--model_dir", run, "--optimizer", "acclip", "--train_steps", 9]
    for script, options, received in (
        (
            finetune_squad,
            [*finetuning, "--pretrained", run],
            f"task.init_checkpoint={run}",
        ),
        (pretrain_bert, [*pretraining, *more], f"--model_dir={run}"),
    ):
        message = complain(script, *options, "--params_override", WIDER)
        start, _, end = message.partition(" must have the shapes of the model")
        assert start == "a checkpoint" and received in end
        assert {"32", "64"} <= set(re.findall(r"\d+", end))


def test_a_checkpoint_to_answer_with_has_the_shapes_of_the_model(
    complain, finetuned, changed
):
    run = changed(finetuned, NARROW, WIDE)
    message = complain(answer, "--model_dir", run, *asking(ASKED))
    assert "`--model_dir` must hold a checkpoint of the model that" in message
    assert message.endswith(f"Received: --model_dir={run}")


def test_a_pretrained_directory_must_hold_a_checkpoint(
    complain, finetuning, pretrained, tmp_path
):
    options = [*finetuning, "--pretrained", tmp_path]
    message = complain(finetune_squad, *options)
    assert message.startswith("`--pretrained` must be the directory of a")
    shutil.copy(pretrained / "params.yaml", tmp_path)
    assert complain(finetune_squad, *options) == (
        "`--pretrained` must hold a checkpoint of a training run. "
        f"Received: --pretrained={tmp_path}"
    )


def test_the_vocabulary_must_be_the_pretrained_ones(
    complain, finetuning, squad_data, tmp_path
):
    other = shutil.copytree(squad_data, tmp_path / "asked")
    text = (other / "vocab.txt").read_text()
    (other / "vocab.txt").write_text(text.replace("##a\n", "##other\n", 1))
    message = complain(finetune_squad, *finetuning, "--data_dir", other)
    assert message.startswith("`--data_dir` must be prepared with the vocab")
    assert message.endswith(f"Received: --data_dir={other}")


@pytest.mark.parametrize("blank", [" ", "\u200b\u200d", "\0", "\ufffd"])
@pytest.mark.parametrize("name", ASKED)
def test_a_question_and_its_paragraph_must_hold_text(complain, name, blank):
    message = complain(answer, *asking(ASKED | {name: blank}))
    assert message.startswith(f"`{name}` must hold text. Received: {name}=")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("folder", "a training run; it has no params.yaml"),
        (
            "pretrained",
            "a run of finetune_squad.py, not of pretrain_bert.py, a "
            "pretraining run that is still to be finetuned, by "
            "finetune_squad.py with --pretrained {run}",
        ),
        (
            "finetuned_glue",
            "a run of finetune_squad.py, not of finetune_glue.py",
        ),
    ],
)
def test_a_model_must_be_finetuned_on_questions(complain, request, name, what):
    run = request.getfixturevalue(name)
    message = complain(answer, "--model_dir", run, *asking(ASKED))
    what = what.format(run=run)
    assert message == (
        f"`--model_dir` must be the directory of {what}. "
        f"Received: --model_dir={run}"
    )


def test_what_is_finetuned_must_be_pretrained(complain, finetuning, finetuned):
    message = complain(finetune_squad, *finetuning, "--pretrained", finetuned)
    assert message == (
        "`--pretrained` must be the directory of a run of pretrain_bert.py, "
        f"not of finetune_squad.py. Received: --pretrained={finetuned}"
    )


def test_the_data_must_be_of_the_script(complain, data, squad_data):
    for script, name in (
        (finetune_glue, "labels"),
        (pretrain_bert, "max_predictions_per_seq"),
    ):
        message = complain(script, "--data_dir", squad_data)
        assert message.endswith(
            f"sizes.json lacks {name}. Received: --data_dir={squad_data}"
        )
    message = complain(finetune_squad, "--data_dir", data)
    assert message.endswith(
        f"sizes.json lacks max_query_length. Received: --data_dir={data}"
    )


@pytest.mark.parametrize("script", TRAINING, ids=lambda s: s.__name__)
def test_what_is_configured_is_checked_before_the_data(complain, script):
    old = "bert_6_adam.yaml"
    message = complain(script, "--data_dir", "none", "--config", old)
    assert message.endswith(f"Received: --config={old}")


@pytest.mark.parametrize(
    ("options", "received"),
    [
        (["--data_dir", "none"], "--data_dir=none"),
        (["--optimizer", "aclip"], "--optimizer=aclip"),
        (["--config", "bert_6_adam.yaml"], "--config=bert_6_adam.yaml"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_needs_no_framework_is_checked_before_it_is_imported(
    tmp_path, data, options, received
):
    program = """
import sys
import command_line, pretrain_bert
try:
    command_line.main(pretrain_bert.parser(), pretrain_bert.run)
except SystemExit as stop:
    assert stop.code == 2
    assert not {"tensorflow", "keras", "official"} & set(sys.modules)
"""
    folder = Path(pretrain_bert.__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", program, "--data_dir", data]
        + ["--model_dir", str(tmp_path / "run"), *options],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert f"Received: {received}\n" in done.stderr


@pytest.mark.parametrize(
    ("script", "options"),
    [
        (prepare_pretraining_data, ""),
        (prepare_pretraining_data, "--input a --tfds b"),
        (prepare_pretraining_data, "--heldout_every 1"),
        (prepare_pretraining_data, "--masked_lm_prob 2"),
        (prepare_pretraining_data, "--processes none"),
        (prepare_squad_data, "--doc_stride 0"),
        (prepare_squad_data, "--max_query_length x"),
        (prepare_squad_data, "--max_seq_length 7"),
        (prepare_glue_data, "--max_seq_length 7"),
        (prepare_glue_data, "--task sst-2"),
    ],
)
def test_a_wrong_option_is_named(complain, script, options):
    message = complain(script, *options.split())
    assert message.startswith("argument --") or not options
    assert all(name in message for name in re.findall("--[a-z]+", options))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.__name__)
def test_help_explains_every_option_and_has_an_example(script):
    parser = script.parser()
    text = parser.format_help()
    assert "Example" in text
    assert f"python scripts/{Path(script.__file__).name}" in text
    assert "(default: None)" not in text
    # The example can be copied: its lines end as a shell wants them to.
    assert all(len(line) <= 80 for line in text.splitlines())
    for action in parser._actions:
        assert action.help, action.option_strings
