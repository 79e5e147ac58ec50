"""The engine's configuration with limits for logs: added to what is there, never instead of it."""

import json
import re
from dataclasses import dataclass

from flows.core.errors import SetupRefused

FILES = "3"
_LIMITED = ("json-file", "local")
_SIZE = re.compile(r"[1-9]\d{0,5}[kmg]")


@dataclass(frozen=True)
class DaemonChange:
    """What becomes of the configuration.

    Args:
        text: the new one; None: it stays as it is.
        kept: what somebody set otherwise, in sentences.
    """

    text: str | None = None
    kept: tuple[str, ...] = ()


def check_log_limit(limit: str) -> str:
    """The limit as it was given.

    Raises:
        SetupRefused: the engine would not take it.
    """
    if not _SIZE.fullmatch(limit):
        raise SetupRefused(f"--log-limit {limit!r} is no size: a number and k, m or g, such as 10m; or none")
    return limit


def limited_logs(text: str | None, limit: str) -> DaemonChange:
    """The configuration with a limit for the log of each container.

    Args:
        text: of /etc/docker/daemon.json; None: there is none.
    """
    try:
        there = json.loads(text) if text else {}
        given = there.get("log-opts", {})
        driver = there.get("log-driver", _LIMITED[0])
        if not isinstance(given, dict):
            raise TypeError
    except (ValueError, TypeError, AttributeError, RecursionError):
        return DaemonChange(kept=("/etc/docker/daemon.json cannot be read as JSON of the engine's; it stays as it is",))
    if driver not in _LIMITED:
        return DaemonChange(kept=(f"the engine's log-driver is {str(driver)[:40]}, which somebody set; it stays",))
    if "max-size" in given:
        said = f"the engine's logs are limited to {str(given['max-size'])[:40]} already, as somebody set; that stays"
        return DaemonChange(kept=(said,) if given["max-size"] != limit else ())
    limits = {"max-size": limit, "max-file": FILES, **given}
    return DaemonChange(f"{json.dumps({**there, 'log-driver': driver, 'log-opts': limits}, indent=2)}\n")
