"""Bad input ends in one line that names the argument, the value, the way out.

Each script is run as a command is, within this process.
"""

import json
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
from tests.support.tiny import dataset

pytestmark = pytest.mark.slow

SCRIPTS = [
    answer,
    evaluate_squad,
    finetune_glue,
    finetune_squad,
    predict_squad,
    prepare_glue_data,
    prepare_pretraining_data,
    prepare_squad_data,
    pretrain_bert,
]


def test_a_text_must_be_there(complain, tmp_path):
    message = complain(
        prepare_pretraining_data,
        *("--input", tmp_path / "none*.txt", "--output_dir", tmp_path / "out"),
    )
    assert message.startswith("`--input` must name files that exist.")
    assert message.endswith(f"Received: --input={tmp_path}/none*.txt")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", ["", "\n \n\n"])
def test_a_text_must_hold_text(complain, tmp_path, content):
    (tmp_path / "empty.txt").write_text(content)
    message = complain(
        prepare_pretraining_data,
        *("--input", tmp_path / "empty.txt", "--output_dir", tmp_path / "out"),
    )
    assert message.startswith("`--input` must hold text; there is none.")
    assert message.endswith(f"Received: --input={tmp_path}/empty.txt")
    assert not (tmp_path / "out").exists()


def test_malformed_squad_names_the_article_and_the_question(
    complain, tmp_path, data
):
    bad = dataset()
    bad["data"][0]["paragraphs"][0]["qas"][1]["answers"][0]["answer_start"] = 7
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(bad))
    message = complain(
        prepare_squad_data,
        *("--train", path, "--dev", path, "--vocab", data / "vocab.txt"),
        *("--output_dir", tmp_path / "out"),
    )
    assert message == (
        "`--train` must be SQuAD v1.1: article 0, 'pets', question 'dog': "
        f"'the blue door' is not at `answer_start` 7. Received: --train={path}"
    )


def test_a_vocabulary_must_have_the_mask(complain, folder, data, tmp_path):
    path = tmp_path / "vocab.txt"
    text = (data / "vocab.txt").read_text()
    path.write_text(text.replace("[MASK]\n", ""))
    message = complain(
        prepare_pretraining_data,
        *("--input", folder / "text.txt", "--output_dir", tmp_path / "out"),
        *("--vocab", path),
    )
    assert message.startswith("`--vocab` must hold the tokens [PAD], [UNK],")
    assert message.endswith(f"it lacks [MASK]. Received: --vocab={path}")


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


def test_data_of_other_windows_are_to_be_prepared_with_all_that_they_need(
    complain, finetuning, tmp_path
):
    message = complain(
        finetune_squad,
        *(*finetuning, "--model_dir", tmp_path / "run"),
        *("--params_override", "task.train_data.seq_length=24"),
        *("--params_override", "task.validation_data.doc_stride=7"),
    )
    assert message == (
        "`task.train_data.seq_length` must be 32, what the data were prepared "
        "with as --max_seq_length. Prepare data for this configuration with "
        "--max_seq_length 24 --max_query_length 12 --doc_stride 7, or fit it "
        "to these data with --params_override task.train_data.seq_length=32,"
        "task.validation_data.seq_length=32. Received: seq_length=24"
    )


def test_the_encoder_must_be_the_pretrained_one(complain, finetuning, tmp_path):
    message = complain(
        finetune_squad,
        *(*finetuning, "--model_dir", tmp_path / "run"),
        *(
            "--params_override",
            "task: {model: {encoder: {bert: {num_layers: 2}}}}",
        ),
    )
    assert message == (
        "`task.model.encoder.bert.num_layers` must be 1 as --pretrained has "
        "it; leave the encoder out and it is that. Received: num_layers=2"
    )


@pytest.mark.parametrize("finetunes", [False, True])
def test_a_checkpoint_must_have_the_shapes_of_the_model(
    complain, pretraining, finetuning, pretrained, tmp_path, finetunes
):
    # A run whose parameters say something else than its checkpoint.
    other = tmp_path / "other"
    shutil.copytree(pretrained, other)
    params = (other / "params.yaml").read_text()
    assert "intermediate_size: 32" in params
    (other / "params.yaml").write_text(
        params.replace("intermediate_size: 32", "intermediate_size: 64")
    )
    if finetunes:
        options = ["--pretrained", other, "--model_dir", tmp_path / "run"]
        wider = "task: {model: {encoder: {bert: {intermediate_size: 64}}}}"
        options += ["--params_override", wider]
        message = complain(finetune_squad, *finetuning, *options)
        assert f"task.init_checkpoint={other}" in message
    else:
        wider = "task: {model: {encoder: {bert: {intermediate_size: 64}}}}"
        message = complain(
            pretrain_bert,
            *(*pretraining, "--model_dir", other, "--train_steps", 9),
            *("--optimizer", "acclip", "--params_override", wider),
        )
        assert f"--model_dir={other}" in message
    assert message.startswith("a checkpoint must have the shapes of the model")
    assert re.search(r"\b32\b", message) and re.search(r"\b64\b", message)


def test_a_pretrained_directory_must_hold_a_checkpoint(
    complain, finetuning, pretrained, tmp_path
):
    empty = tmp_path / "empty"
    empty.mkdir()
    options = ["--pretrained", empty, "--model_dir", tmp_path / "run"]
    message = complain(finetune_squad, *finetuning, *options)
    assert message.startswith("`--pretrained` must be the directory of a")
    shutil.copy(pretrained / "params.yaml", empty)
    message = complain(finetune_squad, *finetuning, *options)
    assert message == (
        "`--pretrained` must hold a checkpoint of a training run. "
        f"Received: --pretrained={empty}"
    )


def test_the_vocabulary_must_be_the_pretrained_ones(
    complain, finetuning, squad_data, tmp_path
):
    other = tmp_path / "asked"
    shutil.copytree(squad_data, other)
    text = (other / "vocab.txt").read_text()
    (other / "vocab.txt").write_text(text.replace("##a\n", "##other\n", 1))
    message = complain(
        finetune_squad,
        *(*finetuning, "--data_dir", other, "--model_dir", tmp_path / "run"),
    )
    assert message.startswith("`--data_dir` must be prepared with the vocab")
    assert message.endswith(f"Received: --data_dir={other}")


@pytest.mark.parametrize("blank", [" ", "\u200b\u200d", "\0", "\ufffd"])
@pytest.mark.parametrize("name", ["--paragraph", "--question"])
def test_a_question_and_its_paragraph_must_hold_text(complain, name, blank):
    options = {"--paragraph": "The cat sat.", "--question": "Who sat?"}
    given = [x for pair in (options | {name: blank}).items() for x in pair]
    message = complain(answer, "--model_dir", "none", *given)
    assert message.startswith(f"`{name}` must hold text. Received: {name}=")


def test_a_model_must_be_there(complain, folder, tmp_path):
    message = complain(
        predict_squad,
        *("--model_dir", tmp_path, "--input", folder / "squad.json"),
        *("--output", tmp_path / "out.json"),
    )
    assert message.startswith("`--model_dir` must be the directory of a")
    assert message.endswith(f"Received: --model_dir={tmp_path}")


@pytest.mark.parametrize("run", ["pretrained", "finetuned_glue"])
@pytest.mark.parametrize("script", [answer, predict_squad])
def test_a_model_must_be_finetuned_on_questions(
    complain, request, folder, tmp_path, script, run
):
    run = request.getfixturevalue(run)
    options = ["--paragraph", "The cat.", "--question", "Who?"]
    if script is predict_squad:
        options = ["--input", folder / "squad.json"]
        options += ["--output", tmp_path / "out.json"]
    message = complain(script, "--model_dir", run, *options)
    start = "`--model_dir` must be the directory of a run of finetune_squad.py"
    assert message in (
        f"{start}, not of pretrain_bert.py, a pretraining run that is still to "
        f"be finetuned, by finetune_squad.py with --pretrained {run}. "
        f"Received: --model_dir={run}",
        f"{start}, not of finetune_glue.py. Received: --model_dir={run}",
    )
    assert ("--pretrained" in message) == ("bert" in run.name)


def test_what_is_finetuned_must_be_pretrained(
    complain, finetuning, finetuned, tmp_path
):
    options = ["--pretrained", finetuned, "--model_dir", tmp_path / "run"]
    message = complain(finetune_squad, *finetuning, *options)
    assert message == (
        "`--pretrained` must be the directory of a run of pretrain_bert.py, "
        f"not of finetune_squad.py. Received: --pretrained={finetuned}"
    )


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\0", "\ufffd"])
def test_the_questions_to_evaluate_on_are_about_text(
    complain, folder, data, tmp_path, blank
):
    bad = dataset()
    bad["data"][0]["paragraphs"][0]["context"] = blank
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(bad))
    message = complain(
        prepare_squad_data,
        *("--train", folder / "squad.json", "--dev", path),
        *("--vocab", data / "vocab.txt", "--output_dir", tmp_path / "out"),
    )
    assert message == (
        "`--dev` must hold a question about a paragraph with text. "
        f"Received: --dev={path}"
    )


def test_the_data_must_be_of_the_script(complain, finetuning, pretraining):
    for script, data, name in (
        (finetune_glue, finetuning[1], "task"),
        (pretrain_bert, finetuning[1], "max_predictions_per_seq"),
    ):
        message = complain(script, "--data_dir", data, "--model_dir", "none")
        assert (
            f"sizes.json lacks {name}. Received: --data_dir={data}" in message
        )
    data = pretraining[1]
    message = complain(
        finetune_squad, "--data_dir", data, "--model_dir", "none"
    )
    assert message.endswith(f"Received: --data_dir={data}/dev.json")


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
