"""Marks for claims about code that both front ends share.

All cases are checked on Keras 3, and some on tf_keras, to see that it has that
code too.
"""

import pytest

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS


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


# On tf_keras a method that moves coordinates and a Norm method.
every_optimizer_of_shared_code = every_case(
    "enrolment",
    {name: (enrolment,) for name, enrolment in ENROLMENTS.items()},
    ("acclip", "clip_adagrad_norm"),
)
