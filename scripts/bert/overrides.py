"""Overrides parameters by YAML, or by Model Garden's `key=value` pairs."""

import dataclasses
import difflib
import re
from collections.abc import Mapping

import yaml
from official.core import config_definitions
from official.modeling.hyperparams import base_config
from official.modeling.hyperparams import oneof
from official.modeling.hyperparams import params_dict

from command_line import InputError

# Errors of the YAML loader and of Model Garden for invalid values.
_NO_VALUE = (
    AttributeError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)
# The beginning of `trainer.max_to_keep=3,runtime.num_gpus=1`, which is not that
# of a YAML mapping.
_PAIR = re.compile(r"\s*[a-zA-Z][\w.]*(\[\d+\])?\s*=")


def apply(
    params: config_definitions.ExperimentConfig,
    given: Mapping | str,
    source: str,
) -> Mapping:
    """Overrides parameters.

    Args:
        params: Parameters, changed in place.
        given: Nested dicts, or a text for them.
        source: Their source, for errors.

    Returns:
        The nested dicts.

    Raises:
        InputError: If there is a key that does not exist, or a value that
            cannot be used.
    """
    if isinstance(given, str):
        given = read(given, source)
    try:
        _check_keys(given, params, (), source)
        params.override(given, is_strict=True)
    except _NO_VALUE as error:
        raise InputError(
            f"`{source}` must be settings that fit: {error}. Received: {source}"
        ) from error
    return given


def read(text: str, source: str) -> object:
    """Parses YAML or `key=value` pairs.

    Args:
        text: YAML, or `key=value` pairs with a comma between them.
        source: Its source, for the error.

    Returns:
        Nested dicts, if the text is a mapping.

    Raises:
        InputError: If it is neither.
    """
    try:
        if _PAIR.match(text):
            text = params_dict.nested_csv_str_to_json_str(text.strip())
        # Model Garden has configured this loader to read 1e-3 as a number
        # (official/modeling/hyperparams/params_dict.py, 2.20.0).
        given = yaml.full_load(text)
    # Invalid dates, long numbers and deep nesting raise Python's errors.
    except (yaml.YAMLError, *_NO_VALUE) as error:
        raise InputError(
            f"`{source}` must be YAML, or key=value pairs with a comma "
            f"between them: {error}. Received: {source}"
        ) from error
    return {} if given is None else given


def _check_keys(given, config, path, source):
    """Raises `InputError` for the first key or value that is invalid."""
    where = ".".join(path)
    if not isinstance(given, Mapping):
        raise InputError(
            f"`{where or 'YAML'}` must be a mapping of settings. "
            f"Received: {given!r} from {source}"
        )
    known = [field.name for field in dataclasses.fields(config)]
    for key, value in given.items():
        name = ".".join((*path, str(key)))
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            raise InputError(
                f"`{name}` must be a setting that exists, such as "
                f"{', '.join(close or sorted(known))}. "
                f"Received: {key}={value!r} from {source}"
            )
        default = getattr(config, key)
        if isinstance(config, oneof.OneOfConfig) and key == "type":
            choices = [choice for choice in known if choice != "type"]
            if value is not None and value not in choices:
                raise InputError(
                    f"`{name}` must be one of {', '.join(choices)}. "
                    f"Received: type={value!r} from {source}"
                )
        elif key == "clip_threshold" and isinstance(
            value, Mapping | int | float | None
        ):
            # The optimizer checks the arguments of a schedule.
            continue
        elif isinstance(default, base_config.Config):
            _check_keys(value, default, (*path, key), source)
        elif isinstance(default, int | float) and not isinstance(
            value, int | float | None
        ):
            raise InputError(
                f"`{name}` must be a number. "
                f"Received: {key}={value!r} from {source}"
            )
