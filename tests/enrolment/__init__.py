"""The optimizers that the shared checks run over, and the marks to do so.

A new optimizer is one module with a record here and one entry in `ENROLMENTS`.
"""

import pytest

from tests.enrolment.acclip import ACCLIP
from tests.enrolment.cclip import CCLIP
from tests.enrolment.clip_adagrad import CLIP_ADAGRAD
from tests.enrolment.clip_adagrad_norm import CLIP_ADAGRAD_NORM
from tests.enrolment.clip_adam import CLIP_ADAM
from tests.enrolment.clip_adam_norm import CLIP_ADAM_NORM
from tests.enrolment.gclip import GCLIP

ENROLMENTS = {
    record.name: record
    for record in (
        ACCLIP,
        GCLIP,
        CCLIP,
        CLIP_ADAM_NORM,
        CLIP_ADAGRAD_NORM,
        CLIP_ADAM,
        CLIP_ADAGRAD,
    )
}

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
