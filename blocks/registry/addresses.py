"""Where a registry is spoken to, and where its answers may lead to."""

from collections.abc import Callable

import httpx

from blocks.errors import NotEncrypted, RegistryFailed
from blocks.http.clear_text import is_loopback


def base_address(host: str, *, has_authority: bool = False) -> str:
    """Loopback is by http where no authority of its own was named, all else by https."""
    return f"http://{host}" if is_loopback(host) and not has_authority else f"https://{host}"


def only_encrypted(host: str, base: str) -> Callable[[httpx.Request], None]:
    """What is called before each request to a registry, its token service, or wherever it redirects to.

    Args:
        base: the registry's address.

    Raises:
        NotEncrypted: the registry leads to an address by http. One that speaks http on this machine may lead there.
    """
    local = base.startswith("http://")

    def check(request: httpx.Request) -> None:
        there = request.url.netloc.decode()
        if request.url.scheme != "https" and not (local and is_loopback(there)):
            raise NotEncrypted(
                f"registry {host} leads to {request.url.scheme}://{there}, which is not encrypted. Nothing was sent "
                "there. Is it the right registry? Who runs it must give https addresses"
            )

    return check


def same_place(one: httpx.URL, other: httpx.URL) -> bool:
    """Whether two addresses are of one server: only then what one was given may be sent to the other."""
    return _origin(one) == _origin(other)


def upload_place(base: httpx.URL, location: str | None) -> httpx.URL:
    """Where a registry wants an upload. One behind a proxy may name itself by http: https is meant.

    Raises:
        RegistryFailed: it does not say where.
    """
    try:
        place = base.join(location or "")
    except (httpx.InvalidURL, ValueError):
        location = None
    if not location:
        raise RegistryFailed(f"registry {base.netloc.decode()} took an upload and does not say where to. Try again")
    if (
        place.scheme == "http"
        and base.scheme == "https"
        and place.host == base.host
        and place.port in (None, base.port)
    ):
        return place.copy_with(scheme="https", port=base.port)
    return place


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
