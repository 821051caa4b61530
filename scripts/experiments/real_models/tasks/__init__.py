"""Tasks that runs train on: data, model and measures, one a file."""

import importlib
from collections.abc import Mapping


def task_of(experiment: Mapping, paths: Mapping[str, str]):
    """Returns the task of an experiment.

    Args:
        experiment: The experiment.
        paths: Paths of the data, by name.
    """
    name = experiment["task"]
    module = importlib.import_module(f"{__name__}.{name}")
    return getattr(module, name.title().replace("_", ""))(experiment, paths)
