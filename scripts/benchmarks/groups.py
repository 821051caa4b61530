"""Which contestants fit into memory together."""

from collections.abc import Sequence

from benchmarks.contestants import CONTESTANTS
from benchmarks.contestants import Contestant
from benchmarks.floor import ITEM

# The rest is for what a step makes and drops again.
SHARE_OF_SLOTS = 0.6
SHARE_OF_ALL = 0.7


def slot_bytes(names: set[str], parameters: int) -> int:
    """Returns the bytes of the slots of some contestants.

    Args:
        names: Their names.
        parameters: Number of parameters.
    """
    slots = sum(CONTESTANTS[name].slots for name in names)
    return ITEM * parameters * slots


def least(contestants: Sequence[Contestant], mode: str, parameters: int) -> int:
    """Returns the bytes that the largest possible group needs.

    These are the variables, their gradients and the slots of the contestant
    that takes most together with what it is compared with.

    Args:
        contestants: The contestants.
        mode: The mode, a key of `MODES`.
        parameters: Number of parameters.
    """
    slots = max(
        slot_bytes({contestant.name, *contestant.rivals(mode)}, parameters)
        for contestant in contestants
    )
    return 2 * ITEM * parameters + slots


def grouped(
    contestants: Sequence[Contestant], mode: str, parameters: int, free: float
) -> list[list[Contestant]]:
    """Returns groups whose slots fit into memory, each with its baselines.

    Args:
        contestants: The contestants.
        mode: The mode, a key of `MODES`.
        parameters: Number of parameters.
        free: Bytes of free memory, of which slots take 60%.

    Returns:
        Lists of contestants. Only one that needs more than that by itself is
        in a group that takes more.
    """
    groups = []
    for contestant in contestants:
        wanted = {contestant.name, *contestant.rivals(mode)}
        if groups:
            joined = groups[-1] | wanted
            if slot_bytes(joined, parameters) <= SHARE_OF_SLOTS * free:
                groups[-1] = joined
                continue
        # Those that are there for others are measured with them anyhow.
        if not any(contestant.name in group for group in groups):
            groups.append(wanted)
    return [[c for c in contestants if c.name in group] for group in groups]
