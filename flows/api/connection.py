"""Where Prefect's API is, and the login for it: read from the same places as Prefect reads them.

Source: https://docs.prefect.io/v3/concepts/settings-and-profiles. Environment variables first, then the active profile.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.core.errors import BadSettings

LOCAL_API = "http://127.0.0.1:4200/api"
_LARGEST = 1_000_000


@dataclass(frozen=True)
class ApiConnection:
    """An API and its login: a name and password (`NAME:PASSWORD`), or a key; '' where there is none."""

    url: str
    auth_string: str = field(default="", repr=False)
    key: str = field(default="", repr=False)


def find_connection(environ: Mapping[str, str] | None = None) -> ApiConnection:
    """The connection that `prefect` and `slipway` use here.

    Args:
        environ: default: the environment of this process.

    Raises:
        BadSettings: the file of profiles cannot be read.
    """
    given = os.environ if environ is None else environ
    profile = _profile(given)

    def setting(name: str) -> str:
        return given.get(name, "") or str(profile.get(name, ""))

    return ApiConnection(
        (setting("PREFECT_API_URL") or LOCAL_API).rstrip("/"),
        setting("PREFECT_API_AUTH_STRING"),
        setting("PREFECT_API_KEY"),
    )


def _profile(given: Mapping[str, str]) -> dict[str, Any]:
    """The settings of the active profile; nothing where there is no file, or no such profile."""
    home = Path(given.get("PREFECT_HOME") or "~/.prefect").expanduser()
    path = Path(given.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()
    try:
        if not path.is_file():
            return {}
        with path.open("rb") as file:
            said = tomllib.loads(file.read(_LARGEST).decode())
    except (OSError, ValueError) as error:
        raise BadSettings(f"Prefect's profiles in {path} cannot be read: {error}") from None
    profiles, name = said.get("profiles"), given.get("PREFECT_PROFILE") or said.get("active")
    found = profiles.get(name) if isinstance(profiles, dict) else None
    return found if isinstance(found, dict) else {}
