"""Answers of a registry, read: its own words for an error, and where it wants an upload."""

import httpx

from blocks.errors import RegistryFailed
from blocks.http.content import read_json


def error_message(answer: httpx.Response) -> str:
    """The registry's own words for an error."""
    try:
        return str(read_json(answer.content)["errors"][0]["message"])
    except (ValueError, LookupError, TypeError):
        return answer.reason_phrase


def upload_target(begun: httpx.Response, base: httpx.URL, digest: str) -> str:
    """Where a blob is to be sent, as the answer that begins its upload says.

    Raises:
        RegistryFailed: it does not say.
    """
    try:
        place = httpx.URL(str(base)).join(begun.headers["Location"])
    except (KeyError, httpx.InvalidURL):
        raise RegistryFailed(f"registry {base.netloc.decode()}: it does not say where a blob is uploaded to") from None
    return str(place.copy_merge_params({"digest": digest}))
