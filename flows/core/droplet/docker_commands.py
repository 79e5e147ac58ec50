"""The `docker` and `docker compose` commands that Slipway runs, as argv."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

PROJECT_LABEL = "com.docker.compose.project"
# Where Compose complains of an env file or of a value, it repeats what stands there, and with it the secret.
_REPEATED = re.compile(
    r"(in variable name|unterminated quoted value|[Ii]nvalid template:|cannot unmarshal !!\w+) .*", re.DOTALL
)


# Compose takes variables from its own environment before those of a stack, so it is given none: what a login shell has
# (USER, LANG, HOME) is no part of a stack. What remains leads the client to its engine.
_CLEAN = (
    'exec env -i ${DOCKER_HOST:+"DOCKER_HOST=$DOCKER_HOST"} ${DOCKER_CONTEXT:+"DOCKER_CONTEXT=$DOCKER_CONTEXT"} '
    '"DOCKER_CONFIG=${DOCKER_CONFIG:-${HOME:-/root}/.docker}" "$(command -v docker)" "$@"'
)
CLEAN_DOCKER = ("sh", "-c", _CLEAN, "docker")


@dataclass(frozen=True)
class Compose:
    """`docker compose` for one project: always its name and its files named, so that no override file is picked up.

    Args:
        env_file: the stack's variables.
        clean: run with an empty environment, by a shell on a droplet.
    """

    project: str
    files: tuple[str, ...]
    profiles: tuple[str, ...] = ()
    env_file: str | None = None
    docker: str = "docker"
    clean: bool = False

    def __call__(self, *words: str) -> list[str]:
        options = ["--project-name", self.project] if self.project else []
        for file in self.files:
            options += ["--file", file]
        for profile in self.profiles:
            options += ["--profile", profile]
        if self.env_file:
            options += ["--env-file", self.env_file]
        return [*(CLEAN_DOCKER if self.clean else [self.docker]), "compose", *options, *words]

    def config(self) -> list[str]:
        """Print the resolved stack as YAML: JSON loses `x-` fields of services beside an `include` in Compose 2.26."""
        return self("config")

    def json_config(self) -> list[str]:
        """The same as JSON, for a file of our own: in YAML, Compose 2.26 loses a line break that begins a value."""
        return self("config", "--format", "json")

    def raw_config(self) -> list[str]:
        """Print the stack with its variables left as they are; works while env files are missing."""
        return self("config", "--no-interpolate")

    def build(self, *services: str) -> list[str]:
        return self("--progress", "plain", "build", *services)

    def up(self, *, anew: bool = False) -> list[str]:
        """Start what differs. `build:` survives the override, hence `--no-build`; all is there: `--pull never`.

        Args:
            anew: make every container anew, in the place of the one before it; it takes over its nameless volumes.
        """
        options = ["--detach", "--no-build", "--pull", "never", "--remove-orphans", "--quiet-pull"]
        return self("up", *options, *(["--force-recreate"] if anew else []))

    def wake(self, services: Iterable[str]) -> list[str]:
        """Start these services as they are: containers that are there are not made anew, and nothing else is started.

        Compose's `start` and a plain `up` would run one-shots again, which no reboot of a host does either.
        """
        options = ["--detach", "--no-build", "--pull", "never", "--no-recreate", "--no-deps", "--quiet-pull"]
        return self("up", *options, *services)

    def stop(self) -> list[str]:
        """Stop all containers; they stay, and with them what leads to their nameless volumes."""
        return self("stop")

    def down(self) -> list[str]:
        """Stop and remove containers and networks; never volumes."""
        return self("down", "--remove-orphans")


def complaint(said: str) -> str:
    """The last line of Compose's error output, without what it repeats of an env file."""
    lines = _REPEATED.sub(r"\1 … (not shown, it may be secret)", said).strip().splitlines()
    return lines[-1] if lines else "no reason given"


def project_containers(project: str) -> list[str]:
    """List the ids of all containers of the project, stopped ones too."""
    return ["docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={PROJECT_LABEL}={project}"]


def stop(ids: Iterable[str]) -> list[str]:
    """Stop containers, each within its own grace period."""
    return ["docker", "stop", *ids]


def remove(ids: Iterable[str]) -> list[str]:
    """Remove stopped containers; without `--volumes`, so that anonymous volumes stay too."""
    return ["docker", "rm", "--force", *ids]


def push(reference: str, docker: str = "docker") -> list[str]:
    """Push one image under the name it has."""
    return [docker, "push", "--quiet", reference]


def login(host: str, user: str) -> list[str]:
    """Log in to a registry; the password comes by standard input."""
    return ["docker", "login", "--username", user, "--password-stdin", host]


def inspect_images(references: Iterable[str], docker: str = "docker") -> list[str]:
    """Print what the engine knows of these images; fails when it lacks one."""
    return [docker, "image", "inspect", *references]


def copy_image(source: str, target: str, docker: str = "docker") -> list[str]:
    """Copy an image between registries, all its platforms, without pulling it."""
    return [docker, "buildx", "imagetools", "create", "--tag", target, source]


def remote_manifest(reference: str, docker: str = "docker") -> list[str]:
    """Print the manifest of an image in its registry, by the user's own logins."""
    return [docker, "buildx", "imagetools", "inspect", "--format", "{{json .Manifest}}", reference]


def prune_dangling(project: str, docker: str = "docker") -> list[str]:
    """Remove images of this stack that have no tag any more. Compose labels what it builds with the project."""
    return [docker, "image", "prune", "--force", "--filter", f"label={PROJECT_LABEL}={project}"]


def prune_builder(keep: str, docker: str = "docker") -> list[str]:
    """Remove builder cache beyond `keep` (such as 10GB), oldest first."""
    return [docker, "builder", "prune", "--force", "--keep-storage", keep]
