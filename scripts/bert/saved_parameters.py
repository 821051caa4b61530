"""Reads and writes the parameters in a run's directory."""

import os
from collections.abc import Mapping

from official.core import config_definitions
from official.core import exp_factory
from official.modeling import hyperparams

import keras_clip.model_garden  # noqa: F401 registers the experiments
from bert import overrides
from command_line import InputError
from command_line import files

# The experiments and the scripts that run them.
_SCRIPTS = {
    "keras_clip/bert/pretraining": "pretrain_bert.py",
    "keras_clip/bert/squad": "finetune_squad.py",
    "keras_clip/bert/sentence_prediction": "finetune_glue.py",
}


def read(
    experiment: str, argument: str, model_dir: str
) -> config_definitions.ExperimentConfig:
    """Returns the parameters in a run's directory.

    Args:
        experiment: Name of the run's experiment.
        argument: Name of the command line's argument, for the error.
        model_dir: Directory of the run.

    Returns:
        The parameters.

    Raises:
        InputError: If the directory does not belong to such a run.
    """
    settings = _settings(argument, model_dir)
    here = _experiment(settings)
    if here not in (experiment, None):
        way_out = ""
        if _SCRIPTS[here] == "pretrain_bert.py":
            way_out = (
                ", a pretraining run that is still to be finetuned, by "
                f"{_SCRIPTS[experiment]} with --pretrained {model_dir}"
            )
        raise InputError(
            f"`{argument}` must be the directory of a run of "
            f"{_SCRIPTS[experiment]}, not of {_SCRIPTS[here]}{way_out}. "
            f"Received: {argument}={model_dir}"
        )
    return _parameters(experiment, settings, f"{argument}={model_dir}")


def read_any(
    argument: str, model_dir: str
) -> config_definitions.ExperimentConfig:
    """Returns the parameters in the directory of a run of any script.

    Args:
        argument: Name of the command line's argument, for the error.
        model_dir: Directory of the run.

    Returns:
        The parameters.

    Raises:
        InputError: If the directory does not belong to a run.
    """
    settings = _settings(argument, model_dir)
    experiment = _experiment(settings)
    if experiment is None:
        raise InputError(
            f"`{argument}` must be the directory of a run of "
            f"{', '.join(_SCRIPTS.values())}. Received: {argument}={model_dir}"
        )
    return _parameters(experiment, settings, f"{argument}={model_dir}")


def write(params: config_definitions.ExperimentConfig, model_dir: str) -> None:
    """Writes all parameters to a run's directory.

    Args:
        params: Parameters of the run.
        model_dir: Its directory.
    """
    with files.whole(os.path.join(model_dir, "params.yaml")) as partial:
        hyperparams.save_params_dict_to_yaml(params, partial)


def _settings(argument, model_dir):
    path = os.path.join(model_dir, "params.yaml")
    if not os.path.exists(path):
        raise InputError(
            f"`{argument}` must be the directory of a training run; it has no "
            f"params.yaml. Received: {argument}={model_dir}"
        )
    with files.open_text(argument, path) as file:
        return overrides.read(file.read(), f"{argument}={model_dir}")


def _parameters(experiment, settings, source):
    params = exp_factory.get_exp_config(experiment)
    overrides.apply(params, settings, source)
    return params


def _experiment(settings):
    """Returns the experiment whose task has exactly these settings, if any."""
    task = settings.get("task") if isinstance(settings, Mapping) else None
    if isinstance(task, Mapping):
        for experiment in _SCRIPTS:
            known = exp_factory.get_exp_config(experiment).task.as_dict()
            if known.keys() == task.keys():
                return experiment
    return None
