"""Options that take several values, over every command of the project.

`--config A --config B` is `--config A B`: what is given first is not dropped,
and the default is not mixed into it.
"""

import argparse
import copy
import importlib.util
import io
import json
import os
import re
import sys
from pathlib import Path

import pytest

import command_line
from command_line import Parser

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
COMMANDS = sorted(
    path
    for path in (*SCRIPTS.rglob("*.py"), SCRIPTS / "../keras_clip/noise")
    if path.is_dir() or re.search(r"^def parser\(", path.read_text(), re.M)
)
OTHERS = sorted(
    path
    for path in SCRIPTS.rglob("*.py")
    if "argparse.ArgumentParser(" in path.read_text()
)


def parser_of(path):
    """Returns the parser of a command, with nothing required any more."""
    path = path / "__main__.py" if path.is_dir() else path
    spec = importlib.util.spec_from_file_location("command", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    parser = module.parser()
    for action in parser._actions:
        action.required = False
        if not action.option_strings:
            action.nargs = "?"
    for group in parser._mutually_exclusive_groups:
        group.required = False
    return parser


def takes_several(action):
    gathers = argparse._AppendAction | argparse._ExtendAction
    return action.option_strings and (
        isinstance(action, gathers) or action.nargs in ("+", "*")
    )


def values(parser, line, action):
    # What a command does with a list must not change the default either.
    return copy.copy(getattr(parser.parse_args(line), action.dest))


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_importing_a_command_leaves_the_backend_of_others(path, monkeypatch):
    # Processes that are started afterwards would run on it.
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    parser_of(path)
    assert os.environ["KERAS_BACKEND"] == "tensorflow"


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_an_option_given_again_keeps_what_was_given_before(path):
    parser = parser_of(path)
    for action in filter(takes_several, parser._actions):
        name = action.option_strings[0]
        first, second, third = (action.choices or ("3", "5", "7"))[:3]
        kind = action.type or str
        expected = [kind(first), kind(second)]
        assert values(parser, [name, first, name, second], action) == expected
        assert values(parser, [name, third], action) == [kind(third)]
        if action.nargs in ("+", "*"):
            assert values(parser, [name, first, second], action) == expected
            line = [name, first, second, name, third]
            assert values(parser, line, action) == [*expected, kind(third)]
        assert getattr(parser.parse_args([]), action.dest) == action.default


def test_the_options_that_take_several_values_are_found():
    found = {
        f"{path.stem} {action.option_strings[0]}"
        for path in COMMANDS
        for action in filter(takes_several, parser_of(path)._actions)
    }
    assert found >= {
        "finetune_glue --config",
        "finetune_squad --config",
        "finetune_squad --params_override",
        "kerashub_bert --points",
        "noise --import",
        "prepare_pretraining_data --input",
        "pretrain_bert --config",
        "run --modes",
        "run --optimizers",
        "run --shapes",
        "study --images_per_batch",
        "study --only",
        "study --points",
        "try_rates --only",
    }


def test_a_command_without_a_function_for_its_parser_takes_single_values():
    assert "run.py" in {path.name for path in OTHERS}
    assert not any("nargs" in path.read_text() for path in OTHERS)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_help_tells_no_default_of_a_switch(path):
    # With store_false, argparse would tell that `--cased` is on by default.
    text = parser_of(path).format_help()
    assert "(default: True)" not in text
    assert "(default: False)" not in text


@pytest.mark.parametrize(
    "name",
    ["prepare_glue_data", "prepare_pretraining_data", "prepare_squad_data"],
)
def test_text_is_lower_cased_unless_it_is_to_stay_cased(name):
    parser = parser_of(SCRIPTS / f"{name}.py")
    text = " ".join(parser.format_help().split())
    assert "keep upper case and accents; text is lower-cased otherwise" in text
    assert parser.parse_args([]).do_lower_case
    assert not parser.parse_args(["--cased"]).do_lower_case


@pytest.mark.parametrize(
    ("encoding", "value", "shown"),
    [
        ("utf-8", {"Käfer": "甲虫"}, '{"Käfer": "甲虫"}'),
        ("latin-1", {"Käfer": "甲虫"}, r'{"K\u00e4fer": "\u7532\u866b"}'),
        ("ascii", {"Käfer": "甲虫"}, r'{"K\u00e4fer": "\u7532\u866b"}'),
        # Half a character.
        ("utf-8", "\ud83d", r'"\ud83d"'),
    ],
)
def test_a_result_can_be_read_wherever_it_can_be_shown(
    monkeypatch, encoding, value, shown
):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "argv", ["command"])
    command_line.main(Parser("A command."), lambda _: value)
    stream.flush()
    assert raw.getvalue().decode(encoding) == shown + "\n"
    assert json.loads(shown) == value


def _missing(name):
    return ModuleNotFoundError(f"No module named {name!r}", name=name)


def _raise(error, cause=None):
    raise error from cause


@pytest.mark.parametrize(
    "run",
    [
        lambda _: _raise(_missing("official.nlp")),
        lambda _: _raise(_missing("pkg_resources")),
        lambda _: _raise(
            ImportError("Needs: No module named 'tensorflow_text'"),
            _missing("tensorflow_text"),
        ),
    ],
    ids=["missing", "removed", "said by the package"],
)
def test_missing_packages_of_model_garden_end_in_one_line(
    monkeypatch, capsys, run
):
    monkeypatch.setattr(sys, "argv", ["command"])
    with pytest.raises(SystemExit, match="2"):
        command_line.main(Parser("A command."), run)
    (line,) = capsys.readouterr().err.splitlines()
    assert 'pip install ".[model-garden]"' in line
    assert re.search(
        r"No module named '(official.nlp|pkg_resources|tensorflow_text)'$", line
    )


def test_another_missing_module_is_an_error_of_the_command(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["command"])
    with pytest.raises(ModuleNotFoundError, match="bert"):
        command_line.main(
            Parser("A command."), lambda _: _raise(_missing("bert"))
        )
