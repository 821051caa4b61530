"""Cases of claims about code that both front ends share.

All cases are checked on Keras 3, and on tf_keras some, to see that it has that
code: of the optimizers one that clips and moves each coordinate by itself, and
one that clips by the global norm and has scalars that all variables share.
"""

import pytest

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS

KINDS = {name: ENROLMENTS[name] for name in ("acclip", "clip_adam_norm")}

both_kinds = pytest.mark.parametrize("enrolment", KINDS.values(), ids=KINDS)

_PAIRS = [
    *((KERAS, enrolment) for enrolment in ENROLMENTS.values()),
    *((TF_KERAS, enrolment) for enrolment in KINDS.values()),
]
# Every optimizer on Keras 3, and two kinds on tf_keras.
every_optimizer_once = pytest.mark.parametrize(
    ("front_end", "enrolment"),
    _PAIRS,
    ids=[f"{front_end}-{enrolment.name}" for front_end, enrolment in _PAIRS],
)

_VARIANTS = [
    (front_end, enrolment, variant)
    for front_end, enrolment in _PAIRS
    for variant in enrolment.few[: None if front_end is KERAS else 1]
]
# Likewise, each by its few variants on Keras 3 and by the first on tf_keras.
few_variants_once = pytest.mark.parametrize(
    ("front_end", "enrolment", "variant"),
    _VARIANTS,
    ids=[f"{f}-{e.name}-{variant}" for f, e, variant in _VARIANTS],
)


def every_case(names, cases, of_tf_keras):
    """Parametrizes by all cases with Keras 3, and by some with tf_keras too.

    Args:
        names: Names of a case's values, separated by commas.
        cases: Dict from names of cases to tuples of values.
        of_tf_keras: Names of the cases that tf_keras has too.
    """
    pairs = [(KERAS, name) for name in cases]
    pairs += [(TF_KERAS, name) for name in of_tf_keras]
    return pytest.mark.parametrize(
        f"front_end, {names}",
        [
            pytest.param(front_end, *cases[name], id=f"{front_end}-{name}")
            for front_end, name in pairs
        ],
    )
