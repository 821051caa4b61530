"""The README's examples, run as they stand."""

import importlib
import re
import shlex
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
    example, _ = blocks("yaml")
    config = yaml.safe_load(example)["trainer"]["optimizer_config"]
    optimizer = OptimizationConfig(config).optimizer
    assert optimizer.type == "acclip"
    assert optimizer.acclip.exclude_from_weight_decay == ["bias"]


def commands():
    """Yields the scripts that the README runs, and their options."""
    for block in blocks("bash"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line)
            if words[0] == "python" and words[1].startswith("scripts/"):
                yield Path(words[1]).stem, words[2:]


def test_every_command_of_the_readme_is_one_that_its_script_takes(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    for name, options in commands():
        arguments = importlib.import_module(name).parser().parse_args(options)
        for config in getattr(arguments, "config", []):
            assert (ROOT / config).is_file()


def test_every_script_is_in_the_readme():
    there = {
        path.stem
        for path in (ROOT / "scripts").glob("*.py")
        if "__main__" in path.read_text("utf-8")
    }
    assert {name for name, _ in commands()} == there
    for command in re.findall(r"scripts/\w+\.sh", README):
        assert (ROOT / command).stat().st_mode & 0o111


def test_every_config_is_in_the_readme():
    configs = (ROOT / "scripts/configs").glob("*.yaml")
    for path in configs:
        size = re.sub("_(adam|acclip)$", "", path.stem)
        assert f"`{size}`" in README


def test_every_optimizer_is_named():
    for info in OPTIMIZERS.values():
        assert info.class_name in README
