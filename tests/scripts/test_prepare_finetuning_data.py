"""Data to finetune on: the records, and what is refused beforehand."""

import json
import re

import pytest

import prepare_glue_data
import prepare_squad_data
from bert import vocabulary
from command_line import InputError
from tests.support import tiny

pytestmark = pytest.mark.slow

WORDS = (
    "the cat dog sat sit ran run on to red blue mat door where did it is wet "
    "cold . , ?"
)
PIECES = [*vocabulary.RESERVED_TOKENS, *WORDS.split()]
LENGTH = 16
COLA = "a\t1\t\tThe cat sat.\nb\t0\t*\tCat the sat.\n"
RTE = (
    "index\tsentence1\tsentence2\tlabel\n"
    "0\tThe cat sat.\tIt sat.\tentailment\n"
    "1\tThe dog ran.\tIt sat.\tnot_entailment\n"
)
STSB = (
    "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\t"
    "sentence1\tsentence2\tscore\n"
    "0\ta\tb\t2012\t1\tc\td\tThe cat sat.\tThe cat sat.\t4.75\n"
    "1\ta\tb\t2012\t2\tc\td\tThe dog ran.\tIt is cold.\t0.5\n"
)
CSV = (
    "topic,note,title,text\n"
    'wet,,The cat,"It is wet, cold."\n'
    'cold,x,"The\nmat","It sat,\nit ran."\n'
)
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
        ("[CLS] it is wet , cold , wet , cold [SEP] it is cold . [SEP]", 0),
    ],
    "stsb": [
        ("[CLS] the cat sat . [SEP] the cat sat . [SEP]", 4.75),
        ("[CLS] the dog ran . [SEP] it is cold . [SEP]", 0.5),
        ("[CLS] it is wet . [SEP] it is . [SEP]", -2.5),
    ],
    "csv": [
        ("[CLS] the cat [SEP] it is wet , cold . [SEP]", 2),
        ("[CLS] the mat [SEP] it sat , it ran . [SEP]", 0),
        ("[CLS] dog [SEP] red door [SEP]", 1),
    ],
}


def questions(answers, context=tiny.PARAGRAPH):
    """Returns questions with so many answers each about a paragraph."""
    found = tiny.dataset()
    (paragraph,) = found["data"][0]["paragraphs"]
    paragraph["context"] = context
    for question in paragraph["qas"]:
        question["answers"] *= answers
    return json.dumps(found)


# To train on and to evaluate on.
TEXTS = {
    "cola": (COLA + "c\t1\t\tIt is wet.\n", COLA),
    "rte": (
        RTE + "2\tIt is wet, cold, wet, cold.\tIt is cold.\tentailment\n",
        RTE,
    ),
    "stsb": (
        STSB + "2\ta\tb\t2012\t3\tc\td\tIt is wet.\tIt is.\t-2.5\n",
        STSB,
    ),
    # The other file has its columns in another order.
    "csv": (
        CSV + "red,,dog,red door\n",
        "text,title,topic\n"
        '"It is wet, cold.",The cat,wet\n'
        '"It sat, it ran.",The mat,cold\n',
    ),
    "squad": (questions(1), questions(3)),
}
COMMANDS = {
    "cola": (prepare_glue_data, ["--task", "cola"]),
    "rte": (prepare_glue_data, ["--task", "rte"]),
    "stsb": (prepare_glue_data, ["--task", "stsb"]),
    "csv": (
        prepare_glue_data,
        ["--sentences", "title", "text", "--label", "topic"],
    ),
    "squad": (prepare_squad_data, ["--max_query_length", 8, "--doc_stride", 4]),
}


def call(folder, kind, output, *more):
    script, options = COMMANDS[kind]
    return tiny.call(
        script,
        *(*options, "--max_seq_length", LENGTH),
        *("--train", folder / f"train.{kind}", "--dev", folder / f"dev.{kind}"),
        *("--vocab", folder / "vocab.txt", "--output_dir", folder / output),
        *more,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finetuning")
    for kind, (train, dev) in TEXTS.items():
        (folder / f"train.{kind}").write_text(train)
        (folder / f"dev.{kind}").write_text(dev)
    vocabulary.write(str(folder / "vocab.txt"), PIECES)
    return folder


@pytest.fixture(scope="module")
def sizes(folder):
    return {kind: call(folder, kind, kind) for kind in COMMANDS}


@pytest.mark.parametrize(
    ("kind", "dev", "more"),
    [
        *(
            (
                kind,
                "dev.tfrecord",
                {
                    "metric": metric,
                    "labels": labels,
                    "train_examples": 3,
                    "dev_examples": 2,
                },
            )
            for kind, metric, labels in (
                ("cola", "matthews_corrcoef", ["0", "1"]),
                ("rte", "accuracy", ["entailment", "not_entailment"]),
                ("stsb", "pearson_spearman_corr", []),
                ("csv", "accuracy", ["cold", "red", "wet"]),
            )
        ),
        (
            "squad",
            "dev.json",
            {
                "max_query_length": 8,
                "doc_stride": 4,
                # A paragraph takes several windows a question.
                "train_examples": 8,
                "unanswerable": False,
            },
        ),
    ],
)
def test_the_files_are_written_and_nothing_else(folder, sizes, kind, dev, more):
    done = folder / kind
    names = f"{dev} settings.json sizes.json train.tfrecord vocab.txt"
    assert sorted(path.name for path in done.iterdir()) == names.split()
    assert (done / "vocab.txt").read_text().splitlines() == PIECES
    assert json.loads((done / "sizes.json").read_text()) == sizes[kind]
    assert sizes[kind] == {
        "vocab_size": len(PIECES),
        "do_lower_case": True,
        "max_seq_length": LENGTH,
        **more,
    }


@pytest.mark.parametrize("task", EXPECTED)
@pytest.mark.parametrize("name", ["train", "dev"])
def test_a_record_has_its_lines_sentences_and_label(folder, sizes, task, name):
    found = []
    for record in tiny.examples(folder / task / f"{name}.tfrecord"):
        ids, (label,) = record["input_ids"], record["label_ids"]
        assert len(ids) == LENGTH
        pieces = [PIECES[i] for i in ids if i]
        segments = record["segment_ids"]
        first = pieces.index("[SEP]") + 1
        second = len(pieces) - first
        assert segments[: len(pieces)] == [0] * first + [1] * second
        found.append((" ".join(pieces), label))
    assert found == EXPECTED[task][: sizes[task][f"{name}_examples"]]


def test_the_records_point_at_the_answers(folder, sizes):
    records = tiny.examples(folder / "squad" / "train.tfrecord")
    assert len(records) == sizes["squad"]["train_examples"]
    found = set()
    for record in records:
        assert len(record["input_ids"]) == LENGTH
        assert len(record["segment_ids"]) == LENGTH
        (start,), (end,) = record["start_positions"], record["end_positions"]
        ids = record["input_ids"][start : end + 1]
        found.add(" ".join(PIECES[i] for i in ids))
    # A window without the answer points at its beginning.
    assert found == {"[CLS]", *(text for _, text in tiny.QUESTIONS.values())}


def test_the_questions_to_evaluate_on_are_copied(folder, sizes):
    copy = (folder / "squad" / "dev.json").read_text()
    assert json.loads(copy) == json.loads(questions(3))


@pytest.mark.parametrize("kind", COMMANDS)
def test_another_command_is_kept_out_of_a_directory(folder, sizes, kind):
    match = "there max_seq_length=16, here max_seq_length=15"
    with pytest.raises(InputError, match=match):
        call(folder, kind, kind, "--max_seq_length", 15)


BAD = {
    "cola": [None, "", COLA + "d\t2\t\tIt is.\n"],
    "rte": [None, "", RTE + "3\tIt is.\tentailment\n"],
    "stsb": [None, "", STSB + "2\ta\tb\t3\t4\tc\td\tIt is.\tIt is.\tgood\n"],
    "csv": [None, CSV + "red,,dog\n", CSV + 'red,,"dog"s,it\n'],
    "squad": [None, "{", json.dumps({"data": []})],
}


@pytest.mark.parametrize(
    ("kind", "option", "text"),
    [
        *(
            (kind, option, text)
            for kind, texts in BAD.items()
            for option in ("--train", "--dev")
            for text in texts
        ),
        ("csv", "--dev", CSV + "blue,,dog,it\n"),
        ("squad", "--train", questions(2)),
        ("squad", "--dev", questions(0)),
        ("squad", "--dev", questions(1, "\u200b\0")),
        *((kind, "--vocab", text) for kind in BAD for text in (None, "dog\n")),
    ],
    ids=lambda text: text if text in (*BAD, "--train", "--dev") else "",
)
def test_a_bad_file_is_an_error_before_anything_is_written(
    folder, tmp_path, kind, option, text
):
    path = tmp_path / f"bad.{kind}"
    if text is not None:
        path.write_text(text)
    received = re.escape(f"Received: {option}={path}") + "$"
    with pytest.raises(InputError, match=f"^`{option}` .*{received}"):
        call(folder, kind, tmp_path / "out", option, path)
    assert not (tmp_path / "out").exists()


def test_a_question_must_leave_room_for_its_paragraph(folder, tmp_path):
    with pytest.raises(InputError, match="max_query_length"):
        call(folder, "squad", tmp_path / "out", "--max_query_length", LENGTH)
    assert not (tmp_path / "out").exists()


def test_windows_leave_no_word_of_a_paragraph_out(folder, tmp_path):
    longest, output = LENGTH - 8 - 3, tmp_path / "out"
    call(folder, "squad", output, "--doc_stride", longest)
    with pytest.raises(InputError, match=f"3, {longest}, what a .*=") as caught:
        call(folder, "squad", output, "--doc_stride", longest + 1)
    assert str(caught.value).endswith(f"Received: --doc_stride={longest + 1}")


def test_data_that_are_being_prepared_again_are_not_complete(
    folder, tmp_path, monkeypatch
):
    call(folder, "squad", tmp_path / "out")
    assert (tmp_path / "out" / "sizes.json").exists()
    monkeypatch.setattr(vocabulary, "write", lambda path, pieces: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call(folder, "squad", tmp_path / "out")
    assert not (tmp_path / "out" / "sizes.json").exists()
