"""Reports on the demo: a table, a plot, answered questions and checks."""

import json
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
from matplotlib.figure import Figure
from tensorboard.backend.event_processing import event_accumulator

COLUMNS = {
    "loss": ("masked-LM loss", "{:.3f}"),
    "accuracy": ("accuracy", "{:.3f}"),
    "exact_match": ("EM %", "{:.1f}"),
    "f1": ("F1 %", "{:.1f}"),
}


def table(results: Mapping[str, Mapping[str, float]]) -> str:
    """Returns the results as a Markdown table.

    Args:
        results: The known values of every row, by column.

    Returns:
        The table, with a blank line before and after.
    """
    lines = [
        "| held out | " + " | ".join(h for h, _ in COLUMNS.values()) + " |",
        "| --- " * (len(COLUMNS) + 1) + "|",
    ]
    for title, values in results.items():
        cells = [
            form.format(values[key]) if key in values else ""
            for key, (_, form) in COLUMNS.items()
        ]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n" + "\n".join(lines) + "\n"


def loss_curve(directory: Path) -> dict[int, float]:
    """Returns the training loss that TensorBoard summaries hold.

    Args:
        directory: Directory of the summaries.

    Returns:
        Dict from step to the masked-LM loss, the mean since the step before.
    """
    events = event_accumulator.EventAccumulator(
        str(directory), size_guidance={"tensors": 0}
    )
    events.Reload()
    return {
        event.step: float(tf.make_ndarray(event.tensor_proto))
        for event in events.Tensors("lm_example_loss")
    }


def plot(
    curves: Mapping[str, Mapping[int, float]], entropy: float, path: Path
) -> None:
    """Draws the loss curves.

    Args:
        curves: Losses of every optimizer by step.
        entropy: The loss of the best guess without context.
        path: PNG file to write.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for (title, curve), style in zip(curves.items(), ("-", "--"), strict=True):
        axes.plot(curve.keys(), curve.values(), style, label=title)
    axes.axhline(entropy, color="0.6", label="unigram entropy (held out)")
    axes.set_xlabel("step")
    axes.set_ylabel("masked-LM training loss (nats)")
    axes.legend()
    figure.savefig(path, dpi=150)


def answered(
    dataset_path: Path, output_dir: Path, titles: Sequence[str], count: int = 3
) -> str:
    """Returns the first questions of a data set with all answers.

    Args:
        dataset_path: SQuAD v1.1 JSON file.
        output_dir: Directory of the demo, with the predictions.
        titles: The optimizers.
        count: Number of questions, each from a different article.

    Returns:
        Text for a person to read.
    """
    predictions = {
        title: json.loads(
            (output_dir / f"predictions_{title}.json").read_text("utf-8")
        )
        for title in titles
    }
    articles = json.loads(dataset_path.read_text("utf-8"))["data"]
    lines = []
    for article in articles[:count]:
        paragraph = article["paragraphs"][0]
        question = paragraph["qas"][0]
        lines.append(f"Paragraph: {paragraph['context']}")
        lines.append(f"Question:  {question['question']}")
        lines.append(f"Expected:  {question['answers'][0]['text']}")
        for title in titles:
            answer = predictions[title][question["id"]]
            lines.append(f"{title + ':':<10} {answer}")
        lines.append("")
    return "\n".join(lines)


def check(
    results: Mapping[str, Mapping[str, float]],
    curves: Mapping[str, Mapping[int, float]],
    titles: Sequence[str],
) -> None:
    """Raises unless both optimizers started alike and learned something.

    Args:
        results: The values of every row by column.
        curves: Losses of every optimizer by step.
        titles: The optimizers.

    Raises:
        AssertionError: If they did not.
    """
    first = {title: curves[title][1] for title in titles}
    if len(set(first.values())) != 1:
        raise AssertionError(f"The losses at step 1 differ: {first}")
    for title in titles:
        for other, values in results.items():
            for key, value in values.items():
                if other in titles:
                    continue
                better = results[title][key] > value
                if key == "loss":
                    better = results[title][key] < value
                if not better:
                    raise AssertionError(
                        f"{title} does not beat `{other}` in {key}: "
                        f"{results[title][key]} against {value}"
                    )
    print(
        f"Checked: equal loss at step 1 ({first[titles[0]]:.6f}), and "
        f"{' and '.join(titles)} beat every other row in every column."
    )
