"""The ward: a stack on the droplet `blue` whose services fall ill when told to, and tell their secrets to anybody."""

import json
import re
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from secrets import token_hex

from tests.support.lab.cli import CliResult, slipway, slipway_ok
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.git_checkout import checkout
from tests.support.lab.lab_stack import settings
from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images
from tests.support.lab.saved_blocks import forget, saved

STACK, BLOCK = "ward", "ward-droplet"
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
_PATIENCE = 30.0


@dataclass(frozen=True)
class FailingServicesStack:
    """Where the ward is, and settings that lead there."""

    droplet: DropletView
    settings: dict[str, str]
    reports: Path

    def debug(self, *words: str, **more: str) -> CliResult:
        """`slipway debug-agent` of this stack on this droplet."""
        where = ["--stack", STACK, "--droplet", BLOCK]
        return slipway("debug-agent", *words, *where, **{**self.settings, **more})

    def archives(self) -> list[Path]:
        return sorted(self.reports.glob("debug-*.tar.gz"))

    def tell(self, service: str, script: str) -> None:
        """Run a line of shell inside a service."""
        self.droplet.inside(service, "sh", "-c", f"'{script}'")

    def until(self, service: str, state: Callable[[Mapping], bool]) -> None:
        """Wait until the engine says this of a service."""
        deadline = time.monotonic() + _PATIENCE
        while not state(self.droplet.containers()[service]):
            assert time.monotonic() < deadline, json.dumps(self.droplet.containers()[service]["State"], indent=2)
            time.sleep(0.2)


def contents(archive: Path) -> dict[str, str]:
    """File below the archive's one directory → its text."""
    with tarfile.open(archive) as tar:
        files = {m.name.partition("/")[2]: tar.extractfile(m) for m in tar.getmembers()}
        return {name: file.read().decode() for name, file in files.items() if file}


@contextmanager
def open_failing_services_stack(tmp: Path) -> Iterator[FailingServicesStack]:
    """The ward released, and well; afterwards nothing of it is left anywhere."""
    from blocks import ContainerRegistry, Droplet, StackEnvironment  # noqa: PLC0415 — after the environment is set

    registry = RegistryNamespace(ContainerRegistry.load("registry"), "test-ward")
    droplet = DropletView("blue", STACK, f"/opt/slipway-{STACK}")
    own = settings(tmp / "reports", SLIPWAY_REGISTRY="ward-registry", SLIPWAY_DROPLET=BLOCK)
    source = checkout(Path(__file__).parent / "failing_services", tmp / "ward")
    with ExitStack() as stack:
        for tidy in (
            partial(remove_build_images, f"/{registry.namespace}"),
            registry.empty,
            partial(droplet.remove, registry.namespace),
            partial(droplet.sh, f"rm -rf {droplet.directory}"),
            partial(forget, StackEnvironment, STACK),
        ):
            tidy()  # what a killed run left
            stack.callback(tidy)
        block = Droplet.load("blue").model_copy(update={"directory": droplet.directory})
        stack.enter_context(saved(ward_registry=registry.named(), ward_droplet=block))
        files = {"front.env": f"DB_URL=postgres://app:{PASSWORD}@db/ward\n", "secrets/token": TOKEN}
        StackEnvironment(variables={"API_KEY": KEY}, files=files).save(STACK, overwrite=True)
        slipway_ok("release", "--stack", str(source), "--tag", "v1", **own)
        yield FailingServicesStack(droplet, dict(own), tmp / "reports")
