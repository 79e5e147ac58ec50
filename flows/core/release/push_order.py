"""The order in which images are pushed: layers that several share are sent once."""

from collections.abc import Mapping, Sequence, Set


def push_waves(layers: Mapping[str, Sequence[str]], pushed: Set[str] = frozenset()) -> list[list[str]]:
    """Group images into waves: no two of a wave share a layer that no earlier wave has pushed.

    The engine remembers where a layer was pushed and lets the registry mount it into the next repository, but two
    pushes that start together both send it. An image whose layers are all on their way already goes with the next
    wave; within a wave all pushes run side by side.

    Args:
        layers: reference → its layers (diff ids), base first.
        pushed: layers that the registry has already.

    Returns:
        Waves of references, each reference in exactly one.
    """
    waiting = sorted(layers, key=lambda reference: (-len(layers[reference]), reference))
    waves: list[list[str]] = []
    while waiting:
        wave: list[str] = []
        under_way: set[str] = set()
        for reference in waiting:
            fresh = set(layers[reference]) - pushed
            if not fresh & under_way:
                wave.append(reference)
                under_way |= fresh
        pushed = pushed | under_way
        waiting = [reference for reference in waiting if reference not in wave]
        waves.append(wave)
    return waves
