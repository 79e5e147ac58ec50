"""Plain Compose: the same checkout on a droplet of its own, as a person would run it there."""

import io
import os
import re
import shlex
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.core.stack.compose_yaml import load_config
from tests.support.judge.containers import Place
from tests.support.judge.droplet import script_on

PLACE = "/srv/plain"


@dataclass(frozen=True)
class PlainCompose:
    """A checkout on a droplet where `docker compose` is run by hand.

    Args:
        stack: the directory, or the compose file, that is the stack, from the checkout's root.
        files: compose files that are named, because one lies beside them that is not meant.
        variables: those that Slipway sets.
    """

    droplet: str
    checkout: str
    directory: str
    files: tuple[str, ...]
    variables: Mapping[str, str]

    @property
    def root(self) -> str:
        return f"{PLACE}/{self.checkout}"

    @property
    def place(self) -> Place:
        return Place(((re.escape(self.root), ""),), self.directory)

    def compose(self, *words: str, check: bool = True) -> bytes:
        """Run `docker compose …` in the stack's directory, with nothing of any login's environment."""
        return script_on(self.droplet, self._script(*words), check=check)

    def unreadable(self) -> str:
        """What Compose says where it cannot read the stack; '' where it can."""
        script = f'said=$({self._script("config", "--quiet")} 2>&1) || printf %s "$said"'
        return script_on(self.droplet, script).decode()

    def _script(self, *words: str) -> str:
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "DOCKER_CONFIG": "/root/.docker", **self.variables}
        named = [word for file in self.files for word in ("-f", file)]
        argv = ["env", "-i", *(f"{k}={v}" for k, v in environment.items()), "docker", "compose", *named, *words]
        return f"cd {shlex.quote(f'{self.root}/{self.directory}')} && exec {shlex.join(argv)}"

    def config(self) -> dict[str, Any]:
        """The stack as Compose resolves it there."""
        return load_config(self.compose("config").decode())

    def put(self, source: Path) -> None:
        """A fresh checkout: everything as it lies here."""
        script_on(self.droplet, f"rm -rf {self.root} && mkdir -p {self.root} && tar -xpf - -C {self.root}",
                  _packed(source, ["."]))  # fmt: skip

    def pull(self, before: Path, now: Path) -> None:
        """What `git pull` does: what changed is made anew, what went is removed, all else is left alone."""
        old, new = _files(before), _files(now)
        gone = [path for path in old if path not in new or old[path] != new[path]]
        changed = [path for path in new if old.get(path) != new[path]]
        listed = " ".join(map(shlex.quote, gone))
        script = f"cd {self.root} && {{ rm -f -- {listed} || true; }} && tar -xpf - -C {self.root}"
        script_on(self.droplet, script, _packed(now, changed))

    def tag_images(self, services: Mapping[str, str], login: Mapping[str, str]) -> None:
        """Give every service's image, by digest, the name that the compose file has for it.

        Args:
            services: service → `repository@digest`.
        """
        config = self.config()
        names = {services[n]: spec.get("image") or f"{config['name']}-{n}" for n, spec in config["services"].items()
                 if n in services}  # fmt: skip
        lines = [
            "export DOCKER_CONFIG=$(mktemp -d); trap 'rm -rf \"$DOCKER_CONFIG\"' EXIT",
            f"docker login -u {shlex.quote(login['user'])} --password-stdin {login['host']} >/dev/null 2>&1",
        ]
        for reference in names:
            lines.append(f"docker pull -q {reference} >/dev/null")
        for name, spec in config["services"].items():
            image = spec.get("image") or f"{config['name']}-{name}"
            if name in services and "@" not in image:
                lines.append(f"docker tag {services[name]} {shlex.quote(image)}")
        script_on(self.droplet, "\n".join(lines), login["password"].encode())

    def up(self, *words: str) -> None:
        """Start the stack, or what changed of it."""
        self.compose("up", "-d", "--no-build", *words)

    def remove(self, project: str, images: str) -> None:
        """Take all of it off the droplet.

        Args:
            images: a text that the names of its images hold.
        """
        script_on(self.droplet, (
            f"only='label=com.docker.compose.project={project}'\n"
            'ids=$(docker ps -aq --filter "$only"); [ -z "$ids" ] || docker rm -fv $ids >/dev/null\n'
            'ids=$(docker volume ls -q --filter "$only"); [ -z "$ids" ] || docker volume rm $ids >/dev/null\n'
            'ids=$(docker network ls -q --filter "$only"); [ -z "$ids" ] || docker network rm $ids >/dev/null\n'
            f"rm -rf {self.root}\n"
            f"ids=$(docker images --no-trunc | awk '$1 ~ /{images}|^{project}-/ {{print $3}}' | sort -u)\n"
            '[ -z "$ids" ] || docker rmi -f $ids >/dev/null'
        ))  # fmt: skip


def _packed(root: Path, paths: Iterable[str]) -> bytes:
    """These files of a checkout as a tar, owned by nobody in particular."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for path in paths:
            tar.add(root / path, path, recursive=path == ".")
    return raw.getvalue()


def _files(root: Path) -> dict[str, tuple[Any, ...]]:
    """Path → kind, mode and content of everything but directories, as git sees them."""
    found: dict[str, tuple[Any, ...]] = {}
    for directory, names, files in os.walk(root):
        for name in [*files, *(n for n in names if (Path(directory) / n).is_symlink())]:
            path = Path(directory) / name
            link = path.is_symlink()
            held = os.readlink(path).encode() if link else path.read_bytes()
            found[str(path.relative_to(root))] = (link, 0 if link else path.lstat().st_mode & 0o777, held)
    return found
