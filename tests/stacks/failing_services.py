"""Services on the droplet `blue` that fail when told to, and tell their secrets to anybody."""

import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from tests.support import wait_until
from tests.support.lab.cli import CliResult
from tests.support.lab.git_checkout import checkout
from tests.support.lab.lab_stack import LabStack, lab_stack

STACK, BLOCK = "failing-services", "failing-services-droplet"
# What is secret, by where it comes from; the token's `\n` is a line break to whoever says it with `echo`.
SECRETS = {
    "a variable": f"key-{token_hex(8)}",
    "the password of a URL": f"pw{token_hex(8)}",
    "a secret file": f'token {token_hex(8)} "it\'s" $HOME\\n',
    "the compose file itself": "written-in-the-compose-file",
}
KEY, PASSWORD, TOKEN, _ = SECRETS.values()
# The part of each that nobody may ever see, however the rest of it was written.
CORES = {origin: re.sub(r"^token |(?<=\w{16}) .*", "", secret) for origin, secret in SECRETS.items()}


@dataclass(frozen=True)
class FailingServicesStack(LabStack):
    """The stack; debug bundles are among its reports."""

    @property
    def reports(self) -> Path:
        return self.place / "reports"

    def debug(self, *words: str, **more: str) -> CliResult:
        """`slipway debug-agent` of this stack on this droplet."""
        return self.slipway("debug-agent", *words, "--stack", STACK, "--droplet", BLOCK, **more)

    def archives(self) -> list[Path]:
        return sorted(self.reports.glob("debug-*.tar.gz"))

    def tell(self, service: str, script: str) -> None:
        """Run a line of shell inside a service."""
        self.droplet.inside(service, "sh", "-c", f"'{script}'")

    def until(self, service: str, state: Callable[[Mapping], bool]) -> None:
        """Wait until the engine says this of a service."""
        wait_until(
            lambda: state(self.droplet.containers()[service]),
            why=lambda: json.dumps(self.droplet.containers()[service]["State"], indent=2),
            pause=0.2,
        )


def contents(archive: Path) -> dict[str, str]:
    """File below the archive's one directory → its text."""
    with tarfile.open(archive) as tar:
        files = {m.name.partition("/")[2]: tar.extractfile(m) for m in tar.getmembers()}
        return {name: file.read().decode() for name, file in files.items() if file}


@contextmanager
def open_failing_services_stack(place: Path) -> Iterator[FailingServicesStack]:
    """The stack released, and healthy."""
    from blocks import StackEnvironment  # noqa: PLC0415 — after the environment is set

    source = checkout(Path(__file__).parent / "failing_services", place / "source")
    with lab_stack(FailingServicesStack, STACK, "blue", place) as stack:
        files = {"web.env": f"DB_URL=postgres://app:{PASSWORD}@db/app\n", "secrets/token": TOKEN}
        StackEnvironment(variables={"API_KEY": KEY}, files=files).save(STACK, overwrite=True)
        stack.slipway_ok("release", "--stack", str(source), "--tag", "v1")
        yield stack
