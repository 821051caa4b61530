"""GLUE files: lines of both tasks, good and bad."""

import gzip

import pytest

from bert import glue
from command_line import InputError

HEADER = "index\tsentence1\tsentence2\tlabel"
COLA = {
    "gj04\t1\t\tThe cat sat.": ("The cat sat.", "1"),
    "gj04\t0\t*\tCat the sat.": ("Cat the sat.", "0"),
    'r-67\t1\t\t"Go," he "said': ('"Go," he "said', "1"),
    # Python, but no editor and no reader of GLUE, has lines end here.
    "bc01\t0\t\tKäfer\x85 sit\u2028 well": ("Käfer\x85 sit\u2028 well", "0"),
}
RTE = {
    "0\tIt rains.\tIt is wet.\tentailment": (
        *("It rains.", "It is wet."),
        "entailment",
    ),
    "1\tIt rains.\tIt snows.\tnot_entailment": (
        *("It rains.", "It snows."),
        "not_entailment",
    ),
}
FILES = {"cola": COLA, "rte": RTE}
HEADERS = {"cola": [], "rte": [HEADER]}


def save(folder, task, *lines):
    path = folder / f"{task}.tsv"
    path.write_text("\n".join([*HEADERS[task], *lines]) + "\n", "utf-8")
    return str(path)


def read(path, task):
    return glue.read("--train", str(path), glue.TASKS[task])


@pytest.mark.parametrize("task", FILES)
def test_a_line_gives_its_sentences_and_its_label(tmp_path, task):
    path = save(tmp_path, task, *FILES[task])
    assert read(path, task) == list(FILES[task].values())


@pytest.mark.parametrize("task", FILES)
def test_a_compressed_file_reads_as_the_plain_one(tmp_path, task):
    path = save(tmp_path, task, *FILES[task])
    with open(path, "rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
        packed.write(plain.read())
    assert read(f"{path}.gz", task) == read(path, task)


def test_lines_may_end_as_on_windows(tmp_path):
    path = tmp_path / "cola.tsv"
    path.write_bytes(b"a\t1\t\tIt is.\r\nb\t0\t\tIs it it.\r\n")
    assert read(path, "cola") == [("It is.", "1"), ("Is it it.", "0")]


@pytest.mark.parametrize(
    ("task", "bad"),
    [
        ("cola", ""),
        ("cola", "The cat sat."),
        ("cola", "gj04\t1\tThe cat sat."),
        ("cola", "gj04\t1\t\tThe cat\tsat."),
        ("cola", "gj04\t2\t\tThe cat sat."),
        ("cola", "gj04\t\t\tThe cat sat."),
        ("cola", "gj04\t01\t\tThe cat sat."),
        ("rte", ""),
        ("rte", "2\tIt rains.\tentailment"),
        ("rte", "2\tIt rains.\tIt is wet.\t"),
        ("rte", "2\tIt rains.\tIt is wet.\tneutral"),
        ("rte", "2\tIt rains.\tIt is wet.\tentailment\t"),
        ("rte", HEADER),
    ],
)
def test_a_bad_line_is_an_error_naming_it(tmp_path, task, bad):
    good = list(FILES[task])[:2]
    path = save(tmp_path, task, *good, bad, *good)
    number = len(HEADERS[task]) + len(good) + 1
    with pytest.raises(InputError) as caught:
        read(path, task)
    message = str(caught.value)
    assert message.startswith("`--train` must have 4 columns with ")
    assert f"line {number} is {bad[:60]!r}" in message
    assert " or ".join(glue.TASKS[task].labels) in message
    assert message.endswith(f". Received: --train={path}")


@pytest.mark.parametrize(
    ("task", "text", "problem"),
    [
        ("cola", "", "there is none"),
        ("rte", HEADER + "\n", "there is none"),
        ("rte", "", "names the columns"),
        ("rte", "0\tIt rains.\tIt pours.\tentailment\n", "names the columns"),
    ],
)
def test_a_file_without_examples_or_header_is_an_error(
    tmp_path, task, text, problem
):
    path = tmp_path / "bad.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=f"{problem}.*--train={path}$"):
        read(path, task)
