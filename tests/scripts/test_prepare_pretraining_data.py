"""Pretraining data: dealt out in shards, done once, the same every time."""

import itertools
import json
import re
import shutil

import pytest

import prepare_pretraining_data as script
from bert import shards
from bert import vocabulary
from command_line import InputError
from tests.support import tiny

pytestmark = pytest.mark.slow

# Document n is one sentence of a word of its own, again and again, and so
# makes one example each time it is masked. Two of them exceed a shard.
DOCUMENTS = [f"word{number:02}" for number in range(20)]
HELDOUT = {"word04", "word09", "word14", "word19"}
TEXT = "\n\n".join(" ".join([word] * 75) for word in DOCUMENTS)
PIECES = [*vocabulary.RESERVED_TOKENS, *DOCUMENTS]
DUPE_FACTOR = 3
SHARDS = {
    *(f"train-{number:05}.tfrecord" for number in range(8)),
    *(f"heldout-{number:05}.tfrecord" for number in range(2)),
}


def call(folder, output, **changes):
    """Runs the script over the text, with options changed or left out."""
    options = {
        "input": folder / "text.txt",
        "output_dir": folder / output,
        "vocab": folder / "vocab.txt",
        "shard_megabytes": 0.001,
        "heldout_every": 5,
        "dupe_factor": DUPE_FACTOR,
        "max_seq_length": 32,
        "max_predictions_per_seq": 4,
        **changes,
    }
    given = [(f"--{k}", v) for k, v in options.items() if v is not None]
    return tiny.call(script, *itertools.chain(*given))


def contents(directory):
    """Returns the examples of each shard and the bytes of other files.

    The bytes of shards differ from process to process: protobuf writes the
    features of an example in an order that depends on where it is in memory.
    """
    return {
        path.name: tiny.examples(path)
        if path.suffix == ".tfrecord"
        else path.read_bytes()
        for path in directory.iterdir()
    }


def shards_of(directory):
    return {n: c for n, c in contents(directory).items() if n in SHARDS}


def words(directory, name):
    """Returns the words of a set of examples, those masked restored."""
    examples = tiny.examples(*directory.glob(f"{name}-*"))
    assert {len(example["input_ids"]) for example in examples} == {32}
    ids = set(itertools.chain(*map(tiny.unmasked, examples)))
    return {PIECES[i] for i in ids} - set(vocabulary.RESERVED_TOKENS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pretraining")
    (folder / "text.txt").write_text(TEXT)
    vocabulary.write(str(folder / "vocab.txt"), PIECES)
    return folder


@pytest.fixture(scope="module")
def sizes(folder):
    return call(folder, "done")


@pytest.fixture
def done(folder, sizes):
    return folder / "done"


def test_every_nth_document_is_held_out():
    documents = [[str(number)] for number in range(1, 12)]
    dealt = list(shards.deal(documents, 3, megabytes=1))
    assert dealt == [
        ("train-00000", [[n] for n in "1 2 4 5 7 8 10 11".split()]),
        ("heldout-00000", [["3"], ["6"], ["9"]]),
    ]


def test_a_shard_is_full_at_its_size():
    documents = [["x" * 300, "y" * 100]] * 25
    dealt = dict(shards.deal(documents, 5, megabytes=0.001))
    counts = {name: len(documents) for name, documents in dealt.items()}
    assert counts == {
        **{f"train-{number:05}": 3 for number in range(6)},
        "train-00006": 2,
        "heldout-00000": 3,
        "heldout-00001": 2,
    }


def test_documents_are_dealt_as_they_are_read():
    numbers = itertools.count(1)
    endless = (["x" * 500] for _ in numbers)
    dealt = shards.deal(endless, 10, megabytes=0.001)
    assert next(numbers) == 1
    for _ in range(3):
        assert next(dealt)[1] == [["x" * 500]] * 2
    # Six documents and the number that was looked at above.
    assert next(numbers) == 8


def test_many_small_shards_are_written_and_nothing_else(done):
    others = {"vocab.txt", "settings.json", "sizes.json"}
    assert {path.name for path in done.iterdir()} == SHARDS | others


def test_training_documents_alone_are_masked_again_and_again(done, sizes):
    totals = sizes["train_examples"], sizes["heldout_examples"]
    assert totals == (16 * DUPE_FACTOR, 4)
    counts = {name: len(found) for name, found in shards_of(done).items()}
    assert counts == {
        name: 2 * (DUPE_FACTOR if name.startswith("train") else 1)
        for name in SHARDS
    }


def test_heldout_documents_are_in_no_training_shard(done):
    assert words(done, "heldout") == HELDOUT
    assert words(done, "train") == set(DOCUMENTS) - HELDOUT


def test_the_given_vocabulary_is_kept_and_so_are_the_sizes(done, sizes):
    assert (done / "vocab.txt").read_text().splitlines() == PIECES
    assert json.loads((done / "sizes.json").read_text()) == sizes
    assert sizes["vocab_size"] == len(PIECES)
    assert sizes["do_lower_case"] is True
    assert sizes["max_seq_length"] == 32


def test_two_processes_write_what_one_writes(folder, done):
    call(folder, "two", processes=2)
    assert contents(folder / "two") == contents(done)


def test_a_killed_run_is_completed_by_the_same_command(folder, done, sizes):
    killed = folder / "killed"
    shutil.copytree(done, killed)
    (killed / "sizes.json").unlink()
    missing = killed / "train-00003.tfrecord"
    missing.rename(f"{missing}.partial")
    with open(f"{missing}.partial", "ab") as file:
        file.write(b"\0garbage" * 99)
    before = {path.name: path.stat().st_ino for path in killed.iterdir()}
    assert call(folder, "killed") == sizes
    assert contents(killed) == contents(done)
    for name in SHARDS - {missing.name}:
        assert (killed / name).stat().st_ino == before[name]


def test_a_vocabulary_that_was_trained_is_not_trained_again(
    folder, done, monkeypatch
):
    def train(*arguments):
        raise AssertionError("it was trained again")

    monkeypatch.setattr(vocabulary, "train", train)
    (folder / "trained").mkdir()
    shutil.copy(folder / "vocab.txt", folder / "trained")
    call(folder, "trained", vocab=None)
    assert shards_of(folder / "trained") == shards_of(done)


# This file is other text.
CHANGES = {"seed": 1, "max_seq_length": 16, "dupe_factor": 2, "input": __file__}


@pytest.mark.parametrize("name", CHANGES)
def test_another_command_is_kept_out_of_a_directory(folder, done, name):
    before = contents(done)
    match = f"there {name}s?=.*, here {name}s?="
    with pytest.raises(InputError, match=match) as caught:
        call(folder, "done", **{name: CHANGES[name]})
    assert str(caught.value).endswith(f"Received: --output_dir={done}")
    assert contents(done) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("input", None),
        ("input", ""),
        ("input", " \n\n\t\n"),
        ("vocab", None),
        ("vocab", "word00\n"),
    ],
)
def test_without_text_or_vocabulary_nothing_is_written(
    folder, tmp_path, name, text
):
    path = tmp_path / "bad.txt"
    if text is not None:
        path.write_text(text)
    received = re.escape(f"Received: --{name}={path}") + "$"
    with pytest.raises(InputError, match=f"^`--{name}` must .*{received}"):
        call(folder, tmp_path / "out", **{name: path})
    assert not (tmp_path / "out").exists()


def test_one_document_is_not_enough(folder, tmp_path):
    (tmp_path / "one.txt").write_text("word00 word01\nword02")
    with pytest.raises(InputError, match="Received: --heldout_every=5$"):
        call(folder, tmp_path / "out", input=tmp_path / "one.txt")
    assert not (tmp_path / "out" / "sizes.json").exists()
