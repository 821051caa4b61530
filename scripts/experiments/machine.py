"""Describes the machine that runs are made with, as it is stored with them."""

import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path


def machine(packages: Sequence[str]) -> dict:
    """Returns the versions of packages, and the machine.

    Args:
        packages: Their names; one that is not installed is left out.
    """
    versions = {}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        **versions,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "processor": _processor(),
    }


def _processor():
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.machine()
