"""Models that ClipMonitor watches, and a loop that reads at every step."""

import functools

import keras
import numpy as np

from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Polynomial
from tests.support.models import data
from tests.support.models import dense_model
from tests.support.models import fit as fit_batches
from tests.support.noise_problems import batches_of
from tests.support.oracles import thresholds
from tests.support.trajectories import same_bits

STEPS, BATCH = 16, 2
THRESHOLDS = {
    "number": 1.0,
    "polynomial": Polynomial(0.5, 0.25),
    "adaptive": Adaptive(0.75, 0.75, 1.0),
}


def make_monitor(front_end, **arguments):
    return front_end.callbacks.ClipMonitor(**arguments)


def gclip(front_end, **arguments):
    return front_end.optimizer(
        "gclip",
        **{"learning_rate": 0.125, "clip_threshold": 0.5, **arguments},
    )


def steps_with(skipped):
    """Returns inputs and targets; those of some steps are infinite."""
    x, targets = data()
    for step in skipped:
        x[BATCH * (step - 1) : BATCH * step] = np.inf
    return x, targets


fit = functools.partial(fit_batches, batch_size=BATCH)


class Loop:
    """Takes the same steps one by one and reads the optimizer after each."""

    def __init__(self, front_end, optimizer, on=None, epochs=1):
        model = dense_model(front_end, optimizer)
        self.steps = []
        for _ in range(epochs):
            for batch in batches_of(*(on or data()), BATCH):
                model.train_on_batch(*batch)
                self.steps.append(
                    {
                        "step": int(optimizer.update_count),
                        "gradient_norm": float(optimizer.gradient_norm),
                        "clip_fraction": float(optimizer.clip_fraction),
                        "skipped_steps": int(optimizer.skipped_steps),
                        "norms": front_end.value(optimizer.gradient_norms),
                        "shares": front_end.value(optimizer.clip_fractions),
                    }
                )

    def readings(self, at, threshold=None, start=0):
        """Returns what there is to read after some steps, from 1.

        Args:
            at: After which steps.
            threshold: The threshold; `None` to leave it out.
            start: Before which step there was a reading that is not listed.
        """
        result = []
        for before, after in zip([start, *at[:-1]], at, strict=True):
            last = self.steps[after - 1]
            names = ("step", "gradient_norm", "skipped_steps")
            reading = {name: last[name] for name in names}
            reading["clip_fraction"] = self.clip_fraction(before, after)
            if threshold is not None:
                reading["clip_threshold"] = self._threshold(threshold, after)
            result.append(reading)
        return result

    def clip_fraction(self, before, after):
        """Returns the mean over the updates of an interval of steps."""
        shares = [s["clip_fraction"] for s in self._updates(before, after)]
        return np.mean(shares) if shares else np.nan

    def _updates(self, before, after):
        counts = [0] + [step["step"] for step in self.steps]
        return [
            self.steps[i]
            for i in range(before, after)
            if counts[i + 1] > counts[i]
        ]

    def _threshold(self, threshold, after):
        """Returns the oracle's threshold of the last update."""
        tau, moments = [np.nan], [0.0]
        for k, step in enumerate(self._updates(0, after), start=1):
            norms = [step["gradient_norm"]]
            tau, moments = thresholds.at(threshold, k, [k], norms, moments)
        return tau[0]


@functools.cache
def usual_loop(front_end):
    """Returns three epochs of the usual optimizer."""
    return Loop(front_end, gclip(front_end), epochs=3)


def assert_equal(actual, expected):
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        assert a.keys() == e.keys()
        for name, value in e.items():
            np.testing.assert_allclose(a[name], value, rtol=1e-5, err_msg=name)


def assert_switched_on(watched, plain, expected, steps):
    """Checks four trainings, of which the second and the third are read.

    Args:
        watched: They as `trainings` in `programs.callbacks` returns them.
        plain: The same without a monitor.
        expected: The same elsewhere.
        steps: How often `train_step` is run in a training without a trace.
    """
    for actual, without, alike in zip(watched, plain, expected, strict=True):
        assert same_bits(actual["weights"], without["weights"])
        assert_equal(actual["readings"], alike["readings"])
    assert [len(each["readings"]) for each in watched] == [0, 2, 2, 0]
    traces = [each["traces"] for each in watched]
    assert traces[1] > 0 and traces[2:] == [steps, steps]


def _scalars(folder):
    from tensorboard.backend.event_processing import event_accumulator

    events = event_accumulator.EventAccumulator(str(folder))
    events.Reload()
    return {
        name.removeprefix("clipping/"): [
            (event.step, event.value) for event in events.Scalars(name)
        ]
        for name in events.Tags()["scalars"]
    }


def assert_are_scalars(readings, folder):
    scalars = _scalars(folder)
    assert scalars.keys() == readings[0].keys() - {"step"}
    for name, found in scalars.items():
        expected = [(each["step"], each[name]) for each in readings]
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=name)


def several(optimizer, other):
    return keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(optimizer, {".*second.*": other})
    )
