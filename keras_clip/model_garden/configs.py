"""Builds typed configs of the optimizers from the registry.

Model Garden parses configs strictly: an optimizer needs a field in an
`OptimizerConfig`, and its config a field for every argument that YAML may set.
Both are derived from the constructors.
"""

import dataclasses
import inspect

from official.modeling.hyperparams import base_config
from official.modeling.optimization import optimizer_factory
from official.modeling.optimization.configs import (
    optimization_config as stock_optimization_config,
)
from official.modeling.optimization.configs import (
    optimizer_config as stock_optimizer_config,
)

import keras_clip.tf_keras  # noqa: F401 registers the optimizers
from keras_clip.registry import OPTIMIZERS
from keras_clip.registry import OptimizerInfo


@dataclasses.dataclass
class _ClippingConfig(stock_optimizer_config.BaseOptimizerConfig):
    """Config whose `clip_threshold` may be a schedule.

    Model Garden would merge schedules of different classes, and reject
    arguments that the earlier schedule does not name.
    """

    def _override(self, override_dict, is_strict=True):
        given = override_dict.get("clip_threshold")
        before = self.__dict__.get("clip_threshold")
        if isinstance(before, base_config.Config) and isinstance(given, dict):
            if "class_name" in given:
                self.__dict__["clip_threshold"] = None
            else:
                before.override(given, is_strict=False)
        super()._override(override_dict, is_strict)


def make_optimizer_config(
    info: OptimizerInfo,
) -> type[stock_optimizer_config.BaseOptimizerConfig]:
    """Returns the config dataclass of one optimizer.

    Args:
        info: The optimizer's row in the registry.

    Returns:
        Subclass of `BaseOptimizerConfig` with a field for every argument of the
        tf_keras constructor except the learning rate, which Model Garden
        configures separately.
    """
    inherited = {
        field.name
        for field in dataclasses.fields(
            stock_optimizer_config.BaseOptimizerConfig
        )
    }
    parameters = inspect.signature(info.tf_keras_class).parameters.values()
    fields = [
        (parameter.name, parameter.annotation, parameter.default)
        for parameter in parameters
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        and parameter.name != "learning_rate"
        and parameter.name not in inherited
    ]
    return dataclasses.make_dataclass(
        f"{info.class_name}Config",
        fields,
        bases=(_ClippingConfig,),
        namespace={
            "__doc__": f"Config of `keras_clip.tf_keras.{info.class_name}`.",
            "__module__": __name__,
        },
    )


def _register(info: OptimizerInfo) -> None:
    """Registers an optimizer in both tables of the factory.

    The trainer looks up every optimizer in the table of legacy optimizers
    (official/core/base_task.py, 2.20.0).
    """
    for use_legacy_optimizer in (True, False):
        optimizer_factory.register_optimizer_cls(
            info.name,
            info.tf_keras_class,
            use_legacy_optimizer=use_legacy_optimizer,
        )


OPTIMIZER_CONFIGS = {
    name: make_optimizer_config(info) for name, info in OPTIMIZERS.items()
}
for _info in OPTIMIZERS.values():
    _register(_info)

OptimizerConfig = dataclasses.make_dataclass(
    "OptimizerConfig",
    [
        (name, config, dataclasses.field(default_factory=config))
        for name, config in OPTIMIZER_CONFIGS.items()
    ],
    bases=(stock_optimization_config.OptimizerConfig,),
    namespace={
        "__doc__": (
            "One of Model Garden's optimizers or of this package's, by `type`."
        ),
        "__module__": __name__,
    },
)


@dataclasses.dataclass
class OptimizationConfig(stock_optimization_config.OptimizationConfig):
    """Config of an optimizer, its learning rate and warm-up.

    Attributes:
        optimizer: The optimizer and its arguments.
        ema: Model Garden's moving average of the weights. It only works with
            legacy tf_keras optimizers; those of this package have `use_ema`.
        learning_rate: The learning rate schedule.
        warmup: The warm-up.

    Raises:
        ValueError: On reading `ema` if it is set for an optimizer of this
            package.
    """

    optimizer: OptimizerConfig = dataclasses.field(
        default_factory=OptimizerConfig
    )

    # A config keeps its values in `__dict__`, where this property finds them.
    # Model Garden reads `ema` when it builds the optimizer, and only then is
    # the optimizer's type final.
    @property
    def ema(self) -> stock_optimizer_config.EMAConfig | None:
        """Returns the config of Model Garden's moving average of weights."""
        ema = self.__dict__["ema"]
        name = self.optimizer.type
        if ema is not None and name in OPTIMIZERS:
            raise ValueError(
                "`ema` only works with legacy tf_keras optimizers; set "
                f"`optimizer.{name}.use_ema: true` instead. "
                f"Received: ema={ema.as_dict()}"
            )
        return ema
