"""Tests that have Compose read something: it needs its client alone, and no engine."""

import subprocess
from pathlib import Path

import pytest

from flows.settings import Settings


def has_compose() -> bool:
    """Whether `docker compose` runs on this machine."""
    try:
        asked = [Settings().docker, "compose", "version"]
        return subprocess.run(asked, capture_output=True, check=False, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


needs_compose = pytest.mark.skipif(not has_compose(), reason="there is no docker client with Compose on this machine")


def write_files(directory: Path, files: dict[str, str]) -> Path:
    """Write these files below a directory, and return it."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory
