"""What may go over http: nothing but what stays on this machine. A login goes nowhere else without encryption."""

import ipaddress

import httpx

from blocks.errors import NotEncrypted


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this machine: `localhost`, or an address of its loopback network.

    It is read by what connects to it: in `127.0.0.1@example.com` the host is example.com.
    """
    try:
        name = httpx.URL(f"http://{host}").host
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except (ValueError, httpx.InvalidURL):
        return False


def refuse_clear_text(url: str, what: str) -> None:
    """Refuse to send a login by http to another machine.

    Args:
        what: whose address it is, for the error.

    Raises:
        NotEncrypted
    """
    parts = httpx.URL(url)
    if parts.scheme != "https" and not is_loopback(parts.netloc.decode()):
        raise NotEncrypted(
            f"{what} is at {parts.scheme}://{parts.netloc.decode()}, so its login could be read on its way. "
            "Nothing was sent. Save its https address; or, where it has none, that of an SSH tunnel on this "
            "machine (http://127.0.0.1:PORT)"
        )
