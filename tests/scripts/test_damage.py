"""A damaged file ends a script in one line that names the file.

Each script is run as a command is, within this process.
"""

import random
import shutil

import pytest
import tensorflow as tf

import answer
import finetune_glue
import finetune_squad
import predict_squad
import prepare_pretraining_data
import pretrain_bert
from tests.support.tiny import call

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("functions_run_eagerly"),
]

ASKED = ["--paragraph", "The cat sat.", "--question", "Who sat?"]


def cut(content):
    return content[:-5]


def flipped(content):
    middle = len(content) // 2
    changed = bytes([content[middle] ^ 1])
    return content[:middle] + changed + content[middle + 1 :]


def inverted(content):
    return bytes(255 - byte for byte in content)


def emptied(content):
    return b""


def shorter_than_a_record(content):
    return content[:3]


def noise(content):
    return random.Random(0).randbytes(300)


def without_its_last_line(content):
    return content.rsplit(b"\n", 2)[0] + b"\n"


DAMAGES = [cut, flipped, emptied, shorter_than_a_record, noise]


def copied(source, tmp_path):
    return shutil.copytree(source, tmp_path / "copy")


def damage(path, how):
    path.write_bytes(how(path.read_bytes()))
    return path


# Each damage, and each file: all are read by the same code.
RECORDS = [
    *(("pretraining", "train-00000.tfrecord", how) for how in DAMAGES),
    ("pretraining", "heldout-00000.tfrecord", flipped),
    ("squad", "train.tfrecord", cut),
    ("glue", "train.tfrecord", shorter_than_a_record),
    ("glue", "dev.tfrecord", noise),
]


@pytest.fixture
def training(folder, pretraining, finetuning, data, squad_data, glue_data):
    """Scripts, their data and the options that they train with."""
    glue = ["--config", folder / "tiny.yaml"]
    # So many steps see all of the data.
    many = ["--train_steps", 20, "--params_override"]
    many += ["trainer: {steps_per_loop: 10, summary_interval: 10}"]
    return {
        "pretraining": (pretrain_bert, data, [*pretraining, *many]),
        "squad": (finetune_squad, squad_data, [*finetuning, *many]),
        "glue": (finetune_glue, glue_data, [*glue, *many]),
    }


@pytest.mark.parametrize(("kind", "name", "how"), RECORDS)
def test_damaged_records_are_named(
    complain, training, tmp_path, kind, name, how
):
    script, source, options = training[kind]
    path = damage(copied(source, tmp_path) / name, how)
    message = complain(script, *options, "--data_dir", path.parent)
    assert f"{path} cannot be used: " in message
    assert "Prepare the data anew." in message


@pytest.mark.parametrize("missing", ["train-*.tfrecord", "heldout-*.tfrecord"])
def test_missing_records_are_named(
    complain, pretraining, data, tmp_path, missing
):
    copy = copied(data, tmp_path)
    for path in copy.glob(missing):
        path.unlink()
    message = complain(pretrain_bert, *pretraining, "--data_dir", copy)
    assert f"{copy / missing} cannot be used: there is no such" in message


def test_records_of_another_script_are_named(
    complain, pretraining, data, squad_data, tmp_path
):
    path = copied(data, tmp_path) / "train-00000.tfrecord"
    shutil.copy(squad_data / "train.tfrecord", path)
    message = complain(pretrain_bert, *pretraining, "--data_dir", path.parent)
    assert f"{path} cannot be used: its records are of another kind" in message


def test_a_damaged_shard_is_not_gone_on_with(complain, folder, data, tmp_path):
    path = damage(copied(data, tmp_path) / "train-00000.tfrecord", cut)
    message = complain(
        prepare_pretraining_data,
        *("--input", folder / "text.txt", "--output_dir", path.parent),
        *("--vocab_size", 60, "--max_seq_length", 32, "--dupe_factor", 2),
        *("--max_predictions_per_seq", 4, "--heldout_every", 5),
    )
    assert f"{path} cannot be used: truncated record at " in message


@pytest.mark.parametrize(
    "text", ["", "[3]", "null", "{}", '{"vocab_size": "many"}']
)
@pytest.mark.parametrize("kind", ["pretraining", "squad", "glue"])
def test_damaged_sizes_are_named(complain, training, tmp_path, kind, text):
    script, source, options = training[kind]
    data = copied(source, tmp_path)
    (data / "sizes.json").write_text(text)
    message = complain(script, *options, "--data_dir", data)
    assert "sizes.json" in message and f"--data_dir={data}" in message


@pytest.mark.parametrize("how", [without_its_last_line, emptied, noise])
@pytest.mark.parametrize("kind", ["pretraining", "squad", "glue"])
def test_the_vocabulary_goes_with_the_data(
    complain, training, tmp_path, kind, how
):
    script, source, options = training[kind]
    data = damage(copied(source, tmp_path) / "vocab.txt", how).parent
    message = complain(script, *options, "--data_dir", data)
    assert f"--data_dir={data}" in message


@pytest.fixture
def going_on(pretraining, pretrained, tmp_path):
    """A copy of a run, and the options that go on with it."""
    run = copied(pretrained, tmp_path)
    options = [*pretraining, "--model_dir", run, "--optimizer", "acclip"]
    return run, [*options, "--params_override", "trainer: {train_steps: 4}"]


# All of them here; where a checkpoint is read too, each file and each damage.
CHECKPOINT = ["ckpt-3.index", "ckpt-3.data-00000-of-00001", "checkpoint"]
# What is read of `checkpoint`, which is text, has no checksum.
CHECKPOINT_DAMAGES = [
    (name, how)
    for name in CHECKPOINT
    for how in DAMAGES
    if name != "checkpoint" or how in (emptied, noise)
]


@pytest.mark.parametrize(("name", "how"), CHECKPOINT_DAMAGES)
def test_a_damaged_checkpoint_is_not_gone_on_with(
    complain, going_on, name, how
):
    run, options = going_on
    damage(run / name, how)
    message = complain(pretrain_bert, *options)
    assert "cannot be read" in message
    assert message.endswith(f"Received: --model_dir={run}")


def test_an_earlier_checkpoint_can_be_gone_on_with(complain, going_on):
    run, options = going_on
    damage(run / "ckpt-3.index", emptied)
    message = complain(pretrain_bert, *options)
    assert f"Name an earlier one in {run / 'checkpoint'}" in message
    state = tf.train.get_checkpoint_state(str(run))
    earlier = state.all_model_checkpoint_paths[0]
    (run / "checkpoint").write_text(f'model_checkpoint_path: "{earlier}"\n')
    assert call(pretrain_bert, *options)["validation_loss"] > 0


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("ckpt-3.index", emptied),
        ("ckpt-3.index", shorter_than_a_record),
        # All of it, since the optimizer's state is not read.
        ("ckpt-3.data-00000-of-00001", inverted),
        ("checkpoint", noise),
    ],
)
def test_a_damaged_checkpoint_is_not_started_from(
    complain, finetuning, pretrained, tmp_path, name, how
):
    run = damage(copied(pretrained, tmp_path) / name, how).parent
    message = complain(finetune_squad, *finetuning, "--pretrained", run)
    assert "cannot be read" in message and f"={run}" in message


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("index", cut),
        ("index", shorter_than_a_record),
        # Enough of it for the model may be whole.
        ("data-00000-of-00001", emptied),
        ("checkpoint", emptied),
        ("checkpoint", noise),
    ],
)
def test_a_damaged_checkpoint_is_not_answered_with(
    complain, finetuned, tmp_path, name, how
):
    best = copied(finetuned, tmp_path) / "best"
    (path,) = best.glob(f"*{name}")
    damage(path, how)
    message = complain(answer, "--model_dir", best.parent, *ASKED)
    assert "cannot be read" in message and f"--model_dir={best}" in message


@pytest.mark.parametrize("text", ["", "[3]", "null", '[{"step": 3}]'])
def test_damaged_metrics_are_named(complain, going_on, text):
    run, options = going_on
    (run / "metrics.json").write_text(text)
    message = complain(pretrain_bert, *options)
    assert message.endswith(f"Received: --model_dir={run / 'metrics.json'}")


@pytest.mark.parametrize("text", ["", "[3]", "null", '{"final_f1": "good"}'])
def test_a_damaged_best_metric_is_named(
    complain, finetuning, finetuned, tmp_path, text
):
    run = copied(finetuned, tmp_path)
    (run / "best" / "info.json").write_text(text)
    options = [*finetuning, "--model_dir", run, "--train_steps", 60]
    options += ["--params_override", "trainer: {train_steps: 80}"]
    message = complain(finetune_squad, *options)
    assert message.endswith(f"Received: --model_dir={run / 'best/info.json'}")


@pytest.mark.parametrize("text", ["", "[3]", "task: {", "task: 3", "\0"])
def test_damaged_parameters_are_named(
    complain, going_on, folder, tmp_path, text
):
    run, options = going_on
    (run / "params.yaml").write_text(text)
    assert f"--model_dir={run}" in complain(pretrain_bert, *options)
    if text:
        asked = ["--input", folder / "squad.json", "--output", tmp_path / "out"]
        message = complain(predict_squad, "--model_dir", run, *asked)
        assert f"--model_dir={run}" in message


def test_settings_of_no_command_are_refused(complain, folder, data, tmp_path):
    prepared = copied(data, tmp_path)
    for text in ("[3]", "null", "{"):
        (prepared / "settings.json").write_text(text)
        message = complain(
            prepare_pretraining_data,
            *("--input", folder / "text.txt", "--output_dir", prepared),
        )
        assert f"--output_dir={prepared}" in message
