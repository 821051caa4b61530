"""Reads the files of GLUE's CoLA and RTE."""

import dataclasses

from command_line import InputError
from command_line import files


@dataclasses.dataclass(frozen=True)
class Task:
    """Describes the layout of a task's tab-separated files.

    Attributes:
        columns: Number of columns.
        sentences: Columns of the sentences, one or two.
        label: Column of the label.
        labels: The labels, in the order of their classes.
        header: Names of the columns, if the first line contains them.
    """

    columns: int
    sentences: tuple[int, ...]
    label: int
    labels: tuple[str, ...]
    header: tuple[str, ...] | None


TASKS = {
    "cola": Task(4, (3,), 1, ("0", "1"), header=None),
    "rte": Task(
        4,
        (1, 2),
        3,
        ("entailment", "not_entailment"),
        header=("index", "sentence1", "sentence2", "label"),
    ),
}


def read(argument: str, path: str, task: Task) -> list[tuple[str, ...]]:
    """Returns the examples of a file.

    Args:
        argument: Name of the command line's argument, for errors.
        path: The file, compressed or not.
        task: Its layout.

    Returns:
        List of tuples of the sentences and the label.

    Raises:
        InputError: If a line does not have this layout.
    """
    path = files.find_one(argument, path)
    with files.open_text(argument, path) as file:
        lines = [line.rstrip("\n") for line in file]
    examples = []
    first = 1
    if task.header:
        if not lines or tuple(lines[0].split("\t")) != task.header:
            raise InputError(
                f"`{argument}` must begin with a line that names the columns, "
                f"{', '.join(task.header)}. Received: {argument}={path}"
            )
        first = 2
    for number, line in enumerate(lines[first - 1 :], start=first):
        values = line.split("\t")
        if len(values) != task.columns or values[task.label] not in task.labels:
            raise InputError(
                f"`{argument}` must have {task.columns} columns with "
                f"{' or '.join(task.labels)} in column {task.label + 1}; line "
                f"{number} is {line[:60]!r}. Received: {argument}={path}"
            )
        sentences = tuple(values[column] for column in task.sentences)
        examples.append((*sentences, values[task.label]))
    if not examples:
        raise InputError(
            f"`{argument}` must hold examples; there is none. "
            f"Received: {argument}={path}"
        )
    return examples
