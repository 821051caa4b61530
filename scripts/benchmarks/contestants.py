"""The optimizers that are compared, of this package and of others."""

import dataclasses
import importlib
from collections.abc import Mapping
from collections.abc import Sequence

from benchmarks.modes import MODES
from command_line import InputError

# What a step costs does not depend on the learning rate. With a small one no
# contestant moves the variables that all share to where numbers get unusual.
LEARNING_RATE = 1e-6
_MODULES = {
    "keras": "keras.optimizers",
    "keras_clip": "keras_clip",
    "optax": "optax",
    "tf_keras": "tf_keras.optimizers",
}


@dataclasses.dataclass(frozen=True)
class Contestant:
    """An optimizer with its arguments.

    Args:
        name: What the command line and the results call it.
        family: Whose it is: `"keras"`, `"keras_clip"`, `"optax"`, `"tf_keras"`,
            or `"none"` for a training step without any update.
        factory: Name of its class or function.
        slots: How many tensors like each variable it keeps.
        norm: Whether it reads the gradients once more, for their norm.
        counterpart: Name of the one of theirs that does the most alike.
        arguments: Its arguments; the rest are its defaults.
    """

    name: str
    family: str
    factory: str = ""
    slots: int = 0
    norm: bool = False
    counterpart: str | None = None
    arguments: Mapping = dataclasses.field(default_factory=dict)

    @property
    def title(self) -> str:
        """Returns the call that makes it, as tables show it."""
        if self.family == "none":
            return "no update"
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.arguments.items())
        family = "" if self.family == "keras_clip" else f"{self.family} "
        return f"{family}`{self.factory}({arguments})`"

    def make(self, mode: str):
        """Returns the optimizer.

        Args:
            mode: The mode that it steps in, a key of `MODES`.
        """
        module = _MODULES[self.family]
        if mode == "tf_keras" and self.family == "keras_clip":
            module = "keras_clip.tf_keras"
        factory = getattr(importlib.import_module(module), self.factory)
        arguments = dict(self.arguments)
        jit_compile = MODES[mode].jit_compile
        if self.family == "keras_clip" and jit_compile is not None:
            arguments["jit_compile"] = jit_compile
        return factory(learning_rate=LEARNING_RATE, **arguments)

    def counterpart_in(self, mode: str) -> str | None:
        """Returns the name of its counterpart among those of a mode.

        Args:
            mode: A key of `MODES`.
        """
        families = {"jax": "optax_", "tf_keras": "tf_keras_"}
        prefix = families.get(mode.removesuffix("-fit"), "")
        for name in (f"{prefix}{self.counterpart}", self.counterpart):
            if name != self.name and name in CONTESTANTS:
                if CONTESTANTS[name].family in MODES[mode].families:
                    return name
        return None

    def rivals(self, mode: str) -> set[str]:
        """Returns the names of those that it is compared with.

        Args:
            mode: A key of `MODES`.
        """
        names = {*MODES[mode].references, self.counterpart_in(mode)}
        if MODES[mode].trains:
            names.add("none")
        return names - {None, self.name}


def _ours(name, factory, slots, norm, counterpart, **arguments):
    return Contestant(
        name, "keras_clip", factory, slots, norm, counterpart, arguments
    )


def _theirs(name, family, factory, slots, norm=False, **arguments):
    counterpart = None if name == "adam" else "adam"
    return Contestant(
        name, family, factory, slots, norm, counterpart, arguments
    )


_THRESHOLD = {"step_scaling": "threshold"}
CONTESTANTS = {
    contestant.name: contestant
    for contestant in (
        Contestant("none", "none"),
        _theirs("adam", "keras", "Adam", 2),
        _theirs("adamw", "keras", "AdamW", 2, weight_decay=0.01),
        _theirs(
            "adam_clipped", "keras", "Adam", 2, norm=True, global_clipnorm=1.0
        ),
        _theirs(
            "sgd_clipped", "keras", "SGD", 0, norm=True, global_clipnorm=1.0
        ),
        _theirs("sgd", "keras", "SGD", 0),
        _theirs("lion", "keras", "Lion", 1),
        _theirs("tf_keras_adam", "tf_keras", "Adam", 2, jit_compile=False),
        # Its default asks for XLA, and gets it on a GPU alone (tf_keras 2.20).
        _theirs("tf_keras_adam_default", "tf_keras", "Adam", 2),
        _theirs("optax_adam", "optax", "adam", 2),
        _theirs("optax_adamw", "optax", "adamw", 2, weight_decay=0.01),
        _ours("acclip", "ACClip", 3, False, "adam"),
        _ours(
            "acclip_threshold",
            "ACClip",
            2,
            False,
            "adam",
            **_THRESHOLD,
            weight_decay=None,
        ),
        _ours(
            "acclip_threshold_decay",
            "ACClip",
            2,
            False,
            "adamw",
            **_THRESHOLD,
            weight_decay=0.01,
        ),
        _ours("acclip_unscaled", "ACClip", 2, False, "adam", step_scaling=None),
        _ours("gclip", "GClip", 0, True, "sgd_clipped"),
        _ours("gclip_momentum", "GClip", 1, True, "sgd_clipped", momentum=0.9),
        _ours("cclip", "CClip", 0, False, "sgd_clipped"),
        _ours("clip_adam_norm", "ClipAdamNorm", 1, True, "adam"),
        _ours("clip_adagrad_norm", "ClipAdaGradNorm", 0, True, "adam"),
        _ours("clip_adam", "ClipAdam", 2, True, "adam_clipped"),
        _ours(
            "clip_adam_layer",
            "ClipAdam",
            2,
            True,
            "adam_clipped",
            clipping="layer",
        ),
        _ours(
            "clip_adam_coordinate",
            "ClipAdam",
            2,
            False,
            "adam",
            clipping="coordinate",
        ),
        _ours("clip_adagrad", "ClipAdaGrad", 1, True, "adam_clipped"),
    )
}
OURS = tuple(n for n, c in CONTESTANTS.items() if c.family == "keras_clip")


def of_mode(mode: str, names: Sequence[str] = ()) -> list[Contestant]:
    """Returns those that are measured in a mode.

    Args:
        mode: A key of `MODES`.
        names: Names of contestants, all of them if empty. What they are
            compared with is added.

    Returns:
        Contestants of the families of the mode, in the order of `CONTESTANTS`.

    Raises:
        InputError: If a name is that of no contestant.
    """
    wanted = set(names or CONTESTANTS)
    for name in names:
        if name not in CONTESTANTS:
            raise InputError(
                f"`--optimizers` must be of {', '.join(CONTESTANTS)}. "
                f"Received: --optimizers={name}"
            )
    families = MODES[mode].families
    wanted = {n for n in wanted if CONTESTANTS[n].family in families}
    added = wanted
    while added:
        added = set().union(*(CONTESTANTS[n].rivals(mode) for n in added))
        added -= wanted
        wanted |= added
    return [c for c in CONTESTANTS.values() if c.name in wanted]
