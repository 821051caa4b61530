"""Reads, writes and trains WordPiece vocabularies."""

import os
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from command_line import InputError
from command_line import files
from command_line import progress
from command_line.heartbeat import Heartbeat

# BERT's order. Records are padded with 0, so [PAD] has to come first.
RESERVED_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# Training time is proportional to the number of distinct words, and rarer words
# hardly matter: on 116 MB of text, 13 minutes with all, 4 with these.
_FREQUENT_WORDS = 100_000
# Hugging Face's file on the casing, which runs have too.
_TOKENIZER = "tokenizer_config.json"
# Settings of BERT's tokenizer in it, the usual first. The last two classes read
# any tokenizer, and BERT's too.
_BERTS = {
    "tokenizer_class": [
        "BertTokenizer",
        "BertTokenizerFast",
        "PreTrainedTokenizerFast",
        "TokenizersBackend",
    ],
    "do_basic_tokenize": [True],
    "tokenize_chinese_chars": [True],
    "word_tokenizer_type": ["basic"],
    "subword_tokenizer_type": ["wordpiece"],
}


def read(argument: str, path: str) -> list[str]:
    """Returns the pieces of a vocabulary file.

    Args:
        argument: Name of the command line's argument, for errors.
        path: Text file with one piece per line.

    Returns:
        The pieces, in order.

    Raises:
        InputError: If BERT cannot use the vocabulary.
    """
    path = files.find_one(argument, path)
    with files.open_text(argument, path) as file:
        pieces = [line.strip() for line in file]
    received = f"Received: {argument}={path}"
    missing = [token for token in RESERVED_TOKENS if token not in pieces]
    if missing:
        raise InputError(
            f"`{argument}` must hold the tokens {', '.join(RESERVED_TOKENS)}, "
            f"one a line; it lacks {', '.join(missing)}. {received}"
        )
    if pieces[0] != RESERVED_TOKENS[0]:
        raise InputError(
            f"`{argument}` must have {RESERVED_TOKENS[0]} in its first line, "
            f"since sequences are padded with 0; there is {pieces[0]!r}. "
            f"{received}"
        )
    if len(set(pieces)) < len(pieces):
        seen = set()
        twice = next(p for p in pieces if p in seen or seen.add(p))
        raise InputError(
            f"`{argument}` must hold each piece once; {twice!r} is there "
            f"twice. {received}"
        )
    return pieces


def write(path: str, pieces: Sequence[str]) -> None:
    """Writes a vocabulary file atomically.

    Args:
        path: The file to write.
        pieces: The pieces, in order.
    """
    with files.whole(path) as partial:
        with open(partial, "w", encoding="utf-8") as file:
            file.write("\n".join(pieces) + "\n")


def do_lower_case(argument: str, directory: str, pieces: Sequence[str]) -> bool:
    """Returns whether the text of a model is lower-cased.

    That is in `tokenizer_config.json`. Without it, a vocabulary with capital
    letters is of text that keeps them.

    Args:
        argument: Name of the command line's argument, for errors.
        directory: Directory of the model.
        pieces: Its vocabulary.

    Returns:
        Whether text is lower-cased and loses its accents.

    Raises:
        InputError: If the file cannot be read, or asks for tokens other than
            those of BERT.
    """
    path = os.path.join(directory, _TOKENIZER)
    found = {}
    if os.path.isfile(path):
        found = files.read_json(argument, path)
        if not isinstance(found, Mapping):
            found = {}
    lower = found.get("do_lower_case")
    if not isinstance(lower, bool):
        # Reserved tokens have capital letters in every vocabulary.
        lower = not any(
            piece != piece.lower()
            for piece in pieces
            if not (piece.startswith("[") and piece.endswith("]"))
        )
    # BERT's tokenizer removes accents where it lower-cases, and splits Chinese
    # text into its characters.
    for name, expected in {**_BERTS, "strip_accents": [lower]}.items():
        value = found.get(name)
        if value is not None and value not in expected:
            raise InputError(
                f"`{argument}` must have the tokenizer of BERT, whose {name} "
                f"is {expected[0]} here, not {value!r} as in {_TOKENIZER}. "
                f"Received: {argument}={directory}"
            )
    return lower


def write_casing(directory: str, do_lower_case: bool) -> None:
    """Writes whether the text of a model is lower-cased.

    Args:
        directory: Directory of the model.
        do_lower_case: Whether it is.
    """
    files.write_json(
        os.path.join(directory, _TOKENIZER), {"do_lower_case": do_lower_case}
    )


def train(
    lines: Iterable[str], vocab_size: int, do_lower_case: bool, megabytes: int
) -> list[str]:
    """Returns a vocabulary trained on text.

    Args:
        lines: Lines of text.
        vocab_size: Largest number of pieces, reserved tokens included.
        do_lower_case: Whether text is lower-cased and loses its accents.
        megabytes: Maximum number of characters to read, in millions.

    Returns:
        The pieces, the reserved tokens first.
    """
    progress.say("importing TensorFlow")
    import tensorflow as tf
    from tensorflow_text.python.ops import bert_tokenizer
    from tensorflow_text.tools.wordpiece_vocab import (
        wordpiece_tokenizer_learner_lib as learner,
    )

    # As tensorflow_text's bert_vocab_from_dataset, which reports no progress
    # (tools/wordpiece_vocab/bert_vocab_from_dataset.py, 2.20.1).
    with Heartbeat("reading text for the vocabulary") as beat:
        dataset = tf.data.Dataset.from_generator(
            lambda: _first(lines, 1e6 * megabytes, beat),
            output_signature=tf.TensorSpec((), tf.string),
        )
        tokenizer = bert_tokenizer.BasicTokenizer(lower_case=do_lower_case)
        word_counts = learner.count_words(
            dataset.batch(1000).map(tokenizer.tokenize)
        )
    words = min(len(word_counts), _FREQUENT_WORDS)
    with Heartbeat(f"learning the vocabulary from {words:,} distinct words"):
        return learner.learn(
            word_counts,
            vocab_size,
            RESERVED_TOKENS,
            max_input_tokens=_FREQUENT_WORDS,
        )


def _first(lines, characters, beat):
    """Yields lines up to a number of characters, and reports the number."""
    read = 0
    for line in lines:
        if read >= characters:
            return
        read += len(line)
        beat.reached(f"{read / 1e6:,.1f} million characters")
        yield line
