"""Text of any size as documents, a few at a time."""

import gzip
import itertools
import unicodedata

import pytest
from official.nlp.tools import tokenization

from bert import texts

# Read so far ahead at most, whatever the text.
BOUND = 10_000


def documents(*lines):
    return list(texts.documents(lines))


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("One here. Two there.", ["One here.", "Two there."]),
        ("Who? Me! Yes.", ["Who?", "Me!", "Yes."]),
        ('He said. "Go." (She went.)', ["He said.", '"Go." (She went.)']),
        ("He left. “Go.”", ["He left.", "“Go.”"]),
        ("Beasts, e.g. Cats, i.e. Tom.", ["Beasts, e.g. Cats, i.e. Tom."]),
        ("It cost 3.50 in all. now.", ["It cost 3.50 in all. now."]),
        ("no end", ["no end"]),
    ],
)
def test_a_paragraph_is_split_where_sentences_end(paragraph, expected):
    assert texts.sentences(paragraph) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        (["\n", "  \t\n", ""], []),
        (["a\n", "b\n"], [["a", "b"]]),
        (["a\n", "\n", "b\n"], [["a"], ["b"]]),
        (["\n", "a\n", "\n", "\n", "b\n", "\n"], [["a"], ["b"]]),
        (["a\n", " \t \n", "b"], [["a"], ["b"]]),
        (["  a \t b\u3000c \r\n"], [["a b c"]]),
        (["A b. C d.\n", "E.\n"], [["A b.", "C d.", "E."]]),
    ],
)
def test_a_blank_line_ends_a_document(lines, expected):
    assert documents(*lines) == expected


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_a_text_is_blank_if_the_tokenizer_finds_nothing(do_lower_case):
    tokenizer = tokenization.BasicTokenizer(do_lower_case)
    for number in range(0x11000):
        character = chr(number)
        found = bool(tokenizer.tokenize(character))
        # Accents that stand alone are kept only where case is.
        if do_lower_case or unicodedata.category(character) != "Mn":
            assert found != texts.is_blank(character), hex(number)
    assert texts.is_blank("") and texts.is_blank(" \u200b\t\0")
    assert not texts.is_blank("\u200ba\0")


def test_a_line_that_the_tokenizer_finds_nothing_in_is_no_sentence():
    assert documents("\u200b\n", "a\n", "\0\n", "b\n") == [["a", "b"]]
    assert documents("\u200b\n", "\n", "\ufffd\n") == []


def test_text_without_blank_lines_makes_bounded_documents():
    lines = [f"line {number}" for number in range(5 * BOUND // 2)]
    found = documents(*lines)
    assert list(itertools.chain(*found)) == lines
    assert max(map(len, found)) <= BOUND


def test_documents_are_read_as_they_are_asked_for():
    read = 0

    def lines():
        nonlocal read
        for read in itertools.count(1):
            yield "\n" if read % 3 == 0 else f"{read}\n"

    stream = texts.documents(lines())
    assert read == 0
    assert next(stream) == ["1", "2"]
    assert read == 3
    assert next(stream) == ["4", "5"]
    assert read == 6


def test_endless_text_without_blank_lines_is_read_a_bounded_way_ahead():
    numbers = itertools.count()
    next(texts.documents(f"{number}" for number in numbers))
    assert next(numbers) <= BOUND + 1


def test_a_document_ends_where_a_file_ends(tmp_path):
    plain = tmp_path / "a.txt"
    plain.write_text("one\ntwo")
    packed = tmp_path / "b.txt.gz"
    with gzip.open(packed, "wt", encoding="utf-8") as file:
        file.write("drei\n\nKäfer\n")
    lines = texts.lines_of_files("--input", [str(plain), str(packed)])
    assert documents(*lines) == [["one", "two"], ["drei"], ["Käfer"]]


def test_a_file_is_opened_when_its_turn_comes(tmp_path):
    (tmp_path / "a.txt").write_text("one\n")
    paths = [str(tmp_path / "a.txt"), str(tmp_path / "later.txt")]
    stream = texts.documents(texts.lines_of_files("--input", paths))
    assert next(stream) == ["one"]
    (tmp_path / "later.txt").write_text("two\n")
    assert list(stream) == [["two"]]


def test_a_line_without_end_is_read_in_bounded_parts(tmp_path):
    text = "word " * 500_000
    (tmp_path / "a.txt").write_text(text)
    lines = list(texts.lines_of_files("--input", [str(tmp_path / "a.txt")]))
    assert "".join(lines) == text
    assert max(map(len, lines)) <= 2**20


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core import constants

    class FourTexts(tfds.core.GeneratorBasedBuilder):
        """Four texts of three sentences on two lines."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            text = tfds.features.Text()
            return self.dataset_info_from_configs(
                features=tfds.features.FeaturesDict(
                    {"title": text, "body": text}
                )
            )

        def _split_generators(self, manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for number in range(4):
                body = f"Käfer {number}. And\nmore\n"
                yield number, {"title": f"title {number}", "body": body}

    with pytest.MonkeyPatch.context() as patch:
        folder = str(tmp_path_factory.mktemp("datasets"))
        patch.setattr(constants, "DATA_DIR", folder)
        yield FourTexts.name


@pytest.mark.parametrize(
    ("split", "feature", "count", "form"),
    [
        ("train", "body", 4, ["Käfer {}.", "And", "more"]),
        ("train", "title", 4, ["title {}"]),
        ("train[:50%]", "title", 2, ["title {}"]),
    ],
)
def test_an_example_of_a_dataset_is_a_document(
    dataset, split, feature, count, form
):
    every = [[text.format(number) for text in form] for number in range(4)]
    found = documents(*texts.lines_of_dataset(dataset, split, feature))
    # TensorFlow Datasets shuffles as it writes.
    assert len(found) == count
    assert all(document in every for document in found)
    assert len(set(map(tuple, found))) == count
