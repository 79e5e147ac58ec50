"""What a registry says of an error."""

import httpx

from blocks.errors import LoginRefused, NotInRegistry, RegistryFailed
from blocks.http.content import read_json


def refuse_error(answer: httpx.Response, host: str, user: str, renewed: bool, repository: str) -> None:
    """Raise what an answer that is an error means.

    Args:
        renewed: its login is a new one, because the one before had expired.
        repository: empty where none was asked for.

    Raises:
        LoginRefused, NotInRegistry, RegistryFailed
    """
    if not answer.is_error:
        return
    said, asked = _message(answer), answer.request.url.path
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        expired = "The login had expired, and a new one is refused too. " if renewed else ""
        raise LoginRefused(
            f"registry {host} refuses user '{user[:12]}' ({answer.status_code} for "
            f"{repository or 'login'}): {said}. {expired}Check user, password and rights in its block"
        )
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise NotInRegistry(f"registry {host} has no {asked.removeprefix('/v2/')}")
    raise RegistryFailed(f"registry {host}: {answer.request.method} {repository}: {answer.status_code} {said}")


def _message(answer: httpx.Response) -> str:
    try:
        return str(read_json(answer.content)["errors"][0]["message"])
    except (ValueError, LookupError, TypeError):
        return answer.reason_phrase
