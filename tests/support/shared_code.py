"""Cases of claims about code that both front ends share.

The classes of callbacks for both are empty: all code is in a base of theirs.
"""

import pytest

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
