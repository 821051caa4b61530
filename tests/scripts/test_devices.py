"""The page about devices computes what it says, and names what there is."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from keras_clip.registry import OPTIMIZERS
from tests.support import listings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "scripts/devices.md").read_text("utf-8")
SIZES = (110e6, 340e6)
# The norm of all gradients is known before the first of them is moved.
WITH_A_NORM = {
    *("ClipAdam", "ClipAdaGrad", "ClipAdamNorm", "ClipAdaGradNorm", "GClip"),
}


def rows(first):
    pattern = rf"^\| ({first}) \|(.*)\|$"
    found = re.findall(pattern, PAGE, re.MULTILINE)
    return {
        name.strip("`"): [cell.strip() for cell in cells.split("|")]
        for name, cells in found
    }


@pytest.mark.parametrize("info", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_an_update_moves_gradient_weights_and_state(info):
    each, *totals = rows("`[A-Za-z]+`")[info.class_name]
    norm = info.class_name in WITH_A_NORM
    expected = 4 * (3 + 2 * listings.tensors(info) + norm)
    assert int(each) == expected
    for total, size in zip(totals, SIZES, strict=True):
        assert total == f"{expected * size / 1e9:.3g} GB"


@pytest.mark.parametrize("devices", [8, 256])
def test_a_ring_sends_nearly_twice_the_gradient(devices):
    for cell, size in zip(rows(devices)[str(devices)], SIZES, strict=True):
        sent = 8 * size * (devices - 1) / devices / 1e9
        assert float(cell.removesuffix(" GB")) == pytest.approx(sent, rel=2e-3)


@pytest.mark.slow
def test_two_processes_of_the_program_end_with_the_same_weights(tmp_path):
    (program,) = re.findall("```python\n(.*?)```", PAGE, re.DOTALL)
    assert "ADDRESS:1234" in program
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    path = tmp_path / "program.py"
    show = 'print("weights", model.get_weights()[0].ravel().tolist())\n'
    path.write_text(program.replace("ADDRESS:1234", address) + show)
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "JAX_CPU_COLLECTIVES_IMPLEMENTATION": "gloo",
        "PYTHONPATH": str(ROOT),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, path, str(number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
        )
        for number in (0, 1)
    ]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    weights = [re.findall("weights .*", output) for output in outputs]
    assert weights[0] and weights[0] == weights[1], outputs


def test_both_pages_link_to_it():
    for page, link in (
        ("README.md", "(scripts/devices.md)"),
        ("scripts/README.md", "(devices.md)"),
    ):
        assert link in (ROOT / page).read_text("utf-8")
