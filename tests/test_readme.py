"""The README's examples run as they stand, and its statements hold."""

import importlib
import inspect
import re
import shlex
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml
from official.core import exp_factory
from official.modeling.optimization import optimizer_factory

import keras_clip.model_garden  # noqa: F401 registers the experiments
from keras_clip.registry import OPTIMIZERS
from tests.support import listings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
SCRIPTS = (ROOT / "scripts/README.md").read_text("utf-8")
PAGES = [
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
]


def blocks(language, text=README):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run(example, folder, monkeypatch):
    """Runs an example in a folder, with no names but its own."""
    monkeypatch.chdir(folder)
    names = {}
    exec(example, names)
    return names


@pytest.mark.parametrize(
    ("name", "most"), [("README.md", 250), ("CONTRIBUTING.md", 150)]
)
def test_a_page_is_short_enough_to_be_read(name, most):
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= most


def test_six_lines_train_a_model_with_acclip(tmp_path, monkeypatch):
    example = blocks("python")[0]
    assert len(list(filter(None, example.splitlines()))) <= 6
    # On the first screen.
    assert README.index(example) < 600
    optimizer = run(example, tmp_path, monkeypatch)["model"].optimizer
    info = OPTIMIZERS["acclip"]
    assert type(optimizer) is info.keras_class
    assert optimizer.update_count.numpy() == 3 * 8
    assert np.isclose(optimizer.learning_rate, info.starting_rate)


def test_the_example_of_thresholds_runs_alone(tmp_path, monkeypatch):
    names = run(blocks("python")[1], tmp_path, monkeypatch)
    assert names["optimizer"].clip_threshold == 0.5


@pytest.mark.slow
def test_the_example_of_the_noise_runs_alone(tmp_path, monkeypatch, capsys):
    names = run(blocks("python")[2], tmp_path, monkeypatch)
    printed = capsys.readouterr().out
    assert "Verdict: " in printed and "quantile: " in printed
    assert names["report"].verdict in README


@pytest.mark.slow
def test_the_example_of_the_callbacks_runs_alone(tmp_path, monkeypatch):
    names = run(blocks("python")[3], tmp_path, monkeypatch)
    assert len(names["monitor"].readings) > 0
    assert (tmp_path / "clipping.csv").read_text().count("\n") > 1
    assert (tmp_path / "noise" / "evolution.png").is_file()


def test_there_is_no_example_that_no_test_runs():
    assert len(blocks("python")) == 4
    assert len(blocks("yaml")) == 2


def configured(examples):
    """Returns the parameters of pretraining with YAML texts over them."""
    config = exp_factory.get_exp_config("keras_clip/bert/pretraining")
    for example in examples:
        config.override(yaml.safe_load(example), is_strict=True)
    return config


def test_the_yaml_examples_are_configs_of_the_trainer():
    chosen = []
    for example in blocks("yaml"):
        config = configured([example]).trainer.optimizer_config
        name = config.optimizer.type
        factory = optimizer_factory.OptimizerFactory(config)
        built = factory.build_optimizer(0.5).get_config()
        given = yaml.safe_load(example)["trainer"]["optimizer_config"]
        for argument, value in given["optimizer"][name].items():
            if isinstance(value, dict):
                assert built[argument]["class_name"] == value["class_name"]
                assert (
                    value["config"].items() <= built[argument]["config"].items()
                )
            else:
                assert built[argument] == value
        chosen.append(name)
    assert chosen == ["acclip", "clip_adam"]


@pytest.fixture
def mini():
    """The parameters of the run that the text on Model Garden describes."""
    text = (ROOT / "scripts/configs/bert_mini.yaml").read_text("utf-8")
    return configured([text, blocks("yaml")[0]])


def test_the_run_of_model_garden_reaches_its_learning_rate(mini):
    config, steps = mini.trainer.optimizer_config, mini.trainer.train_steps
    factory = optimizer_factory.OptimizerFactory(config)
    schedule = factory.build_learning_rate()
    rates = [float(schedule(k)) for k in range(0, steps + 1, 100)]
    peak = config.learning_rate.get().initial_learning_rate
    assert peak == OPTIMIZERS["acclip"].starting_rate
    assert max(rates) > 0.85 * peak
    assert rates[-1] < 1e-3 * peak


def test_the_run_of_model_garden_is_what_the_text_says(mini):
    given = mini.trainer.optimizer_config.optimizer.get()
    excluded = list(given.exclude_from_weight_decay)
    assert excluded == ["LayerNorm", "layer_norm", "bias"]
    assert all(f"`{name}`" in README for name in excluded)
    # The vocabulary that the first of the scripts makes.
    options = dict(commands())["prepare_pretraining_data"]
    size = int(options[options.index("--vocab_size") + 1])
    assert mini.task.model.encoder.get().vocab_size == size


def commands():
    """Yields the scripts that the texts run, and their options."""
    for block in blocks("bash") + blocks("bash", SCRIPTS):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[0] == "python" and words[1].startswith("scripts/"):
                yield Path(words[1]).stem, words[2:]


def test_every_command_is_one_that_its_script_takes(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    for name, options in commands():
        arguments = importlib.import_module(name).parser().parse_args(options)
        for config in getattr(arguments, "config", []):
            assert (ROOT / config).is_file()


def test_every_script_is_on_the_page_of_the_scripts():
    there = {
        path.stem
        for path in (ROOT / "scripts").glob("*.py")
        if "__main__" in path.read_text("utf-8")
    }
    assert {name for name, _ in commands()} == there
    for command in re.findall(r"scripts/\w+\.sh", README + SCRIPTS):
        assert (ROOT / command).stat().st_mode & 0o111


def test_every_config_is_on_the_page_of_the_scripts():
    configs = (ROOT / "scripts/configs").glob("*.yaml")
    for path in configs:
        assert f"`{path.stem}`" in SCRIPTS


def anchors(path):
    """Returns what the headings of a page are linked by."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        if link.startswith("http"):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), link
        assert path.is_relative_to(ROOT)
        if anchor:
            assert anchor in anchors(path), link


def test_both_papers_can_be_cited():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    for reference in citation["references"]:
        assert reference["url"] in README
        assert reference["title"] in " ".join(README.split())
    assert len(citation["references"]) == 2


def test_the_table_of_optimizers_is_that_of_the_registry():
    table = README.partition(listings.HEADER)[2].partition("\n\n")[0]
    rows = [line.split(" | ") for line in table.splitlines()[1:]]
    assert sorted(row[:5] for row in rows) == sorted(
        [
            f"| `{info.class_name}`",
            info.summary,
            info.reference,
            f"{info.starting_rate:g}",
            f"{listings.tensors(info)}",
        ]
        for info in OPTIMIZERS.values()
    )


@pytest.mark.parametrize("info", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_the_time_of_a_step_is_the_one_that_was_measured(info):
    (shown,) = re.findall(
        rf"^\| `{info.class_name}` \|.* (\S+) \|$", README, re.MULTILINE
    )
    measured = []
    for run in ("run-1", "run-2"):
        path = ROOT / "scripts/benchmarks/results/cpu" / run / "results.md"
        part = path.read_text("utf-8").partition(
            "\n## TensorFlow, graph, bert-base\n"
        )[2]
        measured += re.findall(
            rf"^\| `{info.class_name}\(\)` \| [\d.]+ \| ([\d.]+) ",
            part.partition("\n## ")[0],
            re.MULTILINE,
        )
    if shown == listings.NOT_MEASURED:
        assert not measured
        pytest.skip("No time is measured of it: CONTRIBUTING.md says when")
    assert len(measured) == 2
    assert abs(float(shown) - np.mean(np.array(measured, float))) < 0.03


def test_the_cases_of_clipping_are_those_of_the_whole_table():
    results = ROOT / "scripts/benchmarks/results/README.md"
    header = "| Case | `keras.optimizers` | `keras_clip` |\n"
    few, many = (
        text.partition(header)[2].partition("\n\n")[0].splitlines()
        for text in (README, results.read_text("utf-8"))
    )
    assert len(few) == 1 + 4 and len(many) == 1 + 14
    assert set(few) <= set(many)


def steps(info, gradient, count=40):
    """Returns the steps with a learning rate of 1 for the same gradients."""
    arguments = inspect.signature(info.keras_class).parameters
    clips = "clip_threshold" in arguments
    optimizer = info.keras_class(
        learning_rate=1.0,
        weight_decay=None,
        **({"clip_threshold": None} if clips else {}),
    )
    x = keras.Variable(np.zeros(len(gradient)))
    positions = [np.zeros(len(gradient))]
    for _ in range(count):
        optimizer.apply([keras.ops.convert_to_tensor(gradient, x.dtype)], [x])
        positions.append(keras.ops.convert_to_numpy(x.value))
    return -np.diff(positions, axis=0)


@pytest.mark.parametrize("info", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_each_step_is_what_the_table_says(info):
    # Few coordinates, and many with larger gradients.
    for gradient in (np.array([1.0, 30.0]), np.tile([10.0, 300.0], 200)):
        taken = steps(info, gradient)
        last = taken[-1]
        if info.step == "gradient":
            assert np.allclose(last, gradient, rtol=1e-3)
            continue
        if info.step.endswith("coordinate"):
            sizes = np.abs(taken)
        else:
            assert np.allclose(last / gradient, (last / gradient)[0], rtol=1e-3)
            sizes = np.linalg.norm(taken, axis=1, keepdims=True)
        if info.step.startswith("fading"):
            assert np.all(sizes <= 1)
            # As 1 / √k: four times the updates, half the step.
            assert np.allclose(sizes[39] / sizes[9], 0.5, rtol=0.05)
        else:
            assert np.all((sizes[-1] > 1 / 3) & (sizes[-1] < 3))
