"""GLUE data: the records and their labels, and what is refused beforehand."""

import gzip
import json
import re

import pytest

import prepare_glue_data as script
from bert import vocabulary
from command_line import InputError

pytestmark = pytest.mark.slow

WORDS = "the cat sat dog ran it is wet cold . ,".split()
PIECES = [*vocabulary.RESERVED_TOKENS, *WORDS]
LENGTH = 12
COLA = "a\t1\t\tThe cat sat.\nb\t0\t*\tCat the sat.\nc\t1\t\tIt is wet.\n"
RTE = (
    "index\tsentence1\tsentence2\tlabel\n"
    "0\tThe cat sat.\tIt sat.\tentailment\n"
    "1\tThe dog ran.\tIt sat.\tnot_entailment\n"
    "2\tIt is wet, cold.\tIt is cold.\tentailment\n"
)
FILES = {"cola": COLA, "rte": RTE}
# Without padding, and the labels as ids.
EXPECTED = {
    "cola": [
        ("[CLS] the cat sat . [SEP]", 1),
        ("[CLS] cat the sat . [SEP]", 0),
        ("[CLS] it is wet . [SEP]", 1),
    ],
    "rte": [
        ("[CLS] the cat sat . [SEP] it sat . [SEP]", 0),
        ("[CLS] the dog ran . [SEP] it sat . [SEP]", 1),
        # One piece too long: the longer sentence loses its last.
        ("[CLS] it is wet , cold [SEP] it is cold . [SEP]", 0),
    ],
}
BAD_LINE = {"cola": "d\t2\t\tIt is.\n", "rte": "3\tIt is.\tentailment\n"}


def call(folder, task, output, *more):
    path = folder / f"{task}.tsv"
    options = [
        *("--task", task, "--train", path, "--dev", folder / f"{task}_dev.tsv"),
        *("--vocab", folder / "vocab.txt", "--output_dir", folder / output),
        *("--max_seq_length", LENGTH, *more),
    ]
    return script.run(script.parser().parse_args(list(map(str, options))))


def examples(path):
    import tensorflow as tf

    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        yield {name: list(v.int64_list.value) for name, v in feature.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glue")
    for task, text in FILES.items():
        (folder / f"{task}.tsv").write_text(text)
        # All but the last line.
        dev = text[: text[:-1].rindex("\n") + 1]
        (folder / f"{task}_dev.tsv").write_text(dev)
    vocabulary.write(str(folder / "vocab.txt"), PIECES)
    return folder


@pytest.fixture(scope="module")
def sizes(folder):
    return {task: call(folder, task, f"{task}_done") for task in FILES}


@pytest.mark.parametrize("task", FILES)
def test_the_files_are_written_and_nothing_else(folder, sizes, task):
    done = folder / f"{task}_done"
    names = "dev.tfrecord settings.json sizes.json train.tfrecord vocab.txt"
    assert sorted(path.name for path in done.iterdir()) == names.split()
    assert (done / "vocab.txt").read_text().splitlines() == PIECES
    assert json.loads((done / "sizes.json").read_text()) == sizes[task]
    assert sizes[task] == {
        "task": task,
        "vocab_size": len(PIECES),
        "do_lower_case": True,
        "max_seq_length": LENGTH,
        "train_examples": 3,
        "dev_examples": 2,
    }


@pytest.mark.parametrize("task", FILES)
@pytest.mark.parametrize("name", ["train", "dev"])
def test_a_record_has_its_lines_sentences_and_label(folder, sizes, task, name):
    found = []
    for record in examples(folder / f"{task}_done" / f"{name}.tfrecord"):
        ids, (label,) = record["input_ids"], record["label_ids"]
        assert len(ids) == LENGTH
        pieces = [PIECES[i] for i in ids if i]
        segments = record["segment_ids"]
        first = pieces.index("[SEP]") + 1
        assert segments[: len(pieces)] == [0] * first + [1] * (
            len(pieces) - first
        )
        found.append((" ".join(pieces), label))
    assert found == EXPECTED[task][: sizes[task][f"{name}_examples"]]


@pytest.mark.parametrize("task", FILES)
def test_compressed_files_give_what_the_plain_ones_give(folder, sizes, task):
    packed = folder / f"{task}.tsv.gz"
    packed.write_bytes(gzip.compress(FILES[task].encode()))
    call(folder, task, f"{task}_gz", "--train", packed)
    for name in ("train.tfrecord", "dev.tfrecord", "sizes.json"):
        unpacked = (folder / f"{task}_gz" / name).read_bytes()
        assert unpacked == (folder / f"{task}_done" / name).read_bytes()


def test_another_command_is_kept_out_of_a_directory(folder, sizes):
    with pytest.raises(InputError, match="there task=cola, here task=rte"):
        call(folder, "rte", "cola_done")


@pytest.mark.parametrize("task", FILES)
@pytest.mark.parametrize("option", ["--train", "--dev"])
@pytest.mark.parametrize("problem", ["missing", "empty", "bad line"])
def test_a_bad_file_is_an_error_before_anything_is_written(
    folder, tmp_path, task, option, problem
):
    path = tmp_path / "bad.tsv"
    if problem != "missing":
        bad = {"empty": "", "bad line": FILES[task] + BAD_LINE[task]}
        path.write_text(bad[problem])
    received = re.escape(f"Received: {option}={path}") + "$"
    with pytest.raises(InputError, match=f"^`{option}` .*{received}"):
        call(folder, task, tmp_path / "out", option, path)
    assert not (tmp_path / "out").exists()


def test_a_bad_vocabulary_is_an_error_before_anything_is_written(
    folder, tmp_path
):
    path = tmp_path / "vocab.txt"
    path.write_text("cat\n")
    with pytest.raises(InputError, match="^`--vocab` "):
        call(folder, "cola", tmp_path / "out", "--vocab", path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--max_seq_length 7", "--task sst-2"])
def test_a_wrong_command_line_is_an_error_of_one_line(folder, capsys, option):
    with pytest.raises(SystemExit) as caught:
        call(folder, "cola", "wrong", *option.split())
    assert caught.value.code == 2
    assert re.fullmatch(r".*: error: .*\n", capsys.readouterr().err)
