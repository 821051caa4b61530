"""Settings of runs without a configuration, from the size of their data."""

from collections.abc import Mapping

_BATCH_SIZE = 16
_PARTS = 10


def finetuning(
    sizes: Mapping[str, object], epochs: int, metric: str
) -> dict[str, object]:
    """Returns the settings of a finetuning run without a configuration.

    Batches of 16, a learning rate that warms up over a tenth of the steps and
    falls to zero, an evaluation after each epoch, and the best checkpoint by
    the task's metric.

    Args:
        sizes: Contents of the data's `sizes.json`.
        epochs: Number of passes over the training data.
        metric: Name of the metric, of which more is better.

    Returns:
        Parameters as nested dicts.
    """
    settings = _run(sizes, epochs)
    settings["trainer"] |= {
        "max_to_keep": 1,
        "best_checkpoint_export_subdir": "best",
        "best_checkpoint_eval_metric": metric,
        "best_checkpoint_metric_comp": "higher",
    }
    return settings


def pretraining(sizes: Mapping[str, object]) -> dict[str, object]:
    """Returns the settings of a pretraining run without a configuration.

    As `finetuning`, for one pass over the data and without a best checkpoint.

    Args:
        sizes: Contents of the data's `sizes.json`.

    Returns:
        Parameters as nested dicts.
    """
    settings = _run(sizes, epochs=1)
    most = {"max_predictions_per_seq": sizes["max_predictions_per_seq"]}
    for name in ("train_data", "validation_data"):
        settings["task"][name] |= most
    # Shards that are read at once, so that texts of several kinds are mixed.
    settings["task"]["train_data"]["cycle_length"] = 16
    return settings


def _run(sizes, epochs):
    examples = sizes["train_examples"]
    steps = max(epochs * examples // _BATCH_SIZE, 1)
    part = max(steps // epochs // _PARTS, 1)
    data = {
        "global_batch_size": _BATCH_SIZE,
        "seq_length": sizes["max_seq_length"],
    }
    evaluation = {"is_training": False, "drop_remainder": False}
    # Windows over paragraphs, of questions.
    for setting, option in (
        ("query_length", "max_query_length"),
        ("doc_stride", "doc_stride"),
    ):
        if option in sizes:
            evaluation[setting] = sizes[option]
    return {
        "task": {
            "train_data": {**data, "shuffle_buffer_size": 10_000},
            "validation_data": {**data, **evaluation},
        },
        "trainer": {
            "train_steps": steps,
            "steps_per_loop": part,
            "summary_interval": part,
            "checkpoint_interval": 2 * part,
            "validation_interval": -(-steps // epochs),
            "validation_steps": -1,
        },
    }
