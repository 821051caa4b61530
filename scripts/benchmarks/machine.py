"""The machine that results are from: what it is, and its memory."""

import os
import platform
import re
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

_PACKAGES = {
    "tensorflow": ("keras_clip", "keras", "tensorflow", "tf_keras"),
    "jax": ("keras_clip", "keras", "jax", "optax"),
    "torch": ("keras_clip", "keras", "torch"),
}


def description(backend: str) -> dict:
    """Returns what the machine is, with versions of what was measured.

    Args:
        backend: The backend of Keras, whose packages are imported.
    """
    versions = {"python": platform.python_version()}
    for name in _PACKAGES[backend]:
        # tf_keras is imported only where it is measured.
        if name in sys.modules:
            versions[name] = sys.modules[name].__version__
    return {
        "cpu": _cpu(),
        "cores": _cores(),
        "memory_gib": round(_memory("MemTotal") / 2**30, 1),
        "accelerator": _accelerator(backend),
        "versions": versions,
    }


def device_memory(backend: str) -> dict | None:
    """Returns a GPU's account of its memory, `None` where there is none.

    Args:
        backend: The backend of Keras.
    """
    if backend == "jax":
        import jax

        return jax.devices()[0].memory_stats()
    if backend == "torch":
        import torch

        if torch.cuda.is_available():
            free, total = torch.cuda.mem_get_info()
            return {
                "bytes_limit": total,
                "bytes_in_use": total - free,
                "peak_bytes_in_use": torch.cuda.max_memory_allocated(),
            }
    return None


def free_memory(backend: str) -> int:
    """Returns the bytes that are free where a backend keeps its variables.

    Args:
        backend: The backend of Keras.
    """
    stats = device_memory(backend)
    if stats:
        return stats["bytes_limit"] - stats["bytes_in_use"]
    return _memory("MemAvailable")


def used_memory(backend: str) -> int:
    """Returns the bytes in use, from which on a peak is looked for.

    Args:
        backend: The backend of Keras.
    """
    stats = device_memory(backend)
    if stats:
        return stats["bytes_in_use"]
    # Linux: what making the variables took for a moment is forgotten, and the
    # largest resident size is the present one.
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory(backend)


def peak_memory(backend: str) -> int:
    """Returns the most bytes that have been in use.

    Args:
        backend: The backend of Keras.
    """
    stats = device_memory(backend)
    if stats:
        return stats["peak_bytes_in_use"]
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status)[1])


def in_words(machine: Mapping) -> str:
    """Returns a description in one line.

    Args:
        machine: What `description` returns.
    """
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items())
    accelerator = machine["accelerator"]
    return (
        (f"{accelerator}, " if accelerator else "")
        + f"{machine['cpu']}, {machine['cores']} cores, "
        + f"{machine['memory_gib']} GiB of memory; {versions}"
    )


def united(machines: Sequence[Mapping]) -> list[dict]:
    """Returns descriptions that differ in more than what was imported.

    Args:
        machines: What `description` returned in several processes.

    Returns:
        Descriptions with the versions of all that agree.
    """
    different = []
    for machine in machines:
        for other in different:
            known, versions = other["versions"], machine["versions"]
            if {**other, "versions": versions} == machine and all(
                known.get(name, versions[name]) == versions[name]
                for name in versions
            ):
                known.update(versions)
                break
        else:
            versions = dict(machine["versions"])
            different.append({**machine, "versions": versions})
    return different


def _cpu():
    """Returns the name of the CPU."""
    for line in _lines("/proc/cpuinfo"):
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def _cores():
    """Returns the number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count()


def _memory(key):
    """Returns bytes by a key of Linux' account of memory."""
    for line in _lines("/proc/meminfo"):
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _lines(path):
    path = Path(path)
    return path.read_text().splitlines() if path.exists() else []


def _accelerator(backend):
    """Returns the name of the GPU or TPU that is stepped on, if there is."""
    if backend == "jax":
        device = sys.modules["jax"].devices()[0]
        return None if device.platform == "cpu" else device.device_kind
    if backend == "torch":
        cuda = sys.modules["torch"].cuda
        return cuda.get_device_name() if cuda.is_available() else None
    config = sys.modules["tensorflow"].config
    for device in config.list_physical_devices("GPU"):
        details = config.experimental.get_device_details(device)
        return details.get("device_name", "GPU")
    return None
