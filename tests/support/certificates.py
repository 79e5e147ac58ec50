"""Certificates of a test's own, made as the lab makes its own."""

import importlib.util
import ssl
from pathlib import Path
from typing import Any

from tests import CHECKOUT


def lab_certificates() -> Any:
    """The lab's script that makes certificates, as a module."""
    spec = importlib.util.spec_from_file_location("lab_certificates", CHECKOUT / "compose/lab/certificates.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def server_context(place: Path, key: str, certificate: str) -> ssl.SSLContext:
    """What a server needs to show this certificate."""
    for name, text in (("key", key), ("certificate", certificate)):
        (place / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "certificate", place / "key")
    return context
