"""Vocabulary files: what BERT cannot use, and that they read back."""

import re

import pytest
import tensorflow as tf

from bert import vocabulary
from command_line import InputError
from tests.support.tiny import said

pytestmark = pytest.mark.slow

RESERVED = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def save(folder, pieces):
    path = folder / "vocab.txt"
    path.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "pieces",
    [
        RESERVED,
        [*RESERVED, "a", "##a", "ä", "甲", "."],
        ["[PAD]", "[unused0]", *RESERVED[:0:-1], "a"],
    ],
)
def test_what_was_written_reads_back(tmp_path, pieces):
    path = str(tmp_path / "vocab.txt")
    vocabulary.write(path, pieces)
    assert vocabulary.read("--vocab", path) == pieces
    assert [item.name for item in tmp_path.iterdir()] == ["vocab.txt"]


@pytest.mark.parametrize(
    ("pieces", "problem"),
    [
        ([], f"lacks {', '.join(RESERVED)}."),
        ([*RESERVED[:4], "a"], "lacks [MASK]."),
        (["[PAD]", "[CLS]", "[SEP]", "a"], "lacks [UNK], [MASK]."),
        ([t.lower() for t in RESERVED], f"lacks {', '.join(RESERVED)}."),
        (["a", *RESERVED], "[PAD] in its first line"),
        (RESERVED[::-1], "there is '[MASK]'"),
        ([*RESERVED, "a", "b", "a"], "'a' is there twice"),
        ([*RESERVED, "[MASK]"], "'[MASK]' is there twice"),
    ],
)
def test_what_bert_cannot_use_is_an_error(tmp_path, pieces, problem):
    path = save(tmp_path, pieces)
    with pytest.raises(InputError, match=re.escape(problem)) as caught:
        vocabulary.read("--vocab", path)
    assert str(caught.value).startswith("`--vocab` must ")
    assert str(caught.value).endswith(f" Received: --vocab={path}")


def test_training_says_what_it_reads_and_learns(capsys, monkeypatch):
    reached = []
    monkeypatch.setattr(
        vocabulary.Heartbeat, "reached", lambda _, text: reached.append(text)
    )
    lines = ["The cat sat.", "The dog " * 1_000_000, "never read"]
    pieces = vocabulary.train(lines, 30, do_lower_case=True, megabytes=1)
    assert pieces[: len(RESERVED)] == RESERVED
    assert {"c", "d"} < set(pieces) and "v" not in pieces
    assert reached == ["0.0 million characters", "8.0 million characters"]
    assert said(capsys) == [
        "importing TensorFlow",
        "reading text for the vocabulary",
        # "the", "cat", "sat", "dog" and the full stop.
        "learning the vocabulary from 5 distinct words",
    ]


def test_training_is_that_of_tensorflow_text():
    from tensorflow_text.tools.wordpiece_vocab import bert_vocab_from_dataset

    words = [f"{stem}{end}" for stem in "ab ac" for end in ("s", "Ed", "é")]
    lines = [" ".join(words[:n]) for n in range(1, len(words))] * 20
    for lower_case in (True, False):
        expected = bert_vocab_from_dataset.bert_vocab_from_dataset(
            tf.data.Dataset.from_tensor_slices(lines).batch(7),
            vocab_size=30,
            reserved_tokens=RESERVED,
            bert_tokenizer_params={"lower_case": lower_case},
        )
        assert vocabulary.train(lines, 30, lower_case, 1) == expected
