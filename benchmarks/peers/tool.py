"""A peer: another tool that does the same deploy, from an environment of its own."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.command import BenchmarkFailed, run
from benchmarks.lab import STATE
from benchmarks.plain import Prepared

_HERE = Path(__file__).parent
_REQUIREMENTS = _HERE.parent / "requirements.txt"
VENV = STATE / "bench-venv"


@dataclass(frozen=True)
class Peer:
    """One tool: its name, and how it deploys."""

    name: str
    deploy: Callable[[Bench, Prepared], None]


def install(bench: Bench) -> None:
    """Make the peers' environment, and give the droplet the Python that Ansible needs there.

    Raises:
        BenchmarkFailed: with the reason.
    """
    stamp = VENV / "made-from"
    wanted = _REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        bench.tell("Installing Ansible and pyinfra (about a minute).")
        run([sys.executable, "-m", "venv", "--clear", str(VENV)], env=_OWN)
        run([str(VENV / "bin" / "pip"), "install", "--quiet", "--requirement", str(_REQUIREMENTS)], env=_OWN)
        stamp.write_text(wanted)
    bench.lab.inside(
        "command -v python3 >/dev/null || { apt-get update -qq; "
        "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 >/dev/null; }"
    )


def peers() -> list[Peer]:
    return [Peer("Ansible", _ansible), Peer("pyinfra", _pyinfra)]


def _ansible(bench: Bench, prepared: Prepared) -> None:
    inventory, values = bench.place / "inventory.ini", bench.place / "vars.json"
    inventory.write_text("droplet ansible_python_interpreter=/usr/bin/python3\n")
    values.write_text(json.dumps(_values(bench, prepared)))
    env = {
        **_OWN,
        "ANSIBLE_HOME": str(bench.place / "ansible"),
        "ANSIBLE_PIPELINING": "1",
        # The configuration file says `ControlMaster no` for the others; Ansible shares its connection, as it does by
        # default, but not beyond its own run.
        "ANSIBLE_SSH_ARGS": f"-F {bench.ssh_config} -o ControlMaster=auto -o ControlPersist=2s",
    }
    playbook = str(_HERE / "playbook.yml")
    run([_tool("ansible-playbook"), "-i", str(inventory), "-e", f"@{values}", playbook], env=env)


def _pyinfra(bench: Bench, prepared: Prepared) -> None:
    inventory = bench.place / "inventory.py"
    known = {
        **_values(bench, prepared),
        "ssh_hostname": "127.0.0.1",
        "ssh_port": bench.lab.ssh_port,
        "ssh_user": "root",
        "ssh_key": str(bench.lab.private_key),
        "ssh_known_hosts_file": str(bench.place / "known_hosts"),
    }
    inventory.write_text(f"droplet = [('droplet', {known!r})]\n")
    run([_tool("pyinfra"), "-y", str(inventory), str(_HERE / "pyinfra_deploy.py")], env=_OWN)


def _values(bench: Bench, prepared: Prepared) -> dict[str, object]:
    d = prepared.deployment
    tar = bench.place / f"{d.name}.tgz"
    tar.write_bytes(prepared.tar)
    compose = d.compose
    return {
        "tar": str(tar),
        "release_directory": d.directory.release(d.name),
        "current": d.directory.current,
        "project": compose.project,
        "project_directory": os.path.dirname(compose.files[0]),
        "files": list(compose.files),
        "env_file": compose.env_file,
        "compose": " ".join(compose()),
        "up": "up --detach --no-build --remove-orphans --wait",
    }


def _tool(name: str) -> str:
    path = VENV / "bin" / name
    if not path.exists():
        raise BenchmarkFailed(f"{name} is not installed in {VENV}")
    return str(path)


# Nothing of our own environment's packages.
_OWN = {"PYTHONPATH": "", "VIRTUAL_ENV": ""}
