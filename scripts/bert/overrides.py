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

# What the YAML loader and Model Garden raise at a value that cannot be.
_NO_VALUE = (
    AttributeError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)
# The beginning of `trainer.max_to_keep=3,runtime.num_gpus=1`, which no mapping
# in YAML has.
_PAIR = re.compile(r"\s*[a-zA-Z][\w.]*(\[\d+\])?\s*=")


def apply(
    params: config_definitions.ExperimentConfig,
    given: Mapping | str,
    source: str,
) -> Mapping:
    """Overrides parameters.

    Args:
        params: Parameters, changed in place.
        given: Nested dicts, or a text that says the same.
        source: Where they come from, for errors.

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
    """Returns what YAML or pairs stand for.

    Args:
        text: YAML, or `key=value` pairs with a comma between them.
        source: Where it comes from, for the error.

    Returns:
        Nested dicts, if all is well.

    Raises:
        InputError: If it is neither.
    """
    try:
        if _PAIR.match(text):
            text = params_dict.nested_csv_str_to_json_str(text.strip())
        # Model Garden has taught this loader to read 1e-3 as a number
        # (official/modeling/hyperparams/params_dict.py, 2.20.0).
        given = yaml.full_load(text)
    # It also lets pass what Python has against a date, a number or depth.
    except (yaml.YAMLError, *_NO_VALUE) as error:
        raise InputError(
            f"`{source}` must be YAML, or key=value pairs with a comma "
            f"between them: {error}. Received: {source}"
        ) from error
    return {} if given is None else given


def _check_keys(given, config, path, source):
    """Raises `InputError` at the first key or value that cannot be meant."""
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
            # A schedule has arguments that the optimizer knows best.
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
