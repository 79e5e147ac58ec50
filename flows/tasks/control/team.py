"""Writes the files of the control plane for a team: its Compose file, and its settings with credentials made up now."""

import os
import secrets
from contextlib import suppress
from importlib import resources
from pathlib import Path

from flows.core.control.team import TeamPlane, team_environment
from flows.core.errors import BadServerDirectory

COMPOSE_FILE, ENV_FILE = "compose.yaml", ".env"


def packaged_compose_file() -> str:
    """compose/control-plane.yml as it came with the package."""
    return resources.files("flows").joinpath("control-plane.yml").read_text()


def write_team_plane(directory: Path, plane: TeamPlane | None) -> list[str]:
    """Write both files. The Compose file is written anew; settings that are there stay.

    Args:
        directory: made where it is missing.
        plane: what the settings are made from; None: they are there.

    Returns:
        what was done, as sentences.

    Raises:
        BadServerDirectory: it cannot be written, has settings that these would replace, or has none.
    """
    settings, compose = directory / ENV_FILE, directory / COMPOSE_FILE
    if plane and settings.exists():
        raise BadServerDirectory(
            f"{settings} is there, with credentials that the database knows; nothing was changed. Change it there, or "
            f"write {COMPOSE_FILE} anew alone: slipway server compose {directory}"
        )
    if not plane and not settings.exists():
        raise BadServerDirectory(
            f"{settings} is not there; nothing was written. For a new control plane say its name: "
            f"slipway server compose {directory} --host NAME"
        )
    told, text = [], packaged_compose_file()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if plane:
            with os.fdopen(os.open(settings, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(team_environment(plane, secrets.token_bytes))
            told.append(f"Wrote {settings}, with a login, passwords and a key made up now.")
        if not compose.exists() or compose.read_text() != text:
            new = directory / f"{COMPOSE_FILE}.new"
            new.write_text(text)
            new.replace(compose)
            told.append(f"Wrote {compose}.")
    except (OSError, UnicodeDecodeError) as error:
        with suppress(OSError):
            if plane and not compose.exists():
                settings.unlink()
        raise BadServerDirectory(f"{directory} cannot be written: {error}. Name another one") from None
    return told
