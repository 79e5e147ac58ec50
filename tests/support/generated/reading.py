"""One stack read three times: by plain Compose in its checkout, by the build host, and by a droplet."""

import io
import os
import re
import shlex
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from flows.core.deploy.staging import StagedRelease, secret_contents, staged_release
from flows.core.deploy.staging_scripts import stage_script, staged_members
from flows.core.droplet.directories import StackDirectory, release_name
from flows.core.errors import ReadingsDiffer, SlipwayError, UnsetVariables
from flows.core.release.archive import packed, tar_stream
from flows.core.release.bundle import DOCUMENT, FILES, OVERRIDE, File, ReleaseFiles
from flows.core.release.release import Image, Release
from flows.core.stack.comparison import differences
from flows.core.stack.compose_yaml import load_config
from flows.core.stack.files.shipped_files import StackFiles, find_stack_files
from flows.core.stack.stack import Stack
from flows.core.stack.variables import active_profiles
from flows.settings import Settings
from flows.tasks.deploy.reading import compare_readings, compose_version
from flows.tasks.stack.env_file import read_env_file
from flows.tasks.stack.environment import read_environment
from flows.tasks.stack.project import open_project
from flows.tasks.stack.reading import ComposeReader
from flows.tasks.stack.source import read_stack
from tests.support.generated.stacks import GeneratedStack
from tests.support.judge.containers import Place
from tests.support.judge.droplet import run_on

DIRECTORY = "/opt/slipway-reading"
REGISTRY, TAG, DIGEST = "registry.example.com/team", "t1", "sha256:" + "1" * 64
THOROUGH = 5
_SIDE_BY_SIDE = 3


@dataclass
class Reading:
    """What became of one stack.

    Args:
        thorough: by every step of `environment set`, the build and the deploy; else by what these have in common, which
            asks Compose half as often.
        stack: as it was drawn.
        plain: as Compose resolves it in its checkout; None where Compose refuses it.
        wrong: what is not as it should be, each in a sentence.
        refused: the error that the build host refused it with.
    """

    stack: GeneratedStack
    checkout: Path
    thorough: bool
    plain: dict[str, Any] | None = None
    warnings: str = ""
    refused: str = ""
    wrong: list[str] = field(default_factory=list)
    staged: "Staged | None" = None

    @property
    def place(self) -> Place:
        return Place(((re.escape(str(self.checkout.parent)), ""),), self.checkout.name)


@dataclass
class Staged:
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


def read_all(stacks: Iterable[GeneratedStack], place: Path, droplet: str) -> list[Reading]:
    """Read every stack in the three ways, and compare. All of them go to the droplet in one session."""
    readings = [
        Reading(stack, stack.write(place / f"{number:04}" / "x"), number % THOROUGH == 0)
        for number, stack in enumerate(stacks)
    ]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        list(pool.map(_read_here, readings))
        printed = _read_on(droplet, [reading.staged for reading in readings if reading.staged])
        waiting = [reading for reading in readings if reading.staged]
        list(pool.map(_compare, waiting, printed))
    return readings


def _read_here(reading: Reading) -> None:
    """By plain Compose, and by the build host."""
    environment = {"PATH": os.environ["PATH"], "REGISTRY": REGISTRY, "IMAGE_TAG": TAG}
    argv = [docker(), "compose", "config"]
    answer = subprocess.run(argv, cwd=reading.checkout, env=environment, capture_output=True, check=False, timeout=60)
    reading.warnings = answer.stderr.decode()
    if answer.returncode == 0:
        reading.plain = _named_places(load_config(answer.stdout.decode()), reading.place)
    try:
        staged, config = _prepare(reading)
    except UnsetVariables as error:
        reading.refused = str(error)
        if reading.plain is not None and "variable is not set" not in reading.warnings:
            reading.wrong.append(f"refused, and Compose misses no variable: {error}")
        return
    except SlipwayError as error:
        reading.refused = f"{type(error).__name__}: {error}"
        if reading.plain is not None:
            reading.wrong.append(f"refused, and Compose reads it: {reading.refused}")
        return
    except Exception as error:
        reading.wrong.append(f"the build host fails on it: {type(error).__name__}: {error}")
        return
    if reading.plain is None:
        reading.wrong.append(f"read, and Compose refuses it: {reading.warnings.strip().splitlines()[-1]}")
        return
    here = _named_places(config, reading.place)
    reading.wrong += [f"build host: {one}" for one in differences(reading.plain, here)]
    reading.staged = staged


def _prepare(reading: Reading) -> tuple[Staged, dict[str, Any]]:
    """What `environment set`, the build and a deploy make of a checkout; and what the build host reads."""
    variables, files, config, sources, given, texts = (_thorough if reading.thorough else _quick)(reading)
    stack = Stack.from_config(config)
    services = {service: f"{REGISTRY}/{service.lower()}@{DIGEST}" for service in stack.services}
    release = Release(
        stack=stack.name, tag=TAG, services=services, images={ref: Image() for ref in services.values()},
        compose_files=tuple(sources.relative(path) for path in given), registry="registry.example.com",
        profiles=active_profiles((), variables), environment_files=sources.needed,
        secret_readers={s: tuple(map(sources.relative, paths)) for s, paths in sources.secret_readers.items()},
        state=tuple(sources.relative(path) for path in sources.state),
    )  # fmt: skip
    own = {f"{FILES}/{sources.relative(path)}": File(text.encode()) for path, text in texts.items()}
    own |= {OVERRIDE: File(release.override({})), DOCUMENT: File(release.document())}
    directory = StackDirectory(f"{DIRECTORY}/{reading.checkout.parents[1].name}", release.stack)
    variables = {**variables, "REGISTRY": REGISTRY, "IMAGE_TAG": TAG, "SLIPWAY_COLOUR": ""}
    staged = staged_release(release, ReleaseFiles(own), variables, secret_contents(release, files), directory)
    return Staged(release, staged, variables, directory, release_name(TAG, "0" * 16)), config


_Parts = tuple[dict[str, str], dict[str, Any], dict[str, Any], StackFiles, tuple[str, ...], Mapping[str, str]]


def _thorough(reading: Reading) -> _Parts:
    place = str(reading.checkout)
    environment, name = read_environment(place, None)
    files, values = environment.contents(), environment.values()
    source = read_stack.fn(place, _settings(), REGISTRY, TAG, values, files)
    if source.stack.name != name:
        reading.wrong.append(f"called {source.stack.name} by the build, and {name} where its environment is saved")
    return values, files, dict(source.config), source.sources, source.given, source.texts


def _quick(reading: Reading) -> _Parts:
    place = str(reading.checkout)
    variables = read_env_file(reading.checkout / ".env", _settings())
    reader = ComposeReader(_settings(), {**variables, "REGISTRY": REGISTRY, "IMAGE_TAG": TAG})
    project = open_project(place, _settings(), variables, reader)
    config = project.read(reader, {})
    sources = find_stack_files(
        Stack.from_config(config), project.directory, tuple(project.texts), project.entries, project.texts.values(),
        config.get("volumes"),
    )  # fmt: skip
    files = {os.path.relpath(entry.path, place): Path(entry.path).read_bytes() for entry in sources.environment_files
             if os.path.isfile(entry.path)}  # fmt: skip
    return variables, files, config, sources, project.given, project.texts


def _read_on(droplet: str, staged: list[Staged]) -> list[tuple[int, str, str]]:
    """Exit code, resolved stack and warnings of each, as the droplet's Compose has them."""
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
        f"ls | xargs -P {_SIDE_BY_SIDE} -I NUMBER sh -c {shlex.quote(one_by_one)} sh NUMBER; "
        f"rm -f */script */files; tar -cf - . ; cd / && rm -rf {DIRECTORY}"
    )
    answers = run_on(droplet, "sh", "-euc", script, stdin=raw.getvalue())
    with tarfile.open(fileobj=io.BytesIO(answers)) as tar:
        found = {entry.name.removeprefix("./"): tar.extractfile(entry).read().decode()  # type: ignore[union-attr]
                 for entry in tar if entry.isfile()}  # fmt: skip
    return [(int(found[f"{n:04}/code"]), found[f"{n:04}/out"], found[f"{n:04}/err"]) for n in range(len(staged))]


def _compare(reading: Reading, answer: tuple[int, str, str]) -> None:
    """The droplet's reading against the one the deploy makes here, and against plain Compose's."""
    code, printed, said = answer
    staged = reading.staged
    assert staged
    assert reading.plain is not None
    if code:
        reading.wrong.append(f"the droplet cannot read it: {said.strip().splitlines()[-1] if said.strip() else code}")
        return
    incoming = staged.directory.incoming(staged.name)
    if reading.thorough:
        _compare_as_deploy(reading, staged, printed.replace(incoming, ""), said)
    base = os.path.dirname(staged.release.compose_files[0])
    there = _named_places(load_config(printed), Place(((re.escape(f"{incoming}/{FILES}"), ""),), base))
    reading.wrong += [f"droplet: {one}" for one in differences(_pinned(reading.plain), _pinned(there))]


def _compare_as_deploy(reading: Reading, staged: Staged, printed: str, said: str) -> None:
    version = compose_version(_settings())
    try:
        compare_readings(
            staged.release, staged.staged.content, staged.variables, printed, said,
            there=("droplet", version), settings=_settings(),
        )  # fmt: skip
    except ReadingsDiffer as error:
        reading.wrong.append(f"the deploy refuses it: {error}")
    except SlipwayError as error:
        reading.wrong.append(f"the deploy cannot compare it: {type(error).__name__}: {error}")


def _pinned(config: Mapping[str, Any]) -> dict[str, Any]:
    """A stack without what a release changes on purpose: images by digest, labels of its own, nothing to build."""
    services = {}
    for name, spec in config["services"].items():
        labels = {k: v for k, v in (spec.get("labels") or {}).items() if not k.startswith("dev.slipway.")}
        services[name] = {**{k: v for k, v in spec.items() if k not in ("image", "labels", "build")}, "labels": labels}
    return {**config, "services": services}


def _named_places(value: Any, place: Place) -> Any:
    """The document, in which every path of the stack begins with `<stack>`."""
    if isinstance(value, str):
        return place.plain(value)
    if isinstance(value, Mapping):
        return {key: _named_places(item, place) for key, item in value.items()}
    return [_named_places(item, place) for item in value] if isinstance(value, list) else value


@cache
def _settings() -> Settings:
    return Settings()


def docker() -> str:
    """The client that Slipway uses here."""
    return _settings().docker
