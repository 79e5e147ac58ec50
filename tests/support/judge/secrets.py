"""What of a stack's environment must not be in what was published, and where it is found."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flows.core.stack.env_files import parse
from tests.support.lab.lab import STATE
from tests.support.lab.registry_namespace import RegistryNamespace
from tests.support.lab.secret_leaks import in_base64, published

# What is shorter stands in many a text by chance.
SHORTEST = 8
# Of a long file some are looked for, from its beginning to its end.
LINES = 50
# Every image of the tests starts from it, and it was there before any secret.
BASE = "debian:trixie-slim"


@dataclass(frozen=True)
class Searched:
    """What was published by a release, searched: how many bytes, and every place that holds a secret."""

    bytes: int
    leaks: tuple[str, ...]


def secrets_of(variables: Mapping[str, str], files: Mapping[str, bytes], said: Iterable[str]) -> dict[bytes, str]:
    """Every secret of an environment block, and what it is called: variables; files, their lines and their values.

    Args:
        said: texts that are published on purpose. What stands in one of them is no secret.
    """
    texts = [text.encode() for text in said]
    found: dict[bytes, str] = {}
    for value, name in _held(variables, files):
        if len(value) >= SHORTEST and not any(form in text for form in forms(value) for text in texts):
            found.setdefault(value, name)
    return found


def said_in(checkout: Path) -> Iterator[str]:
    """What a checkout says in clear: its compose files, and the names of its files."""
    for path in sorted(checkout.rglob("*")):
        yield str(path.relative_to(checkout))
        if path.suffix in (".yaml", ".yml") and path.is_file():
            text = path.read_text(errors="replace")
            if re.search(r"^services:", text, re.MULTILINE):
                yield text


def forms(value: bytes) -> set[bytes]:
    """A secret as it may stand somewhere: as it is, inside of JSON, for Compose, in base64."""
    found = {value, value.replace(b"$", b"$$"), *in_base64(value)}
    text = value.decode(errors="surrogateescape")
    for ascii_only in (True, False):
        found.add(json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode(errors="surrogateescape"))
    return found


def leaks(places: Iterable[tuple[str, bytes]], secrets: Mapping[bytes, str]) -> Searched:
    """Look for every secret in every place."""
    needles = {form: name for value, name in secrets.items() for form in forms(value)}
    size, found = 0, []
    for place, content in places:
        size += len(content)
        found += [f"{place} holds {name}" for form, name in needles.items() if form in content]
    return Searched(size, tuple(dict.fromkeys(found)))


def search(registry: RegistryNamespace, secrets: Mapping[bytes, str]) -> Searched:
    """Look for every secret in all that a namespace of the registry holds, the layers of the base image aside."""
    return leaks(published(registry, largest=sys.maxsize, without=_layers_of_base()), secrets)


@cache
def _layers_of_base() -> tuple[str, ...]:
    argv = [str(STATE / "bin" / "docker"), "image", "inspect", "--format", "{{json .RootFS.Layers}}", BASE]
    answer = subprocess.run(argv, capture_output=True, check=True, timeout=60)
    return tuple(json.loads(answer.stdout))


def _held(variables: Mapping[str, str], files: Mapping[str, bytes]) -> Iterator[tuple[bytes, str]]:
    for name, value in variables.items():
        yield value.encode(), f"the variable {name}"
    for path, content in files.items():
        yield content, f"the file {path}"
        lines = content.splitlines()
        for number, line in list(enumerate(lines, 1))[:: len(lines) // LINES + 1]:
            if not line.lstrip().startswith(b"#"):
                yield line.strip(), f"line {number} of {path}"
        for name, value in parse(content.decode(errors="surrogateescape")).items():
            yield value.encode(errors="surrogateescape"), f"{name} of {path}"
