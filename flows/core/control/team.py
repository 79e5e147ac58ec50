"""The control plane for a team: the settings of compose/control-plane.yml, with credentials that nobody made up."""

import base64
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from flows.core.errors import BadSettings

IMAGE = "slipway-worker:latest"
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.ASCII)
_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._:/@-]{0,254}")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}")


@dataclass(frozen=True)
class TeamPlane:
    """What the control plane for a team is told when its files are written.

    Attributes:
        host: name by which browsers, workers and CI reach it.
        repository: of the stack, on its machine: where runs work.
        port: where it speaks TLS.
        tls: `internal`, for certificates of an authority of its own; or a mail address, for public ones.
        address: of the machine that it listens on.
        image: of servers and workers.
    """

    host: str
    repository: str
    port: int = 443
    tls: str = "internal"
    address: str = "0.0.0.0"  # noqa: S104 — it is there for others
    image: str = IMAGE

    def __post_init__(self) -> None:
        wrong = ""
        if not _NAME.fullmatch(self.host) or _is_address(self.host):
            wrong = f"the host {self.host[:80]!r} is no name of a machine; certificates are for names"
        elif self.tls != "internal" and not _MAIL.fullmatch(self.tls):
            wrong = f"TLS is {self.tls[:80]!r}: say `internal`, or the mail address that public certificates ask for"
        elif not _is_address(self.address):
            wrong = f"{self.address[:80]!r} is no address to listen on"
        elif not 0 < self.port < 65536 or self.port == 80:
            wrong = f"{self.port} is no port to speak TLS at"
        elif not _IMAGE.fullmatch(self.image):
            wrong = f"{self.image[:80]!r} is no name of an image"
        elif not self.repository.startswith("/") or re.search(r"['\n\r\0]", self.repository):
            wrong = f"the repository {self.repository[:80]!r} is no absolute path without quotes"
        if wrong:
            raise BadSettings(f"{wrong}. Nothing was written. slipway server compose --help")

    @property
    def api(self) -> str:
        """Address of its API."""
        return f"https://{self.host}{'' if self.port == 443 else f':{self.port}'}/api"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def team_environment(plane: TeamPlane, random: Callable[[int], bytes]) -> str:
    """The text of its .env.

    Args:
        random: so many bytes that nobody can guess.
    """

    def made_up() -> str:
        return base64.urlsafe_b64encode(random(24)).decode()

    return f"""\
# Settings and credentials of the control plane beside this file; nobody else may read it. docs/CONTROL_PLANE.md.
# Keep a copy of it with the backups of the database, whose secrets nobody can read without SLIPWAY_ENCRYPTION_KEY.
SLIPWAY_HOST={plane.host}
SLIPWAY_PORT={plane.port}
SLIPWAY_ADDRESS={plane.address}
SLIPWAY_TLS={plane.tls}
SLIPWAY_IMAGE={plane.image}
SLIPWAY_REPOSITORY='{plane.repository}'
SLIPWAY_LOGIN=slipway:{made_up()}
SLIPWAY_POSTGRES_PASSWORD={made_up()}
SLIPWAY_REDIS_PASSWORD={made_up()}
SLIPWAY_ENCRYPTION_KEY={base64.urlsafe_b64encode(random(32)).decode()}
"""
