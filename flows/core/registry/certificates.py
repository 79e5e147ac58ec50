"""Certificates that a Docker Engine does not trust, in what docker prints."""

import re

_HOST = re.compile(r"https://([\w.:\[\]-]{1,200})")


def certificate_hint(said: str) -> str:
    """What to do where the output of docker says that a registry's certificate was refused; else empty."""
    line = next((line for line in said.splitlines() if "x509: " in line), "")
    if not line:
        return ""
    found = _HOST.search(line)
    host = found[1] if found else "HOST:PORT"
    return (
        f"The Docker Engine there does not trust the certificate of {host}. Is it the right address? Where an "
        "authority of your own signed it, that one's certificate belongs there in "
        f"/etc/docker/certs.d/{host}/ca.crt; no restart is needed (docs/DEPLOYMENT.md)"
    )
