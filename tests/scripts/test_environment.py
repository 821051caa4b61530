"""The environment that the shell scripts make is that of one clone."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sourced(venv):
    return subprocess.run(
        ["bash", "-c", ". scripts/environment.sh test"],
        cwd=ROOT,
        env={"VENV": str(venv), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )


def test_an_environment_of_another_clone_is_refused(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "keras_clip-clone").write_text("/elsewhere\n")
    result = sourced(tmp_path)
    assert result.returncode == 2
    assert result.stderr == (
        "VENV must be an environment of this clone, or not be there. "
        f"Received: VENV={tmp_path}, which is that of /elsewhere\n"
    )
    assert (tmp_path / "keras_clip-clone").read_text() == "/elsewhere\n"
