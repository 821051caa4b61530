"""Attributes of an optimizer that are fields of the settings of its steps."""

import dataclasses


class SettingAttribute:
    """An attribute that is a field of the optimizer's settings.

    The settings have it once. It can be set at any time, and is for the steps
    that are traced from then on.

    Args:
        zero_is_none: Whether 0 and `False` stand for `None`, as they do for
            Keras once an optimizer is made. Defaults to `False`.
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
        optimizer.step_settings = dataclasses.replace(
            optimizer.step_settings, **{self._name: value}
        )


class HyperparameterAttribute(SettingAttribute):
    """An attribute that is a field of the rule in the optimizer's settings."""

    def __get__(self, optimizer, owner=None):
        if optimizer is None:
            return self
        return getattr(optimizer.step_settings.rule, self._name)

    def __set__(self, optimizer, value):
        settings = optimizer.step_settings
        rule = dataclasses.replace(settings.rule, **{self._name: value})
        optimizer.step_settings = dataclasses.replace(settings, rule=rule)


def add_hyperparameters(cls: type) -> None:
    """Gives a class of optimizers an attribute for each field of its rule.

    Args:
        cls: The class. Without a `rule_class` it is left alone.

    Raises:
        TypeError: If it has a property of the name of a setting.
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
                f"`{name}` must not be overridden: steps read it of the "
                f"settings. Received: {cls.__name__}.{name}"
            )
        # The value that a subclass's own attribute has is no optimizer's.
        attribute.__set_name__(cls, name)
        setattr(cls, name, attribute)
