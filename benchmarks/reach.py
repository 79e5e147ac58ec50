"""`python -m benchmarks.reach --url URL`: small requests to an address or a name, and which colour answered when.

Where `--name-server` is given the host is a name that is resolved there; an answer is used for its TTL, as clients do.
It ends after --seconds, or as soon as --until-file is there. Exit code 1 when more requests failed than --may-fail.
"""

import argparse
import ipaddress
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
import httpx

CLIENTS, APART, PACE, PATIENCE, MOST = 4, 3.0, 0.1, 3.0, 600.0


@dataclass
class Resolver:
    """A client's view of one name. Safe to use from several threads; each client has one of its own."""

    host: str
    server: str
    _address: str = ""
    _until: float = 0.0

    def address(self) -> str:
        """The host's address; asked for again when the TTL of the last answer is over."""
        if not self.server:
            return self.host
        if time.monotonic() >= self._until:
            name, _, port = self.server.partition(":")
            answer = dns.query.udp(dns.message.make_query(self.host, dns.rdatatype.A), name, PATIENCE, int(port or 53))
            [found] = [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.A]
            self._address, self._until = str(next(iter(found)).address), time.monotonic() + found.ttl
        return self._address


@dataclass
class Seen:
    """What all clients saw, as (moment, colour or None)."""

    answers: list[tuple[float, str | None]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def gap(self) -> float:
        """The longest time without a good answer, in seconds."""
        good = sorted(at for at, colour in self.answers if colour)
        return max((after - before for before, after in pairwise(good)), default=0.0)

    @property
    def both(self) -> float:
        """For how many seconds answers of both colours came."""
        first: dict[str, float] = {}
        last: dict[str, float] = {}
        for at, colour in sorted(self.answers, key=lambda pair: pair[0]):
            if colour:
                first.setdefault(colour, at)
                last[colour] = at
        if len(first) < 2:
            return 0.0
        early, late = sorted(first, key=lambda colour: first[colour])[:2]
        return max(0.0, last[early] - first[late])

    @property
    def line(self) -> str:
        """The whole in one line."""
        counts = {c: sum(colour == c for _, colour in self.answers) for c in ("green", "blue")}
        asked = len(self.answers) + len(self.failures)
        words = ", ".join(f"{count} by {colour}" for colour, count in counts.items())
        return (
            f"{asked} requests ({words}), {len(self.failures)} failed, longest time without an answer "
            f"{self.gap:.1f} s, both colours seen for {self.both:.1f} s"
        )


def reach(url: str, server: str, done: Callable[[], bool]) -> Seen:
    """Ask until it is done.

    Raises:
        ValueError: the address is of another network than this machine's own.
    """
    parts = urlsplit(url)
    if not server and not ipaddress.ip_address(parts.hostname or "").is_private:
        raise ValueError(f"{url}: only addresses of private networks are asked")
    seen, lock = Seen(), threading.Lock()

    def client(number: int) -> None:
        began = time.monotonic()
        while time.monotonic() - began < number * APART and not done():
            time.sleep(0.1)  # or all of them would ask the name server in the same moment, again and again
        resolver = Resolver(parts.hostname or "", server)
        while not done():
            began, colour, failure = time.monotonic(), None, ""
            try:
                where = f"{parts.scheme}://{resolver.address()}:{parts.port or 80}{parts.path or '/health'}"
                answer = httpx.get(where, timeout=PATIENCE, trust_env=False, headers={"Host": parts.netloc})
                colour = answer.headers.get("x-slipway-colour") if answer.is_success else None
                failure = "" if answer.is_success else f"{answer.status_code}"
            except (httpx.HTTPError, OSError, dns.exception.DNSException) as error:
                failure = f"{type(error).__name__}: {error}"
            with lock:
                if failure:
                    seen.failures.append(failure)
                else:
                    seen.answers.append((time.monotonic(), colour))
            time.sleep(max(0.0, PACE - (time.monotonic() - began)))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reach", description=__doc__)
    parser.add_argument(
        "--url", required=True, help="address, or name with --name-server; /health where it has no path"
    )
    parser.add_argument("--name-server", default="", metavar="HOST:PORT", help="who resolves the name")
    parser.add_argument("--seconds", type=float, default=60, help="ends after so long (at most 600)")
    parser.add_argument("--until-file", type=Path, metavar="PATH", help="ends as soon as this file is there")
    parser.add_argument("--may-fail", type=int, default=0, help="failed requests that are no failure of this command")
    given = parser.parse_args()
    until = time.monotonic() + min(given.seconds, MOST)
    seen = reach(
        given.url, given.name_server,
        lambda: time.monotonic() > until or bool(given.until_file and given.until_file.exists()),
    )  # fmt: skip
    print(seen.line, flush=True)
    for reason in sorted(set(seen.failures))[:5]:
        print(f"  {reason}", file=sys.stderr)
    return int(len(seen.failures) > given.may_fail or not seen.answers)


if __name__ == "__main__":
    sys.exit(main())
