"""Optimizer attributes that read and write the settings of a step."""

import dataclasses


class SettingAttribute:
    """Reads and writes a field of the optimizer's settings.

    The value is stored in the settings alone. It can be set at any time and
    applies to steps that are traced afterwards. An optimizer that is built
    refuses a value with which it would need other state variables.

    Args:
        zero_is_none: Whether 0 and `False` stand for `None`, as they do in
            Keras after construction. Defaults to `False`.
    """

    def __init__(self, zero_is_none: bool = False):
        self._zero_is_none = zero_is_none

    def __set_name__(self, owner, name):
        self._name = name

    def __get__(self, optimizer, owner=None):
        if optimizer is None:
            return self
        return getattr(optimizer.step_settings, self._name)

    def __set__(self, optimizer, value):
        if self._zero_is_none:
            value = value or None
        settings = optimizer.step_settings
        self._store(
            optimizer,
            value,
            dataclasses.replace(settings, **{self._name: value}),
        )

    def _store(self, optimizer, value, settings):
        if not optimizer.has_state_for(settings):
            raise ValueError(
                f"`{self._name}` must be one that needs the same state "
                "variables once the optimizer is built; else make a new "
                f"optimizer. Received: {self._name}={value!r}"
            )
        optimizer.step_settings = settings


class HyperparameterAttribute(SettingAttribute):
    """Reads and writes a field of the rule in the optimizer's settings."""

    def __get__(self, optimizer, owner=None):
        if optimizer is None:
            return self
        return getattr(optimizer.step_settings.rule, self._name)

    def __set__(self, optimizer, value):
        settings = optimizer.step_settings
        rule = dataclasses.replace(settings.rule, **{self._name: value})
        self._store(optimizer, value, dataclasses.replace(settings, rule=rule))


def add_hyperparameters(cls: type) -> None:
    """Adds an attribute for each field of its rule to an optimizer class.

    Args:
        cls: The class. It is left unchanged if it has no `rule_class`.

    Raises:
        TypeError: If it has a property with the name of a setting.
    """
    rule_class = getattr(cls, "rule_class", None)
    if rule_class is None:
        return
    attributes = {
        field.name: HyperparameterAttribute()
        for field in dataclasses.fields(rule_class)
    }
    for base in reversed(cls.__mro__[1:]):
        for name, attribute in vars(base).items():
            if isinstance(attribute, SettingAttribute):
                attributes[name] = attribute
    for name, attribute in attributes.items():
        found = getattr(cls, name, None)
        if found is attribute:
            continue
        if hasattr(found, "__set__"):
            raise TypeError(
                f"`{name}` must not be overridden: steps read it from the "
                f"settings. Received: {cls.__name__}.{name}"
            )
        # Replaces a plain attribute of the subclass, which no step would read.
        attribute.__set_name__(cls, name)
        setattr(cls, name, attribute)
