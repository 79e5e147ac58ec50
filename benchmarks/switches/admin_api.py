"""Caddy's admin API as the switch, at an edge of its own in front of the same two colours."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import lab
from benchmarks.command import BenchmarkFailed, run
from benchmarks.load import load
from benchmarks.switches.ground import FRONT_PORT, Ground, answering
from benchmarks.switches.way import Decision, Way
from blocks import CaddySwitch, Droplet
from blocks.errors import OutsideError
from flows.core.traffic.colours import COLOURS, other

NAME = "flip by Caddy's admin API"
_PART = "edge"
_CONFIG = "/etc/caddy/admin.json"
_KEYS = lab.STATE / "lab" / "droplet_key.pub"


def measure(ground: Ground, rounds: int, rest: float) -> Way:
    """Flip from colour to colour; every second flip is one back.

    Args:
        rest: seconds between two flips.
    """
    way = Way(NAME, rounds)
    with _edge(ground) as switch:
        answering(switch.url)
        with load(switch.url) as running:
            running.wait(rest)
            for number in range(1, rounds + 1):
                try:
                    decision = _flip(switch)
                except (BenchmarkFailed, OutsideError) as error:
                    way.trouble.append(f"flip {number} failed: {error}")
                else:
                    way.done += 1
                    (way.back if number % 2 == 0 else way.decisions).append(decision)
                running.wait(rest)
            ground.tell(f"{NAME}: {rounds} flips")
        way.result = running.result
    return way


def _flip(switch: CaddySwitch) -> Decision:
    """The block's own way: read, then change what was read, through a connection that is open."""
    before, seen = answering(switch.url), switch.read()
    decided = time.time()
    switch.switch_to(other(seen.active[0]), seen, "benchmark")
    release = answering(switch.url, lambda said: said != before)
    return Decision(decided, time.time(), release=release)


@contextmanager
def _edge(ground: Ground) -> Iterator[CaddySwitch]:
    """A second edge on two free ports of loopback, gone afterwards."""
    lab.remove()
    name = f"{lab.NAME}-{_PART}"
    ports = ["--publish", "127.0.0.1::8080", "--publish", "127.0.0.1::22"]
    keys = ["--volume", f"{_KEYS}:/etc/slipway/authorized_keys:ro"]
    lab.start_part(_PART, ports, keys, command=["entrypoint", _CONFIG])
    try:
        http, ssh = (int(run(["docker", "port", name, port]).split(":")[-1]) for port in ("8080/tcp", "22/tcp"))
        url = f"http://127.0.0.1:{http}"
        answering(url)
        pinned = run(["docker", "exec", name, "cat", "/var/lib/droplet/ssh_host_ed25519_key.pub"]).split()[:2]
        switch = CaddySwitch(
            url=url,
            host=Droplet(
                host="127.0.0.1",
                port=ssh,
                private_key=(lab.STATE / "lab" / "droplet_key").read_text(),
                host_key=" ".join(pinned),
            ),
            way="admin",
            upstreams={colour: [f"{ground.machine(colour)}:{FRONT_PORT}"] for colour in COLOURS},
        )
        try:
            yield switch
        finally:
            switch.close()
    finally:
        lab.remove()
