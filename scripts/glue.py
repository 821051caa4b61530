"""Reads the files of GLUE's CoLA and RTE."""

import dataclasses

import files
from command_line import InputError


@dataclasses.dataclass(frozen=True)
class Task:
    """Layout of a task's tab-separated files.

    Attributes:
        columns: Number of columns.
        sentences: Columns of the sentences, one or two.
        label: Column of the label.
        labels: The labels, in the order of their classes.
        has_header: Whether the first line names the columns.
    """

    columns: int
    sentences: tuple[int, ...]
    label: int
    labels: tuple[str, ...]
    has_header: bool


TASKS = {
    "cola": Task(4, (3,), 1, ("0", "1"), has_header=False),
    "rte": Task(
        4, (1, 2), 3, ("entailment", "not_entailment"), has_header=True
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
        InputError: If a line is not as the task has it.
    """
    (path,) = files.find(argument, [path])
    with files.open_text(argument, path) as file:
        lines = file.read().splitlines()
    examples = []
    for number, line in enumerate(lines, start=1):
        if number == 1 and task.has_header:
            continue
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
