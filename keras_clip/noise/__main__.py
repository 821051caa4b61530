r"""Reports on the gradient noise of a saved model or a training run.

Prints the weight of its tail and suggested clipping thresholds, and writes
OUTPUT.json and OUTPUT.png. Examples:

    python -m keras_clip.noise model.keras data.npz --batch_size 32
    python -m keras_clip.noise runs/bert 'data/bert/train-*.tfrecord'
    python -m keras_clip.noise model.keras data.npz --import my_layers
"""

import argparse
import importlib
import json
import os
import re
import sys
import zipfile
import zlib

# In the errors of both frameworks (keras/src/saving/serialization_lib.py,
# 3.15.1, and tf_keras/src/saving/serialization_lib.py, 2.20.1).
_UNKNOWN = re.compile(
    r"(?:Could not locate (?:class|function)|object of type) ['`](.+?)['`]"
)


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    result = argparse.ArgumentParser(
        prog="python -m keras_clip.noise",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add(
        "model",
        help="compiled model, saved as .keras, or directory of a Model Garden "
        "run",
    )
    add(
        "data",
        nargs="?",
        help=".npz file with arrays x, y and perhaps sample_weight, or a "
        "directory that tf.data.Dataset.save has written; for a run the paths "
        "of its records, by default those that it was trained on",
    )
    add("--batch_size", type=int, help="as in training; 32 for an .npz file")
    add(
        "--num_samples",
        type=int,
        default=1000,
        help="mini-batches, after a pass over the data for the full gradient "
        "(1000)",
    )
    add(
        "--full_gradient_batches",
        type=int,
        help="batches to estimate the full gradient from (all, or of data "
        "without end as many as samples)",
    )
    add("--inference", action="store_true", help="run layers without dropout")
    add("--seed", type=int, default=0, help="of mini-batches (0)")
    add("--confidence", type=float, default=0.95, help="of intervals (0.95)")
    add(
        "--quantile",
        type=float,
        default=0.9,
        help="of gradient norms, a suggested threshold (0.9)",
    )
    add("--smoothness", type=float, help="L, for the rule of Theorem 2")
    add("--initial_gap", type=float, help="loss at the start less the least")
    add("--steps", type=int, help="of training, for the same rule")
    add("--output", default="noise", help="path without ending (noise)")
    add(
        "--experiment",
        default="keras_clip/bert/pretraining",
        help="of a Model Garden run (keras_clip/bert/pretraining)",
    )
    add(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="module that registers custom layers, losses and the like, "
        "imported before the model is loaded; may be given several times",
    )
    return result


def main(arguments: list[str] | None = None):
    """Runs the command.

    Args:
        arguments: The command line, `sys.argv` if `None`.
    """
    commands = parser()
    options = commands.parse_intermixed_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        report = _report(options)
        report.save(f"{options.output}.json")
        report.plot(f"{options.output}.png")
    except (ImportError, OSError, ValueError, KeyError) as error:
        commands.exit(2, f"{commands.prog}: error: {error}\n")
    print(f"\nWritten: {options.output}.json, {options.output}.png\n\n{report}")
    if os.path.isdir(options.model):
        print("Or in YAML, below `trainer.optimizer_config`:")
        print(report.recommendation.yaml)


def _report(options):
    for module in options.modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ImportError(
                f"`--import` must name a module that Python finds: {error}. "
                f"Received: --import {module}"
            ) from error
    from keras_clip import noise
    from keras_clip.noise.optional_packages import check_reporting

    check_reporting(plots=True)
    _check_options(options)
    is_run = os.path.isdir(options.model)
    if options.data and os.path.isdir(options.data) and not is_run:
        _check_tensorflow(options.data)
    sampling = {
        "batch_size": options.batch_size,
        "num_samples": options.num_samples,
        "full_gradient_batches": options.full_gradient_batches,
        "seed": options.seed,
    }
    if is_run:
        from keras_clip.noise.sampling.model_garden_run import sample_run

        samples = sample_run(
            options.model,
            options.data,
            experiment=options.experiment,
            **sampling,
        )
    else:
        model = _load_model(options.model)
        samples = noise.sample(
            model,
            **_load_data(options.data),
            training=not options.inference,
            **sampling,
        )
    return noise.report(
        samples,
        confidence=options.confidence,
        quantile=options.quantile,
        smoothness=options.smoothness,
        initial_gap=options.initial_gap,
        steps=options.steps,
    )


def _check_options(options):
    """Raises for invalid options before anything is sampled."""
    from keras_clip.noise.estimators.sample_checks import MINIMUM
    from keras_clip.validation import check_integer
    from keras_clip.validation import check_number

    check_integer("num_samples", options.num_samples, MINIMUM)
    check_integer("seed", options.seed, 0)
    for name in ("confidence", "quantile"):
        value = getattr(options, name)
        check_number(name, value, 0, 1, open_low=True, open_high=True)
    for name in ("smoothness", "initial_gap"):
        value = getattr(options, name)
        if value is not None:
            check_number(name, value, 0, open_low=True)
    for name in ("batch_size", "full_gradient_batches", "steps"):
        value = getattr(options, name)
        if value is not None:
            check_integer(name, value, 1)
    folder = os.path.dirname(options.output) or "."
    if not os.path.isdir(folder):
        raise ValueError(
            "`output` must be a path in a folder that exists. Received: "
            f"output={options.output!r}"
        )


def _load_model(path):
    """Returns a model, loaded by the framework that saved it."""
    try:
        with zipfile.ZipFile(path) as archive:
            metadata = json.loads(archive.read("metadata.json"))
        version = metadata["keras_version"]
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError(
            "`model` must be a .keras file or the directory of a run. "
            f"Received: model={path!r}"
        ) from error
    if version.startswith("2."):
        # This registers the optimizers, or names the package that is missing.
        import keras_clip.tf_keras  # noqa: F401, I001
        import tf_keras as framework
    else:
        import keras as framework
    try:
        return framework.models.load_model(path)
    except (TypeError, ValueError) as error:
        unknown = _UNKNOWN.search(str(error))
        # The first lines may hold the config of the model.
        reason = str(error).splitlines()[-1]
        if unknown:
            reason = f"{unknown[1]!r} is unknown"
        raise ValueError(
            "`model` must consist of layers, losses and the like of Keras, or "
            f"that a module named by --import registers: {reason}. "
            f"Received: model={path!r}"
        ) from error


def _load_data(path):
    if path is None:
        raise ValueError("`data` must be given with a model. Received: none")
    if os.path.isdir(path):
        return {"x": _load_dataset(path)}
    import numpy as np

    if os.path.isfile(path) and not zipfile.is_zipfile(path):
        raise _no_data(path)
    with np.load(path) as arrays:
        unknown = set(arrays) - {"x", "y", "sample_weight"}
        if unknown or "x" not in arrays:
            raise ValueError(
                "`data` must hold arrays x, y and perhaps sample_weight. "
                f"Received: {sorted(arrays)} in {path!r}"
            )
        try:
            return {name: arrays[name] for name in arrays}
        except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(
                "`data` must hold whole arrays of numbers or strings. "
                f"Received: others, of objects or damaged, in {path!r}"
            ) from error


def _check_tensorflow(path):
    try:
        import tensorflow  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "`data` needs TensorFlow if it is a directory: `pip install "
            f"tensorflow`. Received: data={path!r}"
        ) from error


def _load_dataset(path):
    import tensorflow as tf

    try:
        return tf.data.Dataset.load(path)
    except tf.errors.OpError as error:
        raise _no_data(path) from error


def _no_data(path):
    return ValueError(
        "`data` must be an .npz file or a directory that tf.data.Dataset.save "
        f"has written. Received: data={path!r}, which is neither"
    )


if __name__ == "__main__":
    sys.exit(main())
