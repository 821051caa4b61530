"""SQuAD data: the records, the copies, and what is refused beforehand."""

import json
import re
import zipfile

import pytest

import prepare_squad_data as script
from bert import vocabulary
from command_line import InputError

pytestmark = pytest.mark.slow

WORDS = "the dog ran to blue door and slept there who where did it . ?".split()
PIECES = [*vocabulary.RESERVED_TOKENS, *WORDS]
CONTEXT = "The dog ran to the blue door. " + "It slept there and slept. " * 4
ASKED = {
    "who": ("Who ran?", "The dog"),
    "where": ("Where did it run to?", "the blue door"),
}
SHORT = {"context": "The dog slept.", "qas": []}
LENGTH = 24


def dataset(answers=1):
    asked = [
        {
            "id": name,
            "question": question,
            "answers": [{"text": text, "answer_start": CONTEXT.index(text)}]
            * answers,
        }
        for name, (question, text) in ASKED.items()
    ]
    paragraph = {"context": CONTEXT, "qas": asked}
    return {"data": [{"title": "dogs", "paragraphs": [SHORT, paragraph]}]}


def call(folder, output, *more):
    options = [
        *("--train", folder / "train.json", "--dev", folder / "dev.json"),
        *("--vocab", folder / "vocab.txt", "--output_dir", folder / output),
        *("--max_seq_length", LENGTH, "--max_query_length", 8),
        *("--doc_stride", 6, *more),
    ]
    return script.run(script.parser().parse_args(list(map(str, options))))


def examples(path):
    import tensorflow as tf

    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        yield {name: list(v.int64_list.value) for name, v in feature.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("squad")
    (folder / "train.json").write_text(json.dumps(dataset()))
    (folder / "dev.json").write_text(json.dumps(dataset(answers=3)))
    vocabulary.write(str(folder / "vocab.txt"), PIECES)
    return folder


@pytest.fixture(scope="module")
def sizes(folder):
    return call(folder, "done")


@pytest.fixture
def done(folder, sizes):
    return folder / "done"


def test_the_files_are_written_and_nothing_else(done, sizes):
    names = "dev.json settings.json sizes.json train.tfrecord vocab.txt"
    assert sorted(path.name for path in done.iterdir()) == names.split()
    assert json.loads((done / "sizes.json").read_text()) == sizes
    assert json.loads((done / "dev.json").read_text()) == dataset(answers=3)
    assert (done / "vocab.txt").read_text().splitlines() == PIECES


def test_the_sizes_are_those_of_the_records(done, sizes):
    records = list(examples(done / "train.tfrecord"))
    # A long paragraph takes several windows a question.
    assert sizes == {
        "vocab_size": len(PIECES),
        "do_lower_case": True,
        "max_seq_length": LENGTH,
        "max_query_length": 8,
        "doc_stride": 6,
        "train_examples": len(records),
    }
    # A long paragraph takes several windows a question.
    assert len(records) > 2 * len(ASKED)
    for record in records:
        assert len(record["input_ids"]) == LENGTH
        assert len(record["segment_ids"]) == LENGTH


def test_the_records_point_at_the_answers(done):
    found = set()
    for record in examples(done / "train.tfrecord"):
        (start,), (end,) = record["start_positions"], record["end_positions"]
        ids = record["input_ids"][start : end + 1]
        found.add(" ".join(PIECES[i] for i in ids))
    # A window without the answer points at its beginning.
    answers = {text.lower() for _, text in ASKED.values()}
    assert found == {"[CLS]", *answers}


def test_zipped_files_give_what_the_plain_ones_give(folder, done):
    for name in ("train", "dev"):
        with zipfile.ZipFile(folder / f"{name}.json.zip", "w") as archive:
            archive.write(folder / f"{name}.json", f"{name}.json")
    call(
        folder,
        "unpacked",
        *("--train", folder / "train.json.zip"),
        *("--dev", folder / "dev.json.zip"),
    )
    for name in ("train.tfrecord", "dev.json", "sizes.json"):
        unpacked = (folder / "unpacked" / name).read_bytes()
        assert unpacked == (done / name).read_bytes()


def test_another_command_is_kept_out_of_a_directory(folder, done):
    with pytest.raises(InputError, match="there doc_stride=6, here doc_str"):
        call(folder, "done", "--doc_stride", 5)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--train", None),
        ("--train", "{"),
        ("--train", json.dumps({"data": []})),
        ("--train", json.dumps(dataset(answers=2))),
        ("--dev", None),
        ("--dev", "{"),
        ("--dev", json.dumps(dataset(answers=0))),
        ("--vocab", None),
        ("--vocab", "dog\n"),
    ],
)
def test_a_bad_file_is_an_error_before_anything_is_written(
    folder, tmp_path, option, text
):
    path = tmp_path / "bad"
    if text is not None:
        path.write_text(text)
    received = re.escape(f"Received: {option}={path}") + "$"
    with pytest.raises(InputError, match=f"^`{option}` .*{received}"):
        call(folder, tmp_path / "out", option, path)
    assert not (tmp_path / "out").exists()


def test_a_question_must_leave_room_for_its_paragraph(folder, tmp_path):
    with pytest.raises(InputError, match="max_query_length"):
        call(folder, tmp_path / "out", "--max_query_length", LENGTH)
    assert not (tmp_path / "out").exists()


def test_windows_leave_no_word_of_a_paragraph_out(folder, tmp_path):
    longest = LENGTH - 8 - 3
    call(folder, tmp_path / "out", "--doc_stride", longest)
    with pytest.raises(InputError, match=f"3, {longest}, what a .*=") as caught:
        call(folder, tmp_path / "out", "--doc_stride", longest + 1)
    assert str(caught.value).endswith(f"Received: --doc_stride={longest + 1}")


@pytest.mark.parametrize(
    "option", ["--max_seq_length 7", "--doc_stride 0", "--max_query_length x"]
)
def test_a_wrong_command_line_is_an_error_of_one_line(folder, capsys, option):
    with pytest.raises(SystemExit) as caught:
        call(folder, "wrong", *option.split())
    assert caught.value.code == 2
    assert re.fullmatch(r".*: error: .*\n", capsys.readouterr().err)
