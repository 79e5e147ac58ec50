"""An export of the control plane that is configured here, and its import."""

import json
from pathlib import Path

from flows.api.client import PrefectApi
from flows.core.control.moving.contents import Contents, contents_document, read_contents
from flows.core.errors import BadExport
from flows.tasks.control.moving.reading import read_control_plane
from flows.tasks.control.moving.sealed_file import read_sealed, write_sealed
from flows.tasks.control.moving.writing import write_control_plane


def export_control_plane(file: Path, passphrase: str, runs: int) -> Contents:
    """Write what the server holds into a file that only the passphrase opens.

    Args:
        runs: at most so many of the runs that ended, the newest.

    Raises:
        BadExport, and what the API's client raises.
    """
    with PrefectApi() as api:
        contents = read_control_plane(api, runs)
    write_sealed(file, json.dumps(contents_document(contents)).encode(), passphrase)
    return contents


def import_control_plane(file: Path, passphrase: str) -> Contents:
    """Make at the server what the file holds. Done again, it changes nothing.

    Raises:
        BadExport, and what the API's client raises.
    """
    try:
        contents = read_contents(json.loads(read_sealed(file, passphrase)))
    except (ValueError, RecursionError):
        raise BadExport(f"{file} holds no JSON. Nothing was changed") from None
    with PrefectApi() as api:
        write_control_plane(api, contents)
    return contents
