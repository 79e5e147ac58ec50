"""What a registry says of an error, and that it says nothing."""

import httpx

from blocks.errors import CertificateRefused, LoginRefused, NotInRegistry, OutsideError, RegistryFailed, Unreachable
from blocks.http.content import read_json
from blocks.http.tls import untrusted_reason


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


def unreachable(error: httpx.HTTPError | httpx.InvalidURL, host: str, base: httpx.URL, part: str = "") -> OutsideError:
    """The error for a request that got no answer: the registry is away, or its certificate is not trusted.

    Args:
        base: the registry's address, for the hint.
        part: of the registry, where it is not the registry itself.
    """
    if isinstance(error, httpx.HTTPError) and (why := untrusted_reason(error)):
        there = error.request.url.netloc.decode()
        return CertificateRefused(
            f"registry {host}: the certificate of {there} is not trusted: {why}. Nothing was sent there. Is it the "
            "right address? Where an authority of your own signed it, save that one's certificate with the registry: "
            "slipway registry set --ca FILE"
        )
    if part:
        return Unreachable(f"registry {host}: its {part} cannot be reached: {error}")
    return Unreachable(
        f"registry {host} cannot be reached: {error or type(error).__name__}. Does `curl {base}/v2/` answer?"
    )


def _message(answer: httpx.Response) -> str:
    try:
        return str(read_json(answer.content)["errors"][0]["message"])
    except (ValueError, LookupError, TypeError):
        return answer.reason_phrase
