"""What the tests of whole releases share: the command line, a stack's checkout, a look at a droplet, and tidying up."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner

os.environ.setdefault("PREFECT_API_URL", "http://127.0.0.1:4200/api")
os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")

LAB = os.environ.get("SLIPWAY_LAB", "slipway-lab")


@dataclass(frozen=True)
class Said:
    """What one `slipway …` said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The errors that were shown, each with its name."""
        return [line.removeprefix("✗ ") for line in self.err.splitlines() if line.startswith("✗ ")]

    @property
    def all(self) -> str:
        return f"{self.out}\n{self.err}"


def slipway(*words: str, **settings: str) -> Said:
    """Run `slipway` in this process, where Prefect is imported once. Settings are environment variables."""
    from flows.cli.main import app  # noqa: PLC0415 — after the environment is set

    answer = CliRunner().invoke(app, list(words), env=settings)
    if answer.exception and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return Said(answer.exit_code, answer.stdout, answer.stderr)


def done(*words: str, **settings: str) -> Said:
    """Run `slipway`, which must succeed."""
    said = slipway(*words, **settings)
    assert said.code == 0, said.all
    return said


def git(directory: Path, *words: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    return subprocess.run(
        ["git", "-C", str(directory), *identity, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(directory: Path) -> str:
    """Commit everything; returns the short commit."""
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--allow-empty", "--message", "as it is")
    return git(directory, "rev-parse", "--short", "HEAD")


def checkout(source: Path, target: Path) -> Path:
    """A git repository of its own that holds a copy of a stack."""
    shutil.copytree(source, target)
    git(target, "init", "--quiet")
    commit(target)
    return target


@dataclass(frozen=True)
class OnDroplet:
    """A stack as it stands on a droplet of the lab, seen from inside it and not through Slipway."""

    droplet: str
    stack: str
    directory: str = "/opt/slipway"

    def sh(self, script: str, stdin: bytes = b"") -> str:
        argv = ["docker", "exec", "-i", f"{LAB}-{self.droplet}", "sh", "-euc", script]
        answer = subprocess.run(argv, input=stdin, capture_output=True, timeout=60, check=False)
        assert answer.returncode == 0, f"`{script}`: {answer.stderr.decode()}"
        return answer.stdout.decode()

    @property
    def home(self) -> str:
        return f"{self.directory}/{self.stack}"

    def containers(self) -> dict[str, dict[str, Any]]:
        """Service → what `docker inspect` says of its one container."""
        ids = self.sh(f"docker ps -aq --no-trunc --filter label=com.docker.compose.project={self.stack}").split()
        found = json.loads(self.sh(f"docker inspect {' '.join(ids)}")) if ids else []
        return {entry["Config"]["Labels"]["com.docker.compose.service"]: entry for entry in found}

    def started(self) -> dict[str, tuple[str, str]]:
        """Service → container id and start: the same before and after means that it was left alone."""
        return {name: (entry["Id"], entry["State"]["StartedAt"]) for name, entry in self.containers().items()}

    def digests(self) -> dict[str, list[str]]:
        """Service → the digests under which the engine knows the image that its container runs."""
        return {
            name: json.loads(self.sh(f"docker image inspect --format '{{{{json .RepoDigests}}}}' {entry['Image']}"))
            for name, entry in self.containers().items()
        }

    def inside(self, service: str, *argv: str) -> str:
        return self.sh(f"docker exec {self.containers()[service]['Id']} " + " ".join(argv))

    def standing(self) -> str:
        """All that a deploy could change: containers, volumes, networks, and Slipway's directory with its times."""
        only = f"--filter label=com.docker.compose.project={self.stack}"
        return self.sh(
            f"docker ps -aq --no-trunc {only}; docker volume ls -q {only}; docker network ls -q --no-trunc {only}\n"
            f"[ ! -e {self.home} ] || find {self.home} -type d -print -o -printf '%p %y %s %T@\\n' | sort"
        )

    def remove(self, images: str) -> None:
        """Take the stack off the droplet: containers, volumes, network, files, and images whose name holds `images`."""
        self.sh(
            f"only='label=com.docker.compose.project={self.stack}'\n"
            'ids=$(docker ps -aq --filter "$only"); [ -z "$ids" ] || docker rm -fv $ids >/dev/null\n'
            'ids=$(docker volume ls -q --filter "$only"); [ -z "$ids" ] || docker volume rm $ids >/dev/null\n'
            'ids=$(docker network ls -q --filter "$only"); [ -z "$ids" ] || docker network rm $ids >/dev/null\n'
            f"rm -rf {self.home}; rmdir {self.directory} 2>/dev/null || true\n"
            f"ids=$(docker images --no-trunc | awk '$1 ~ /{images}/ {{print $3}}' | sort -u)\n"
            '[ -z "$ids" ] || docker rmi -f $ids >/dev/null'
        )


@dataclass
class Registry:
    """A namespace of the lab's registry that belongs to one test module."""

    block: Any
    namespace: str

    @property
    def host(self) -> str:
        return str(self.block.host)

    def named(self, **fields: Any) -> Any:
        """The registry's block with this namespace, and whatever else is to be different."""
        return self.block.model_copy(update={"namespace": self.namespace, **fields})

    def push(self, name: str, dockerfile: str, context: Path) -> str:
        """Build a small image and push it into the namespace `NAMESPACE-elsewhere`; returns its reference."""
        reference = f"{self.host}/{self.namespace}-elsewhere/{name}"
        (context / "Dockerfile").write_text(dockerfile)
        with self.block.docker_config() as login:
            for argv in (["build", "-q", "-t", reference, str(context)], ["push", "-q", reference]):
                subprocess.run(["docker", *argv], check=True, capture_output=True, env={**os.environ, **login})
        return reference

    def digest(self, repository: str, tag: str) -> str:
        with self.block.client() as client:
            return str(client.digest(repository, tag))

    def repositories(self) -> list[str]:
        return [name for name in self._get("/v2/_catalog?n=1000")["repositories"] if name.startswith(self.namespace)]

    def tags(self, repository: str) -> list[str]:
        return sorted(self._get(f"/v2/{repository}/tags/list").get("tags") or ())

    def empty(self) -> None:
        """Remove every manifest of this module from the registry."""
        for repository in self.repositories():
            for digest in {self.digest(repository, tag) for tag in self.tags(repository)}:
                self._http().delete(f"/v2/{repository}/manifests/{digest}").raise_for_status()

    def _get(self, path: str) -> Any:
        return self._http().get(path).raise_for_status().json()

    def _http(self) -> httpx.Client:
        login = (self.block.username, self.block.password.get_secret_value())
        return httpx.Client(base_url=f"http://{self.host}", auth=login, timeout=30)


@contextmanager
def saved(**blocks: Any) -> Iterator[None]:
    """Blocks under these names (`_` stands for `-`), for as long as the context is open."""
    names = {name.replace("_", "-"): block for name, block in blocks.items()}
    for name, block in names.items():
        # A copy of a loaded block remembers its source, and that is what it would overwrite if the name were taken.
        forget(type(block), name)
        block.save(name)
    try:
        yield
    finally:
        for name, block in names.items():
            forget(type(block), name)


def forget(kind: Any, name: str) -> None:
    """Delete a saved block, if there is one."""
    try:
        kind.delete(name)
    except ValueError:
        return


def remove_build_images(words: str) -> None:
    """Remove the images from the build host whose name holds `words`."""
    listed = subprocess.run(
        ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}\t{{.ID}}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    mine = [line.split("\t") for line in listed if words in line]
    if mine:
        names = [name if not name.endswith(":<none>") else image for name, image in mine]
        subprocess.run(["docker", "rmi", "-f", *dict.fromkeys(names)], check=False, capture_output=True)


def settings(reports: Path, **more: str) -> Mapping[str, str]:
    """Settings of a test run: reports go where nobody looks for the user's, Langfuse is left alone, and the whole stack
    runs on one droplet, without a data home."""
    own = {"SLIPWAY_LANGFUSE": "", "SLIPWAY_READINESS_DELAY": "1", "SLIPWAY_HOME": "", "SLIPWAY_SWITCH": ""}
    return {"SLIPWAY_REPORTS": str(reports), **own, **more}
