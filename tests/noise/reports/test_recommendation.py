"""A report ends with a line of code that helps, and says what it will do."""

import json

import keras
import numpy as np
import pytest

import keras_clip
from keras_clip import noise
from keras_clip.noise.reports.early import is_early
from keras_clip.noise.reports.optimizers_for import optimizers_for
from keras_clip.registry import OPTIMIZERS
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.noise_problems import data
from tests.support.noise_problems import linear_model
from tests.support.noise_problems import make_samples
from tests.support.noise_problems import sample

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("stables_are_not_fitted"),
]

RNG = np.random.default_rng(0)
HEAVY = RNG.pareto(1.2, 1000) + 1
LIGHT = np.linalg.norm(RNG.normal(size=(1000, 30)), axis=1)
FEW = HEAVY[:20]


def _report(norms, **fields):
    fields = {"gradient_norms": norms, **fields}
    return noise.report(make_samples(norms, **fields))


def _run(report):
    """Runs the last line printed, and what it says to import before."""
    names = {}
    exec(report.recommendation.import_line, names)
    exec(str(report).splitlines()[-1], names)
    return names["optimizer"]


@pytest.mark.parametrize(
    ("norms", "of"), [(HEAVY, "clipped"), (FEW, "clipped"), (LIGHT, "raw")]
)
def test_the_last_line_printed_runs_and_makes_the_optimizer(norms, of):
    report = _report(norms)
    optimizer = _run(report)
    assert type(optimizer) is keras_clip.ClipAdam
    rate = OPTIMIZERS["clip_adam"].starting_rate
    assert float(optimizer.learning_rate) == pytest.approx(rate)
    suggested = report.recommendation.suggestion.clip_threshold
    assert suggested.of == of
    assert optimizer.clip_threshold.get_config() == suggested.get_config()
    assert report.summary()["recommendation"]["line"] in str(report)
    assert f'"{report.recommendation.suggestion.name}" of these' in str(report)


@pytest.mark.parametrize("share", [0.5, 0.95, 1.0])
def test_of_gradients_that_are_mostly_zero_there_is_a_report(share, tmp_path):
    """And a plot, and JSON."""
    norms = np.where(np.arange(1000) < 1000 * share, 0.0, HEAVY)
    norms[-1] = 1.0
    layers = np.stack([norms, 0 * norms], axis=1)
    report = _report(norms, layers=layers)
    _run(report)
    report.plot(tmp_path / "report.png")
    for suggestion in report.suggestions.values():
        assert "nan" not in suggestion.argument


@pytest.mark.parametrize("spread", [4e-8, 1e-12, 2**-52])
def test_norms_that_differ_by_rounding_have_a_report(spread):
    report = _report(1 + spread * RNG.random(200))
    assert report.gaussian_fit is None or report.gaussian_fit.dimension > 1e6
    json.dumps(report.summary(), allow_nan=False)
    _run(report)


def test_json_has_no_numbers_that_it_cannot_have(tmp_path):
    report = _report(LIGHT, loss=np.nan, full_gradient_norm=np.inf)
    report.save(tmp_path / "report.json")
    saved = json.loads((tmp_path / "report.json").read_text())
    assert saved["loss"] is None and saved["full_gradient_norm"] is None


def test_a_training_outlives_a_report_that_cannot_be_made():
    x, y = data(40)
    model = linear_model(KERAS)
    model.set_weights([0 * weight for weight in model.get_weights()])
    callback = keras_clip.callbacks.GradientNoise(x, 0 * y, num_samples=60)
    with pytest.warns(UserWarning, match="no report after epoch 1: "):
        model.fit(x, 0 * y, verbose=0, epochs=2, callbacks=[callback])
    assert callback.reports == {}


def test_without_a_threshold_yaml_has_the_optimizer_alone():
    report = noise.NoiseReport(_report(HEAVY).samples, 0.95, suggestions={})
    assert report.recommendation.yaml == (
        'optimizer: {"type": "acclip", "acclip": {}}'
    )
    assert type(_run(report)) is keras_clip.ACClip


def test_without_an_adaptive_threshold_the_quantile_is_recommended():
    report = _report(HEAVY)
    quantile = {"quantile": report.suggestions["quantile"]}
    report = noise.NoiseReport(report.samples, 0.95, suggestions=quantile)
    threshold = quantile["quantile"].clip_threshold
    assert _run(report).clip_threshold == pytest.approx(threshold, rel=1e-3)


@pytest.mark.parametrize(
    ("verdict", "norms"), [("heavy-tailed", HEAVY), ("not heavy-tailed", LIGHT)]
)
def test_the_callback_recommends_what_is_worth_while(
    verdict, norms, capsys, monkeypatch
):
    report = _report(norms)
    assert report.verdict == verdict
    monkeypatch.setattr(noise, "sample", lambda *args, **kwargs: report.samples)
    callback = keras_clip.callbacks.GradientNoise(*data(40))
    callback.on_epoch_end(0)
    optional = "Adam alone may do as well" in capsys.readouterr().out
    assert optional == (verdict == "not heavy-tailed")


@both_front_ends
def test_the_line_is_for_the_framework_of_the_model(front_end):
    model = linear_model(front_end)
    x, y = data(400)
    samples = sample(model, x, y, batch_size=8, num_samples=60)
    optimizer = _run(noise.report(samples))
    assert type(optimizer) is front_end.optimizer_class("clip_adam")
    model.compile(optimizer=optimizer, loss="mse")
    model.fit(x, y, verbose=0)


@pytest.mark.parametrize(
    ("norms", "fields", "advice"),
    [
        (HEAVY, {}, "heavy-tailed noise is what clipping is for"),
        (LIGHT, {}, "Adam alone may do as well"),
        (FEW, {}, "sample at least 50 mini-batches"),
        (np.ones(60), {}, "the caveats say why"),
        (LIGHT, {"num_censored": 3, "num_nonfinite": 3}, "in a wider range"),
        (LIGHT, {"gradient_norms": LIGHT + 50}, "a fixed threshold taken now"),
    ],
)
def test_it_says_whether_clipping_is_worth_while_or_what_to_do(
    norms, fields, advice
):
    report = _report(norms, **fields)
    assert any(advice in each for each in report.recommendation.advice)
    assert all(each in str(report) for each in report.recommendation.advice)


def test_to_train_first_is_for_a_full_gradient_that_exceeds_the_noise():
    for norm, advised in ((50.0, True), (1.0, False)):
        report = _report(
            LIGHT, gradient_norms=LIGHT + 50, full_gradient_norm=norm
        )
        assert report.recommendation.is_early
        assert ("train for an epoch first" in str(report)) == advised


@pytest.mark.parametrize("info", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_names_of_optimizers_are_those_whose_rule_clips_so(info):
    default = info.keras_class().step_settings.clipping
    assert info.class_name in optimizers_for(default)
    for clipping in ("global", "layer", "coordinate"):
        try:
            optimizer = info.keras_class(clipping=clipping)
            takes = optimizer.clipping == clipping
        except (TypeError, ValueError):
            takes = default == clipping
        assert (info.class_name in optimizers_for(clipping)) == takes


@pytest.mark.parametrize(("given", "theorems"), [(HEAVY, 0), (LIGHT, 2)])
def test_each_suggestion_names_what_it_is_for_printed_and_saved(
    given, theorems
):
    norms = np.stack([given, 2 * given], axis=1)
    report = _report(given, layers=norms)
    found = report.suggestions.values()
    assert sum(suggestion.is_theory for suggestion in found) == theorems
    saved = report.summary()["suggestions"]
    for name, suggestion in report.suggestions.items():
        layer = name.startswith("layer")
        assert suggestion.clipping == ("layer" if layer else "global")
        assert ("GClip" in suggestion.optimizers) != layer
        assert "CClip" not in suggestion.optimizers
        assert "ClipAdam" in suggestion.optimizers
        assert saved[name]["optimizers"] == list(suggestion.optimizers)
        assert saved[name]["clipping"] == suggestion.clipping
        call = f'ClipAdam(clipping="{suggestion.clipping}")'
        assert call in str(suggestion)
        # In print, once for all of a kind.
        lines = str(report).splitlines()
        at = lines.index(f"  {name}: clip_threshold={suggestion.argument}")
        heading = [line for line in lines[:at] if line.endswith(":")][-1]
        assert call in heading
        assert ("from theorems" in heading) == suggestion.is_theory
    assert str(report).count("None is for CClip, ClipAdam(clipping") == 1
    assert "ACClip finds its own." in str(report)


def test_theorems_come_last_and_are_said_to_be_theorems():
    report = _report(LIGHT)
    are_theory = [each.is_theory for each in report.suggestions.values()]
    assert are_theory == sorted(are_theory) and sum(are_theory) == 2
    last = list(report.suggestions.values())[-1]
    assert last.name == "strongly convex"
    assert "theorem on strongly convex functions, which a net" in str(last)


def test_noise_as_large_as_its_gradients_is_not_early_however_heavy():
    for norms in (HEAVY, LIGHT, FEW):
        assert not is_early(make_samples(norms, gradient_norms=norms))
        far = make_samples(norms, gradient_norms=norms + 10 * np.max(norms))
        assert is_early(far)


@pytest.fixture(scope="module")
def trained():
    """Norms of later steps and reports at the start and after them."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2048, 8)).astype("float32")
    y = 5 * x.sum(1) + 20 + rng.standard_t(3, 2048).astype("float32")
    layers = [keras.layers.Dense(16, "relu"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.layers.Input((8,)), *layers])
    model.compile(keras.optimizers.Adam(3e-2), "mse")

    def report():
        options = {"batch_size": 16, "num_samples": 400}
        return noise.report(sample(model, x, y, **options))

    before = report()
    model.fit(x, y, batch_size=16, epochs=4, verbose=0)
    after = report()
    weights = model.get_weights()

    def share_clipped(threshold):
        """Returns the optimizer's own count of the second epoch."""
        model.set_weights(weights)
        optimizer = keras_clip.ClipAdam(1e-3, clip_threshold=threshold)
        model.compile(optimizer, "mse")
        monitor = keras_clip.callbacks.ClipMonitor(interval=1)
        model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[monitor])
        return np.mean(
            [each["clip_fraction"] for each in monitor.readings[128:]]
        )

    return before, after, share_clipped


def test_advice_not_to_take_a_fixed_threshold_is_for_untrained_models(trained):
    before, after, _ = trained
    assert before.recommendation.is_early
    assert not after.recommendation.is_early
    fixed = "a fixed threshold taken now would soon clip"
    assert any(fixed in advice for advice in before.recommendation.advice)
    assert not any(fixed in advice for advice in after.recommendation.advice)
    assert before.summary()["recommendation"]["is_early"] is True


def test_a_number_of_the_start_clips_nothing_later_and_the_advice_does(trained):
    before, after, share_clipped = trained
    fixed = before.suggestions["quantile"].clip_threshold
    assert share_clipped(fixed) < 0.005
    recommended = before.recommendation.suggestion.clip_threshold
    assert 0.03 < share_clipped(recommended) < 0.3
