"""Model Garden's task on sentences, and what its regression is here."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from official.core import exp_factory
from official.core import task_factory
from official.nlp.tasks import sentence_prediction as stock

import keras_clip.model_garden

OURS, STOCK = "keras_clip/bert/sentence_prediction", "bert/sentence_prediction"
CORRELATION = "pearson_spearman_corr"
# Labels and predictions, in batches, of which the last is often smaller.
BATCHES = [
    ([1.0, 4.0, 2.5], [1.5, 2.0, 3.0]),
    ([0.0, 5.0, 5.0], [-1.0, 7.25, 5.0]),
    ([3.0, 0.5], [0.5, 3.0]),
]


def task_of(experiment, num_classes, metric="accuracy"):
    params = exp_factory.get_exp_config(experiment)
    model = {"num_classes": num_classes}
    params.override({"task": {"model": model, "metric_type": metric}})
    return task_factory.get_task(params.task)


def tensors(labels, outputs, dtype=tf.float32):
    """Returns a batch of numbers as the trainer gives it to a task."""
    return (
        {"label_ids": tf.constant(labels)},
        tf.constant([[output] for output in outputs], dtype),
    )


def mean_of_squares(labels, outputs):
    return np.mean((np.array(labels) - np.array(outputs)) ** 2)


def mean_over_pairs(labels, outputs):
    return np.mean((np.array(labels)[:, None] - np.array(outputs)) ** 2)


def ranks(values):
    """Returns the ranks of values, equal ones with the mean of theirs."""
    values = np.array(values)
    below = (values[None] < values[:, None]).sum(axis=1)
    equal = (values[None] == values[:, None]).sum(axis=1)
    return below + (equal + 1) / 2


def correlation(one, other):
    one, other = one - np.mean(one), other - np.mean(other)
    return one @ other / np.sqrt((one @ one) * (other @ other))


def evaluated(task, batches):
    """Returns the metrics of batches of labels and outputs, by replica."""
    state = None
    for replicas in batches:
        step = {
            "labels": [tf.constant(labels) for labels, _ in replicas],
            "sentence_prediction": [tf.constant(out) for _, out in replicas],
        }
        state = task.aggregate_logs(state, step)
    return task.reduce_aggregated_logs(state)


def column(values):
    return np.array(values, np.float32)[:, None]


def logits(rng, classes):
    """Yields labels and logits of three batches."""
    for size in (4, 4, 3):
        labels = rng.integers(classes, size=size).astype(np.int32)
        yield labels, rng.normal(size=(size, classes)).astype(np.float32)


def test_the_experiment_has_this_task_and_the_stock_one_its_own():
    ours, theirs = task_of(OURS, 1), task_of(STOCK, 1)
    assert type(ours) is keras_clip.model_garden.SentencePredictionTask
    assert type(theirs) is stock.SentencePredictionTask


def test_the_config_has_the_fields_and_the_values_of_model_garden():
    config = keras_clip.model_garden.SentencePredictionConfig()
    theirs = stock.SentencePredictionConfig()
    assert config.as_dict() == theirs.as_dict()
    assert [field.name for field in dataclasses.fields(config)] == [
        field.name for field in dataclasses.fields(theirs)
    ]


def test_an_unknown_metric_is_refused():
    with pytest.raises(ValueError, match="rouge"):
        task_of(OURS, 1, "rouge")


@pytest.mark.parametrize(("labels", "outputs"), BATCHES)
def test_a_prediction_is_compared_with_its_own_label(labels, outputs):
    loss = task_of(OURS, 1).build_losses(*tensors(labels, outputs))
    assert loss.shape == ()
    assert float(loss) == pytest.approx(mean_of_squares(labels, outputs))


@pytest.mark.parametrize(("labels", "outputs"), BATCHES)
def test_model_garden_still_compares_all_pairs(labels, outputs):
    loss = task_of(STOCK, 1).build_losses(*tensors(labels, outputs))
    assert float(loss) == pytest.approx(mean_over_pairs(labels, outputs))
    assert float(loss) != pytest.approx(mean_of_squares(labels, outputs))


def test_labels_may_come_as_a_column():
    labels, outputs = BATCHES[0]
    task = task_of(OURS, 1)
    inputs, predictions = tensors(labels, outputs)
    inputs = {"label_ids": inputs["label_ids"][:, None]}
    loss = task.build_losses(inputs, predictions)
    assert float(loss) == pytest.approx(mean_of_squares(labels, outputs))


def test_half_precision_does_not_overflow_in_the_loss():
    # 300 squared is more than float16 holds.
    batch = tensors([0.0, 100.0], [300.0, 500.0], tf.float16)
    loss = task_of(OURS, 1).build_losses(*batch)
    assert loss.dtype == tf.float32
    assert float(loss) == 125_000


@pytest.mark.parametrize("classes", [1, 2])
def test_losses_of_layers_are_added(classes):
    labels = [1.0, 0.0] if classes == 1 else [1, 0]
    outputs = tf.constant([[0.5] * classes] * 2)
    task = task_of(OURS, classes)
    inputs = {"label_ids": tf.constant(labels)}
    plain = task.build_losses(inputs, outputs)
    more = [tf.constant(0.5), tf.constant(0.25)]
    added = task.build_losses(inputs, outputs, more)
    assert float(added) == pytest.approx(float(plain) + 0.75)


@pytest.mark.parametrize(
    ("experiment", "updated"), [(OURS, True), (STOCK, False)]
)
def test_the_metric_of_regression_is_updated_here_alone(experiment, updated):
    task = task_of(experiment, 1)
    (metric,) = metrics = task.build_metrics()
    for labels, outputs in BATCHES:
        task.process_metrics(metrics, *tensors(labels, outputs))
    together = [np.concatenate(side) for side in zip(*BATCHES, strict=True)]
    expected = mean_of_squares(*together) if updated else 0
    assert metric.name == "mean_squared_error"
    assert float(metric.result()) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(4))
def test_correlations_are_those_of_all_predictions_together(seed):
    rng = np.random.default_rng(seed)
    # Rounded, so that many are equal.
    labels = np.round(5 * rng.random(23), 1 - seed % 2).astype(np.float32)
    outputs = labels**2 + rng.normal(size=23) * 3
    outputs = np.round(outputs, seed % 2).astype(np.float32)
    # Two replicas a step, with a last step that is smaller.
    parts = [(0, 5), (5, 10), (10, 15), (15, 20), (20, 22), (22, 23)]
    replicas = [(labels[i:j], outputs[i:j, None]) for i, j in parts]
    steps = zip(replicas[::2], replicas[1::2], strict=True)
    scores = evaluated(task_of(OURS, 1, CORRELATION), steps)
    pearson = correlation(outputs.astype(float), labels.astype(float))
    spearman = correlation(ranks(outputs), ranks(labels))
    assert scores == {
        "pearson_corr": pytest.approx(pearson, rel=1e-5),
        "spearman_corr": pytest.approx(spearman, rel=1e-5),
        CORRELATION: pytest.approx((pearson + spearman) / 2, rel=1e-5),
    }
    assert all(type(score) is float for score in scores.values())


@pytest.mark.parametrize(
    ("labels", "outputs", "pearson", "spearman"),
    [
        ([0, 1, 2], [5, 7, 9], 1, 1),
        ([0, 1, 2], [9, 7, 5], -1, -1),
        ([0, 1, 2, 3], [1, 2, 4, 8], 11.5 / np.sqrt(5 * 28.75), 1),
        ([0, 1, 2], [1, 0, 1], 0, 0),
        # Of what is all the same, there is none.
        ([0, 1, 2], [3, 3, 3], 0, 0),
        ([4, 4, 4], [1, 2, 3], 0, 0),
        ([2], [3], 0, 0),
    ],
)
def test_correlations_of_a_few_numbers_are_these(
    labels, outputs, pearson, spearman
):
    batch = (np.array(labels, np.float32), column(outputs))
    scores = evaluated(task_of(OURS, 1, CORRELATION), [[batch]])
    assert scores == {
        "pearson_corr": pytest.approx(pearson),
        "spearman_corr": pytest.approx(spearman),
        CORRELATION: pytest.approx((pearson + spearman) / 2),
    }


@pytest.mark.parametrize("classes", [2, 3])
def test_classification_has_the_loss_and_the_metrics_of_model_garden(classes):
    found = []
    for experiment in (OURS, STOCK):
        task = task_of(experiment, classes)
        metrics = task.build_metrics()
        losses = []
        for labels, outputs in logits(np.random.default_rng(0), classes):
            inputs = {"label_ids": tf.constant(labels)}
            losses.append(float(task.build_losses(inputs, outputs)))
            task.process_metrics(metrics, inputs, tf.constant(outputs))
        results = {metric.name: float(metric.result()) for metric in metrics}
        found.append((losses, results))
    assert found[0] == found[1]
    assert found[0][1].keys() >= {"cls_accuracy"}


@pytest.mark.parametrize("metric", ["accuracy", "f1", "matthews_corrcoef"])
def test_classes_are_evaluated_as_model_garden_evaluates_them(metric):
    found = []
    for experiment in (OURS, STOCK):
        task = task_of(experiment, 2, metric)
        batches = [
            [(labels, outputs.argmax(axis=1)[:, None])]
            if metric == "matthews_corrcoef"
            else [(labels, outputs)]
            for labels, outputs in logits(np.random.default_rng(0), 2)
        ]
        found.append(evaluated(task, batches))
    assert found[0] == found[1]
    assert (found[0] is None) == (metric == "accuracy")


@pytest.fixture
def mixed_precision():
    tf_keras.mixed_precision.set_global_policy("mixed_bfloat16")
    yield
    tf_keras.mixed_precision.set_global_policy("float32")


def test_mixed_precision_leaves_out_the_metric_that_fails_there(
    mixed_precision,
):
    names = [metric.name for metric in task_of(OURS, 2).build_metrics()]
    assert names == ["cls_accuracy"]


def test_correlations_take_predictions_of_half_precision():
    task = task_of(OURS, 1, CORRELATION)
    labels = np.array([1.0, 2.0, 4.0], np.float32)
    outputs = tf.constant([[1.0], [2.0], [4.0]], tf.bfloat16).numpy()
    found = evaluated(task, [[(labels, outputs)]])
    assert found[CORRELATION] == pytest.approx(1)
