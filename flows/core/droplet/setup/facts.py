"""What a machine has of all that a droplet needs: one script that changes nothing, and its output as values."""

import shlex
from dataclasses import dataclass
from typing import Literal

from flows.core.answers import reads
from flows.core.droplet.sections import section_script, sections

DAEMON_FILE = "/etc/docker/daemon.json"
# Stands there from before that file is replaced until the engine was started with it.
RESTART_MARK = "/etc/docker/slipway-restart"
_PROGRAMS = ("docker", "dockerd", "apt-get")
_LARGEST_FILE = 65536
_MOST_CONTAINERS = 50
Rights = Literal["root", "sudo", "none"]
# What may be done is found out first; everything else is asked with these rights.
_ASK = """\
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
if [ "$(id -u)" = 0 ]; then rights=root
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then rights=sudo
else rights=none
fi
printf '\\n%s\\n%s\\n' @@slipway:rights "$rights"
case $rights in
    sudo) sudo -n sh -c "$script" </dev/null ;;
    *) sh -c "$script" </dev/null ;;
esac
"""


@dataclass(frozen=True)
class DirectoryState:
    """A directory as it is there: what kind of thing, whose, and who may write to it."""

    kind: str = ""
    owner: str = ""
    mode: int = 0
    empty: bool = True

    @property
    def exists(self) -> bool:
        return bool(self.kind)


@dataclass(frozen=True)
class SetupFacts:
    """A machine before anything on it is changed.

    Args:
        distribution, version, codename: as /etc/os-release says, such as `debian`, `13`, `trixie`.
        rights: what we may do there: as root, by sudo without a password, or neither.
        programs: those of `docker`, `dockerd`, `apt-get` that are there.
        engine, compose: versions; '' where none answers.
        packages: which of the packages of an engine are installed.
        containers: names of those that run.
        user: number of the deploy user; None: there is none.
        groups: of the deploy user.
        key: whether our key opens it.
        free: bytes free on the disk that a swap file would be on; None: nobody knows.
        daemon, daemon_hash: text of the engine's configuration, and its SHA-256; None: it has no file.
        restart: whether that was replaced, and the engine not yet started with it.
    """

    distribution: str = ""
    version: str = ""
    codename: str = ""
    architecture: str = ""
    rights: Rights = "none"
    systemd: bool = False
    programs: frozenset[str] = frozenset()
    engine: str = ""
    compose: str = ""
    packages: frozenset[str] = frozenset()
    containers: tuple[str, ...] = ()
    user: int | None = None
    groups: frozenset[str] = frozenset()
    key: bool = False
    directory: DirectoryState = DirectoryState()
    swap: bool = False
    free: int | None = None
    daemon: str | None = None
    daemon_hash: str = ""
    restart: bool = False

    @property
    def machine(self) -> str:
        """Distribution and architecture, for people."""
        return f"{self.distribution or 'an unknown system'} {self.version}".strip() + f", {self.architecture or '?'}"


def setup_facts_script(user: str, key: str, directory: str) -> str:
    """The script that prints all of it, and changes nothing.

    Args:
        user: the deploy user.
        key: the public half of our key, `TYPE BASE64`.
    """
    name, place = shlex.quote(user), shlex.quote(directory)
    keys = f'"$(getent passwd {name} | cut -d: -f6)/.ssh/authorized_keys"'
    inside = section_script({
        "system": f"head -c {_LARGEST_FILE} /etc/os-release",
        "architecture": "uname -m",
        "systemd": "[ -d /run/systemd/system ] && echo yes",
        "programs": f"for name in {' '.join(_PROGRAMS)}; do command -v \"$name\" >/dev/null && echo \"$name\"; done",
        "engine": "docker version --format '{{.Server.Version}}' 2>/dev/null",
        "compose": "docker compose version --short 2>/dev/null",
        "packages": "dpkg-query -W -f '${db:Status-Status} ${Package}\\n' docker.io docker-ce 2>/dev/null",
        "containers": f"docker ps --format '{{{{.Names}}}}' 2>/dev/null | head -n {_MOST_CONTAINERS}",
        "user": f"id -u {name} 2>/dev/null",
        "groups": f"id -Gn {name} 2>/dev/null",
        "key": f"grep -v '^ *#' {keys} 2>/dev/null | grep -qF -e {shlex.quote(key)} && echo yes",
        "directory": f"stat -c '%U %a %F' {place} 2>/dev/null",
        "content": f"ls -A {place} 2>/dev/null | head -n 1 | grep -q . && echo yes",
        "swap": "tail -n +2 /proc/swaps | head -n 1",
        "disk": "df -Pk / | tail -n 1",
        "daemon": f"[ -e {DAEMON_FILE} ] && echo : && head -c {_LARGEST_FILE} {DAEMON_FILE}",
        "daemon hash": f"sha256sum <{DAEMON_FILE} 2>/dev/null | cut -c1-64",
        "restart": f"[ -e {RESTART_MARK} ] && echo yes",
    })  # fmt: skip
    return f"script={shlex.quote(inside)}\n{_ASK}"


@reads("what the machine says of itself")
def read_setup_facts(output: str) -> SetupFacts:
    """Parse the output of `setup_facts_script`."""
    parts = sections(output)
    system = dict(line.partition("=")[::2] for line in parts.get("system", "").splitlines() if "=" in line)
    rights = parts.get("rights", "")
    disk = parts.get("disk", "").split()
    user = parts.get("user", "")
    daemon = parts.get("daemon", "")
    return SetupFacts(
        distribution=_word(system.get("ID", "")),
        version=_word(system.get("VERSION_ID", "")),
        codename=_word(system.get("VERSION_CODENAME", "")),
        architecture=_word(parts.get("architecture", "")),
        rights="root" if rights == "root" else "sudo" if rights == "sudo" else "none",
        systemd=parts.get("systemd") == "yes",
        programs=frozenset(parts.get("programs", "").split()) & frozenset(_PROGRAMS),
        engine=_word(parts.get("engine", "")),
        compose=_word(parts.get("compose", "")),
        packages=frozenset(
            line.split()[1] for line in parts.get("packages", "").splitlines() if line.startswith("installed ")
        ),
        containers=tuple(parts.get("containers", "").split()[:_MOST_CONTAINERS]),
        user=int(user) if user.isdecimal() else None,
        groups=frozenset(parts.get("groups", "").split()),
        key=parts.get("key") == "yes",
        directory=_directory(parts.get("directory", ""), parts.get("content") != "yes"),
        swap=bool(parts.get("swap", "")),
        free=int(disk[3]) * 1024 if len(disk) > 3 and disk[3].isdecimal() else None,
        daemon=daemon.partition(":")[2].strip() if daemon.startswith(":") else None,
        daemon_hash=_word(parts.get("daemon hash", "")),
        restart=parts.get("restart") == "yes",
    )  # fmt: skip


def _word(text: str) -> str:
    """A single word of others, without the quotes of a shell; longer than any of ours it is nothing we know."""
    words = text.strip().strip("\"'").split()
    return words[0][:64] if words else ""


def _directory(said: str, empty: bool) -> DirectoryState:
    if not said:
        return DirectoryState()
    owner, mode, kind = said.split(maxsplit=2)
    return DirectoryState(kind, owner, int(mode, 8), empty)
