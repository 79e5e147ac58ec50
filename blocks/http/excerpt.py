"""Excerpts of HTTP answers for error messages."""

import httpx

_LENGTH = 200


def excerpt(answer: httpx.Response) -> str:
    """The beginning of an answer, without the login that the request carried.

    Some servers repeat what they were sent; half a login, where the text is cut, would be known to no mask.
    """
    login = answer.request.headers.get("authorization", "").partition(" ")[2]
    return (answer.text.replace(login, "••••") if login else answer.text)[:_LENGTH]
