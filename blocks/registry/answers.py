"""What a registry says of an error."""

import httpx

from blocks.http.content import read_json


def error_message(answer: httpx.Response) -> str:
    """The registry's own words for an error."""
    try:
        return str(read_json(answer.content)["errors"][0]["message"])
    except (ValueError, LookupError, TypeError):
        return answer.reason_phrase
