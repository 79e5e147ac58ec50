"""A generated stack as a release of it would stand on a droplet, and as the droplet's Compose reads it."""

import io
import os
import shlex
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flows.core.deploy.files.staging import StagedRelease, secret_contents, staged_release
from flows.core.deploy.files.staging_scripts import stage_script, staged_members
from flows.core.droplet.directories import StackDirectory, release_name
from flows.core.registry.references import slug
from flows.core.release.archive import packed, tar_stream
from flows.core.release.bundle import DOCUMENT, FILES, OVERRIDE, File, ReleaseFiles
from flows.core.release.release import Image, Release
from flows.core.stack.files.shipped_files import StackFiles, find_stack_files
from flows.core.stack.stack import Stack
from flows.core.stack.variables import active_profiles
from flows.settings import Settings
from flows.tasks.stack.env_file import read_env_file
from flows.tasks.stack.environment import read_environment
from flows.tasks.stack.given_files import settle_given_files
from flows.tasks.stack.project import open_project
from flows.tasks.stack.reading import ComposeReader
from flows.tasks.stack.source import read_stack
from tests.support.judge.droplet import run_on

DIRECTORY = "/opt/slipway-reading"
REGISTRY, TAG, DIGEST = "registry.example.com/team", "t1", "sha256:" + "1" * 64
SIDE_BY_SIDE = 3


@dataclass(frozen=True)
class StagedStack:
    """A stack as a release of it would be put on a droplet."""

    release: Release
    staged: StagedRelease
    variables: Mapping[str, str]
    directory: StackDirectory
    name: str

    @property
    def script(self) -> bytes:
        return stage_script(self.release, self.directory, self.name, self.staged.tree).encode()

    @property
    def files(self) -> bytes:
        return b"".join(packed(tar_stream(staged_members(self.staged, self.staged.tree))))


@dataclass(frozen=True)
class HostReading:
    """What the build host makes of a checkout.

    Args:
        variables, files: what the environment block holds.
        config: the stack as it is resolved.
        given: the compose files that were given, and the text of each that belongs to the stack.
        name: what `environment set` calls it; '' where that was not asked.
    """

    variables: dict[str, str]
    files: Mapping[str, bytes]
    config: dict[str, Any]
    sources: StackFiles
    given: tuple[str, ...]
    texts: Mapping[str, str]
    name: str = ""


def read_thoroughly(checkout: Path) -> HostReading:
    """By every step of `environment set` and of the build."""
    place = str(checkout)
    environment, name = read_environment(place, None)
    files, values = environment.contents(), environment.values()
    source = read_stack.fn(place, settings(), REGISTRY, TAG, values, files)
    return HostReading(values, files, dict(source.config), source.sources, source.given, source.texts, name)


def read_quickly(checkout: Path) -> HostReading:
    """By what these steps have in common, which asks Compose half as often."""
    place = str(checkout)
    variables = read_env_file(checkout / ".env", settings())
    reader = ComposeReader(settings(), {**variables, "REGISTRY": REGISTRY, "IMAGE_TAG": TAG})
    project = open_project(place, settings(), variables, reader)
    config = project.read(reader, {})
    sources = find_stack_files(
        Stack.from_config(config),
        project.directory,
        tuple(project.texts),
        project.entries,
        project.texts.values(),
        config.get("volumes"),
    )
    sources = settle_given_files(sources, (), settings())
    files = {
        os.path.relpath(entry.path, place): Path(entry.path).read_bytes()
        for entry in sources.environment_files
        if os.path.isfile(entry.path)
    }
    return HostReading(variables, files, config, sources, project.given, project.texts)


def stage(read: HostReading, number: str) -> StagedStack:
    """What a deploy puts on a droplet, without the mounted files.

    Args:
        number: of the stack; names its directory there.
    """
    sources, stack = read.sources, Stack.from_config(read.config)
    services = {service: f"{REGISTRY}/{slug(service)}@{DIGEST}" for service in stack.services}
    release = Release(
        stack=stack.name,
        tag=TAG,
        services=services,
        images={reference: Image() for reference in services.values()},
        compose_files=tuple(sources.relative(path) for path in read.given),
        registry="registry.example.com",
        profiles=active_profiles((), read.variables),
        environment_files=sources.needed,
        secret_readers={s: tuple(map(sources.relative, paths)) for s, paths in sources.secret_readers.items()},
        secret_copies=sources.secret_copies,
        state=tuple(sources.relative(path) for path in sources.state),
    )
    own = {f"{FILES}/{sources.relative(path)}": File(text.encode()) for path, text in read.texts.items()}
    own |= {OVERRIDE: File(release.override({})), DOCUMENT: File(release.document())}
    directory = StackDirectory(f"{DIRECTORY}/{number}", release.stack)
    variables = {**read.variables, "REGISTRY": REGISTRY, "IMAGE_TAG": TAG, "SLIPWAY_COLOUR": ""}
    secrets = secret_contents(release, read.files)
    staged = staged_release(release, ReleaseFiles(own), variables, secrets, directory)
    return StagedStack(release, staged, variables, directory, release_name(TAG, "0" * 16))


def read_on(droplet: str, staged: list[StagedStack]) -> list[tuple[int, str, str]]:
    """Exit code, resolved stack and warnings of each, as the droplet's Compose has them; all of them in one session."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for number, one in enumerate(staged):
            for name, content in (("script", one.script), ("files", one.files)):
                entry = tarfile.TarInfo(f"{number:04}/{name}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    one_by_one = 'cd "$1" && sh script <files >out 2>err; echo $? >code'
    script = (
        f"rm -rf {DIRECTORY} && mkdir -p {DIRECTORY}/all && cd {DIRECTORY}/all && tar -xf - && "
        f"ls | xargs -P {SIDE_BY_SIDE} -I NUMBER sh -c {shlex.quote(one_by_one)} sh NUMBER; "
        f"rm -f */script */files; tar -cf - . ; cd / && rm -rf {DIRECTORY}"
    )
    answers = run_on(droplet, "sh", "-euc", script, stdin=raw.getvalue())
    found: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(answers)) as tar:
        for entry in tar:
            if content := tar.extractfile(entry):
                found[entry.name.removeprefix("./")] = content.read().decode()
    return [(int(found[f"{n:04}/code"]), found[f"{n:04}/out"], found[f"{n:04}/err"]) for n in range(len(staged))]


@cache
def settings() -> Settings:
    """The settings of this host."""
    return Settings()
