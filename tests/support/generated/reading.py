"""One stack read three times: by plain Compose in its checkout, by the build host, and by a droplet."""

import os
import re
import subprocess
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.core.errors import ReadingsDiffer, SlipwayError, UnsetVariables
from flows.core.stack.comparison import differences
from flows.core.stack.compose_yaml import load_config
from flows.tasks.deploy.reading import compare_readings, compose_version, read_here
from tests.support.generated.stacks import GeneratedStack
from tests.support.generated.staged import (
    REGISTRY,
    SIDE_BY_SIDE,
    TAG,
    HostReading,
    StagedStack,
    read_on,
    read_quickly,
    read_thoroughly,
    settings,
    stage,
)
from tests.support.judge.containers import Place, released_place

_OF_A_COPY = re.compile(r"slipway\.[0-7]{4}\.")
# One in so many goes through every step.
THOROUGH = 5


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
    staged: StagedStack | None = None

    @property
    def number(self) -> str:
        return self.checkout.parents[1].name

    @property
    def place(self) -> Place:
        return Place(((re.escape(str(self.checkout.parent)), ""),), self.checkout.name)


def read_all(stacks: Iterable[GeneratedStack], place: Path, droplet: str) -> list[Reading]:
    """Read every stack in the three ways, and compare."""
    readings = [
        Reading(stack, stack.write(place / f"{number:04}" / "x"), number % THOROUGH == 0)
        for number, stack in enumerate(stacks)
    ]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(_read_here, readings))
        printed = read_on(droplet, [reading.staged for reading in readings if reading.staged])
        waiting = [reading for reading in readings if reading.staged]
        list(pool.map(_compare, waiting, printed))
    return readings


def _read_here(reading: Reading) -> None:
    """By plain Compose, and by the build host."""
    environment = {"PATH": os.environ["PATH"], "REGISTRY": REGISTRY, "IMAGE_TAG": TAG}
    argv = [settings().docker, "compose", "config"]
    answer = subprocess.run(argv, cwd=reading.checkout, env=environment, capture_output=True, check=False, timeout=60)
    reading.warnings = answer.stderr.decode()
    if answer.returncode == 0:
        reading.plain = _named_places(load_config(answer.stdout.decode()), reading.place)
    try:
        read = (read_thoroughly if reading.thorough else read_quickly)(reading.checkout)
        staged = stage(read, reading.number)
    except UnsetVariables as error:
        reading.refused = str(error)
        if reading.plain is not None and "variable is not set" not in reading.warnings:
            reading.wrong.append(f"refused, and Compose misses no variable: {error}")
    except SlipwayError as error:
        reading.refused = f"{type(error).__name__}: {error}"
        if reading.plain is not None:
            reading.wrong.append(f"refused, and Compose reads it: {reading.refused}")
    except Exception as error:
        reading.wrong.append(f"the build host fails on it: {type(error).__name__}: {error}")
    else:
        _compare_here(reading, read, staged)


def _compare_here(reading: Reading, read: HostReading, staged: StagedStack) -> None:
    """The build host's reading against plain Compose's."""
    if reading.plain is None:
        reading.wrong.append(f"read, and Compose refuses it: {reading.warnings.strip().splitlines()[-1]}")
        return
    if read.name and read.name != staged.release.stack:
        reading.wrong.append(f"{staged.release.stack} to the build, and {read.name} where its environment is saved")
    here = _named_places(read.config, reading.place)
    reading.wrong += [f"build host: {one}" for one in differences(reading.plain, here)]
    reading.staged = staged


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
    place = released_place(staged.directory.path, os.path.dirname(staged.release.compose_files[0]))
    there = _named_places(load_config(printed), place)
    reading.wrong += [f"droplet: {one}" for one in differences(_pinned(reading.plain), _pinned(there))]


def _compare_as_deploy(reading: Reading, staged: StagedStack, printed: str, said: str) -> None:
    version = compose_version(settings())
    try:
        here = read_here(staged.release, staged.staged.content, staged.variables, settings())
        compare_readings(staged.release, here, printed, said, there=("droplet", version))
    except ReadingsDiffer as error:
        reading.wrong.append(f"the deploy refuses it: {error}")
    except SlipwayError as error:
        reading.wrong.append(f"the deploy cannot compare it: {type(error).__name__}: {error}")


def _pinned(config: Mapping[str, Any]) -> dict[str, Any]:
    """A stack without what a release changes on purpose: images by digest, labels of its own, nothing to build, and
    copies of secrets that have several modes."""
    of_files = {name for name, secret in (config.get("secrets") or {}).items() if "file" in secret}
    services = {}
    for name, spec in config["services"].items():
        labels = {k: v for k, v in (spec.get("labels") or {}).items() if not k.startswith("dev.slipway.")}
        secrets = [_without_copy(entry, of_files) for entry in spec.get("secrets") or ()]
        kept = {k: v for k, v in spec.items() if k not in ("image", "labels", "build", "secrets")}
        services[name] = {**kept, "labels": labels, "secrets": secrets}
    secrets_there = {k: v for k, v in (config.get("secrets") or {}).items() if not _OF_A_COPY.match(k)}
    return {**config, "services": services, "secrets": secrets_there}


def _without_copy(entry: Mapping[str, Any], of_files: Collection[str]) -> dict[str, Any]:
    """A secret of a service without the name of a copy, and with the target that it has anyway.

    Compose makes nothing of the owner and the mode of one that is a file.
    """
    source = _OF_A_COPY.sub("", entry["source"])
    kept = {k: v for k, v in entry.items() if entry["source"] not in of_files or k not in ("uid", "gid", "mode")}
    return {**kept, "source": source, "target": entry.get("target") or f"/run/secrets/{source}"}


def _named_places(value: Any, place: Place) -> Any:
    """The document, in which every path of the stack begins with `<stack>`."""
    if isinstance(value, str):
        return place.plain(value)
    if isinstance(value, Mapping):
        return {key: _named_places(item, place) for key, item in value.items()}
    return [_named_places(item, place) for item in value] if isinstance(value, list) else value
