"""DigitalOcean's API for load balancers, DNS records and reserved IPs: what sends traffic to a droplet."""

from typing import Any
from urllib.parse import quote

from blocks.digitalocean.models import Action, DnsRecord, LoadBalancer, ReservedIp
from blocks.digitalocean.transport import Transport
from blocks.digitalocean.waiting import Progress, appeared, silent, wait_for
from blocks.errors import ActionFailed, AnswerLost, ApiFailed, NotAtDigitalOcean


class LoadBalancers:
    """The part of the API under `/v2/load_balancers`.

    Members are changed by POST and DELETE …/droplets: a PUT resets what it leaves out.
    """

    def __init__(self, api: Transport) -> None:
        self._api = api

    def all(self) -> list[LoadBalancer]:
        """All load balancers."""
        found = self._api.pages("/v2/load_balancers", "load_balancers", "load_balancer:read")
        return [self._api.parsed("GET /v2/load_balancers", LoadBalancer.parse, item) for item in found]

    def get(self, id: str) -> LoadBalancer:
        """The load balancer of this id. Raises NotAtDigitalOcean."""
        path = f"/v2/load_balancers/{quote(id)}"
        found = self._api.get(path, "load_balancer:read")
        return self._api.parsed(f"GET {path}", lambda a: LoadBalancer.parse(a["load_balancer"]), found)

    def named(self, name: str) -> LoadBalancer:
        """The one load balancer of this name or id.

        Raises:
            NotAtDigitalOcean: none has it. ApiFailed: several have it.
        """
        found = [balancer for balancer in self.all() if name in (balancer.name, balancer.id)]
        if not found:
            raise NotAtDigitalOcean(f"DigitalOcean: the account has no load balancer named {name}")
        if len(found) > 1:
            ids = " and ".join(b.id for b in found)
            raise ApiFailed(f"DigitalOcean: {len(found)} load balancers are named {name}: {ids}. Name the id instead")
        return found[0]

    def add(self, id: str, droplets: list[int]) -> None:
        """Add droplets to its members; one that is a member already stays."""
        self._members("POST", id, droplets)

    def remove(self, id: str, droplets: list[int]) -> None:
        """Remove droplets from its members; one that is none stays out."""
        self._members("DELETE", id, droplets)

    def _members(self, method: str, id: str, droplets: list[int]) -> None:
        path = f"/v2/load_balancers/{quote(id)}/droplets"
        self._api.send(method, path, "load_balancer:update", {"droplet_ids": droplets}, again=True)


class Domains:
    """The part of the API under `/v2/domains/…/records`."""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def records(self, domain: str, name: str, type: str) -> list[DnsRecord]:
        """The records of this type that have exactly this fully qualified name."""
        path = f"/v2/domains/{quote(domain)}/records"
        found = self._api.pages(path, "domain_records", "domain:read", name=name, type=type)
        every = [self._api.parsed(f"GET {path}", DnsRecord.parse, item) for item in found]
        # Asked again here, because what this returns is changed.
        return [one for one in every if one.type == type and _full_name(one.name, domain) == _full_name(name, domain)]

    def record(self, domain: str, name: str, type: str = "A") -> DnsRecord:
        """The one record of this name and type.

        Raises:
            NotAtDigitalOcean: there is none. ApiFailed: there are several.
        """
        found = self.records(domain, name, type)
        if not found:
            raise NotAtDigitalOcean(
                f"DigitalOcean: {domain} has no {type} record for {name}. Make it once, by hand: your clients know it"
            )
        if len(found) > 1:
            which = " and ".join(f"{r.id} ({r.data})" for r in found)
            raise ApiFailed(
                f"DigitalOcean: {domain} has {len(found)} {type} records for {name}: {which}. Clients would get both: "
                "keep one"
            )
        return found[0]

    def change(self, domain: str, record: DnsRecord, **changes: Any) -> DnsRecord:
        """Change `data` or `ttl` (seconds) of a record, and nothing else."""
        path = f"/v2/domains/{quote(domain)}/records/{record.id}"
        answer = self._api.send("PATCH", path, "domain:update", {"type": record.type, **changes}, again=True)
        return self._api.parsed(f"PATCH {path}", lambda a: DnsRecord.parse(a["domain_record"]), answer)


def _full_name(name: str, domain: str) -> str:
    """The full name of a record, which the API names within its domain: `@` is the domain itself."""
    name, domain = name.lower().rstrip("."), domain.lower().rstrip(".")
    if name in ("@", domain):
        return domain
    return name if name.endswith(f".{domain}") else f"{name}.{domain}"


class ReservedIps:
    """The part of the API under `/v2/reserved_ips`."""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def get(self, ip: str) -> ReservedIp:
        """The reserved IP of this address. Raises NotAtDigitalOcean."""
        path = f"/v2/reserved_ips/{quote(ip)}"
        found = self._api.get(path, "reserved_ip:read")
        return self._api.parsed(f"GET {path}", lambda a: ReservedIp.parse(a["reserved_ip"]), found)

    def assign(self, ip: str, droplet: int, within: float = 60.0, tell: Progress = silent) -> None:
        """Assign the address to a droplet, and wait until it is there. One that is there already is left alone.

        Raises:
            ActionFailed, ActionUnfinished, ApiFailed
        """
        path, action = f"/v2/reserved_ips/{quote(ip)}/actions", None
        try:
            body = {"type": "assign", "droplet_id": droplet}
            answer = self._api.send("POST", path, "reserved_ip:update", body)
            action = self._api.parsed(f"POST {path}", lambda a: Action.parse(a["action"]), answer)
        except AnswerLost:
            if not appeared(lambda: self.get(ip).locked or self.get(ip).droplet == droplet or None):
                raise
        if action:
            path = f"{path}/{action.id}"
            wait_for(
                f"assigning {ip}",
                lambda: self._action(path),
                lambda a: a.status != "in-progress",
                within,
                tell=tell,
                state=lambda a: a.status,
            )
        now = self.wait_unlocked(ip, within, tell)
        if now.droplet != droplet:
            raise ActionFailed(f"DigitalOcean: {ip} was to go to droplet {droplet}, and is at {now.droplet or 'none'}. "
                               "Look at it in the control panel; then run the same command again")  # fmt: skip

    def wait_unlocked(self, ip: str, within: float, tell: Progress = silent) -> ReservedIp:
        """Wait until the address is not locked by another action.

        Raises:
            ActionUnfinished
        """
        return wait_for(
            f"reserved IP {ip}",
            lambda: self.get(ip),
            lambda reserved: not reserved.locked,
            within,
            tell=tell,
            state=lambda _: "locked by something else",
        )

    def _action(self, path: str) -> Action:
        found = self._api.get(path, "reserved_ip:read")
        return self._api.parsed(f"GET {path}", lambda a: Action.parse(a["action"]), found)
