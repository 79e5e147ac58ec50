"""What of a release may differ from plain Compose: one table, the same as docs/STACK.md has."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

SECTION = "## Where a release differs on purpose"


@dataclass(frozen=True)
class Allowed:
    """One difference on purpose: a row of docs/STACK.md, and what the judge makes of it.

    Args:
        fields: patterns of fields (`Config/Labels/…`) that are not compared.
        error: the refusal that it is.
        by: where the judge holds it otherwise, in this package.
    """

    what: str
    how: str
    fields: tuple[str, ...] = ()
    error: str = ""
    by: str = ""


ALLOWED = (
    Allowed(
        "image",
        "named by digest, `repository@sha256:…`, where Compose says the tag; the image itself is the same",
        fields=("Config/Image",),
    ),
    Allowed(
        "labels of Slipway",
        "`dev.slipway.*`: hashes of the files, env files and secrets that a service is given",
        fields=("Config/Labels/dev.slipway.*",),
    ),
    Allowed(
        "Compose's own labels of places",
        "`com.docker.compose.project.config_files`, `….working_dir`, `….environment_file`, and the hash over them, "
        "`com.docker.compose.config-hash`",
        fields=(
            "Config/Labels/com.docker.compose.project.config_files",
            "Config/Labels/com.docker.compose.project.working_dir",
            "Config/Labels/com.docker.compose.project.environment_file",
            "Config/Labels/com.docker.compose.config-hash",
            "Config/Labels/com.docker.compose.replace",
        ),
    ),
    Allowed(
        "places on the host",
        "what services only read lies in `DIRECTORY/STACK/current/files/`, what they write in "
        "`DIRECTORY/STACK/shared/`, and a secret's further modes in `DIRECTORY/STACK/current/secrets/`; the targets in "
        "the container are the same",
        by="containers.py",
    ),
    Allowed(
        "what the engine chooses",
        "ids, times, process numbers, addresses, free ports, names of volumes without a name",
        fields=(
            "Id",
            "Created",
            "State/Pid",
            "State/StartedAt",
            "State/FinishedAt",
            "State/Health/Log*",
            "State/Health/FailingStreak",
            "ResolvConfPath",
            "HostnamePath",
            "HostsPath",
            "LogPath",
            "GraphDriver/*",
            "NetworkSettings/Sandbox*",
            "NetworkSettings/EndpointID",
            "NetworkSettings/*Gateway",
            "NetworkSettings/*Address*",
            "NetworkSettings/*PrefixLen",
            "NetworkSettings/Bridge",
            "NetworkSettings/Networks/*/NetworkID",
            "NetworkSettings/Networks/*/EndpointID",
            "NetworkSettings/Networks/*/*Gateway",
            "NetworkSettings/Networks/*/*Address",
            "NetworkSettings/Networks/*/*PrefixLen",
            "NetworkSettings/Ports/*/HostPort",
        ),
    ),
    Allowed(
        "mode of a secret file",
        "the `mode:` of the service's entry, else 0444, in a directory that nobody else may enter; Compose leaves the "
        "file's own, and ignores `mode:`",
        by="snapshot.py",
    ),
    Allowed(
        "env files and secrets",
        "have the content that the environment block holds, whatever lies in the checkout by now",
        by="play.py",
    ),
    Allowed(
        "what stays behind",
        "inside a mounted directory: what git ignores, `.git`, and what a `.slipwayignore` names",
        by="opening.py",
    ),
    Allowed(
        "a file that a service has changed",
        "stays as the service has it where the release brings another; `git pull` would stop there",
        by="play.py",
    ),
    Allowed(
        "restart on new content",
        "a service whose mounted files, configs or secrets have new content is replaced, and with it who waits for it; "
        "Compose does not look at content, and leaves a container with what it has",
        by="play.py",
    ),
    Allowed(
        "what has left the stack",
        "containers of services that are gone, or whose profile is off, are removed; `docker compose up -d` leaves "
        "them",
        by="snapshot.py",
    ),
    Allowed(
        "variables of Slipway",
        "`REGISTRY`, `IMAGE_TAG` and `SLIPWAY_COLOUR` have Slipway's values, whatever `.env` says",
        by="plain.py",
    ),
    Allowed(
        "variables of the shell",
        "nothing of a login's or a worker's environment is seen: `${HOME}` and `environment: [USER]` have the values "
        "of the environment block or none",
        by="plain.py",
    ),
    Allowed(
        "`COMPOSE_…` variables",
        "`COMPOSE_FILE`, `COMPOSE_PATH_SEPARATOR`, `COMPOSE_PROJECT_NAME` and `COMPOSE_PROFILES` are followed; any "
        "other would steer Slipway's own commands, and is left out",
        by="play.py",
    ),
    Allowed(
        "override file",
        "`compose.override.yaml` and `docker-compose.override.yml` are read only where `--stack` or `COMPOSE_FILE` "
        "names them",
        by="plain.py",
    ),
    Allowed(
        "variable without a value",
        "refused (`UnsetVariables`); Compose warns, and takes it for empty",
        error="UnsetVariables",
    ),
    Allowed(
        "pulling",
        "images are pulled by digest before anything is stopped; `pull_policy` is not asked",
        by="plain.py",
    ),
    Allowed(
        "development form",
        "mounts of program source and reload flags are refused (`DevelopmentOnly`), unless `x-slipway` says that they "
        "are meant",
        error="DevelopmentOnly",
    ),
    Allowed(
        "a read-only mount of nothing",
        "refused (`BrokenStack`); Compose makes an empty directory",
        error="BrokenStack",
    ),
    Allowed(
        "writing around the compose files",
        "a writable mount of a directory that holds them is refused (`BrokenStack`): what is written outlives a "
        "release, and they do not",
        error="BrokenStack",
    ),
    Allowed(
        "a link out of a mounted directory",
        "refused (`LinkLeadsOut`): on a droplet it would lead to something else",
        error="LinkLeadsOut",
    ),
    Allowed(
        "a credential in a mounted directory",
        "refused (`CredentialFound`): it would be published",
        error="CredentialFound",
    ),
    Allowed(
        "more files than the settings allow",
        "refused (`ReleaseTooLarge`), before any is read",
        error="ReleaseTooLarge",
    ),
    Allowed(
        "what no release can pin",
        "`provider`, `models`, a volume of `type: image` or a hook with an image is refused (`UnsupportedField`)",
        error="UnsupportedField",
    ),
    Allowed(
        "`label_file`",
        "refused (`UnsupportedField`): the file does not come along",
        error="UnsupportedField",
    ),
    Allowed(
        "a path that begins with `~`",
        "refused (`UnsupportedField`): it is another one for each who runs Compose",
        error="UnsupportedField",
    ),
    Allowed(
        "a service whose name begins with `x-`",
        "refused (`UnsupportedField`): Compose drops its other fields where a second file adds to it, as a release "
        "does",
        error="UnsupportedField",
    ),
)
REFUSED = frozenset(row.error for row in ALLOWED if row.error)
_FIELDS = tuple(pattern for row in ALLOWED for pattern in row.fields)


def is_left_out(field: str) -> bool:
    """Whether a field of a container may differ, whatever it holds."""
    return any(fnmatchcase(field, pattern) for pattern in _FIELDS)
