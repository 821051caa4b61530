"""Lists the optimizers of this package, and finds them by name.

`keras_clip.get`, the Model Garden configs and the shared tests use the list.
"""

import dataclasses

import keras

from keras_clip.validation import check_choice
from keras_clip.validation import check_number

# Kinds of steps. A learning rate only suits optimizers of the same kind.
STEPS = {
    "coordinate": "moves each coordinate by about the learning rate",
    "fading coordinate": (
        "moves each coordinate by at most the learning rate, by less as "
        "gradients add up"
    ),
    "whole": "moves all parameters together by about the learning rate",
    "fading whole": (
        "moves all parameters together by at most the learning rate, by less "
        "as gradients add up"
    ),
    "gradient": "moves by the learning rate times the clipped gradient",
}


@dataclasses.dataclass(frozen=True)
class OptimizerInfo:
    """Describes an optimizer for those who do not have an instance of it.

    Args:
        name: Name in snake case, as in Model Garden's YAML.
        class_name: Name of the class in `keras_clip` and
            `keras_clip.tf_keras`.
        summary: One line for tables.
        reference: Source of the algorithm.
        step: Kind of step with the default arguments, a key of `STEPS`. It says
            what the learning rate means.
        starting_rate: Learning rate to start the training of a Transformer
            with, with default values for all other arguments.

    Raises:
        ValueError: If `step` or `starting_rate` is out of its range.
    """

    name: str
    class_name: str
    summary: str
    reference: str
    step: str
    starting_rate: float

    def __post_init__(self):
        check_choice("step", self.step, tuple(STEPS))
        check_number("starting_rate", self.starting_rate, 0, open_low=True)

    @property
    def keras_class(self) -> type[keras.optimizers.Optimizer]:
        """Returns the class for Keras 3, registered by `import keras_clip`."""
        return keras.saving.get_registered_object(self._registered_name)

    @property
    def tf_keras_class(self) -> type | None:
        """Returns the class for tf_keras, if `keras_clip.tf_keras` is there."""
        import tf_keras

        return tf_keras.saving.get_registered_object(self._registered_name)

    @property
    def _registered_name(self):
        return f"keras_clip>{self.class_name}"


OPTIMIZERS = {
    info.name: info
    for info in (
        OptimizerInfo(
            name="acclip",
            class_name="ACClip",
            summary=(
                "momentum, each coordinate clipped at a threshold that "
                "follows its gradients"
            ),
            reference="Zhang et al. 2020, Algorithm 1",
            step="coordinate",
            starting_rate=0.001,
        ),
        OptimizerInfo(
            name="gclip",
            class_name="GClip",
            summary="SGD, the gradient clipped by its norm",
            reference="Zhang et al. 2020, section 3.1",
            step="gradient",
            starting_rate=0.3,
        ),
        OptimizerInfo(
            name="cclip",
            class_name="CClip",
            summary="SGD, each coordinate of the gradient clipped",
            reference="Zhang et al. 2020, section 4.1",
            step="gradient",
            starting_rate=0.3,
        ),
        OptimizerInfo(
            name="clip_adam_norm",
            class_name="ClipAdamNorm",
            summary=(
                "Adam on clipped gradients, one second moment for all "
                "parameters"
            ),
            reference="Chezhegov et al. 2025, Algorithm 2",
            step="whole",
            starting_rate=1.0,
        ),
        OptimizerInfo(
            name="clip_adagrad_norm",
            class_name="ClipAdaGradNorm",
            summary=(
                "AdaGrad on clipped gradients, one sum of squares for all "
                "parameters"
            ),
            reference="Chezhegov et al. 2025, Algorithm 2",
            step="fading whole",
            starting_rate=3.0,
        ),
        OptimizerInfo(
            name="clip_adam",
            class_name="ClipAdam",
            summary="Adam on clipped gradients",
            reference="Chezhegov et al. 2025, experiments",
            step="coordinate",
            starting_rate=0.001,
        ),
        OptimizerInfo(
            name="clip_adagrad",
            class_name="ClipAdaGrad",
            summary="AdaGrad on clipped gradients",
            reference="Chezhegov et al. 2025, experiments",
            step="fading coordinate",
            starting_rate=0.3,
        ),
    )
}


def get(identifier: str | dict | keras.optimizers.Optimizer):
    """Returns an optimizer by name, config or instance.

    `keras.optimizers.get` finds add-ons only by their registered names. This
    function also finds the optimizers of this package by their plain names.

    Args:
        identifier: Name of an optimizer of this package in any case
            (`"acclip"`, `"ACClip"`), a dict of such a `class_name` and of a
            `config`, or an argument of `keras.optimizers.get`.

    Returns:
        A Keras optimizer, or `None` for `None`, as in Keras.

    Raises:
        ValueError: If there is no such optimizer.

    Example:

    >>> keras_clip.get("acclip").beta_2
    0.99
    >>> config = {"learning_rate": 0.5}
    >>> keras_clip.get({"class_name": "GClip", "config": config}).momentum
    0.0
    """
    name, config = identifier, {}
    if isinstance(identifier, dict):
        name = identifier.get("class_name")
        config = identifier.get("config", {})
    if isinstance(name, str) and isinstance(config, dict):
        for info in OPTIMIZERS.values():
            if name.lower() in (info.name, info.class_name.lower()):
                # A copy, as Keras replaces the schedule's config in the dict.
                return info.keras_class.from_config({**config})
    try:
        return keras.optimizers.get(identifier)
    except (KeyError, ValueError):
        if not isinstance(identifier, str | dict):
            raise
        raise ValueError(
            f"`identifier` must be one of {', '.join(OPTIMIZERS)}, a dict of "
            "such a `class_name` and of its `config`, or an identifier for "
            "`keras.optimizers.get`. Received: "
            f"identifier={identifier!r}"
        ) from None
