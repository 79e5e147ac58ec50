"""Refused logins in the output of docker."""

from collections.abc import Iterable

# How registries and the docker client say that a login is not, or no longer, good.
_REFUSED = ("unauthorized", "authentication required", "access denied", "denied:")


def login_refused(said: Iterable[str]) -> bool:
    """Whether the output of `docker push` or `docker pull` says that the login was refused: it may have expired."""
    return any(words in line.lower() for line in said for words in _REFUSED)
