"""Reads the files of GLUE's tasks, and others with columns of sentences."""

import csv
import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence

from command_line import InputError
from command_line import files

# Metrics of tasks, by the names of Model Garden. The last one is for numbers.
CORRELATION = "pearson_spearman_corr"
METRICS = ("accuracy", "f1", "matthews_corrcoef", CORRELATION)
# Records hold numbers of 32 bits.
_LARGEST = 3.4e38
_PAIR = ("entailment", "not_entailment")


@dataclasses.dataclass(frozen=True)
class Task:
    """Describes the columns of a task's files.

    Attributes:
        sentences: Columns of the sentences, one or two.
        label: Column of the label.
        labels: The labels in the order of their classes, `None` where they are
            numbers to predict.
        metric: Metric of the task, one of `METRICS`.
        columns: Names of all columns, if they are known.
        has_header: Whether the first line names the columns.
    """

    sentences: tuple[str, ...]
    label: str
    labels: tuple[str, ...] | None
    metric: str
    columns: tuple[str, ...] | None
    has_header: bool = True


TASKS = {
    "cola": Task(
        ("sentence",),
        "label",
        ("0", "1"),
        "matthews_corrcoef",
        ("source", "label", "judgement", "sentence"),
        has_header=False,
    ),
    "mrpc": Task(
        ("#1 String", "#2 String"),
        "Quality",
        ("0", "1"),
        "f1",
        ("Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"),
    ),
    "qnli": Task(
        ("question", "sentence"),
        "label",
        _PAIR,
        "accuracy",
        ("index", "question", "sentence", "label"),
    ),
    "rte": Task(
        ("sentence1", "sentence2"),
        "label",
        _PAIR,
        "accuracy",
        ("index", "sentence1", "sentence2", "label"),
    ),
    "sst2": Task(
        ("sentence",), "label", ("0", "1"), "accuracy", ("sentence", "label")
    ),
    "stsb": Task(
        ("sentence1", "sentence2"),
        "score",
        None,
        CORRELATION,
        (
            *("index", "genre", "filename", "year", "old_index"),
            *("source1", "source2", "sentence1", "sentence2", "score"),
        ),
    ),
}


def own_task(
    path: str, sentences: Sequence[str], label: str, metric: str
) -> Task:
    """Returns the task of a file whose first line names its columns.

    Args:
        path: The file to train on.
        sentences: Names of the columns of the sentences, one or two.
        label: Name of the column of the label.
        metric: One of `METRICS`.

    Returns:
        The task, with the labels in this file unless they are numbers.

    Raises:
        InputError: If the file cannot be used.
    """
    task = Task(tuple(sentences), label, None, metric, None)
    names = (*sentences, label)
    if len({*names}) < len(names):
        raise InputError(
            "`--label` and --sentences must name different columns. Received: "
            f"--label={label}, --sentences={' '.join(sentences)}"
        )
    if metric == CORRELATION:
        return task
    labels = {line[-1] for _, line in _lines("--train", path, task)}
    # An example without a label is an error of its line.
    found = sorted(labels - {""})
    several = metric == "accuracy"
    if len({name.strip() for name in found}) < len(found):
        raise InputError(
            "`--label` must name a column of labels that differ by more than "
            f"white space; there are {', '.join(map(repr, found))[:200]}. "
            f"Received: --label={label}"
        )
    if len(found) < 2 or len(found) > 2 and not several:
        number = "or more" if several else f"for {metric}"
        raise InputError(
            f"`--label` must name a column of two labels {number}; it has "
            f"{len(found)}. Received: --label={label}"
        )
    return dataclasses.replace(task, labels=tuple(found))


def read(argument: str, path: str, task: Task) -> list[tuple]:
    """Returns the examples of a file.

    Args:
        argument: Name of the command line's argument, for errors.
        path: The file, compressed or not. Where its name ends in `.csv`, before
            that of a compression, commas separate its columns and quotes may
            enclose them. Otherwise tabs do, and a quote is a character.
        task: Its layout.

    Returns:
        List of tuples of the sentences and the label, a string or, where
        labels are numbers, a float.

    Raises:
        InputError: If a line does not have this layout.
    """
    examples = []
    for number, (*sentences, label) in _lines(argument, path, task):
        try:
            label = _parsed(label, task)
        except ValueError as error:
            expected = "a number"
            if task.labels:
                expected = " or ".join(task.labels)[:200]
            raise InputError(
                f"`{argument}` must have {expected} in the column "
                f"{task.label!r}; line {number} has {label[:60]!r}. "
                f"Received: {argument}={path}"
            ) from error
        examples.append((*sentences, label))
    if not examples:
        raise InputError(
            f"`{argument}` must hold examples; there is none. "
            f"Received: {argument}={path}"
        )
    return examples


def _parsed(label, task):
    """Returns a label, or raises `ValueError`."""
    if task.labels is None:
        number = float(label)
        if not abs(number) <= _LARGEST:
            raise ValueError
        return number
    if label not in task.labels:
        raise ValueError
    return label


def _lines(
    argument: str, path: str, task: Task
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yields the lines' numbers, and their sentences and labels."""
    path = files.find_one(argument, path)
    rows = _rows(argument, path)
    columns = task.columns
    if task.has_header:
        _, first = next(rows, (1, []))
        columns = columns or tuple(first)
        _check_header(argument, path, task, columns, first)
    places = [columns.index(name) for name in (*task.sentences, task.label)]
    for number, row in rows:
        if len(row) != len(columns):
            raise InputError(
                f"`{argument}` must have {len(columns)} columns, "
                f"{', '.join(columns)}; line {number} has {len(row)} and "
                f"begins with {' '.join(row)[:60]!r}. "
                f"Received: {argument}={path}"
            )
        yield number, tuple(row[place] for place in places)


def _check_header(argument, path, task, columns, first):
    """Raises `InputError` if a first line does not name the columns."""
    received = f"Received: {argument}={path}"
    if task.columns and tuple(first) != task.columns:
        raise InputError(
            f"`{argument}` must begin with a line that names the columns, "
            f"{', '.join(task.columns)}; --sentences and --label take files of "
            f"other columns. {received}"
        )
    for option, names in (
        ("--sentences", task.sentences),
        ("--label", [task.label]),
    ):
        for name in names:
            if columns.count(name) != 1:
                raise InputError(
                    f"`{option}` must name columns that the first line of the "
                    f"file has once, {', '.join(columns)[:200]}; {name!r} is "
                    f"there {columns.count(name)} times. Only names that end "
                    f"in .csv are read as CSV. {received}"
                )


def _rows(argument, path):
    """Yields the lines' numbers and their columns."""
    stem = path.lower()
    for suffix in (".gz", ".bz2", ".xz", ".zip"):
        stem = stem.removesuffix(suffix)
    with files.open_text(argument, path) as file:
        lines = _unmarked(file)
        if stem.endswith(".csv"):
            reader = csv.reader(lines, strict=True)
            try:
                for row in reader:
                    if row:
                        yield reader.line_num, row
            except csv.Error as error:
                raise InputError(
                    f"`{argument}` must be CSV; line {reader.line_num}: "
                    f"{error}. Received: {argument}={path}"
                ) from error
        else:
            for number, line in enumerate(lines, start=1):
                yield number, line.rstrip("\n").split("\t")


def _unmarked(lines):
    """Yields lines without the mark that some editors begin a file with."""
    for number, line in enumerate(lines):
        yield line if number else line.removeprefix("\ufeff")
