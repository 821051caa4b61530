"""Every command says what it does before it does what takes long."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pretrain_bert
from command_line import progress
from tests.support.tiny import call
from tests.support.tiny import said

pytestmark = pytest.mark.slow

# Runs a script where TensorFlow cannot be imported.
PROGRAM = """
import runpy, sys
sys.modules["tensorflow"] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def lines(folder, data, squad_data, tmp_path):
    """The commands whose work needs TensorFlow, with their options."""
    run = ["--model_dir", tmp_path / "run"]
    squad = ["--train", folder / "squad.json", "--dev", folder / "squad.json"]
    sentences = tmp_path / "cola.tsv"
    sentences.write_text("x\t1\t\tThe cat sat.\n")
    glue = ["--train", sentences, "--dev", sentences]
    sizes = json.loads((squad_data / "sizes.json").read_text())
    for_glue = tmp_path / "glue"
    for_glue.mkdir()
    (for_glue / "sizes.json").write_text(json.dumps(sizes | {"task": "cola"}))
    (for_glue / "vocab.txt").write_text((data / "vocab.txt").read_text())
    vocab = ["--vocab", data / "vocab.txt"]
    asked = ["--paragraph", "The cat sat.", "--question", "Who sat?"]
    questions = ["--input", folder / "squad.json", "--output", tmp_path / "p"]
    return {
        "answer": [*run, *asked],
        "finetune_glue": ["--data_dir", for_glue, *run],
        "finetune_squad": ["--data_dir", squad_data, *run],
        "predict_squad": [*run, *questions],
        "prepare_glue_data": ["--task", "cola", *glue, *vocab],
        "prepare_pretraining_data": ["--input", folder / "text.txt"],
        "prepare_squad_data": [*squad, *vocab],
        "pretrain_bert": ["--data_dir", data, *run],
    }


def test_what_is_done_is_said_before_tensorflow_is_imported(lines, tmp_path):
    scripts = Path(pretrain_bert.__file__).parent
    for name, options in lines.items():
        command = [sys.executable, "-c", PROGRAM, scripts / f"{name}.py"]
        if name.startswith("prepare"):
            options = [*options, "--output_dir", tmp_path / name]
        done = subprocess.run(
            list(map(str, [*command, *options])),
            capture_output=True,
            text=True,
            # The scripts find each other as they do in a shell.
            env={"PATH": "", "PYTHONPATH": str(scripts)},
        )
        before, _, error = done.stderr.partition("Traceback (most recent call")
        assert "import of tensorflow halted" in error, (name, done.stderr)
        last = before.splitlines()[-1]
        assert last == "importing TensorFlow", (name, done.stderr)


@pytest.mark.parametrize("in_graph", [False, True])
def test_a_run_says_what_it_does_from_beginning_to_end(
    pretraining, tmp_path, monkeypatch, capsys, in_graph
):
    reached = []
    monkeypatch.setattr(
        progress.Heartbeat, "reached", lambda _, text: reached.append(text)
    )
    settings = "task.validation_data.global_batch_size=2"
    settings += ",trainer.validation_interval=2"
    if in_graph:
        settings += ",trainer.eval_tf_while_loop=true"
        settings += ",trainer.validation_steps=2"
    options = [*pretraining, "--model_dir", tmp_path]
    call(pretrain_bert, *options, "--params_override", settings)
    lines = said(capsys)
    assert [line.split("  ")[0].split(":")[0] for line in lines] == [
        "importing TensorFlow",
        "reading the data, building the model",
        "compiling the first step",
        "step 1/3",
        "step 2/3",
        "step 2 evaluating",
        "step 2 evaluated",
        "step 3/3",
        "step 3 evaluating",
        "step 3 evaluated",
    ]
    assert lines[4].endswith(" left and 2 evaluations")
    assert lines[7].endswith(" left")
    metrics = "all batches, computing the metrics"
    if in_graph:
        assert reached == [metrics] * 2
    else:
        number = len(reached) // 2 - 1
        assert number > 1
        numbers = range(1, number + 1)
        assert reached == [
            *(f"batch {n}" for n in numbers),
            metrics,
            *(f"batch {n} of {number}" for n in numbers),
            metrics,
        ]


def test_a_run_that_goes_on_says_from_where(pretraining, tmp_path, capsys):
    options = [*pretraining, "--model_dir", tmp_path, "--params_override"]
    call(pretrain_bert, *options, "trainer.train_steps=2")
    capsys.readouterr()
    call(pretrain_bert, *options, "trainer.train_steps=3")
    lines = said(capsys)
    assert lines[1:4] == [
        "reading the data, building the model, restoring step 2",
        "resuming from step 2",
        "compiling the first step",
    ]
