"""The profile of Prefect that holds the API's address and login: what `slipway`, `prefect` and both services read."""

import os
import secrets
from pathlib import Path

from prefect.settings import get_current_settings
from prefect.settings.profiles import Profile, load_profiles, save_profiles

from flows.core.control.server import PROFILE

_LOGIN = ("PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")


def profiles_file() -> Path:
    """Prefect's file of profiles."""
    return Path(get_current_settings().profiles_path).expanduser().resolve()


def ensure_profile(api: str) -> tuple[str, list[str]]:
    """Make the profile where it is missing, with a new login; the login that is there stays.

    Returns:
        the login, and what was done, as sentences.
    """
    file = profiles_file()
    profiles = load_profiles()
    told = []
    found = profiles.profiles_by_name.get(PROFILE)
    before = dict(found.to_environment_variables()) if found else {}
    login = before.get(_LOGIN[0]) or f"slipway:{secrets.token_urlsafe(24)}"
    wanted = before | {"PREFECT_API_URL": api} | dict.fromkeys(_LOGIN, login)
    if wanted != before:
        told.append(f"Wrote the API's address and login into Prefect's profile {PROFILE} ({file}).")
        if found:
            profiles.remove_profile(PROFILE)
        profiles.add_profile(Profile(name=PROFILE, settings=wanted, source=file))
    active = profiles.active_profile if profiles.active_name in profiles.names else None
    elsewhere = (
        active is not None and active.name != PROFILE and active.to_environment_variables().get("PREFECT_API_URL")
    )
    if elsewhere:
        told.append(
            f"Your active profile stays {profiles.active_name}, for another server: prefect profile use {PROFILE}"
        )
    elif profiles.active_name != PROFILE:
        profiles.set_active(PROFILE)
        told.append(f"Made {PROFILE} the active profile.")
        before = {}
    if wanted != before:
        _save_closed(file, profiles)
    return login, told


def _save_closed(file: Path, profiles: object) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
    file.chmod(0o600)
    save_profiles(profiles)  # type: ignore[arg-type]
