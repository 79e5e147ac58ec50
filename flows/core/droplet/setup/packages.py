"""Which packages bring an engine and a Compose that is new enough, and why these."""

import re
from dataclasses import dataclass
from typing import Literal

from flows.core.droplet.setup.facts import SetupFacts
from flows.core.droplet.versions import MINIMUM_COMPOSE, dotted, version
from flows.core.errors import DistributionUnknown, SetupRefused

DockerSource = Literal["distribution", "docker.com"]
# The first release of each distribution that is known to work, and the package of its Compose v2.
_FIRST = {"debian": (12,), "ubuntu": (22, 4)}
_COMPOSE = {"debian": "docker-compose", "ubuntu": "docker-compose-v2"}
_ENGINE = {"debian": ("docker.io", "docker-cli"), "ubuntu": ("docker.io",)}
# Debian 12 has Compose 1.29.
_OWN_COMPOSE = {"debian": (13,), "ubuntu": (22, 4)}
_FROM_DOCKER = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-compose-plugin")
_COMMON = ("iptables", "ca-certificates")
_BY_HAND = (
    f"Install Docker Engine with Compose {dotted(MINIMUM_COMPOSE)} or later by hand "
    "(https://docs.docker.com/engine/install/), start it, and run the same command again"
)
_CODENAME = re.compile(r"[a-z]{3,20}")


@dataclass(frozen=True)
class Packages:
    """What is to be installed, from where, and why from there.

    Args:
        suite: of Docker's own repository, `DISTRIBUTION CODENAME`; '' where the distribution's packages do.
    """

    names: tuple[str, ...]
    suite: str
    why: str


def engine_packages(facts: SetupFacts, wanted: DockerSource | None) -> Packages:
    """The packages of a machine without an engine.

    Args:
        wanted: where they are to come from; None: from the distribution, where its Compose is new enough.

    Raises:
        DistributionUnknown, SetupRefused
    """
    _refuse_others(facts)
    named, needed = f"{facts.distribution.capitalize()} {facts.version}", dotted(MINIMUM_COMPOSE)
    own = _has_compose(facts)
    if wanted == "distribution" and not own:
        raise SetupRefused(
            f"the packages of {named} have no Compose {needed} or later; nothing was changed. Take Docker's own: "
            "slipway setup … --docker-from docker.com"
        )
    if own and wanted != "docker.com":
        names = (*_ENGINE[facts.distribution], _COMPOSE[facts.distribution], *_COMMON)
        return Packages(names, "", f"from {named} itself, whose Compose is {needed} or later")
    if not _CODENAME.fullmatch(facts.codename):
        raise DistributionUnknown(f"{facts.machine}: its /etc/os-release has no code name. {_BY_HAND}")
    why = "as asked" if wanted else f"as {named} has no Compose {needed} or later"
    return Packages((*_FROM_DOCKER, *_COMMON), f"{facts.distribution} {facts.codename}", f"from docker.com, {why}")


def compose_packages(facts: SetupFacts) -> Packages:
    """The packages of a machine whose engine is there, and whose Compose is not, or is too old.

    Raises:
        DistributionUnknown, SetupRefused
    """
    _refuse_others(facts)
    if "docker-ce" in facts.packages:
        return Packages(("docker-compose-plugin",), "", "from docker.com, as its engine is")
    if "docker.io" in facts.packages and _has_compose(facts):
        return Packages((_COMPOSE[facts.distribution],), "", "from the distribution, as its engine is")
    have = f"Compose {facts.compose}" if facts.compose else "no Compose"
    raise SetupRefused(
        f"{facts.machine} has Docker Engine {facts.engine} and {have}, and no package fits beside that engine; nothing "
        f"was changed. Install Compose {dotted(MINIMUM_COMPOSE)} or later as its plugin "
        "(https://docs.docker.com/compose/install/linux/), or take the engine away, and run the same command again"
    )


def _refuse_others(facts: SetupFacts) -> None:
    first = _FIRST.get(facts.distribution)
    if first is None or "apt-get" not in facts.programs or version(facts.version)[: len(first)] < first:
        known = "Debian 12, Ubuntu 22.04 and later ones"
        raise DistributionUnknown(f"{facts.machine}: Docker can be installed on {known}. {_BY_HAND}")


def _has_compose(facts: SetupFacts) -> bool:
    first = _OWN_COMPOSE[facts.distribution]
    return version(facts.version)[: len(first)] >= first
