"""Whether a registry's answer speaks of a refused login."""

from collections.abc import Iterable

# How registries and the docker client say that a login is not, or no longer, good.
_REFUSED = ("unauthorized", "authentication required", "access denied", "denied:")


def login_refused(said: Iterable[str]) -> bool:
    """Whether these words of `docker push` or `docker pull` are about the login: it may have expired on the way."""
    return any(words in line.lower() for line in said for words in _REFUSED)
