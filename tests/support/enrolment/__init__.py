"""The optimizers that the shared checks run over, and the marks to do so.

Each that is registered has a module here, of its name, with an `ENROLMENT`.
"""

import importlib
import importlib.util

import pytest

from keras_clip.registry import OPTIMIZERS


def of(name):
    """Returns the enrolment of a registered optimizer."""
    module = f"tests.support.enrolment.{name}"
    if importlib.util.find_spec(module) is None:
        raise ImportError(
            f"The registry has {name!r}: add "
            f"tests/support/enrolment/{name}.py with an `ENROLMENT`, which is "
            "an `Enrolment` of tests/support/enrolment/record.py"
        )
    return importlib.import_module(module).ENROLMENT


ENROLMENTS = {name: of(name) for name in OPTIMIZERS}

every_optimizer = pytest.mark.parametrize(
    "enrolment", ENROLMENTS.values(), ids=ENROLMENTS
)


def _variants(names_of):
    pairs = [(e, name) for e in ENROLMENTS.values() for name in names_of(e)]
    return pytest.mark.parametrize(
        ("enrolment", "variant"),
        pairs,
        ids=[f"{e.name}-{name}" for e, name in pairs],
    )


every_variant = _variants(lambda enrolment: enrolment.variants)
few_variants = _variants(lambda enrolment: enrolment.few)
every_limit = pytest.mark.parametrize(
    ("enrolment", "limit"),
    [(e, limit) for e in ENROLMENTS.values() for limit in e.limits.values()],
    ids=[f"{e.name}-{name}" for e in ENROLMENTS.values() for name in e.limits],
)
