"""Reports on the gradient noise during training, in both frameworks."""

import dataclasses
import inspect
import pathlib
import warnings

from keras_clip import noise
from keras_clip.noise.optional_packages import check_reporting
from keras_clip.noise.reports.noise_report import NoiseReport
from keras_clip.noise.sampling.batches import is_arrays
from keras_clip.noise.sampling.gradients import check_targets
from keras_clip.noise.sampling.gradients import is_own
from keras_clip.noise.sampling.sampling_options import SamplingOptions
from keras_clip.validation import check_choice
from keras_clip.validation import check_integer
from keras_clip.validation import check_path


class BaseGradientNoise:
    """Samples the gradient noise every few epochs, as a mixin for callbacks."""

    def __init__(
        self,
        x,
        y=None,
        every: int = 1,
        directory: str | pathlib.Path | None = None,
        verbose: int = 1,
        **sampling,
    ):
        super().__init__()
        known = inspect.signature(noise.sample).parameters
        unknown = [name for name in sampling if name not in known]
        if unknown:
            raise ValueError(
                "`sampling` must be arguments of `keras_clip.noise.sample`. "
                f"Received: {unknown[0]}={sampling[unknown[0]]!r}"
            )
        options = {f.name for f in dataclasses.fields(SamplingOptions)}
        SamplingOptions(**{k: v for k, v in sampling.items() if k in options})
        self._data = x, y
        self._every = check_integer("every", every, 1)
        directory = check_path("directory", directory)
        self._directory = None if directory is None else pathlib.Path(directory)
        check_reporting(plots=directory is not None)
        self._verbose = check_choice("verbose", verbose, (0, 1))
        self._sampling = sampling
        self._reports = {}
        self._reported = None

    @property
    def reports(self) -> dict[int, NoiseReport]:
        """Returns the reports by epoch, counted from 1."""
        return dict(self._reports)

    def on_train_begin(self, logs=None):
        """Warns if the model may train with a loss that is not sampled.

        Raises:
            ValueError: If the loss needs a `y` and none is given.
        """
        model = self.model
        x, y = self._data
        if is_arrays(x):
            check_targets(model, y)
        if model is not self._reported:
            self._reports = {}
        self._reported = model
        own_step = is_own(model, "train_step")
        if own_step and not is_own(model, "compute_loss"):
            warnings.warn(
                "`GradientNoise` samples the loss that `compute_loss` returns. "
                "Override it too if the custom `train_step` of the model uses "
                f"another. Received: model={model!r}",
                stacklevel=2,
            )

    def on_epoch_begin(self, epoch, logs=None):
        """Drops the reports of an earlier training."""
        self._reports = {
            number: report
            for number, report in self._reports.items()
            if number <= epoch
        }

    def on_epoch_end(self, epoch, logs=None):
        """Makes and writes a report, and adds its tail index to the logs."""
        epoch = epoch + 1
        if epoch % self._every:
            return
        x, y = self._data
        try:
            report = noise.report(
                noise.sample(self.model, x, y, verbose=0, **self._sampling)
            )
        except ValueError as error:
            # Training continues without the report.
            warnings.warn(
                f"`GradientNoise` has no report after epoch {epoch}: {error}",
                stacklevel=2,
            )
            return
        self._reports[epoch] = report
        index = report.tail_index
        if index and logs is not None:
            logs["noise_tail_index"] = index.alpha
        if self._verbose:
            needed = "recommended"
            if report.verdict == "not heavy-tailed":
                needed = "Adam alone may do as well; to clip"
            print(
                f"\nGradient noise: {report.verdict}, tail index {index}; "
                f"{needed}: {report.recommendation}"
            )
        if self._directory is not None:
            self._directory.mkdir(parents=True, exist_ok=True)
            name = f"epoch-{epoch:04}"
            report.samples.save(self._directory / f"{name}-samples.json")
            report.save(self._directory / f"{name}.json")
            report.plot(self._directory / f"{name}.png")

    def on_train_end(self, logs=None):
        """Draws how the noise changed over training."""
        if self._directory is not None and self._reports:
            from keras_clip.noise.reports.plots import plot_evolution

            figure = plot_evolution({"noise": self._reports}, unit="epoch")
            figure.savefig(self._directory / "evolution.png")
