"""All that is mounted into a container, as the container has it: names, kinds, modes, owners, links, contents."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from fnmatch import fnmatchcase

from tests.support.judge.containers import Container
from tests.support.judge.droplet import run_on


def read_tree(droplet: str, container: Container, target: str) -> dict[str, str]:
    """What stands at a path of a container, as fields. `docker cp` needs no tool in its image, and no process."""
    packed = run_on(droplet, "docker", "cp", f"{container.id}:{target}", "-", check=False)
    if not packed:
        return {target: "nothing"}
    fields: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        for entry in tar:
            path = "/".join([target.rstrip("/"), *entry.name.rstrip("/").split("/")[1:]])
            fields[f"{path} kind"] = _kind(entry)
            if not entry.issym():  # a link has no mode
                fields[f"{path} mode"] = f"{entry.mode & 0o7777:o}"
            fields[f"{path} owner"] = f"{entry.uid}:{entry.gid}"
            if entry.isfile():
                content = tar.extractfile(entry)
                held = content.read() if content else b""
                fields[f"{path} content"] = f"{len(held)} bytes {hashlib.sha256(held).hexdigest()[:16]}"
    return fields


def is_written(field: str, patterns: Mapping[str, str]) -> str:
    """What a service does with a file that it writes: '' for one that it does not write, else `keeps` or `grows`."""
    path = field.rsplit(" ", 1)[0]
    return next((how for pattern, how in patterns.items() if fnmatchcase(path, pattern)), "")


def _kind(entry: tarfile.TarInfo) -> str:
    if entry.issym():
        return f"link to {entry.linkname}"
    if entry.islnk():
        return "file"
    return "directory" if entry.isdir() else "file" if entry.isfile() else f"type {entry.type!r}"
