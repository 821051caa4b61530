"""Each task trains its model at a tiny size, from equal beginnings."""

import functools
import json
import math
import re

import keras
import numpy as np
import pytest
import tf_keras
from sklearn import metrics

from command_line import InputError
from experiments.real_models import tasks
from experiments.real_models import training
from experiments.real_models.experiments import EXPERIMENTS
from experiments.real_models.experiments import by_name
from experiments.real_models.run_key import RunKey
from experiments.real_models.tasks import masked_words
from experiments.real_models.tasks import sentences
from experiments.real_models.tasks import task as task_module
from experiments.real_models.tasks.questions import Questions
from tests.scripts.experiments.real_models.conftest import TINY

pytestmark = pytest.mark.slow

NAMES = [experiment["name"] for experiment in EXPERIMENTS]
# Those that differ from one another by more than numbers.
DIFFERENT = [
    n
    for n in NAMES
    if not re.search("batch|alpha|again|high|thresholds|without|rte_", n)
]
every_experiment = pytest.mark.parametrize("name", DIFFERENT)


@pytest.fixture(scope="module")
def made(paths):
    """Returns a tiny experiment and its task."""

    @functools.cache
    def make(name):
        experiment = {**by_name(name), **TINY[name], "most_steps": 3}
        return experiment, tasks.task_of(experiment, paths)

    return make


def run_of(made, name, arm=None, rate=1e-3, seed=1):
    experiment, task = made(name)
    arm = arm or next(iter(experiment["arms"]))
    key = RunKey(name, arm, rate, seed)
    return training.make(experiment, key, task, lambda line: None)


def test_every_experiment_has_a_tiny_one():
    assert set(NAMES) == set(TINY)


@every_experiment
def test_a_run_is_the_same_whatever_was_run_before(made, name):
    first = run_of(made, name)
    other = run_of(made, name, seed=2)
    again = run_of(made, name)
    assert not first["diverged"]
    assert first["steps"] == 3 and len(first["training_loss"]["loss"]) == 3
    for key in ("metrics", "training_loss", "held_out"):
        assert first[key] == again[key]
    assert first["training_loss"] != other["training_loss"]
    assert first["measured_on"] == "comparison"
    assert first["metrics"].keys() >= {made(name)[0]["measure"]}
    json.dumps(first)


@every_experiment
def test_arms_begin_with_the_same_model_and_batches(made, name):
    experiment, _ = made(name)
    first = {
        run_of(made, name, arm)["training_loss"]["loss"][0]
        for arm, settings in experiment["arms"].items()
        if "other_seed" not in settings
    }
    assert len(first) == 1


def test_the_control_has_other_dropout_only(made):
    one, other = (run_of(made, "cola", arm) for arm in ("Adam", "Adam again"))
    losses = [run["training_loss"]["loss"] for run in (one, other)]
    assert losses[0] != losses[1]
    _, task = made("cola")
    heads = [task.model(1).layers[-1].get_weights()[0] for _ in range(2)]
    assert np.array_equal(*heads)


def test_the_control_of_pretraining_has_other_weights_only(made):
    one = run_of(made, "pretraining", "Adam")["training_loss"]["loss"]
    other = run_of(made, "pretraining_again")["training_loss"]["loss"]
    assert one[0] != other[0]
    both = [made(name)[1] for name in ("pretraining", "pretraining_again")]
    read = [[y for _, y, _ in task.batches(1)] for task in both]
    assert np.array_equal(*read)


@every_experiment
def test_the_search_has_data_of_its_own(made, name):
    tuning = run_of(made, name, seed=0)
    assert tuning["measured_on"] == "tuning"
    _, task = made(name)
    if name in ("cola", "rte"):
        # The files for training and comparison hold the same here.
        assert len(task._held_out["tuning"][1]) == 4
        assert len(task._training[1]) == 32
    if name == "squad":
        ids = {
            which: {
                question["id"]
                for paragraph in dataset["data"][0]["paragraphs"]
                for question in paragraph["qas"]
            }
            for which, dataset in task._sets.items()
        }
        assert ids["tuning"] == {"cat-1", "dog-1"}
        assert ids["comparison"] == {"cat-0", "dog-1"}
        assert len(ids["whole"]) == 6


def test_a_run_whose_loss_is_not_finite_ends_as_diverged(made):
    experiment, task = made("images")
    losses = iter([1.0] + [math.nan] * 20)

    class Diverging(type(task)):
        all_steps = 20

        def train(self, model, batch):
            return next(losses)

        def batches(self, seed):
            return iter([()] * 20)

    diverging = object.__new__(Diverging)
    diverging.__dict__.update(task.__dict__)
    diverging.experiment = {**experiment, "most_steps": None, "evaluations": 1}
    made_run = training.make(
        diverging.experiment,
        RunKey("images", "SGD", 1.0, 1),
        diverging,
        lambda line: None,
    )
    assert made_run["diverged"] and made_run["metrics"] == {}
    assert made_run["steps"] == 1 + training.PATIENCE


def test_data_that_do_not_fill_a_mini_batch_are_told(made):
    experiment, task = made("cola")
    large = object.__new__(type(task))
    large.__dict__.update(task.__dict__)
    large.experiment = {**experiment, "batch_size": 64}
    with pytest.raises(InputError, match="`cola` must fill a mini-batch of 64"):
        training.make(
            large.experiment, RunKey("cola", "Adam", 1, 1), large, print
        )


def test_the_whole_of_the_questions_is_answered_for_one_seed(made):
    one, two = (run_of(made, "squad", seed=seed) for seed in (1, 2))
    assert "whole_f1" in one["metrics"]
    assert "whole_f1" not in two["metrics"]


def test_a_paragraph_is_cut_into_windows_that_hold_the_answer(made):
    _, task = made("squad")
    windows = task._training
    assert isinstance(task, Questions)
    held = [f for f in windows.features if not f.is_impossible]
    assert held
    for feature in held:
        found = feature.tokens[
            feature.start_position : feature.end_position + 1
        ]
        assert found in (["the", "red", "mat"], ["the", "blue", "door"])


def test_padding_does_not_change_what_a_sentence_is_taken_for(made):
    _, task = made("cola")
    x, _ = task._training
    model = task.model(1)
    cut = model.predict_on_batch(sentences._cut(x))
    assert sentences._cut(x)["token_ids"].shape[1] == 8
    assert np.allclose(cut, model.predict_on_batch(x), atol=1e-6)


def test_pairs_have_two_segments_and_are_cut_to_fit(made):
    _, task = made("rte")
    x, _ = task._training
    assert x["token_ids"].shape == (32, 16)
    for ids, segments, mask in zip(*x.values(), strict=True):
        length = mask.sum()
        assert ids[0] == 2 and ids[length - 1] == 3
        assert (segments[:length] == 1).sum() == 4
        assert not ids[length:].any()


def test_mini_batches_are_grouped_by_length_and_none_is_lost():
    lengths = np.random.default_rng(0).integers(1, 100, 96)
    batches = list(task_module.orders(96, 8, 12, seed=1))
    found = list(sentences.grouped(iter(batches), lengths, 6, seed=1))
    assert len(found) == 12
    for part in (slice(0, 6), slice(6, 12)):
        assert sorted(np.concatenate(found[part])) == sorted(
            np.concatenate(batches[part])
        )
    spread = [np.ptp(lengths[chosen]) for chosen in found]
    assert np.mean(spread) < 25 < np.mean([np.ptp(lengths[b]) for b in batches])
    again = list(sentences.grouped(iter(batches), lengths, 6, seed=1))
    assert np.array_equal(found, again)


def test_an_epoch_has_each_example_once():
    found = list(task_module.orders(10, 3, 7, seed=0))
    assert [len(chosen) for chosen in found] == [3] * 7
    for epoch in (found[:3], found[3:6]):
        assert len({*np.concatenate(epoch)}) == 9


def test_matthews_correlation_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    y, predicted = rng.integers(0, 2, (2, 50))
    expected = metrics.matthews_corrcoef(y, predicted)
    assert np.isclose(sentences.matthews(predicted, y), expected)
    assert sentences.matthews(np.ones(50, int), y) == 0.0


def test_cross_entropies_are_those_of_keras():
    rng = np.random.default_rng(0)
    logits = 30 * rng.standard_normal((4, 5, 7))
    targets = rng.integers(0, 7, (4, 5))
    expected = keras.losses.sparse_categorical_crossentropy(
        targets, logits, from_logits=True
    )
    found = task_module.cross_entropies(logits, targets)
    assert np.allclose(found, np.asarray(expected), rtol=1e-5)


def test_deciles_have_a_tenth_of_all_occurrences_each():
    rng = np.random.default_rng(0)
    words = np.minimum(rng.zipf(1.3, 20_000), 500) - 1
    found = masked_words.deciles(words, 500)
    counts = np.bincount(words, minlength=500)
    # The most frequent word alone is more than a tenth.
    assert found[counts.argmax()] == 0
    order = np.argsort(-counts, kind="stable")
    assert np.all(np.diff(found[order]) >= 0)
    assert set(found) <= set(range(10)) and found[order[-1]] == 9
    shares = np.bincount(found[words], minlength=10) / len(words)
    assert np.allclose(shares[5:].sum(), 0.5, atol=0.1)


def test_masked_words_have_weights_of_mean_one_and_no_pooler(made):
    _, task = made("pretraining")
    for x, y, weights in task.batches(1):
        assert y.shape == weights.shape == x["mask_positions"].shape
        assert np.isclose(weights.mean(), 1)
    names = [v.path for v in task.model(1).trainable_variables]
    assert not any("pooled" in name for name in names)


def test_the_loss_on_held_out_words_is_that_of_keras(made):
    _, task = made("pretraining")
    model = task.model(1)
    data = task._held_out["comparison"]
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    x = masked_words._inputs(data, slice(None))
    weights = data["weights"] / data["weights"].mean()
    expected = model.evaluate(
        x, data["masked_ids"], verbose=0, sample_weight=weights
    )
    found = task.evaluate(model, "comparison", True)
    assert np.isclose(found["loss"], expected, rtol=1e-4)
    assert 0 <= found["accuracy"] <= 1 and len(found["loss_by_decile"]) == 10


def test_a_short_text_is_read_again_and_a_shorter_one_is_told(paths, tmp_path):
    words = np.random.default_rng(0).choice(["cat", "dog", "the", "."], 1000)
    (tmp_path / "short.txt").write_text(" ".join(words))
    paths = {**paths, "language": str(tmp_path / "short.txt")}
    # A step reads 16 pieces, and 8 steps are held out: 871 are trained on.
    experiment = {**by_name("language"), **TINY["language"], "most_steps": None}
    task = tasks.task_of({**experiment, "steps": 108}, paths)
    read = [x for x, _ in task.batches(1)]
    assert len(read) == 108
    assert np.array_equal(read[0], read[54])
    assert len({x.tobytes() for x in read}) == 54
    with pytest.raises(InputError, match="hold 1,001 word .* not 1,000. Rec"):
        tasks.task_of({**experiment, "steps": 109}, paths)


def transformer_xl(length, memory):
    from experiments.real_models.transformer_xl import TransformerXL

    tf_keras.utils.set_random_seed(0)
    model = TransformerXL(20, 2, 8, length, memory, 2, dropout=0.0)
    model(np.zeros((2, length), "int32"))
    model.forget()
    return model


def test_a_word_is_predicted_from_those_before_it():
    model = transformer_xl(6, 6)
    words = np.random.default_rng(0).integers(0, 20, (2, 6)).astype("int32")
    before = model(words).numpy()
    model.forget()
    words[:, 4] += 1
    after = model(words % 20).numpy()
    assert np.allclose(before[:, :4], after[:, :4])
    assert not np.allclose(before[:, 4:], after[:, 4:])


def test_what_was_read_before_is_remembered():
    model = transformer_xl(6, 6)
    words = np.random.default_rng(0).integers(0, 20, (2, 12)).astype("int32")
    model(words[:, :6])
    remembered = model.remember()
    second = model(words[:, 6:]).numpy()
    model.forget()
    assert not np.allclose(second, model(words[:, 6:]).numpy())
    model.recall(remembered)
    assert np.array_equal(second, model(words[:, 6:]).numpy())
