"""Runs cosign, with a private registry login and its keys in the environment of the child process alone."""

import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache

from blocks import ContainerRegistry, SigningKey
from blocks.errors import NotEncrypted
from flows.core.errors import CosignMissing
from flows.core.trust.cosign import PASSWORD, PRIVATE_KEY, PUBLIC_KEY, CosignCommands, falls_back_to_http
from flows.settings import Settings
from flows.tasks.build_host import run

_ASKED = threading.Lock()
# Calls of cosign side by side: each is a process that decrypts the key and waits for the registry.
_AT_ONCE = 4
_NOT_FOUND = 127


class Cosign:
    """One cosign that is logged in to one registry."""

    def __init__(self, commands: CosignCommands, login: Mapping[str, str], timeout: float) -> None:
        self.commands = commands
        self._login = dict(login)
        self._timeout = timeout

    def run(self, argv: Sequence[str], keys: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run one command; its exit code is the caller's to read."""
        return run(argv, {**self._login, **keys, "COSIGN_YES": "true"}, self._timeout)

    def run_all(
        self, commands: Sequence[Sequence[str]], keys: Mapping[str, str]
    ) -> list[subprocess.CompletedProcess[str]]:
        """Run several side by side; the answers in their order."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda argv: self.run(argv, keys), commands))


@contextmanager
def cosign_at(registry: ContainerRegistry, settings: Settings) -> Iterator[Cosign]:
    """Cosign with the login of a registry, which is removed at the end.

    Raises:
        CosignMissing
        NotEncrypted: cosign would speak to it by http where https is not answered, login included.
    """
    if falls_back_to_http(registry.host):
        raise NotEncrypted(
            f"registry {registry.host} is a private address: cosign sends its login there by http when https is not "
            "answered. Nothing was sent. Give the registry a name, and save that: slipway registry set --host NAME"
        )
    commands = cosign_commands(settings)
    with registry.docker_config() as login:
        yield Cosign(commands, login, settings.sign_timeout)


def cosign_commands(settings: Settings) -> CosignCommands:
    """The commands of the cosign that is installed here.

    Raises:
        CosignMissing: it cannot be run.
    """
    with _ASKED:
        return CosignCommands(settings.cosign, _help(settings.cosign))


def private_key(key: SigningKey) -> dict[str, str]:
    """What signing needs in cosign's environment."""
    if key.kms:
        return {}
    return {PRIVATE_KEY: key.private_key.get_secret_value(), PASSWORD: key.password.get_secret_value()}


def public_key(text: str) -> dict[str, str]:
    """What verifying needs in cosign's environment."""
    return {PUBLIC_KEY: text}


@lru_cache
def _help(program: str) -> str:
    answer = run([program, "sign", "--help"], {})
    if answer.returncode:
        reason = "it is not installed, or not on PATH" if answer.returncode == _NOT_FOUND else answer.stderr[-200:]
        raise CosignMissing(
            f"`{program}` cannot be run: {reason}. Releases are signed and verified with cosign 2 or 3: install it on "
            "the machine that runs this (Debian 13: apt install cosign), or name it: SLIPWAY_COSIGN=PATH"
        )
    return answer.stdout + answer.stderr
