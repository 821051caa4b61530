"""The README's examples, run as they stand."""

import re
from pathlib import Path

import yaml

from keras_clip.model_garden import OptimizationConfig
from keras_clip.registry import OPTIMIZERS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_keras_example_trains_saves_and_loads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("python")
    names = {}
    exec(example, names)
    optimizer = names["model"].optimizer
    assert type(optimizer) is OPTIMIZERS["acclip"].keras_class
    assert optimizer.update_count.numpy() == 3 * 8
    assert len(example.strip().splitlines()) <= 12


def test_the_yaml_example_is_a_config_of_the_trainer():
    (example,) = blocks("yaml")
    config = yaml.safe_load(example)["trainer"]["optimizer_config"]
    optimizer = OptimizationConfig(config).optimizer
    assert optimizer.type == "acclip"
    assert optimizer.acclip.exclude_from_weight_decay == ["bias"]


def test_every_script_that_the_readme_names_is_there_and_the_reverse():
    named = set(re.findall(r"`(\w+\.py)`", README))
    there = {path.name for path in (ROOT / "scripts").glob("*.py")}
    # What the others share is no command.
    assert named == there - {"experiment.py"}
    for command in re.findall(r"scripts/\w+\.sh", README):
        assert (ROOT / command).stat().st_mode & 0o111


def test_every_optimizer_is_named():
    for info in OPTIMIZERS.values():
        assert info.class_name in README
