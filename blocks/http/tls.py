"""Certificates for clients of our own: read once, because reading them takes longer than most requests."""

import functools
import ssl

import httpx


@functools.cache
def context() -> ssl.SSLContext:
    """What httpx would make for each client: certifi's certificates, or those of SSL_CERT_FILE or SSL_CERT_DIR."""
    return httpx.create_ssl_context()
