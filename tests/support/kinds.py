"""Two optimizers of different kinds, for what no optimizer does by itself.

One clips each coordinate and moves each by itself; one clips by the global norm
and has scalars that all variables share. The classes for tf_keras share rules,
steps and arguments with those for Keras 3: what is checked of every optimizer
there is checked of these two here.
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
