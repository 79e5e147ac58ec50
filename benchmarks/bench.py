"""The ground a benchmark stands on, from the lab of its own to the blocks; all of it is gone when it is left."""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import BenchmarkFailed, run
from benchmarks.lab import CHECKOUT, NAME, STATE, Lab, free_lab, remove, remove_images
from benchmarks.prefect_runs import forget_runs
from benchmarks.sample import Sample, copy_sample
from benchmarks.tree import TreeSize
from blocks import ContainerRegistry, Droplet, StackEnvironment

SCRIPT = f"{NAME}-script"
_HELPERS = "http://slipway-lab-langfuse:3000"


@dataclass(frozen=True)
class Bench:
    """What every section works with: the lab, a copy of the sample for each side, and how often each does its work.

    Args:
        tree: how large the mounted tree is that is released.
    """

    lab: Lab
    place: Path
    ours: Sample
    script: Sample
    login: Mapping[str, str]
    rounds: int
    tree: TreeSize
    tell: Callable[[str], None]

    @property
    def ssh_config(self) -> Path:
        return self.place / "ssh_config"

    def ssh(self) -> list[str]:
        """OpenSSH to the droplet: one connection a call, none shared."""
        return ["ssh", "-F", str(self.ssh_config), "droplet"]

    def script_env(self) -> dict[str, str]:
        """What the plain script reads."""
        return {**self.login, "REGISTRY": f"{self.lab.registry}/{SCRIPT}", "IMAGE_TAG": self.script.tag()}

    def start_over(self) -> None:
        """Nothing is left in the registry or on the droplet; the build host keeps its cache."""
        self.lab.empty_registry()
        self.lab.empty_droplet()


@contextlib.contextmanager
def open_bench(rounds: int, tree: TreeSize, tell: Callable[[str], None]) -> Iterator[Bench]:
    """Set everything up, and take everything away again, also after an interrupt."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(alone())
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-bench-")))
        stack.enter_context(_environment(place))
        lab = free_lab()
        stack.callback(remove_images)
        stack.callback(remove)
        tell("Starting a registry and a droplet of the benchmark's own.")
        lab.start()
        known = json.loads((STATE / "lab" / "credentials.json").read_text())
        variables = {
            "BIND_ADDRESS": "127.0.0.1",
            "LANGFUSE_HOST": _HELPERS,
            "LANGFUSE_PUBLIC_KEY": known["langfuse_public_key"],
            "LANGFUSE_SECRET_KEY": known["langfuse_secret_key"],
        }
        samples = [copy_sample(place, project) for project in (NAME, SCRIPT)]
        env_file = samples[1].directory / "droplet.env"
        env_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        (place / "known_hosts").write_text(f"[127.0.0.1]:{lab.ssh_port} {lab.host_key()}\n")
        (place / "ssh_config").write_text(_ssh_config(lab, place))
        stack.callback(forget_runs, NAME)
        login = stack.enter_context(_blocks(lab, known, variables))
        _log_in_on_droplet(lab, known)
        stack.enter_context(contextlib.chdir(place))
        yield Bench(lab, place, samples[0], samples[1], login, rounds, tree, tell)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Two benchmarks at once would disturb each other, and each would remove the other's containers."""
    with (STATE / "bench.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchmarkFailed("another benchmark runs on this lab. Wait for its end, or interrupt it") from None
        yield


@contextlib.contextmanager
def _blocks(lab: Lab, known: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Save the blocks under the benchmark's name; yields the environment of a docker client that is logged in."""
    registry = ContainerRegistry(
        registry_url=lab.registry,
        username=known["registry_username"],
        password=known["registry_password"],
        namespace=NAME,
        ca_certificate=lab.authority,
    )
    droplet = Droplet(
        host="127.0.0.1", port=lab.ssh_port, private_key=lab.private_key.read_text(), host_key=lab.host_key()
    )
    with contextlib.ExitStack() as stack:
        for block in (registry, droplet, StackEnvironment(variables=dict(variables), files={})):
            block.save(NAME, overwrite=True)
            stack.callback(type(block).delete, NAME)
        yield stack.enter_context(registry.docker_config())


@contextlib.contextmanager
def _environment(place: Path) -> Iterator[None]:
    """Our own environment, which the flows read, in this process and in the command's."""
    client = [str(STATE / "bin")] if (STATE / "bin" / "docker").exists() else []
    before = dict(os.environ)
    os.environ.update(
        PATH=os.pathsep.join([*client, os.environ["PATH"]]),
        PYTHONPATH=str(CHECKOUT),
        SLIPWAY_REGISTRY=NAME,
        SLIPWAY_DROPLET=NAME,
        SLIPWAY_STACK=NAME,
        SLIPWAY_SIGNING=NAME,  # there is none, but where signing is measured
        SLIPWAY_TRUSTED=NAME,
        SLIPWAY_REPORTS=str(place / "reports"),
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _log_in_on_droplet(lab: Lab, known: Mapping[str, str]) -> None:
    """The plain script and the peers find a login on the droplet; Slipway brings its own."""
    argv = ["docker", "login", "--username", known["registry_username"], "--password-stdin", lab.registry]
    password = known["registry_password"].encode()
    run(["docker", "exec", "--interactive", f"{NAME}-droplet", *argv], stdin=password)


def _ssh_config(lab: Lab, place: Path) -> str:
    settings = {
        "HostName": "127.0.0.1",
        "Port": lab.ssh_port,
        "User": "root",
        "IdentityFile": lab.private_key,
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": place / "known_hosts",
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "ControlMaster": "no",
        "BatchMode": "yes",
        "LogLevel": "ERROR",
    }
    return "Host droplet\n" + "".join(f"    {name} {value}\n" for name, value in settings.items())
