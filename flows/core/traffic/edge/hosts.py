"""Hosts at the edge: whose they are, and whether the authority that certifies them would find the droplet."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from flows.core.errors import HostTaken
from flows.core.traffic.edge.site import Site
from flows.core.traffic.edge.view import SiteEntry


def refuse_taken_hosts(site: Site, entries: Iterable[SiteEntry], droplet: str) -> None:
    """Refuse a host that another stack of the droplet has; one host is one site of Caddy's, and one active colour.

    Raises:
        HostTaken
    """
    for entry in entries:
        for host in set(site.hosts) & set(entry.hosts) if entry.stack != site.stack else ():
            raise HostTaken(
                f"{droplet}: the stack {entry.stack} is served as {host} already, so {site.stack} cannot be. Nothing "
                f"was changed. Give one of them another host (x-slipway.expose), or: slipway edge show {droplet}"
            )


def certificate_warnings(
    hosts: Iterable[str], addresses: Mapping[str, Sequence[str] | None], droplet: Sequence[str]
) -> list[str]:
    """Why certificates (ACME) would not be had, in words: told before, for an authority asks the address in DNS.

    An edge that certifies itself needs none of this.

    Args:
        addresses: host → what DNS says; None: it did not answer.
        droplet: the addresses by which the droplet is reached.
    """
    said = []
    for host in hosts:
        if host.startswith("*."):
            said.append(
                f"{host}: an authority certifies a wildcard by DNS alone, which this edge does not do. Name the hosts "
                "one by one, or let the edge certify itself: --tls internal"
            )
        elif (found := addresses.get(host)) is None:
            said.append(f"{host}: DNS did not answer, so it is not known whether a certificate can be had")
        elif not found:
            said.append(f"{host}: DNS knows no address of it, so no certificate can be had. {_make(droplet)}")
        elif elsewhere := [one for one in found if not _among(one, droplet)]:
            said.append(
                f"{host}: DNS leads to {', '.join(elsewhere)}, and not to this droplet ({', '.join(droplet)}), so a "
                f"certificate may not be had. {_make(droplet)} A proxy in between (a CDN) is right as it is"
            )
    return said


def _make(droplet: Sequence[str]) -> str:
    return f"Let its A or AAAA record be {droplet[0]}." if droplet else "Let its A or AAAA record lead here."


def _among(address: str, known: Iterable[str]) -> bool:
    """Whether an address is one of these, however it is written."""
    return _plain(address) in {_plain(one) for one in known}


def _plain(address: str) -> object:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return address
