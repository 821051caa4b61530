"""KerasHub trains a Hugging Face BERT with an optimizer of this package."""

import os
import re
import subprocess
import sys

import pytest

from tests.support import hugging_face
from tests.test_readme import SCRIPTS

pytestmark = pytest.mark.slow

(EXAMPLE,) = re.findall(r"```python\n(.*?)```", SCRIPTS, re.DOTALL)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_the_example_trains_a_classifier(tmp_path, backend):
    # KerasHub cuts texts at 512 tokens.
    hugging_face.write(
        tmp_path / "minilm",
        tokenizer={"do_lower_case": True},
        max_position_embeddings=512,
    )
    check = """
assert type(classifier.optimizer) is ACClip
assert int(classifier.optimizer.update_count) == 1
assert classifier.predict(["It is."], verbose=0).shape == (1, 2)
"""
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLE + check],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_example_is_as_short_as_it_is_said_to_be():
    statements = re.findall(r"^\S.*", EXAMPLE, re.MULTILINE)
    assert len([line for line in statements if line != ")"]) <= 10
