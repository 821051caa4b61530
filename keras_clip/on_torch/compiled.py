"""Compiles programs by `torch.compile`, or runs them as they are."""

import functools
import warnings
from collections.abc import Callable
from collections.abc import Sequence

import torch

# Whether a compilation has failed in this process: the next would too.
_failed = False


def run_compiled(
    program: torch.fx.GraphModule, tensors: Sequence[torch.Tensor]
) -> bool:
    """Runs a program as one compiled function, on vectors of any length.

    Args:
        program: The program.
        tensors: Its values and inputs.

    Returns:
        Whether it ran. It does not if no compiler works here: a warning says
        so once.
    """
    global _failed
    if _failed:
        return False
    # For views and for what has a gradient it would be compiled once more.
    tensors = [tensor.detach() for tensor in tensors]
    try:
        _compiled(program)(*tensors)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        _failed = True
        warnings.warn(
            "`torch.compile` has failed: updates run uncompiled, which is "
            "slower. `jit_compile=False` silences this. "
            f"{type(error).__name__}: {error}",
            stacklevel=2,
        )
        return False
    return True


@functools.lru_cache(maxsize=64)
def _compiled(program: torch.fx.GraphModule) -> Callable:
    return torch.compile(program, dynamic=True, fullgraph=True)
