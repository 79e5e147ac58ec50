"""What a load may do at most: where to, how fast, how long, how much. Nothing it does goes beyond its plan."""

import ipaddress
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_FASTEST = 500.0
_LONGEST = 3600.0
_MOST = 500_000


def _new_run() -> str:
    return uuid.uuid4().hex[:8]


@dataclass(frozen=True)
class Plan:
    """The bounds of one load. All times are seconds.

    Args:
        url: base address of the edge; on this machine, because nobody else has agreed to be put under load.
        rate: requests a second, those of all clients that are paced by it together.
        seconds, requests: it ends by itself after so long, or so many.
        long: how many long requests are always in flight, and `wait` how long each takes.
        pace: between two requests of an MCP client, and before a stream that ended is opened anew.
        patience, long_patience: how long an answer may take; a stream's next tick may take `patience` too.
        run: part of the id of every write, so that a later load does not count them.
        streams_end: streams that their server ends in order are counted apart: their colour goes to sleep.
        host: the name that the edge serves, where it has a certificate for it; `ca` is the file of who signed that.
    """

    url: str
    rate: float = 120.0
    seconds: float = 900.0
    requests: int = 150_000
    long: int = 3
    wait: float = 5.0
    pace: float = 0.5
    patience: float = 10.0
    long_patience: float = 20.0
    run: str = field(default_factory=_new_run)
    streams_end: bool = False
    host: str = ""
    ca: str = ""

    def __post_init__(self) -> None:
        if not _is_here(self.url):
            raise ValueError(f"{self.url}: a load goes to an address of this machine only, such as http://127.0.0.1")
        if self.url.startswith("https:") != bool(self.host and self.ca):
            raise ValueError(f"{self.url}: an edge with a certificate is asked under its host, with the file of its CA")
        for name, value, most in (
            ("rate", self.rate, _FASTEST),
            ("seconds", self.seconds, _LONGEST),
            ("requests", self.requests, _MOST),
        ):
            if not 0 < value <= most:
                raise ValueError(f"{name} is {value:g}; it must be above 0, and {most:g} at most")

    @property
    def prefix(self) -> str:
        """What the id of every write of this load begins with."""
        return f"load-{self.run}-"


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    try:
        return parts.scheme in ("http", "https") and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"
