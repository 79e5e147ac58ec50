"""The docker client, over the engine that runs the lab."""

from __future__ import annotations

import json
import subprocess
from typing import Any


def docker(*argv: str, stdin: bytes | None = None, check: bool = True, timeout: float = 180) -> str:
    """Its output. Raises RuntimeError with what it said."""
    done = subprocess.run(["docker", *argv], input=stdin, capture_output=True, timeout=timeout, check=False)
    if check and done.returncode:
        raise RuntimeError(f"docker {argv[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="replace").strip()


def inspect(container: str) -> dict[str, Any]:
    """What the engine knows of a container; {} when there is none."""
    found = docker("inspect", container, check=False)
    try:
        return json.loads(found)[0]
    except (ValueError, IndexError):
        return {}


def address(container: str, network: str) -> str:
    """Its address on a network; '' while it has none."""
    networks = inspect(container).get("NetworkSettings", {}).get("Networks", {})
    return networks.get(network, {}).get("IPAddress", "")
