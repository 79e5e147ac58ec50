"""Gathers what the builds of a release need, and refuses before the first of them what this host does not have."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.core.errors import MissingBuildInput, MissingEnvironmentFile, UnsetVariables
from flows.core.release.build_file import build_document, build_file, dropped_platforms
from flows.core.release.build_order import base_images, build_waves
from flows.core.release.image_plan import ImagePlan
from flows.core.secrets.masking import file_values
from flows.core.stack.builds.build_needs import BuildSecret, build_secrets, ssh_accesses
from flows.core.stack.compose_files import locate
from flows.core.stack.stack import Build, Stack
from flows.tasks.build_host import own_environment
from flows.tasks.private_directory import private_directory
from flows.tasks.runs.log_masking import register_secrets
from flows.tasks.stack.env_file import read_private
from flows.tasks.stack.source import Source

_VARIABLE = "SLIPWAY_BUILD_SECRET_"


class BuildInputs:
    """What the builds of a release are run with. Holds secrets, so it is no dataclass.

    Args:
        document: what the build file says, but for the secrets that are files.
        waves: the services whose builds are run, those that others start from first.
        variables: secrets as variables of the build's own process.
        files: secrets as files: name → content, or the path of the one that lies in the checkout.
        notes: what a person should know of these builds, in sentences.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        waves: Sequence[Sequence[str]],
        variables: Mapping[str, str],
        files: Mapping[str, bytes | str],
        notes: Sequence[str] = (),
    ) -> None:
        self.document, self.waves = document, waves
        self.variables, self.files, self.notes = variables, files, notes

    @contextmanager
    def written(self) -> Iterator[str]:
        """The build file's path, in a directory that only we can enter: build arguments are secrets too."""
        with private_directory("build") as directory:
            secrets = dict(self.document.get("secrets") or {})
            for number, (name, content) in enumerate(self.files.items()):
                path = content if isinstance(content, str) else os.path.join(directory, f"secret-{number}")
                if not isinstance(content, str):
                    _write(path, content)
                secrets[name] = {"file": path.replace("$", "$$")}
            place = os.path.join(directory, "compose.yml")
            _write(place, build_file({**self.document, **({"secrets": secrets} if secrets else {})}))
            yield place


def build_inputs(
    source: Source,
    plan: ImagePlan,
    wanted: Sequence[str],
    variables: Mapping[str, str],
    files: Mapping[str, bytes],
) -> BuildInputs:
    """Gather what the builds of these services need.

    Args:
        variables: of the stack's environment.
        files: of the stack's environment: path, relative to the compose file's directory → content.

    Raises:
        BrokenStack: images are built from each other.
        MissingBuildInput: a build asks for an SSH agent or key that this host does not have.
        UnsetVariables, MissingEnvironmentFile: a build's secret is nowhere.
    """
    stack = source.stack
    bases = base_images(stack, plan, read_dockerfiles(stack))
    waves = build_waves(bases, plan, wanted)
    makers = [maker for wave in waves for maker in wave]
    secrets = build_secrets(stack, makers)
    given, held = _variables(secrets, variables), _files(secrets, files, os.path.dirname(source.given[0]))
    said = {secret.name: {"environment": _name(number)} for number, secret in enumerate(secrets) if secret.variable}
    document = build_document(source.config, plan, makers, bases, said)
    return BuildInputs(document, waves, given, held, [*_platform_notes(source, makers), *_ssh_notes(source, makers)])


def read_dockerfiles(stack: Stack) -> dict[str, str | None]:
    """Service → the text of its Dockerfile; None for one that is not on this host, or cannot be read."""
    return {name: _dockerfile(service.build) for name, service in stack.services.items() if service.build}


def _dockerfile(build: Build) -> str | None:
    if inline := build.spec.get("dockerfile_inline"):
        return str(inline)
    if not build.local:
        return None
    try:
        return Path(build.context, build.spec.get("dockerfile") or "Dockerfile").read_text(errors="replace")
    except OSError:
        return None  # BuildKit says best what is wrong with it


def _variables(secrets: Sequence[BuildSecret], values: Mapping[str, str]) -> dict[str, str]:
    """Under names of our own: one such as PATH would change what the build command does."""
    if missing := [secret for secret in secrets if secret.variable and secret.variable not in values]:
        wanted = ", ".join(f"{secret.variable} (secret {secret.name} of {secret.service})" for secret in missing)
        raise UnsetVariables(
            f"a build takes a secret from {wanted}, which nobody gave a value. Set it in the stack's environment block "
            "(slipway environment set), or with --env-file PATH"
        )
    return {_name(number): values[secret.variable] for number, secret in enumerate(secrets) if secret.variable}


def _name(number: int) -> str:
    return f"{_VARIABLE}{number}"


def _files(secrets: Sequence[BuildSecret], held: Mapping[str, bytes], project: str) -> dict[str, bytes | str]:
    """The block's content, as for every secret; the checkout's own file where the block does not hold it."""
    known = {os.path.normpath(os.path.join(project, path)): content for path, content in held.items()}
    found: dict[str, bytes | str] = {}
    missing = []
    for secret in secrets:
        path = os.path.normpath(secret.file)
        if not secret.file and not secret.variable:
            missing.append(f"secret {secret.name} of {secret.service}, which no `file:` and no `environment:` gives")
        elif path in known:
            found[secret.name] = known[path]
        elif secret.file and os.path.isfile(path):
            found[secret.name] = path
            register_secrets(file_values(path, read_private(path).decode(errors="replace")))
        elif secret.file:
            missing.append(f"{os.path.relpath(path, project)} (secret {secret.name} of {secret.service})")
    if missing:
        raise MissingEnvironmentFile(
            f"a build needs {', '.join(missing)}, which is neither here nor in the stack's environment block. "
            "Save it: slipway environment set --stack PATH"
        )
    return found


def _ssh_notes(source: Source, makers: Sequence[str]) -> Iterator[str]:
    environment = own_environment({})
    for access in ssh_accesses(source.stack.services[maker] for maker in makers):
        if access.path and not os.path.exists(os.path.expanduser(access.path)):
            raise MissingBuildInput(
                f"{_place(source, access.service, access.name)}: the build of {access.service} uses the SSH key "
                f"{access.path} (build.ssh: {access.name}), which this host does not have. Put it there, or use its "
                "agent: build.ssh: [default]"
            )
        if not access.path and not environment.get("SSH_AUTH_SOCK"):
            raise MissingBuildInput(
                f"{_place(source, access.service, 'ssh')}: the build of {access.service} uses the SSH agent of the "
                "host it runs on (build.ssh), and none runs here. Start the worker with one: SSH_AUTH_SOCK, ssh-add"
            )
        yield f"the build of {access.service} uses " + (
            f"the SSH key {access.path} of this host" if access.path else "the SSH agent of this host"
        )


def _platform_notes(source: Source, makers: Sequence[str]) -> Iterator[str]:
    for maker in makers:
        if dropped := dropped_platforms(source.config["services"][maker]):
            yield (
                f"{_place(source, maker, 'platforms')}: {maker} is built for this host's own platform alone, not for "
                f"{', '.join(dropped)}: a release has one image of each service, as `docker compose up` has. Another "
                "one: `platform:` beside `build:`"
            )


def _place(source: Source, service: str, word: str) -> str:
    return locate(source.named_texts, service, ["build"], word)


def _write(path: str, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
