"""Marks for claims about code that both front ends share.

Every optimizer is checked on Keras 3, and a coordinate method and a Norm
method on tf_keras, to see that its front end has that code too.
"""

import pytest

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS

ON_TF_KERAS = ("acclip", "clip_adagrad_norm")

every_optimizer_of_shared_code = pytest.mark.parametrize(
    ("front_end", "enrolment"),
    [
        *((KERAS, enrolment) for enrolment in ENROLMENTS.values()),
        *((TF_KERAS, ENROLMENTS[name]) for name in ON_TF_KERAS),
    ],
    ids=[
        *(f"keras-{name}" for name in ENROLMENTS),
        *(f"tf_keras-{name}" for name in ON_TF_KERAS),
    ],
)
