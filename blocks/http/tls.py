"""The TLS context of our HTTP clients: made once, because reading the certificates takes longer than most requests."""

import functools
import ssl

import httpx


@functools.cache
def context() -> ssl.SSLContext:
    """The context httpx would make for each client: certifi's certificates, or SSL_CERT_FILE or SSL_CERT_DIR."""
    return httpx.create_ssl_context()
