"""Two optimizers of different kinds, for what no optimizer does by itself.

One clips each coordinate and moves each by itself; one clips by the global norm
and has scalars that all variables share.
"""

import pytest

from tests.support.enrolment import ENROLMENTS

KINDS = {name: ENROLMENTS[name] for name in ("acclip", "clip_adam_norm")}

both_kinds = pytest.mark.parametrize("enrolment", KINDS.values(), ids=KINDS)
