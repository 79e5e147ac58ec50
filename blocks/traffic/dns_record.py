"""The DnsSwitch block: a DNS record at DigitalOcean that has the address of one colour."""

import ipaddress
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import dns.flags
import dns.message
import dns.query
import dns.rdatatype
import dns.resolver
from dns.exception import DNSException
from pydantic import Field, HttpUrl, PrivateAttr, model_validator

from blocks.digitalocean.models import DnsRecord
from blocks.errors import SwitchFailed
from blocks.polling import until
from blocks.traffic.digitalocean_switch import COLOURS, DigitalOceanSwitch
from blocks.traffic.state import SwitchProbe, SwitchState

NAME_SERVERS = ("ns1.digitalocean.com", "ns2.digitalocean.com", "ns3.digitalocean.com")
_ASK, _PAUSE, _PUBLISHED = 3.0, 0.3, 120.0


class DnsSwitch(DigitalOceanSwitch):
    """
    A traffic switch made of an A record that points at one colour's droplet.

    Clients keep an answer for the record's TTL, so that is lowered beforehand and restored afterwards.

    Example:
        ```python
        from blocks import DnsSwitch

        switch = DnsSwitch.load("BLOCK_NAME")
        print(switch.read())
        ```
    """

    _block_type_name = "Slipway DNS Switch"
    _block_type_slug = "slipway-dns-switch"
    _documentation_url = HttpUrl("https://docs.digitalocean.com/products/networking/dns/")
    _description = "A DNS record at DigitalOcean that points at one of two droplets."

    domain: str = Field(title="Domain", description="The domain that DigitalOcean manages.")
    record: str = Field(title="Record", description="The full name that clients use; it has one A record.")
    ttl: int = Field(1800, ge=30, title="TTL", description="Seconds for which clients may keep the answer.")
    low_ttl: int = Field(30, ge=30, title="Low TTL", description="The same while it is being turned.")
    name_servers: list[str] = Field(
        list(NAME_SERVERS),
        title="Name servers",
        description="The authoritative name servers; `host:port` where it is not 53.",
    )
    _seen_ttl: int = PrivateAttr(0)
    _published_after: float | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _one_each(self) -> "DnsSwitch":
        if any(len(names) != 1 for names in self.droplets.values()):
            raise ValueError("a name has one address: name one droplet of green and one of blue")
        return self

    @property
    def client_impact(self) -> str:
        before = (
            f" Before that, {self._wait_before()} s pass in which caches learn the low TTL."
            if self._wait_before()
            else ""
        )
        return (
            f"Both colours are reached for up to {self.low_ttl} s, and longer by clients that do not honour the TTL."
            f"{before} The old colour must stay up as long."
        )

    @property
    def max_seconds(self) -> float:
        return _PUBLISHED + self.low_ttl

    def read(self) -> SwitchState:
        with self.translating_errors("read"):
            record = self._record()
            return self._position(record)

    @property
    def last_report(self) -> str:
        if self._published_after is None:
            return ""
        both = self._published_after + self._seen_ttl
        return (
            f"every name server answered with the new address after {self._published_after:.1f} s; answers given "
            f"before that run out {self._seen_ttl} s later, so both colours were reached for at most {both:.0f} s"
        )

    def prepare(self, tell: Callable[[str], None]) -> None:
        with self.translating_errors("prepared"):
            record = self._record()
            if record.ttl <= self.low_ttl:
                return
            lasting = record.ttl
            self.client.domains.change(self.domain, record, ttl=self.low_ttl)
            self._wait_published(lambda _, ttl: ttl <= self.low_ttl, "the low TTL")
            tell(f"the TTL of {self.record} is {self.low_ttl} s now; answers with the old one run out in {lasting} s")
            time.sleep(lasting)  # what caches were given before is good for so long, and nothing can be asked

    def finish(self) -> None:
        with self.translating_errors("restored"):
            record = self._record()
            if record.ttl != self.ttl:
                self.client.domains.change(self.domain, record, ttl=self.ttl)

    def switch_to(self, to: str, seen: SwitchState, by: str) -> SwitchState:
        with self.translating_errors("turned"):
            record = self._record()
            now, began = self._position(record), time.monotonic()
            if now.active != (to,):
                if now.mark != seen.mark:
                    raise self.moved_error(now)
                self.client.domains.change(self.domain, record, data=self._address(to))
            self._wait_published(lambda answers, _: answers == {self._address(to)}, f"the address of {to}")
            self._published_after = time.monotonic() - began
            now = self._position(self._record())
            if now.active != (to,):
                raise self.moved_error(now)
            return now

    def probe(self, timeout: float = 5.0) -> SwitchProbe:
        """Request the probe path from the address that the name servers give now.

        The colour is that of the answer's header, or else the one whose address it is.
        """
        parts = urlsplit(self.url)
        try:
            answers, _ = self._ask(self.name_servers[0])
            address = sorted(answers)[0]
        except (DNSException, OSError, IndexError) as error:
            return SwitchProbe(None, 0, f"{self.record} does not resolve at {self.name_servers[0]}: {error}")
        port = f":{parts.port}" if parts.port else ""
        where = urlunsplit((parts.scheme, f"{address}{port}", parts.path.rstrip("/") + self.probe_path, "", ""))
        colour = next((c for c in COLOURS if self._address(c) == address), None)
        options = {"headers": {"Host": parts.netloc}, "extensions": {"sni_hostname": self.record}}
        return self._probe(where, timeout, colour, **options)

    def _record(self) -> DnsRecord:
        found = self.client.domains.record(self.domain, self.record)
        self._seen_ttl = found.ttl
        return found

    def _position(self, record: DnsRecord) -> SwitchState:
        active = tuple(colour for colour in COLOURS if self._address(colour) == record.data)
        return SwitchState(active, f"{record.id} {record.data}")

    def _address(self, colour: str) -> str:
        return self.droplets_of(colour)[0].public_ip

    def _wait_before(self) -> int:
        return self._seen_ttl if self._seen_ttl > self.low_ttl else 0

    def _wait_published(self, expected: Callable[[set[str], int], bool], what: str) -> None:
        """Wait until every name server has answered as expected.

        Raises:
            SwitchFailed
        """
        waiting = list(self.name_servers)

        def first_difference() -> str:
            while waiting:
                try:
                    answers, ttl = self._ask(waiting[0])
                except (DNSException, OSError) as error:
                    return str(error) or type(error).__name__
                if not expected(answers, ttl):
                    return f"{', '.join(sorted(answers)) or 'nothing'} for {ttl} s"
                del waiting[0]
            return ""

        def unfinished(difference: str, _seconds: float) -> SwitchFailed:
            return SwitchFailed(
                f"{self}: {waiting[0]} does not answer with {what} after {_PUBLISHED:g} s: {difference}"
            )

        until(first_difference, lambda difference: not difference, _PUBLISHED, pause=_PAUSE, unfinished=unfinished)

    def _ask(self, server: str) -> tuple[set[str], int]:
        """The addresses that an authoritative name server gives, and their TTL in seconds."""
        host, _, port = server.partition(":")
        question = dns.message.make_query(self.record, dns.rdatatype.A)
        answer = dns.query.udp(question, _resolved(host), _ASK, int(port or 53))
        found = [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.A]
        if not answer.flags & dns.flags.AA:
            raise OSError(f"{server} has no authority over {self.record}")
        return {item.address for rrset in found for item in rrset}, min((rrset.ttl for rrset in found), default=0)


def _resolved(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return str(dns.resolver.resolve(host, "A", lifetime=_ASK)[0])
