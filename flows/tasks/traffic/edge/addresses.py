"""Steps that ask DNS where hosts lead, so that a certificate that could not be had is told of before."""

from collections.abc import Iterable

import dns.exception
import dns.resolver

from flows.core.traffic.edge.hosts import certificate_warnings
from flows.core.traffic.edge.view import EdgeView

# Seconds for one question, its repetitions included.
_LIFETIME = 4.0
_MOST = 50


def addresses_of(host: str) -> list[str] | None:
    """The addresses that DNS has for a host, of both kinds; None when it does not answer."""
    found: list[str] = []
    for kind in ("A", "AAAA"):
        try:
            found += [str(one) for one in dns.resolver.resolve(host, kind, lifetime=_LIFETIME)][:_MOST]
        except dns.resolver.NXDOMAIN:
            return []
        except dns.resolver.NoAnswer:
            continue
        except (dns.exception.DNSException, ValueError, OSError):
            return None
    return found


def told_before(hosts: Iterable[str], droplet: str, view: EdgeView) -> list[str]:
    """Why these hosts would get no certificate (`certificate_warnings`); nothing where the edge certifies itself.

    Args:
        droplet: the host by which the droplet is reached.
    """
    if view.tls == "internal":
        return []
    asked = {host: None if host.startswith("*.") else addresses_of(host) for host in hosts}
    own = addresses_of(droplet) or []
    return certificate_warnings(asked, asked, tuple(dict.fromkeys((*own, droplet, *view.addresses))))
