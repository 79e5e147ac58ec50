"""An address that answers with the name of the droplet, or the colour, that traffic reaches."""

import httpx

from blocks.http.request import request_within

_TIMEOUT_S = 5.0


def read_active_url(url: str) -> tuple[str, ...] | None:
    """What the address says; None where it does not answer: then nobody knows."""
    try:
        answer = request_within("GET", url, _TIMEOUT_S)
        return (answer.text.strip(),) if answer.is_success else None
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
