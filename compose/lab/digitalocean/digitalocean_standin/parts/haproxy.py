"""Load balancers that route: one HAProxy each. Members come and go by its runtime API, without a reload."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from .addresses import BALANCERS, Addresses

SLOTS = 16
PUBLISHED = 8081  # the first balancer is also here, which the lab publishes
CONFIG = """
global
    stats socket {socket} mode 600 level admin
    maxconn 4000
defaults
    mode http
    timeout connect 2s
    timeout check {patience}s
    timeout client {idle}s
    timeout server {idle}s
    option redispatch
frontend clients
    bind {ip}:{entry}{published}
    default_backend droplets
backend droplets
    balance {algorithm}
    {check}
    default-server inter {interval}s rise {rise} fall {fall}
    server-template s 1-{slots} 127.0.0.1:9 check port {checked} disabled
"""


Slots = dict[int, tuple[int, str]]


class HAProxies:
    """All balancers of the account.

    Args:
        directory: where configurations and sockets lie.
        addresses: where each gets one of its own.
        container: which one this is.
    """

    def __init__(self, directory: Path, addresses: Addresses, container: str) -> None:
        self._directory, self._addresses, self._container = directory, addresses, container
        self._running: dict[str, tuple[subprocess.Popen[bytes], Slots, str]] = {}
        self._ips: dict[str, str] = {}

    def serve(self, balancer: dict[str, Any], members: dict[int, str]) -> str:
        """Route to these members (id → address); returns the balancer's address."""
        id, slots = balancer["id"], self._started(balancer)
        port = balancer["forwarding_rules"][0]["target_port"]
        for droplet in [d for d, (_, ip) in slots.items() if members.get(d) != ip]:
            # Requests under way end where they began; no new ones come.
            self._tell(id, f"set server droplets/s{slots.pop(droplet)[0]} state drain")
        for droplet, ip in members.items():
            if droplet in slots:
                continue
            slot = self._free(id, {taken for taken, _ in slots.values()})
            self._tell(
                id,
                f"set server droplets/s{slot} state maint",
                f"set server droplets/s{slot} addr {ip} port {port}",
                f"enable health droplets/s{slot}",
                f"set server droplets/s{slot} state ready",
                f"set server droplets/s{slot} health down",  # until its checks have passed, as at DigitalOcean
            )
            slots[droplet] = (slot, ip)
        return self._ips[id]

    def remove(self, balancer: dict[str, Any]) -> None:
        """End it."""
        self._stop(balancer["id"])
        if ip := self._ips.pop(balancer["id"], None):
            self._addresses.move(ip, self._container, "")

    def _stop(self, id: str) -> None:
        if running := self._running.pop(id, None):
            running[0].terminate()
            running[0].wait(10)

    def _address(self, id: str) -> str:
        if id not in self._ips:
            self._ips[id] = self._addresses.free(set(self._ips.values()), BALANCERS)
            self._addresses.move(self._ips[id], "", self._container)
        return self._ips[id]

    def _started(self, balancer: dict[str, Any]) -> Slots:
        """Droplet → slot and address. A balancer whose settings changed begins anew."""
        id, check, rule = balancer["id"], balancer["health_check"], balancer["forwarding_rules"][0]
        ip = self._address(id)
        published = f",:{PUBLISHED}" if id == next(iter(self._ips)) else ""
        text = CONFIG.format(
            socket=self._socket(id), ip=ip, entry=rule["entry_port"], published=published,
            checked=check["port"], patience=check["response_timeout_seconds"],
            check=f"option httpchk GET {check['path']}" if check["protocol"] == "http" else "",
            interval=check["check_interval_seconds"],
            rise=check["healthy_threshold"], fall=check["unhealthy_threshold"], slots=SLOTS,
            algorithm="leastconn" if balancer["algorithm"] == "least_connections" else "roundrobin",
            idle=balancer["http_idle_timeout_seconds"],
        ) + f"# to port {rule['target_port']}\n"  # fmt: skip
        running = self._running.get(id)
        if running and running[2] == text and running[0].poll() is None:
            return running[1]
        self._stop(id)
        config = self._directory / f"haproxy-{id[:8]}.cfg"
        config.write_text(text)
        process = subprocess.Popen(["haproxy", "-f", str(config), "-db"])
        deadline = time.monotonic() + 5
        while "s1" not in self._tell(id, "show servers state droplets", quiet=True):
            if time.monotonic() > deadline:
                raise RuntimeError("HAProxy does not answer")
            time.sleep(0.05)
        self._running[id] = (process, {}, text)
        return self._running[id][1]

    def _socket(self, id: str) -> str:
        return f"/run/haproxy-{id[:8]}.sock"

    def _free(self, id: str, taken: set[int]) -> int:
        """A slot that nobody has; one that still serves its last requests only if there is no other."""
        busy = {}
        for line in self._tell(id, "show stat droplets 4 -1").splitlines():
            fields = line.split(",")
            if len(fields) > 4 and fields[1][1:].isdigit():
                busy[int(fields[1][1:])] = int(fields[4] or 0)
        free = [slot for slot in range(1, SLOTS + 1) if slot not in taken]
        return min(free, key=lambda slot: (busy.get(slot, 0), slot))

    def _tell(self, id: str, *commands: str, quiet: bool = False) -> str:
        said = []
        for command in commands:
            with contextlib.ExitStack() as stack:
                if quiet:
                    stack.enter_context(contextlib.suppress(OSError))
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.settimeout(5)
                client.connect(self._socket(id))
                client.sendall(f"{command}\n".encode())
                while block := client.recv(65536):
                    said.append(block.decode())
        return "".join(said)
