"""Reads plain text of any size as documents, a few at a time in memory.

A document ends at a blank line or at the end of a file. A line may hold a
sentence or a paragraph.
"""

import re
import unicodedata
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from command_line import InputError
from command_line import files

_SENTENCE_END = re.compile(r'(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.) +(?=[A-Z"“*(])')
# Limits on text in memory, for files without line ends or blank lines.
_LINE_CHARACTERS = 2**20
_DOCUMENT_SENTENCES = 10_000


def is_blank(text: str) -> bool:
    """Returns whether BERT's tokenizer finds nothing in a text.

    The tokenizer drops control and zero-width characters, U+FFFD, and accents
    without a letter (official/nlp/tools/tokenization.py, 2.20.0).

    Args:
        text: Any text.

    Returns:
        Whether the text has no tokens.
    """
    return all(
        character.isspace()
        or character == "\ufffd"
        or unicodedata.category(character) in ("Cc", "Cf", "Mn")
        for character in text
    )


def sentences(paragraph: str) -> list[str]:
    """Returns the sentences of a paragraph.

    Args:
        paragraph: Prose on one line.

    Returns:
        The sentences, in order.
    """
    return _SENTENCE_END.split(paragraph)


def lines_of_files(argument: str, paths: Sequence[str]) -> Iterator[str]:
    """Yields the lines of text files, and a blank line after each file.

    Args:
        argument: Name of the command line's argument, for errors.
        paths: Text files, compressed or not.

    Yields:
        Lines.
    """
    for path in paths:
        with files.open_text(argument, path) as file:
            yield from iter(lambda f=file: f.readline(_LINE_CHARACTERS), "")
        yield ""


def lines_of_dataset(name: str, split: str, feature: str) -> Iterator[str]:
    """Yields the lines of a TensorFlow dataset, whose examples are documents.

    Args:
        name: Name of the dataset, such as `wikipedia/20230601.en`.
        split: Its split, such as `train[:10%]`.
        feature: The feature that holds the text.

    Yields:
        Lines, a blank one after each example.

    Raises:
        InputError: If there is no such dataset, split or feature.
    """
    import tensorflow_datasets as tfds

    try:
        dataset = tfds.load(name, split=split)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        raise InputError(
            "`--tfds` must name a TensorFlow dataset and --tfds_split a split "
            f"of it: {error}. Received: --tfds={name}, --tfds_split={split}"
        ) from error
    for example in tfds.as_numpy(dataset):
        if feature not in example:
            raise InputError(
                f"`--tfds_feature` must be one of {', '.join(example)}. "
                f"Received: --tfds_feature={feature}"
            )
        text = example[feature]
        if not isinstance(text, bytes):
            raise InputError(
                f"`--tfds_feature` must hold text, not {text!r:.60}. "
                f"Received: --tfds_feature={feature}"
            )
        yield from text.decode("utf-8").splitlines()
        yield ""


def documents(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yields documents as lists of sentences.

    Args:
        lines: Lines of text, a blank one after each document.

    Yields:
        Non-empty lists of sentences, none of them blank.
    """
    document = []
    for line in lines:
        line = " ".join(line.split())
        if line:
            document += [s for s in sentences(line) if not is_blank(s)]
        if document and (not line or len(document) >= _DOCUMENT_SENTENCES):
            yield document
            document = []
    if document:
        yield document
