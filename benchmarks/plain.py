"""The same docker commands that a deploy of ours gives, as one plain script over one OpenSSH connection.

The commands come from the same builders, so the two cannot drift apart; what is left out is all that Slipway does
around them.
"""

import base64
import shlex
import time
from dataclasses import dataclass

from benchmarks.bench import Bench
from benchmarks.command import run
from benchmarks.lab import NAME
from blocks import ContainerRegistry
from flows.core.deploy.facts import facts_script, read_facts
from flows.core.deploy.files.staging_scripts import stage_script, switch_script, timed
from flows.core.deploy.preflight import missing_images
from flows.core.deploy.pull import RegistryLogin, pull_script
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.running import running_script
from flows.core.release.archive import packed, tar_stream
from flows.core.release.release import Release
from flows.core.release.tree import Tree
from flows.settings import Settings
from flows.tasks.deploy.deployment import Deployment, ReleasePayload
from flows.tasks.deploy.files import members_to_send
from flows.tasks.droplet.target import Target
from flows.tasks.release.fetch import read_published
from flows.tasks.runs.blocks import layout, load_environment, load_registry
from flows.tasks.stack.environment import variables


@dataclass(frozen=True)
class Prepared:
    """A published release with all that is put on a droplet for it."""

    deployment: Deployment
    tree: Tree
    tar: bytes
    registry: ContainerRegistry

    @property
    def release(self) -> Release:
        return self.deployment.release


def prepare(tag: str) -> Prepared:
    """Read a release from the registry, as the deploy flow does."""
    settings = Settings()
    registry, environment = load_registry(settings), load_environment(settings, NAME)
    own = {"REGISTRY": layout(registry).prefix, "IMAGE_TAG": tag, "SLIPWAY_COLOUR": settings.colours.of(NAME) or ""}
    values = {**variables(environment, None), **own}
    fetched = read_published.fn(NAME, tag, registry)
    release, files = fetched.release, fetched.files
    target = Target(None, StackDirectory("/opt/slipway", release.stack), settings)  # type: ignore[arg-type]
    payload = ReleasePayload(files, values, {})
    deployment = Deployment(None, target, release, payload.name(tag))  # type: ignore[arg-type]
    tree = timed(payload.staged(release, target.directory).tree, int(time.time()), {})
    tar = b"".join(packed(tar_stream(members_to_send(payload, deployment, tree, ()))))
    return Prepared(deployment, tree, tar, registry)


def missing(bench: Bench, prepared: Prepared) -> list[str]:
    """References that the droplet must pull, asked before the clock runs."""
    release = prepared.release
    script = facts_script(prepared.deployment.directory, sorted(release.images))
    return missing_images(release, read_facts(bench.lab.inside(script), release.stack).present)


def deploy(bench: Bench, prepared: Prepared, to_pull: list[str]) -> None:
    """Deploy it: facts, files, config, pull, tag, up, inspect containers and images until all are healthy."""
    _run(bench, [*_steps(prepared, to_pull), _until_healthy(prepared.release)])


def put(bench: Bench, prepared: Prepared) -> None:
    """Put it in force whatever becomes of it: all of a deploy but the waiting."""
    _run(bench, _steps(prepared, missing(bench, prepared)))


def go_back(bench: Bench, prepared: Prepared) -> None:
    """Put a release that stands on the droplet, images too, in force again: `docker compose up -d --wait`."""
    d = prepared.deployment
    run([*bench.ssh(), f"{switch_script(d.directory, d.name)}{shlex.join([*d.compose.up(), '--wait'])}"])


def _run(bench: Bench, steps: list[str]) -> None:
    command = 'script=$(mktemp); trap \'rm -f "$script"\' EXIT; cat >"$script"; sh "$script"'
    run([*bench.ssh(), command], stdin=("set -eu\n" + "\n".join(steps) + "\n").encode())


def _steps(prepared: Prepared, to_pull: list[str]) -> list[str]:
    d, release, registry = prepared.deployment, prepared.release, prepared.registry
    directory = d.directory
    steps = [
        f"{_shell(facts_script(directory, sorted(release.images)))} >/dev/null",
        _fed(prepared.tar, stage_script(release, directory, d.name, prepared.tree)),
    ]
    if to_pull:
        login = RegistryLogin(registry.host, registry.username)
        password = registry.password.get_secret_value().encode()
        steps.append(_fed(password, pull_script(to_pull, login)))
    return [*steps, _shell(switch_script(directory, d.name)), shlex.join(d.compose.up())]


def _until_healthy(release: Release) -> str:
    healthy = f'$({_shell(running_script(release.stack))} | grep -c \'"Status": "healthy"\')'
    return f'until [ "{healthy}" -eq {len(release.services)} ]; do sleep 0.15; done'


def _shell(script: str) -> str:
    return shlex.join(["sh", "-c", script])


def _fed(data: bytes, script: str) -> str:
    """The script with this on its standard input."""
    return f"echo {base64.b64encode(data).decode()} | base64 -d | {_shell(script)} >/dev/null"
