"""The TLS context of our HTTP clients: made once, because reading the certificates takes longer than most requests."""

import functools
import os
import ssl

import httpx


@functools.cache
def context(authority: str = "") -> ssl.SSLContext:
    """The context httpx would make for each client: certifi's certificates, or SSL_CERT_FILE or SSL_CERT_DIR.

    Args:
        authority: certificates (PEM) of another authority, trusted besides.

    Raises:
        ValueError: that is no certificate.
    """
    public = httpx.create_ssl_context()
    if not authority:
        return public
    try:  # a context of its own: nobody else is to trust that authority
        made = ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise ValueError(f"no certificate in PEM format: {error}") from None
    if found := public.get_ca_certs(binary_form=True):
        made.load_verify_locations(cadata=b"".join(found))
    if directory := os.environ.get("SSL_CERT_DIR"):  # which is read when it is needed
        made.load_verify_locations(capath=directory)
    return made


@functools.cache
def nobodys() -> ssl.SSLContext:
    """A context that trusts nobody, for a client that speaks without TLS: no certificates have to be read for it."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def untrusted_reason(error: BaseException) -> str:
    """Why the other side's certificate was refused, where an error of httpx says that it was; else empty."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        cause = cause.__cause__ or cause.__context__
    return ""
