"""Keeps the checkpoint with the best metric."""

import os
from collections.abc import Mapping

import orbit
import tensorflow as tf
from official.core import config_definitions
from official.core import train_utils

from command_line import InputError
from command_line import files


class BestCheckpoint(train_utils.BestCheckpointExporter):
    """Exports Model Garden's best checkpoint, and its metric afterwards.

    Model Garden writes the metric first. If it is killed before the checkpoint
    is complete, the metric of lost weights stays, and no later checkpoint may
    reach it (official/core/train_utils.py, 2.20.0).
    """

    @classmethod
    def of(
        cls, params: config_definitions.ExperimentConfig, model_dir: str
    ) -> "BestCheckpoint | None":
        """Returns the exporter for a run's parameters.

        Args:
            params: Parameters of the run.
            model_dir: Directory of the run.

        Returns:
            The exporter, or `None` if the best checkpoint is not configured.

        Raises:
            InputError: If the directory's file on the best checkpoint is
                damaged.
        """
        trainer = params.trainer
        subdir = trainer.best_checkpoint_export_subdir
        metric = trainer.best_checkpoint_eval_metric
        if not (subdir and metric):
            return None
        directory = os.path.join(model_dir, subdir)
        kept = os.path.join(directory, "info.json")
        if os.path.exists(kept):
            found = files.read_json("--model_dir", kept)
            if not isinstance(found, Mapping) or not isinstance(
                found.get(metric), int | float
            ):
                raise InputError(
                    f"`--model_dir` must hold the best {metric} so far; delete "
                    "this file to search for the best again. "
                    f"Received: --model_dir={kept}"
                )
        return cls(
            directory,
            metric,
            trainer.best_checkpoint_metric_comp,
        )

    def maybe_export_checkpoint(
        self,
        checkpoint: tf.train.Checkpoint,
        eval_logs: dict,
        global_step: int,
        write_logs: bool = True,
    ) -> bool:
        """Saves the checkpoint if it is the best so far, then its metrics.

        Args:
            checkpoint: The checkpoint.
            eval_logs: Metrics of the checkpoint.
            global_step: Its step.
            write_logs: Whether this worker writes the metrics.

        Returns:
            Whether it is the best so far.

        Raises:
            InputError: If the configured metric is not among them.
        """
        metric = "|".join(self._metric_name)
        if metric not in eval_logs:
            raise InputError(
                "`trainer.best_checkpoint_eval_metric` must be one of "
                f"{', '.join(sorted(eval_logs))}. "
                f"Received: best_checkpoint_eval_metric={metric!r}"
            )
        is_best = super().maybe_export_checkpoint(
            checkpoint, eval_logs, global_step, write_logs=False
        )
        if is_best and write_logs:
            self.export_best_eval_metric(eval_logs, global_step)
        return is_best

    def export_best_eval_metric(
        self, eval_logs: dict, global_step: int
    ) -> None:
        """Writes the metrics of the best checkpoint atomically.

        Args:
            eval_logs: Metrics of the checkpoint.
            global_step: Its step.
        """
        metrics = {
            name: float(orbit.utils.get_value(value))
            for name, value in eval_logs.items()
        }
        files.write_json(
            self.best_ckpt_logs_path,
            {**metrics, "best_ckpt_global_step": int(global_step)},
        )
