"""Every command says what it does before it does what takes long."""

import itertools
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

# Runs scripts, each a line of JSON, where TensorFlow cannot be imported.
PROGRAM = """
import json, runpy, sys
sys.modules["tensorflow"] = None
for line in sys.stdin:
    sys.argv = json.loads(line)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit:
        pass
"""


def test_what_is_done_is_said_before_tensorflow_is_imported(
    folder, data, squad_data, glue_data, tmp_path
):
    run = ["--model_dir", tmp_path / "run"]
    squad = ["--train", folder / "squad.json", "--dev", folder / "squad.json"]
    glue = ["--task", "cola"]
    glue += ["--train", folder / "few.tsv", "--dev", folder / "few.tsv"]
    asked = ["--paragraph", "The cat sat.", "--question", "Who sat?"]
    questions = ["--input", folder / "squad.json", "--output", tmp_path / "p"]
    vocab = ["--vocab", data / "vocab.txt"]
    commands = {
        "answer": [*run, *asked],
        "finetune_glue": ["--data_dir", glue_data, *run],
        "finetune_squad": ["--data_dir", squad_data, *run],
        "predict_squad": [*run, *questions],
        "prepare_glue_data": [*glue, *vocab],
        "prepare_pretraining_data": ["--input", folder / "text.txt"],
        "prepare_squad_data": [*squad, *vocab],
        "pretrain_bert": ["--data_dir", data, *run],
    }
    for name in commands:
        if name.startswith("prepare"):
            commands[name] += ["--output_dir", tmp_path / name]
    scripts = Path(pretrain_bert.__file__).parent
    lines = [
        [str(word) for word in (scripts / f"{name}.py", *options)]
        for name, options in commands.items()
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input="\n".join(map(json.dumps, lines)),
        capture_output=True,
        text=True,
        # The scripts find each other as they do in a shell.
        env={"PATH": "", "PYTHONPATH": str(scripts)},
    )
    halted = [
        (line.split()[0], before)
        for before, line in itertools.pairwise(done.stderr.splitlines())
        if line.endswith("import of tensorflow halted; None in sys.modules")
    ]
    assert halted == [
        (f"{name}.py:", "importing TensorFlow") for name in commands
    ]


@pytest.mark.parametrize("in_graph", [False, True])
def test_a_run_says_what_it_does_from_beginning_to_end(
    request, pretraining, tmp_path, monkeypatch, capsys, in_graph
):
    if not in_graph:
        request.getfixturevalue("functions_run_eagerly")
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
        "starting from random weights, without --pretrained",
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
    assert lines[5].endswith(" left and 2 evaluations")
    assert lines[8].endswith(" left")
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
