"""Load balancers that route: one HAProxy each. Members come and go by its runtime API, without a reload."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

SLOTS = 16
FIRST_PORT = 8081
CONFIG = """
global
    stats socket {socket} mode 600 level admin
    maxconn 4000
defaults
    mode http
    timeout connect 2s
    timeout client {idle}s
    timeout server {idle}s
    option redispatch
frontend clients
    bind :{port}
    default_backend droplets
backend droplets
    balance {algorithm}
    option httpchk GET {path}
    default-server inter {interval}s rise {rise} fall {fall}
    server-template s 1-{slots} 127.0.0.1:9 check disabled
"""


class HAProxies:
    """All balancers of the account.

    Args:
        directory: where configurations and sockets lie.
        ip: the address they have.
    """

    def __init__(self, directory: Path, ip: str) -> None:
        self._directory, self._ip = directory, ip
        self._running: dict[str, tuple[subprocess.Popen[bytes], dict[int, int], str]] = {}
        self._ports: dict[str, int] = {}

    def serve(self, balancer: dict[str, Any], members: dict[int, str]) -> str:
        """Route to these members (id → address); returns the balancer's address."""
        id, slots = balancer["id"], self._started(balancer)
        rule, check = balancer["forwarding_rules"][0], balancer["health_check"]
        for droplet in [d for d in slots if d not in members]:
            # Requests under way end where they began; no new ones come.
            self._tell(id, f"set server droplets/s{slots.pop(droplet)} state drain")
        for droplet, ip in members.items():
            if droplet in slots:
                continue
            slot = self._free(id, set(slots.values()))
            self._tell(
                id,
                f"set server droplets/s{slot} state maint",
                f"set server droplets/s{slot} addr {ip} port {rule['target_port']}",
                f"set server droplets/s{slot} check-port {check['port']}",
                f"enable health droplets/s{slot}",
                f"set server droplets/s{slot} state ready",
                f"set server droplets/s{slot} health down",  # until its checks have passed, as at DigitalOcean
            )
            slots[droplet] = slot
        return self._ip

    def remove(self, balancer: dict[str, Any]) -> None:
        """End it."""
        if running := self._running.pop(balancer["id"], None):
            running[0].terminate()
            running[0].wait(10)

    def _started(self, balancer: dict[str, Any]) -> dict[int, int]:
        """Droplet → slot. A balancer whose settings changed begins anew."""
        id, check = balancer["id"], balancer["health_check"]
        port = self._ports.setdefault(id, FIRST_PORT + len(self._ports))
        text = CONFIG.format(
            socket=self._socket(id), port=port, path=check["path"], interval=check["check_interval_seconds"],
            rise=check["healthy_threshold"], fall=check["unhealthy_threshold"], slots=SLOTS,
            algorithm="leastconn" if balancer["algorithm"] == "least_connections" else "roundrobin",
            idle=balancer["http_idle_timeout_seconds"],
        )  # fmt: skip
        running = self._running.get(id)
        if running and running[2] == text and running[0].poll() is None:
            return running[1]
        self.remove(balancer)
        config = self._directory / f"haproxy-{port}.cfg"
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
