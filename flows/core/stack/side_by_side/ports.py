"""The loopback ports by which the edge reaches each colour of a service, the same in every release.

They lie below the range from which Linux gives ports to connections (32768; ip(7), ip_local_port_range).
"""

import zlib

_FIRST, _SLOTS, WIDTH = 20000, 600, 10
_PER_SLOT = 2 * WIDTH


def loopback_ports(stack: str, service: str, colour: str, replicas: int = 1) -> tuple[int, ...]:
    """One port for each replica, up to ten.

    Args:
        stack: its name, without a colour.
    """
    slot = zlib.crc32(f"{stack}/{service}".encode()) % _SLOTS
    first = _FIRST + slot * _PER_SLOT + (WIDTH if colour == "blue" else 0)
    return tuple(range(first, first + max(1, min(replicas, WIDTH))))
