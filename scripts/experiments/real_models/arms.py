"""Makes the arms of experiments.

An arm is an optimizer with its arguments and the middle of its learning rates.
None has weight decay: it is multiplied by the learning rate, whose unit differs
between arms, so that only none is equal.
"""


def clip_adam(clip_threshold: float | None, **arguments) -> dict:
    """Returns an arm of ClipAdam.

    Args:
        clip_threshold: As of `ClipAdam`.
        **arguments: Others of it.
    """
    return {
        "optimizer": "ClipAdam",
        "arguments": {"clip_threshold": clip_threshold, **arguments},
    }


def cclip(clip_threshold: float) -> dict:
    """Returns an arm of CClip with momentum.

    Args:
        clip_threshold: As of `CClip`.
    """
    return {
        "optimizer": "CClip",
        "arguments": {"clip_threshold": clip_threshold, "momentum": 0.9},
    }


def gclip(clip_threshold: float | None) -> dict:
    """Returns an arm of GClip with momentum.

    Args:
        clip_threshold: As of `GClip`.
    """
    return {
        "optimizer": "GClip",
        "arguments": {"clip_threshold": clip_threshold, "momentum": 0.9},
    }


def acclip(step_scaling: str | None = "rms", alpha: float = 1.0) -> dict:
    """Returns an arm of ACClip.

    Args:
        step_scaling: As of `ACClip`.
        alpha: As of `ACClip`.
    """
    return {
        "optimizer": "ACClip",
        "arguments": {
            "step_scaling": step_scaling,
            "alpha": alpha,
            "weight_decay": None,
        },
    }


def at(arm: dict, rate: float) -> dict:
    """Returns an arm with the middle of its learning rates."""
    return {**arm, "rate": rate}


ADAM = clip_adam(None)
# A negative control: the same optimizer, with other dropout, or other weights
# where there is none.
ADAM_AGAIN = {**ADAM, "other_seed": 1000}
# Keras' own. The gradient of the segments' embedding has a row for each
# position, which this squares before it adds them up (keras 3.15.1 on
# TensorFlow, src/optimizers/adam.py).
KERAS_ADAM = {"optimizer": "Adam", "arguments": {}}
CLIPPED_ADAM = clip_adam(1.0)
CLIP_ADAM_BY_LAYER = clip_adam(1.0, clipping="layer")
CLIP_ADAM_NORM = {
    "optimizer": "ClipAdamNorm",
    "arguments": {"clip_threshold": 1.0},
}
SGD = gclip(None)
GCLIP = gclip(1.0)
# At 0.1, the default, no coordinate of a small BERT is clipped.
CCLIP = cclip(0.001)
