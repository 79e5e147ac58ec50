"""The lab, one connection into it, and names that nothing else has."""

import uuid
from collections.abc import Iterator

import paramiko
import pytest

from tests.support.lab.lab import Lab, connect, find_lab


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab that runs."""
    return find_lab()


@pytest.fixture(scope="session")
def green(lab: Lab) -> Iterator[paramiko.SSHClient]:
    """One SSH connection to the droplet green, with its host key pinned."""
    with connect(lab, "green") as client:
        yield client


@pytest.fixture
def unique() -> str:
    """A name that nothing else has."""
    return f"test-{uuid.uuid4().hex[:12]}"
