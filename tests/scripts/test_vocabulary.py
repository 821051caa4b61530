"""Vocabulary files: what BERT cannot use, and that they read back."""

import re

import pytest
import vocabulary
from command_line import InputError

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


def test_a_missing_file_is_an_error(tmp_path):
    path = str(tmp_path / "none.txt")
    with pytest.raises(InputError, match=f"--vocab={re.escape(path)}$"):
        vocabulary.read("--vocab", path)
