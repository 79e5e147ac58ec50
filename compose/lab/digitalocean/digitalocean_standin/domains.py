"""Domains and their records."""

from __future__ import annotations

import ipaddress
from typing import Any

from .account import Answer
from .ask import Ask, Json, page
from .cloud import Cloud
from .errors import missing, unprocessable

LOWEST_TTL, TTL = 30, 1800
TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT")
FIELDS = ("type", "name", "data", "priority", "port", "ttl", "weight", "flags", "tag")


def found(cloud: Cloud, ask: Ask) -> list[Json]:
    """Raises ApiError."""
    if ask.parts["domain"] not in cloud.domains:
        raise missing()
    return cloud.domains[ask.parts["domain"]]


def _record(cloud: Cloud, ask: Ask) -> Json:
    record = next((r for r in found(cloud, ask) if r["id"] == ask.number("id")), None)
    if record is None:
        raise missing()
    return record


def _checked(body: Json) -> Json:
    if body.get("ttl") is not None and int(body["ttl"]) < LOWEST_TTL:
        raise unprocessable(f"TTL must be at least {LOWEST_TTL}")
    if body["type"] not in TYPES:
        raise unprocessable(f"Type must be one of {', '.join(TYPES)}")
    if body["type"] in ("A", "AAAA") and "data" in body:
        try:
            right = ipaddress.ip_address(body["data"]).version == (4 if body["type"] == "A" else 6)
        except ValueError:
            right = False
        if not right:
            raise unprocessable("Data needs to be an IP address of the record's type")
    return {name: body[name] for name in FIELDS if name in body}


def list_domains(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """All domains."""
    return 200, page(ask, "domains", [_shown(name) for name in cloud.domains])


def _shown(name: str) -> Json:
    return {"name": name, "ttl": TTL, "zone_file": None}


def get_domain(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """One domain."""
    found(cloud, ask)
    return 200, {"domain": _shown(ask.parts["domain"])}


def remove_domain(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """With all its records."""
    found(cloud, ask)
    del cloud.domains[ask.parts["domain"]]
    parts.names.write(cloud.domains)
    return 204, None


def create_domain(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Make one, with an address for itself where one is given."""
    [name] = ask.need("name")
    if name in cloud.domains:
        raise unprocessable("domain already exists")
    cloud.domains[name] = []
    if ask.body.get("ip_address"):
        cloud.domains[name].append(_made(cloud, {"type": "A", "name": "@", "data": ask.body["ip_address"]}))
    parts.names.write(cloud.domains)
    return 201, {"domain": _shown(name)}


def _made(cloud: Cloud, body: Json) -> Json:
    empty = {"priority": None, "port": None, "weight": None, "flags": None, "tag": None, "ttl": TTL}
    return {"id": cloud.new_id(), **empty, **_checked(body)}


def list_records(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """All records, or those of a full name and a type."""
    domain, name, type = ask.parts["domain"], ask.query.get("name"), ask.query.get("type")

    def full(record: Json) -> str:
        return domain if record["name"] == "@" else f"{record['name']}.{domain}"

    chosen = [r for r in found(cloud, ask) if name in (None, full(r)) and type in (None, r["type"])]
    return 200, page(ask, "domain_records", chosen)


def create_record(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Make one; a second one of the same name and type is fine with the API."""
    ask.need("type", "name", "data")
    record = _made(cloud, ask.body)
    found(cloud, ask).append(record)
    parts.names.write(cloud.domains)
    return 201, {"domain_record": record}


def get_record(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """One record."""
    return 200, {"domain_record": _record(cloud, ask)}


def change_record(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Change what is given; the type must be."""
    record = _record(cloud, ask)
    ask.need("type")
    record.update(_checked(ask.body))
    parts.names.write(cloud.domains)
    return 200, {"domain_record": record}


def remove_record(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Remove one."""
    found(cloud, ask).remove(_record(cloud, ask))
    parts.names.write(cloud.domains)
    return 204, None


ROUTES = [
    ("GET", "/v2/domains", "domain:read", list_domains),
    ("POST", "/v2/domains", "domain:create", create_domain),
    ("GET", "/v2/domains/{domain}", "domain:read", get_domain),
    ("DELETE", "/v2/domains/{domain}", "domain:delete", remove_domain),
    ("GET", "/v2/domains/{domain}/records", "domain:read", list_records),
    ("POST", "/v2/domains/{domain}/records", "domain:create", create_record),
    ("GET", "/v2/domains/{domain}/records/{id}", "domain:read", get_record),
    ("PATCH", "/v2/domains/{domain}/records/{id}", "domain:update", change_record),
    ("PUT", "/v2/domains/{domain}/records/{id}", "domain:update", change_record),
    ("DELETE", "/v2/domains/{domain}/records/{id}", "domain:delete", remove_record),
]
