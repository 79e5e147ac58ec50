"""The plan of `slipway setup`: the steps that a machine still needs, and what is left as somebody made it."""

import posixpath
import re
from dataclasses import dataclass

from flows.core.droplet.setup.daemon import check_log_limit, limited_logs
from flows.core.droplet.setup.facts import SetupFacts
from flows.core.droplet.setup.packages import DockerSource, compose_packages, engine_packages
from flows.core.droplet.setup.scripts import (
    SWAP_FILE,
    daemon_script,
    directory_script,
    install_script,
    key_script,
    restart_script,
    start_script,
    swap_script,
    user_script,
)
from flows.core.droplet.versions import MINIMUM_COMPOSE, MINIMUM_ENGINE, dotted, version
from flows.core.errors import SetupRefused

LOG_LIMIT = "10m"
NONE = "none"
_QUICK_S, _START_S, _INSTALL_S, _SWAP_S = 60.0, 180.0, 1200.0, 600.0
_SWAP_RESERVE = 1024**3
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_SWAP = re.compile(r"([1-9]\d{0,4})([MG])")
_NAMED = 5


@dataclass(frozen=True)
class SetupWish:
    """What a machine is to have.

    Args:
        user: the deploy user.
        key: the public half of the key that opens it, `TYPE BASE64`.
        swap: size of a swap file, such as `2G`; `none`: nothing is done about swap.
        log_limit: size of a container's log, such as `10m`; `none`: they stay as they are. '': 10m where no container
            runs that a restart of the engine would stop.
        docker_from: where the engine comes from; None: from the distribution where that is new enough.

    Raises:
        SetupRefused
    """

    user: str
    key: str
    directory: str = "/opt/slipway"
    swap: str = NONE
    log_limit: str = ""
    docker_from: DockerSource | None = None

    def __post_init__(self) -> None:
        if not _USER.fullmatch(self.user) or self.user == "root":
            raise SetupRefused(
                f"--deploy-user {self.user!r}: a name of small letters, digits, - and _, and not root. To deploy as "
                "root: slipway droplet add NAME --host ADDRESS --user root"
            )
        if posixpath.normpath(self.directory) != self.directory or self.directory.count("/") < 2:
            raise SetupRefused(f"--directory {self.directory!r}: name a directory of its own, such as /opt/slipway")
        if self.log_limit not in ("", NONE):
            check_log_limit(self.log_limit)
        if self.swap != NONE:
            self.swap_size()

    def swap_size(self) -> int:
        """Bytes of the swap file."""
        found = _SWAP.fullmatch(self.swap)
        if not found:
            raise SetupRefused(f"--swap {self.swap!r} is no size: a number and M or G, such as 2G; or none")
        return int(found[1]) * (1024**2 if found[2] == "M" else 1024**3)


@dataclass(frozen=True)
class SetupStep:
    """One change: its name, what it does in a sentence, the script that does it, and the seconds it may take."""

    name: str
    sentence: str
    script: str
    seconds: float = _QUICK_S


@dataclass(frozen=True)
class SetupPlan:
    """What is still to be done, in this order, and what is left as it is, in sentences."""

    steps: tuple[SetupStep, ...] = ()
    left: tuple[str, ...] = ()


def plan_setup(facts: SetupFacts, wish: SetupWish) -> SetupPlan:
    """The steps from what is there to what is wished; none where all of it is there.

    Raises:
        SetupRefused, DistributionUnknown: nothing was changed.
    """
    if facts.rights == "none":
        raise SetupRefused(
            "we are not root there, and sudo asks for a password; nothing was changed. Come as root (--user root), or "
            "as a user with NOPASSWD in /etc/sudoers"
        )
    if facts.user == 0:
        raise SetupRefused(f"the user {wish.user} is root there; nothing was changed. Take another: --deploy-user NAME")
    logs, left = _logs(facts, wish)
    swap, told = _swap(facts, wish)
    steps = (*logs, *_engine(facts, wish), *_user(facts, wish), *_directory(facts, wish), *swap)
    return SetupPlan(steps, (*left, *told))


def _engine(facts: SetupFacts, wish: SetupWish) -> tuple[SetupStep, ...]:
    if facts.engine:
        if version(facts.engine) < MINIMUM_ENGINE:
            raise SetupRefused(
                f"its Docker Engine is {facts.engine}; Slipway needs {dotted(MINIMUM_ENGINE)} or later. Nothing was "
                "changed. Upgrade it as it was installed, and run the same command again"
            )
        if version(facts.compose) >= MINIMUM_COMPOSE:
            return ()
        packages = compose_packages(facts)
        sentence = f"install {', '.join(packages.names)} {packages.why}"
        return (SetupStep("Compose", sentence, install_script(packages, start=False), _INSTALL_S),)
    if "dockerd" in facts.programs:
        return (SetupStep("engine", "start the Docker Engine that is installed", start_script(), _START_S),)
    packages = engine_packages(facts, wish.docker_from)
    sentence = f"install {', '.join(packages.names)} {packages.why}; start the engine"
    return (SetupStep("engine", sentence, install_script(packages, start=True), _INSTALL_S),)


def _logs(facts: SetupFacts, wish: SetupWish) -> tuple[tuple[SetupStep, ...], tuple[str, ...]]:
    name = "log limits"
    stops = f"; the engine is started again{_meanwhile(facts.containers)}"
    if facts.restart and facts.engine:
        return (SetupStep(name, f"let the engine take its new configuration{stops}", restart_script(), _START_S),), ()
    limit = wish.log_limit or LOG_LIMIT
    if limit == NONE:
        return (), ()
    change = limited_logs(facts.daemon, limit)
    if change.text is None:
        return (), change.kept
    if facts.containers and not wish.log_limit:
        return (), ("logs have no limit here: setting one starts the engine again. Do it with --log-limit 10m",)
    running = bool(facts.engine)
    sentence = f"limit each container's log to {limit}, three files, in /etc/docker/daemon.json" + stops * running
    script = daemon_script(change.text, facts.daemon_hash, restart=running)
    return (SetupStep(name, sentence, script, _START_S),), change.kept


def _meanwhile(containers: tuple[str, ...]) -> str:
    if not containers:
        return ""
    more = f" and {len(containers) - _NAMED} more" if len(containers) > _NAMED else ""
    return f", and stops meanwhile: {', '.join(containers[:_NAMED])}{more}"


def _user(facts: SetupFacts, wish: SetupWish) -> tuple[SetupStep, ...]:
    steps = []
    if facts.user is None:
        sentence = f"make {wish.user}, without a password and without root, in the group docker"
        steps.append(SetupStep("deploy user", sentence, user_script(wish.user)))
    elif "docker" not in facts.groups:
        steps.append(SetupStep("deploy user", f"put {wish.user} into the group docker", user_script(wish.user)))
    if not facts.key:
        sentence = f"let our key in as {wish.user}: no terminal, no agent"
        steps.append(SetupStep("key", sentence, key_script(wish.user, wish.key)))
    return tuple(steps)


def _directory(facts: SetupFacts, wish: SetupWish) -> tuple[SetupStep, ...]:
    there = facts.directory
    if there.exists and there.kind != "directory":
        raise SetupRefused(f"{wish.directory} is a {there.kind} there; nothing was changed. Take another: --directory")
    if there.owner == wish.user and not there.mode & 0o022:
        return ()
    if there.exists and there.owner != wish.user and not there.empty:
        raise SetupRefused(
            f"{wish.directory} is {there.owner}'s there, and not empty; nothing was changed. Hand it over while "
            f"nothing is deployed (docs/LEAST_PRIVILEGE.md), or take another one: --directory /opt/{wish.user}"
        )
    sentence = f"{wish.directory}, which {wish.user} alone may enter"
    return (SetupStep("directory", sentence, directory_script(wish.user, wish.directory)),)


def _swap(facts: SetupFacts, wish: SetupWish) -> tuple[tuple[SetupStep, ...], tuple[str, ...]]:
    if wish.swap == NONE:
        return (), ()
    if facts.swap:
        return (), ("there is swap already; it stays as it is",)
    size = wish.swap_size()
    if facts.free is None or facts.free < size + _SWAP_RESERVE:
        free = "unknown" if facts.free is None else f"{facts.free / 1024**3:.1f} GB"
        raise SetupRefused(
            f"a swap file of {wish.swap} leaves less than 1 GB on the disk (free: {free}); nothing was changed. Take a "
            "smaller one, or --swap none"
        )
    return (SetupStep("swap", f"{SWAP_FILE} of {wish.swap}, also after a reboot", swap_script(size), _SWAP_S),), ()
