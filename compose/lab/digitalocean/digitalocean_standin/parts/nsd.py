"""Names that resolve: an NSD with authority over the account's domains."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import Any

CONFIG = """
server:
    ip-address: 0.0.0.0@{port}
    username: ""
    zonesdir: "{directory}"
    pidfile: ""
    database: ""
    logfile: "{directory}/nsd.log"
    xfrdfile: "{directory}/xfrd.state"
    zonelistfile: "{directory}/zone.list"
    hide-version: yes
remote-control:
    control-enable: yes
    control-interface: {directory}/nsd.ctl
"""
ZONE = 'zone:\n    name: "{name}"\n    zonefile: "{name}.zone"\n'


class Nsd:
    """The name server of the account.

    Args:
        directory: where its files lie.
        port: where it listens, by UDP and TCP.
    """

    def __init__(self, directory: Path, port: int = 53) -> None:
        self._directory, self._port = directory, port
        self._config = directory / "nsd.conf"
        self._lock = threading.Lock()
        self._serial = int(time.time())
        self._known: set[str] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, domains: dict[str, list[dict[str, Any]]]) -> None:
        """Serve these records from now on."""
        with self._lock:
            self._serial += 1
            for name, records in domains.items():
                (self._directory / f"{name}.zone").write_text(self._zone(name, records))
            zones = "".join(ZONE.format(name=name) for name in domains)
            self._config.write_text(CONFIG.format(port=self._port, directory=self._directory) + zones)
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(["nsd", "-d", "-c", str(self._config)])
                self._until_it_answers()
            elif set(domains) != self._known:
                self._control("reconfig")
            self._known = set(domains)
            self._control("reload")

    def _until_it_answers(self) -> None:
        deadline = time.monotonic() + 10
        while self._control("status", check=False):
            if time.monotonic() > deadline:
                raise RuntimeError("NSD does not answer")
            time.sleep(0.1)

    def _control(self, *words: str, check: bool = True) -> int:
        argv = ["nsd-control", "-c", str(self._config), *words]
        return subprocess.run(argv, check=check, capture_output=True, timeout=10).returncode

    def _zone(self, name: str, records: list[dict[str, Any]]) -> str:
        lines = [
            f"$ORIGIN {name}.",
            f"@ 60 IN SOA ns1.{name}. hostmaster.{name}. ( {self._serial} 60 60 3600 30 )",
            f"@ 60 IN NS ns1.{name}.",
            "ns1 60 IN A 127.0.0.1",
        ]
        lines += [f"{r['name']} {r['ttl']} IN {r['type']} {_data(r)}" for r in records]
        return "\n".join(lines) + "\n"


def _data(record: dict[str, Any]) -> str:
    """A record's value as a zone file has it; a name stands there with its dot, as with the API."""
    data, type = record["data"], record["type"]
    if type == "TXT":
        quoted = data.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'
    if type == "MX":
        return f"{record['priority'] or 0} {data}"
    if type == "SRV":
        return f"{record['priority'] or 0} {record['weight'] or 0} {record['port'] or 0} {data}"
    if type == "CAA":
        return f'{record["flags"] or 0} {record["tag"]} "{data}"'
    return str(data)
