"""Runs all scripts on a tiny BERT, with Adam and ACClip side by side.

The steps are data, from the text in every Python installation, pretraining,
finetuning, prediction and evaluation. Both optimizers start from the same
weights and see the same batches. Steps whose results are in `--output_dir` are
not repeated.
"""

import argparse
import contextlib
import json
import os
import shlex
import shutil
import sys
import time
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SCRIPTS))
import command_line  # noqa: E402

# TensorFlow and Model Garden print messages while they are imported below.
command_line.quieten()

import evaluate_squad  # noqa: E402
import finetune_squad  # noqa: E402
import predict_squad  # noqa: E402
import prepare_pretraining_data  # noqa: E402
import prepare_squad_data  # noqa: E402
import pretrain_bert  # noqa: E402
from demo import baselines  # noqa: E402
from demo import questions  # noqa: E402
from demo import report  # noqa: E402

# Model Garden's own optimizer for BERT stands for Adam.
OPTIMIZERS = {"Adam": "adamw", "ACClip": "acclip"}


def do(output_dir: Path, name: str, script, *options: object) -> dict:
    """Runs a script, unless an earlier run with the same options is complete.

    Args:
        output_dir: Directory with the results of earlier runs.
        name: Name of this run.
        script: One of the modules of `scripts/`.
        *options: Its command line.

    Returns:
        The result of the script.
    """
    command = [str(option) for option in options]
    texts = [Path(o).read_text("utf-8") for o in command if o.endswith(".yaml")]
    path = output_dir / "done" / f"{name}.json"
    line = shlex.join(["python", os.path.relpath(script.__file__), *command])
    if path.exists():
        record = json.loads(path.read_text("utf-8"))
        if (record["command"], record["configs"]) == (command, texts):
            print(f"$ {line}\n  done before", flush=True)
            return record["result"]
    print(f"$ {line}", flush=True)
    arguments = script.parser().parse_args(command)
    if made := _made(arguments):
        shutil.rmtree(made, ignore_errors=True)
    start = time.monotonic()
    with (output_dir / "log.txt").open("a", encoding="utf-8") as log:
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            result = script.run(arguments)
    print(f"  {time.monotonic() - start:.0f} s", flush=True)
    path.parent.mkdir(exist_ok=True)
    record = {"command": command, "configs": texts, "result": result}
    path.write_text(json.dumps(record, indent=2), "utf-8")
    return result


def _made(arguments):
    """Returns the directory that a script makes, if it makes one."""
    if hasattr(arguments, "train_steps"):
        return arguments.model_dir
    return getattr(arguments, "output_dir", None)


def prepare(output_dir: Path) -> Path:
    """Makes the data.

    Args:
        output_dir: Directory of the demo.

    Returns:
        Directory of the data.
    """
    data = output_dir / "data"
    questions.write(data)
    do(
        output_dir,
        "prepare_pretraining_data",
        prepare_pretraining_data,
        *("--input", data / "corpus.txt"),
        *("--output_dir", data / "pretraining"),
        *("--vocab_size", 2000, "--max_seq_length", 64),
        *("--max_predictions_per_seq", 10, "--heldout_every", 4),
    )
    do(
        output_dir,
        "prepare_squad_data",
        prepare_squad_data,
        *("--train", data / "train.json", "--dev", data / "heldout.json"),
        *("--vocab", data / "pretraining/vocab.txt"),
        *("--output_dir", data / "squad"),
        *("--max_seq_length", 128, "--max_query_length", 32),
        *("--doc_stride", 32),
    )
    return data


def train(output_dir: Path, data: Path, title: str, steps: int | None) -> dict:
    """Trains, finetunes and evaluates a model with one optimizer.

    Args:
        output_dir: Directory of the demo.
        data: Directory of the data.
        title: Key of `OPTIMIZERS`, or `"untrained"`.
        steps: Steps of either training, or `None` for the configs' numbers.

    Returns:
        Dict with `loss`, `accuracy`, `exact_match` and `f1`.
    """
    optimizer = OPTIMIZERS.get(title, "acclip")
    runs = output_dir / "runs"
    common = ["--optimizer", optimizer]
    if steps is not None:
        common += ["--train_steps", steps]
    pretraining = do(
        output_dir,
        f"pretrain_{title}",
        pretrain_bert,
        *("--data_dir", data / "pretraining"),
        *("--config", SCRIPTS / "configs/bert_tiny.yaml"),
        *("--model_dir", runs / f"bert_{title}", *common),
    )
    do(
        output_dir,
        f"finetune_{title}",
        finetune_squad,
        *("--data_dir", data / "squad"),
        *("--pretrained", runs / f"bert_{title}"),
        *("--config", SCRIPTS / "configs/squad_tiny.yaml"),
        *("--model_dir", runs / f"squad_{title}", *common),
    )
    predictions = output_dir / f"predictions_{title}.json"
    do(
        output_dir,
        f"predict_{title}",
        predict_squad,
        *("--model_dir", runs / f"squad_{title}"),
        *("--input", data / "heldout.json", "--output", predictions),
    )
    scores = do(
        output_dir,
        f"evaluate_{title}",
        evaluate_squad,
        *("--dataset", data / "heldout.json", "--predictions", predictions),
    )
    return {
        "loss": pretraining["lm_example_loss"],
        "accuracy": pretraining["masked_lm_accuracy"],
        **scores,
    }


def main(output_dir: Path) -> None:
    """Runs everything, prints the report and checks it.

    Args:
        output_dir: Directory of the demo.
    """
    start = time.monotonic()
    output_dir.mkdir(parents=True, exist_ok=True)
    data = prepare(output_dir)
    results = {
        title: train(output_dir, data, title, None) for title in OPTIMIZERS
    }
    results["untrained"] = train(output_dir, data, "untrained", 0)
    loss, accuracy = baselines.unigram_entropy(
        str(data / "pretraining/heldout-*.tfrecord")
    )
    results["unigram"] = {"loss": loss, "accuracy": accuracy}
    exact_match, f1 = baselines.random_spans(str(data / "heldout.json"))
    results["random span"] = {"exact_match": exact_match, "f1": f1}
    curves = {
        title: report.loss_curve(output_dir / "runs" / f"bert_{title}/train")
        for title in OPTIMIZERS
    }
    print(report.table(results))
    report.plot(curves, loss, output_dir / "loss.png")
    print(f"Loss curves: {output_dir / 'loss.png'}\n")
    print(report.answered(data / "heldout.json", output_dir, list(OPTIMIZERS)))
    report.check(results, curves, list(OPTIMIZERS))
    print(f"All of it took {time.monotonic() - start:.0f} s.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--output_dir",
        type=Path,
        default=Path("runs/demo"),
        help="data, runs and results",
    )
    main(parser.parse_args().output_dir)
