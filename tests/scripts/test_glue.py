"""GLUE's files: lines of every task, good and bad."""

import gzip

import pytest

from bert import glue
from command_line import InputError

COLA = {
    "gj04\t1\t\tThe cat sat.": ("The cat sat.", "1"),
    "gj04\t0\t*\tCat the sat.": ("Cat the sat.", "0"),
    'r-67\t1\t\t"Go," he "said': ('"Go," he "said', "1"),
    # Python, but no editor and no reader of GLUE, has lines end here.
    "bc01\t0\t\tKäfer\x85 sit\u2028 well": ("Käfer\x85 sit\u2028 well", "0"),
}
MRPC = {
    "1\t70\t71\tIt rains.\tRain falls.": ("It rains.", "Rain falls.", "1"),
    '0\t72\t73\t"Go," he said.\tHe "went': ('"Go," he said.', 'He "went', "0"),
}
QNLI = {
    "0\tWho sat?\tThe cat sat.\tentailment": (
        *("Who sat?", "The cat sat."),
        "entailment",
    ),
    '1\tWhat is "it"?\t"It, a dog, ran.\tnot_entailment': (
        *('What is "it"?', '"It, a dog, ran.'),
        "not_entailment",
    ),
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
SST2 = {
    "a fine , warm film \t1": ("a fine , warm film ", "1"),
    "`` cold '' and \" dull \t0": ("`` cold '' and \" dull ", "0"),
}
STSB = {
    "0\tvideo\tf-1\t2012test\t24\tnone\tnone\tIt rains.\tRain falls.\t4.75": (
        *("It rains.", "Rain falls."),
        4.75,
    ),
    '1\tnews\tf-2\t2013\t0005\ta\t"b\t"It" is.\tIs "it?\t0': (
        *('"It" is.', 'Is "it?'),
        0.0,
    ),
    "2\tnews\tf-2\t2013\t0006\ta\tb\tIt is.\tIt was.\t3.333": (
        *("It is.", "It was."),
        3.333,
    ),
}
FILES = {
    "cola": COLA,
    "mrpc": MRPC,
    "qnli": QNLI,
    "rte": RTE,
    "sst2": SST2,
    "stsb": STSB,
}
COLUMNS = {
    "cola": "source\tlabel\tjudgement\tsentence",
    "mrpc": "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String",
    "qnli": "index\tquestion\tsentence\tlabel",
    "rte": "index\tsentence1\tsentence2\tlabel",
    "sst2": "sentence\tlabel",
    "stsb": "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\t"
    "sentence1\tsentence2\tscore",
}
# CoLA's files begin with an example.
HEADERS = {**{task: [line] for task, line in COLUMNS.items()}, "cola": []}
MARK = "\ufeff"


def save(folder, task, *lines, start=""):
    path = folder / f"{task}.tsv"
    text = "".join(f"{line}\n" for line in (*HEADERS[task], *lines))
    path.write_text(start + text, "utf-8")
    return str(path)


def read(path, task):
    return glue.read("--train", str(path), glue.TASKS[task])


def error(path, task):
    with pytest.raises(InputError) as caught:
        read(path, task)
    message = str(caught.value)
    assert message.startswith("`--train` must ")
    assert message.endswith(f". Received: --train={path}")
    return message


def test_there_are_no_other_tasks():
    assert glue.TASKS.keys() == FILES.keys()


@pytest.mark.parametrize("task", FILES)
def test_a_line_gives_its_sentences_and_its_label(tmp_path, task):
    path = save(tmp_path, task, *FILES[task])
    assert read(path, task) == list(FILES[task].values())


@pytest.mark.parametrize("task", FILES)
def test_a_file_may_begin_with_the_mark_of_an_editor(tmp_path, task):
    path = save(tmp_path, task, *FILES[task], start=MARK)
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
    ("task", "metric", "labels"),
    [
        ("cola", "matthews_corrcoef", ("0", "1")),
        ("mrpc", "f1", ("0", "1")),
        ("qnli", "accuracy", ("entailment", "not_entailment")),
        ("rte", "accuracy", ("entailment", "not_entailment")),
        ("sst2", "accuracy", ("0", "1")),
        ("stsb", "pearson_spearman_corr", None),
    ],
)
def test_a_task_has_the_metric_and_the_labels_of_glue(task, metric, labels):
    assert glue.TASKS[task].metric == metric
    assert glue.TASKS[task].labels == labels


@pytest.mark.parametrize(
    ("task", "bad", "columns"),
    [
        ("cola", "", 1),
        ("cola", "The cat sat.", 1),
        ("cola", "gj04\t1\tThe cat sat.", 3),
        ("cola", "gj04\t1\t\tThe cat\tsat.", 5),
        ("mrpc", "1\tIt rains.\tRain falls.", 3),
        ("mrpc", "1\t70\t71\tIt rains.\tRain\tfalls.", 6),
        ("qnli", "2\tWho sat?\tentailment", 3),
        ("rte", "", 1),
        ("rte", "2\tIt rains.\tentailment", 3),
        ("rte", "2\tIt rains.\tIt is wet.\tentailment\t", 5),
        ("sst2", "a fine film", 1),
        ("sst2", "a fine\tfilm\t1", 3),
        ("stsb", "3\tnews\tf-2\t2013\t7\ta\tb\tIt is.\tIt was.", 9),
    ],
)
def test_a_line_of_too_few_columns_or_too_many_is_named(
    tmp_path, task, bad, columns
):
    good = list(FILES[task])[:2]
    message = error(save(tmp_path, task, *good, bad, *good), task)
    names = COLUMNS[task].split("\t")
    assert f"must have {len(names)} columns, {', '.join(names)};" in message
    number = len(HEADERS[task]) + len(good) + 1
    begins = bad.replace("\t", " ")
    found = f"line {number} has {columns} and begins with {begins!r}."
    assert found in message


@pytest.mark.parametrize(
    ("task", "bad", "label"),
    [
        ("cola", "gj04\t2\t\tThe cat sat.", "2"),
        ("cola", "gj04\t\t\tThe cat sat.", ""),
        ("cola", "gj04\t01\t\tThe cat sat.", "01"),
        ("mrpc", "yes\t70\t71\tIt rains.\tRain falls.", "yes"),
        ("mrpc", COLUMNS["mrpc"], "Quality"),
        ("qnli", "2\tWho sat?\tThe cat sat.\t", ""),
        ("rte", "2\tIt rains.\tIt is wet.\t", ""),
        ("rte", "2\tIt rains.\tIt is wet.\tneutral", "neutral"),
        ("rte", COLUMNS["rte"], "label"),
        ("sst2", "a fine film\t-1", "-1"),
        ("sst2", "a fine film\t1.0", "1.0"),
        *(
            ("stsb", f"3\tnews\tf-2\t2013\t7\ta\tb\tIt.\tIt.\t{label}", label)
            for label in ("", "good", "4,5", "nan", "inf", "-inf", "1e39")
        ),
    ],
)
def test_a_label_that_the_task_does_not_have_is_named(
    tmp_path, task, bad, label
):
    good = list(FILES[task])[:2]
    message = error(save(tmp_path, task, *good, bad, *good), task)
    column, expected = {
        "cola": ("label", "0 or 1"),
        "mrpc": ("Quality", "0 or 1"),
        "qnli": ("label", "entailment or not_entailment"),
        "rte": ("label", "entailment or not_entailment"),
        "sst2": ("label", "0 or 1"),
        "stsb": ("score", "a number"),
    }[task]
    number = len(HEADERS[task]) + len(good) + 1
    assert f"must have {expected} in the column {column!r};" in message
    assert f"; line {number} has {label!r}." in message


@pytest.mark.parametrize("task", FILES)
def test_a_file_without_examples_is_an_error(tmp_path, task):
    assert "must hold examples" in error(save(tmp_path, task), task)


@pytest.mark.parametrize("task", [task for task in FILES if HEADERS[task]])
def test_the_first_line_names_the_columns_in_their_order(tmp_path, task):
    columns = COLUMNS[task].split("\t")
    example = next(iter(FILES[task]))
    firsts = ("", example, f"{COLUMNS[task]}\tmore", "\t".join(columns[::-1]))
    path = tmp_path / f"{task}.tsv"
    for first in firsts:
        path.write_text(f"{first}\n{example}\n", "utf-8")
        message = error(path, task)
        assert f"names the columns, {', '.join(columns)};" in message
