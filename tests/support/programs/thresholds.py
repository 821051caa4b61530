"""Changes a clipping threshold in the middle of `fit`, on any backend."""

from tests.support.enrolment.record import Adaptive
from tests.support.front_ends import KERAS
from tests.support.models import dense_model
from tests.support.models import everything
from tests.support.models import fit
from tests.support.trajectories import same_bits

# The optimizer, its first threshold and its second.
CASES = {
    "number": ("gclip", 8.0, 0.0625),
    "adaptive": (
        "clip_adagrad_norm",
        Adaptive(2.0, 0.5, 1.0),
        Adaptive(0.25, 0.75, 1.5),
    ),
}


def as_argument(threshold):
    """Returns what `clip_threshold` is set to."""
    is_record = hasattr(threshold, "threshold")
    return threshold.threshold() if is_record else threshold


def ends(front_end, case):
    """Returns everything after each of the three ways, by name."""
    name, first, second = CASES[case]
    arguments = {"learning_rate": 0.125, "clip_threshold": first}
    result = {}
    for way in ("called", "by_hand", "unchanged"):
        optimizer = front_end.optimizer(name, **arguments)
        model = dense_model(front_end, optimizer)

        def change(epoch, logs=None, optimizer=optimizer):
            if epoch == 2:
                optimizer.clip_threshold = as_argument(second)

        if way == "by_hand":
            fit(model, epochs=2, batch_size=16)
            change(2)
            fit(model, epochs=2, batch_size=16)
        else:
            call = front_end.framework.callbacks.LambdaCallback(change)
            calls = [call] if way == "called" else []
            fit(model, *calls, epochs=4, batch_size=16)
        result[way] = everything(front_end, model)
    return result


def assert_changed(found):
    """Checks that a callback changes the threshold as a change by hand does."""
    assert same_bits(found["called"], found["by_hand"])
    assert not same_bits(found["called"][:4], found["unchanged"][:4])


def main():
    """Returns the ends of every case."""
    return {case: ends(KERAS, case) for case in CASES}
