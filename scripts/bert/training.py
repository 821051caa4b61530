"""Trains with Model Garden's controller, resumes runs and prints progress.

A run's directory holds

    params.yaml           all parameters
    ckpt-*                checkpoints: weights, optimizer state, step
    best/                 the checkpoint with the best metric, if one is named
    metrics.json          the results of evaluations
    vocab.txt             the data's vocabulary
    tokenizer_config.json whether text is lower-cased
    labels.json           the labels of sentences, in the order of the classes
    train/, validation/   summaries for TensorBoard
    log.txt               the output of Model Garden
"""

import contextlib
import os
import tempfile
import traceback
from collections.abc import Iterator
from collections.abc import Mapping

import tensorflow as tf
import tf_keras
from official.common import distribute_utils
from official.core import base_trainer
from official.core import config_definitions
from official.core import task_factory
from official.core import train_lib
from official.core import train_utils
from official.modeling import performance

from bert import checkpoints
from bert import compatibility
from bert import failures
from bert import hugging_face
from bert import prepared
from bert import pretrained
from bert import records
from bert import restoring
from bert import saved_parameters
from bert.best_checkpoint import BestCheckpoint
from command_line import Divergence
from command_line import InputError
from command_line import files
from command_line import progress
from command_line.heartbeat import Heartbeat


class _Trainer(base_trainer.Trainer):
    """Trains as Model Garden does, and reports the progress of evaluations."""

    progress: progress.Progress

    def initialize(self):
        start = self.config.task.init_checkpoint
        if start and hugging_face.is_one(start):
            pretrained.load(self.model, start)
        else:
            # Model Garden would leave the weights random without a word.
            if start and tf.io.gfile.isdir(start):
                checkpoints.required("task.init_checkpoint", start)
            super().initialize()

    def eval_reduce(self, state=None, step_outputs=None):
        # Not in the graph of `trainer.eval_tf_while_loop`.
        if tf.executing_eagerly():
            self.progress.evaluated_batch()
        return super().eval_reduce(state, step_outputs)

    def eval_end(self, aggregated_logs=None):
        self.progress.computing_metrics()
        return super().eval_end(aggregated_logs)


def train(
    params: config_definitions.ExperimentConfig,
    data_dir: str,
    model_dir: str,
    seed: int,
) -> dict[str, float]:
    """Trains, from the directory's newest checkpoint if there is one.

    Args:
        params: The experiment's parameters.
        data_dir: Directory of the data, whose tokenizer is copied.
        model_dir: Directory of the run.
        seed: Seed of the initial weights and of dropout.

    Returns:
        Metrics on the validation data after the last step.

    Raises:
        InputError: If the directory holds another run, or data, a checkpoint
            or the parameters cannot be used.
        Divergence: If the loss or the weights diverge.
    """
    compatibility.check_directory(params, model_dir)
    checkpoint = checkpoints.newest("--model_dir", model_dir)
    step = _step_of(checkpoint) if checkpoint else 0
    history = _history(model_dir, step)
    if checkpoint and step >= params.trainer.train_steps in history:
        return history[params.trainer.train_steps]["validation"]
    strategy = _strategy(params.runtime)
    for name in ("train_data", "validation_data"):
        records.check(f"task.{name}.input_path", getattr(params.task, name))
    compatibility.check_optimizer(params)
    log_path = os.devnull
    # Only one of several workers writes.
    if strategy.extended.should_checkpoint:
        files.make_directory("--model_dir", model_dir)
        saved_parameters.write(params, model_dir)
        prepared.keep(data_dir, model_dir)
        log_path = os.path.join(model_dir, "log.txt")
    # A resumed run does not continue the order of the data: it reshuffles them.
    params.task.train_data.seed += step
    with open(log_path, "a", encoding="utf-8") as log:
        with contextlib.redirect_stdout(log):
            try:
                with Heartbeat(_beginning(step if checkpoint else None)):
                    runner = _runner(params, strategy, model_dir, seed)
                if checkpoint and not strategy.extended.should_checkpoint:
                    # Model Garden restores only the worker that writes.
                    runner.trainer.checkpoint.restore(checkpoint)
                return _train(runner, history)
            except (Divergence, InputError, OSError):
                raise
            # Model Garden and TensorFlow raise too many classes of errors for
            # wrong settings and files to list them.
            except Exception as error:
                traceback.print_exc(file=log)
                raise failures.explained(error, params, model_dir) from error


def _train(runner, history):
    """Trains and evaluates up to the last step; returns the last metrics."""
    controller, settings = runner.controller, runner.params.trainer
    start = int(controller.global_step.numpy())
    if start:
        progress.say(f"resuming from step {start:,}")
    stops = {
        stop: evaluate
        for stop, evaluate in _stops(settings)
        if stop >= start and not (stop in history and stop == start)
    }
    watch = progress.Progress(
        controller.global_step,
        settings.train_steps,
        [stop for stop, evaluate in stops.items() if evaluate],
        max(settings.validation_steps, 0) or None,
    )
    runner.trainer.progress = watch
    with contextlib.ExitStack() as first, runner.strategy.scope():
        if start < settings.train_steps:
            first.enter_context(Heartbeat("compiling the first step"))
        controller.train_actions = (
            lambda _: first.close(),
            *controller.train_actions,
            watch,
        )
        for stop, evaluate in stops.items():
            controller.train(
                steps=stop,
                checkpoint_at_completion=evaluate,
            )
            if evaluate:
                _check_weights(runner.trainer.model, stop)
                with watch.evaluation():
                    metrics = controller.evaluate(
                        steps=settings.validation_steps
                    )
                metrics = {k: float(v) for k, v in sorted(metrics.items())}
                watch.evaluated(metrics)
                history[stop] = {**watch.latest, "validation": metrics}
                if runner.strategy.extended.should_checkpoint:
                    _write_history(runner.model_dir, history)
    return history[settings.train_steps]["validation"]


def _stops(settings) -> Iterator[tuple[int, bool]]:
    """Yields the steps to train up to, and whether to evaluate there.

    The first step is a separate loop, so that its loss, before any update, is
    reported. The next loop ends at the usual step.
    """
    last, interval = settings.train_steps, settings.validation_interval
    evaluations = {*range(interval, last, interval), last}
    for stop in sorted({1, settings.steps_per_loop} | evaluations):
        if stop <= last:
            yield stop, stop in evaluations


def _history(model_dir, step):
    """Returns the evaluations up to a step, by step."""
    path = os.path.join(model_dir, "metrics.json")
    if not os.path.exists(path):
        return {}
    entries = files.read_json("--model_dir", path)
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        raise InputError(
            "`--model_dir` must hold the metrics of a run; delete this file "
            f"to continue without. Received: --model_dir={path}"
        )
    history = {entry.pop("step"): entry for entry in entries}
    return {at: entry for at, entry in history.items() if at <= step}


def _is_entry(entry):
    return (
        isinstance(entry, Mapping)
        and isinstance(entry.get("step"), int)
        and isinstance(entry.get("validation"), Mapping)
    )


def _write_history(model_dir, history):
    files.write_json(
        os.path.join(model_dir, "metrics.json"),
        [{"step": step, **entry} for step, entry in sorted(history.items())],
    )


def _strategy(runtime):
    """Returns the configured strategy, by default over all GPUs."""
    name = runtime.distribution_strategy
    gpus = len(tf.config.list_physical_devices("GPU"))
    if (runtime.num_gpus or 0) > gpus:
        # A strategy would wait for missing GPUs.
        raise InputError(
            f"`runtime.num_gpus` must be at most {gpus}, the GPUs that "
            f"TensorFlow sees. Received: num_gpus={runtime.num_gpus}"
        )
    if name == "one_device":
        gpus = min(gpus, 1)
    try:
        distribute_utils.configure_cluster(
            runtime.worker_hosts, runtime.task_index
        )
        return distribute_utils.get_distribution_strategy(
            distribution_strategy=name,
            all_reduce_alg=runtime.all_reduce_alg,
            num_gpus=runtime.num_gpus or gpus,
            tpu_address=runtime.tpu,
            **runtime.model_parallelism(),
        )
    except (ValueError, tf.errors.OpError) as error:
        raise InputError(
            f"`runtime` must be one that works here: {error}. Received: "
            f"distribution_strategy={name}, num_gpus={runtime.num_gpus}, "
            f"tpu={runtime.tpu}, worker_hosts={runtime.worker_hosts}, "
            f"task_index={runtime.task_index}"
        ) from error


def _runner(params, strategy, model_dir, seed):
    tf_keras.utils.set_random_seed(seed)
    if params.runtime.mixed_precision_dtype:
        performance.set_mixed_precision_policy(
            params.runtime.mixed_precision_dtype
        )
    with strategy.scope():
        task = task_factory.get_task(params.task, logging_dir=model_dir)
        # All workers take part in saving, but only one may write there.
        writes = strategy.extended.should_checkpoint
        trainer = train_utils.create_trainer(
            params,
            task,
            train=True,
            evaluate=True,
            checkpoint_exporter=BestCheckpoint.of(
                params, model_dir if writes else tempfile.mkdtemp()
            ),
            trainer_cls=_Trainer,
        )
        restoring.build_heads(trainer.model)
        _build_optimizer(trainer)
    return train_lib.OrbitExperimentRunner(
        distribution_strategy=strategy,
        task=task,
        mode="train_and_eval",
        params=params,
        model_dir=model_dir,
        save_summary=writes,
        trainer=trainer,
    )


def _build_optimizer(trainer):
    """Makes the optimizer's variables, so that the first step is traced once.

    Model Garden's legacy optimizers make theirs in the first step.
    """
    if hasattr(trainer.optimizer, "build"):
        trainer.optimizer.build(trainer.model.trainable_variables)


def _beginning(step):
    """Returns a text on the work before the first step of this process."""
    what = "reading the data, building the model"
    return what if step is None else f"{what}, restoring step {step:,}"


def _check_weights(model, step):
    """Raises `Divergence` if a weight is not finite."""
    for variable in model.trainable_variables:
        if not tf.reduce_all(tf.math.is_finite(variable)):
            raise failures.divergence(
                f"{variable.name} is not finite at step {step:,}"
            )


def _step_of(checkpoint):
    step = checkpoint.rpartition("-")[2]
    if not step.isdecimal():
        raise InputError(
            "`--model_dir` must hold checkpoints that are named after their "
            f"steps. Received: --model_dir={os.path.dirname(checkpoint)} with "
            f"{os.path.basename(checkpoint)}"
        )
    return int(step)
