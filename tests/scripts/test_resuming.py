"""A killed run resumes; half-written files are not taken for whole."""

import json
import re
import shutil
import socket
import time

import pytest
import tensorflow as tf

import finetune_squad
import prepare_squad_data
import pretrain_bert
from bert.best_checkpoint import BestCheckpoint
from tests.support.tiny import call
from tests.support.tiny import dataset
from tests.support.tiny import said

pytestmark = pytest.mark.slow

STEPS = 12
EVERY_STEP = "trainer: {checkpoint_interval: 1, validation_interval: 6}"


def options(finetuning, model_dir):
    return [
        *finetuning,
        *("--model_dir", model_dir, "--train_steps", STEPS),
        *("--params_override", EVERY_STEP),
    ]


def variables(model_dir):
    """Returns the values in the newest checkpoint by name."""
    reader = tf.train.load_checkpoint(str(model_dir))
    return {
        name: reader.get_tensor(name).tobytes()
        for name in reader.get_variable_to_shape_map()
        if name.endswith("VARIABLE_VALUE") and "save_counter" not in name
    }


def assert_same_run(one, other):
    """Compares by name; what has two names, by the values.

    The optimizer's scalars, in its list and attributes of it as well, have
    either name, as they were built before or after the restoring.
    """
    one, other = variables(one), variables(other)
    both = one.keys() & other.keys()
    assert {name for name in both if one[name] != other[name]} == set()
    left, right = (
        {name: run[name] for name in run.keys() - both} for run in (one, other)
    )
    names = [*left, *right]
    assert all(name.startswith("optimizer/") for name in names), names
    assert sorted(left.values()) == sorted(right.values())


@pytest.fixture(scope="module")
def finetuning(folder, data, finetuning):
    """Options of a run whose batches are all the same, however shuffled."""
    one = dataset()
    del one["data"][0]["paragraphs"][0]["qas"][1:]
    (folder / "one.json").write_text(json.dumps(one))
    call(
        prepare_squad_data,
        *("--train", folder / "one.json", "--dev", folder / "squad.json"),
        *("--vocab", data / "vocab.txt", "--output_dir", folder / "one"),
        *("--max_seq_length", 32, "--max_query_length", 12),
        *("--doc_stride", 8),
    )
    return [*finetuning, "--data_dir", folder / "one"]


@pytest.fixture(scope="module")
def uninterrupted(folder, finetuning):
    model_dir = folder / "uninterrupted"
    call(finetune_squad, *options(finetuning, model_dir))
    return model_dir


def killed(process, is_time):
    """Kills a command when it is time; returns what it said."""
    while process.poll() is None and not is_time():
        time.sleep(0.002)
    assert process.poll() is None, process.communicate()[1]
    process.kill()
    return process.communicate()[1]


def newest_step(model_dir):
    """Returns the number of the newest checkpoint, 0 if there is none.

    As `tf.train.latest_checkpoint`, which costs too much to call all the time.
    """
    if not (model_dir / "checkpoint").exists():
        return 0
    text = (model_dir / "checkpoint").read_text()
    return int(re.search(r'^model_checkpoint_path: ".*ckpt-(\d+)"', text)[1])


def test_a_killed_run_goes_on_with_the_same_optimizer_state(
    folder, finetuning, uninterrupted, forks
):
    model_dir = folder / "killed"
    command = [finetune_squad.__file__, *options(finetuning, model_dir)]
    # In the middle of writing the next one, as a rule.
    killed(forks.start(*command), lambda: newest_step(model_dir) > 0)
    again = forks.start(*command)
    errors = killed(again, lambda: newest_step(model_dir) > 4)
    assert "resuming from step" in errors
    finished = forks.run(*command)
    assert finished.returncode == 0, finished.stderr
    assert "resuming from step" in finished.stderr
    assert_same_run(model_dir, uninterrupted)
    steps = [
        entry["step"]
        for entry in json.loads((model_dir / "metrics.json").read_text())
    ]
    assert steps == [6, 12]


def test_half_written_files_are_not_taken_for_whole(
    folder, finetuning, uninterrupted
):
    model_dir = folder / "half"
    half = [
        *options(finetuning, model_dir),
        *("--params_override", f"trainer: {{train_steps: {STEPS // 2}}}"),
    ]
    call(finetune_squad, *half)
    # What a kill leaves of the next checkpoint and of the other files.
    for name in (
        f"ckpt-{STEPS // 2 + 1}.data-00000-of-00001",
        f"ckpt-{STEPS // 2 + 1}.index",
        "metrics.json.partial",
        "params.yaml.partial",
        "vocab.txt.partial",
        "best/info.json.partial",
    ):
        (model_dir / name).write_bytes(b"half")
    call(finetune_squad, *options(finetuning, model_dir))
    assert_same_run(model_dir, uninterrupted)


def test_a_finished_run_is_not_trained_again(folder, finetuning, uninterrupted):
    before = variables(uninterrupted)
    files = sorted(path.name for path in uninterrupted.iterdir())
    given = call(finetune_squad, *options(finetuning, uninterrupted))
    assert variables(uninterrupted) == before
    assert sorted(path.name for path in uninterrupted.iterdir()) == files
    entries = json.loads((uninterrupted / "metrics.json").read_text())
    assert given == entries[-1]["validation"]


def test_an_evaluation_after_the_checkpoint_is_done_again(
    folder, finetuning, uninterrupted
):
    # Killed between the last checkpoint and the evaluation.
    model_dir = folder / "unevaluated"
    shutil.copytree(uninterrupted, model_dir)
    path = model_dir / "metrics.json"
    entries = json.loads(path.read_text())
    path.write_text(json.dumps(entries[:-1]))
    call(finetune_squad, *options(finetuning, model_dir))
    again = json.loads(path.read_text())
    assert [entry["step"] for entry in again] == [6, 12]
    assert again[-1]["validation"]["final_f1"] == pytest.approx(
        entries[-1]["validation"]["final_f1"]
    )


def test_a_run_that_goes_on_says_from_where_and_may_go_on_elsewhere(
    pretraining, tmp_path, capsys, functions_run_eagerly
):
    options = [*pretraining, "--model_dir", tmp_path, "--params_override"]
    call(pretrain_bert, *options, "trainer.train_steps=1")
    capsys.readouterr()
    call(pretrain_bert, *options, "runtime.distribution_strategy=one_device")
    assert said(capsys)[1:4] == [
        "reading the data, building the model, restoring step 1",
        "resuming from step 1",
        "compiling the first step",
    ]
    assert newest_step(tmp_path) == 3


class Killed(Exception):
    pass


class Killing(tf.train.experimental.PythonState):
    """State that cannot be saved."""

    def serialize(self):
        raise Killed

    def deserialize(self, value):
        pass


def test_a_best_checkpoint_that_was_not_saved_leaves_no_metrics(tmp_path):
    best = BestCheckpoint(str(tmp_path), "f1", "higher")
    weights = tf.Variable(1.0)
    good = tf.train.Checkpoint(weights=weights)
    assert best.maybe_export_checkpoint(good, {"f1": 0.5}, 1)
    again = BestCheckpoint(str(tmp_path), "f1", "higher")
    with pytest.raises(Killed):
        again.maybe_export_checkpoint(
            tf.train.Checkpoint(weights=weights, state=Killing()),
            {"f1": 0.7},
            2,
        )
    assert json.loads((tmp_path / "info.json").read_text())["f1"] == 0.5
    again = BestCheckpoint(str(tmp_path), "f1", "higher")
    assert not again.maybe_export_checkpoint(good, {"f1": 0.4}, 3)
    assert again.maybe_export_checkpoint(good, {"f1": 0.6}, 4)
    assert json.loads((tmp_path / "info.json").read_text())["f1"] == 0.6


def test_several_workers_go_on_with_the_same_weights(
    folder, pretraining, forks
):
    model_dir = folder / "workers"
    with socket.socket() as one, socket.socket() as other:
        for server in (one, other):
            server.bind(("localhost", 0))
        ports = [server.getsockname()[1] for server in (one, other)]
    hosts = ",".join(f"localhost:{port}" for port in ports)

    def start(index):
        runtime = (
            "runtime: {distribution_strategy: multi_worker_mirrored, "
            f"worker_hosts: '{hosts}', task_index: {index}}}"
        )
        return forks.start(
            *(pretrain_bert.__file__, *pretraining),
            *("--model_dir", model_dir, "--params_override", runtime),
        )

    def train():
        results = []
        for worker in [start(0), start(1)]:
            output, errors = worker.communicate()
            assert worker.returncode == 0, errors
            results.append(json.loads(output))
        (model_dir / "metrics.json").unlink()
        return results

    first, second = train(), train()
    # The second start only restores and evaluates.
    for result in (*first, *second):
        assert result["validation_loss"] == pytest.approx(
            first[0]["validation_loss"], rel=1e-6
        )
