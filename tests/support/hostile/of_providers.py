"""Parsers of what registries, DigitalOcean, Langfuse, Prometheus, Caddy and MCP servers answer."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch

import httpx

import blocks.langfuse
import blocks.prometheus_api
from blocks import Langfuse, Prometheus
from blocks.digitalocean import models, registry_models
from blocks.digitalocean.transport import Transport
from blocks.errors import OutsideError
from blocks.http.bounded import BoundedTransport
from blocks.http.clear_text import is_loopback, refuse_clear_text
from blocks.http.content import read_json, read_mapping
from blocks.http.excerpt import excerpt
from blocks.prometheus_api import PrometheusServer
from blocks.registry.addresses import only_encrypted, upload_place
from blocks.registry.answers import refuse_error
from blocks.registry.auth import RegistryCredentials
from blocks.registry.client import RegistryClient
from blocks.registry.layers import DIFF_ID, described_layers, own_layer
from blocks.ssh.keys import SshTarget, new_host_key, parse_host_key, read_private_key
from blocks.ssh.output import LineCollector, tail
from blocks.traffic.caddy_admin import CaddyAdmin
from blocks.traffic.caddy_files import read_switch_files
from flows.core.control.alerts import read_alerts
from flows.tasks.gates.mcp import McpFailed, list_tools
from tests.support.builders import digest
from tests.support.hostile.attacked import Attacked
from tests.support.hostile.changes import printed

OUTSIDE = (OutsideError,)
JSON = {"content-type": "application/json"}
DROPLET = {
    "id": 1, "name": "a", "status": "active", "region": {"slug": "fra1"}, "size_slug": "s", "image": {"slug": "d"},
    "size": {"price_hourly": 0.1, "price_monthly": 5},
    "networks": {"v4": [{"type": "public", "ip_address": "1.2.3.4"}]},
    "tags": ["t"], "vpc_uuid": "v", "locked": False, "disk": 25,
}  # fmt: skip
RESOURCES: tuple[tuple[Callable[[Any], Any], dict[str, Any]], ...] = (
    (models.Account.parse, {"email": "a@b", "status": "active", "droplet_limit": 1, "team": {"name": "t"}}),
    (models.DropletInfo.parse, DROPLET),
    (models.Action.parse, {"id": 1, "status": "completed", "type": "snapshot", "resource_id": 1}),
    (models.Snapshot.parse, {"id": 1, "name": "a", "created_at": "2026", "size_gigabytes": 1, "resource_id": 1,
                             "regions": ["fra1"], "tags": ["t"]}),
    (models.Firewall.parse, {"id": "1", "name": "a", "droplet_ids": [1], "tags": ["t"]}),
    (models.LoadBalancer.parse, {"id": "1", "name": "a", "ip": "1.2.3.4", "status": "active", "droplet_ids": [1, 2],
                                 "tag": "", "health_check": {"check_interval_seconds": 1, "healthy_threshold": 1}}),
    (models.DnsRecord.parse, {"id": 1, "type": "A", "name": "@", "data": "1.2.3.4", "ttl": 30}),
    (models.ReservedIp.parse, {"ip": "1.2.3.4", "region": {"slug": "fra1"}, "droplet": {"id": 1}, "locked": False}),
    (registry_models.RegistryInfo.parse, {"name": "a", "region": "fra1", "storage_usage_bytes": 1}),
    (registry_models.Subscription.parse, {"tier": {"slug": "b", "included_repositories": 5, "included_storage_bytes": 1,
                                                   "allow_storage_overage": True, "monthly_price_in_cents": 500}}),
    (registry_models.Repository.parse, {"name": "a", "tag_count": 1, "manifest_count": 1}),
    (registry_models.Tag.parse, {"repository": "r", "tag": "v1", "manifest_digest": digest("a"),
                                 "updated_at": "2026-01-01T00:00:00Z"}),
    (registry_models.DocrManifest.parse, {"repository": "r", "digest": digest("a"), "tags": ["v1"],
                                          "compressed_size_bytes": 1, "updated_at": "2026-01-01T00:00:00Z"}),
    (registry_models.Collection.parse, {"uuid": "u", "status": "succeeded", "freed_bytes": 1, "blobs_deleted": 1}),
)  # fmt: skip


def answer_of(value: Any) -> httpx.Response:
    """An answer whose status, headers and body are taken from a value, as far as the wire lets them be."""
    said = value if isinstance(value, Mapping) else {"body": value}
    status, headers, body = said.get("status", 200), said.get("headers"), said.get("body", "")
    given = headers.items() if isinstance(headers, Mapping) else ()
    return httpx.Response(
        status if isinstance(status, int) and 100 <= status <= 599 else 200,
        headers=[(_header(str(name)) or b"x", _header(str(item))) for name, item in given],
        stream=httpx.ByteStream((body if isinstance(body, str) else json.dumps(body)).encode("utf-8", "surrogatepass")),
        request=httpx.Request("GET", "https://there.example/v2/", headers={"authorization": "Basic abc"}),
    )


def _header(text: str) -> bytes:
    """A header as a server can send it: any bytes, but for what would end it."""
    return text.encode("utf-8", "replace").translate(None, b"\0\r\n")[:2000].strip()


class Server:
    """Answers each request with the same answer, through the limits that our clients have."""

    def __init__(self) -> None:
        self.said: Any = ""
        self.client = httpx.Client(
            transport=BoundedTransport(httpx.MockTransport(lambda _: answer_of(self.said)), 60.0),
            base_url="https://there.example",
            trust_env=False,
            event_hooks={"request": [only_encrypted("there.example", "https://there.example")]},
        )

    def asked(self, ask: Callable[[httpx.Client], Any]) -> Callable[[Any], Any]:
        """Have a function ask for an answer."""

        def call(said: Any) -> Any:
            self.said = said
            return ask(self.client)

        return call


SERVER = Server()
REGISTRY = RegistryClient("there.example", "me", "secret")
REGISTRY._http = SERVER.client
CLOUD = Transport("https://there.example", "token", patience=0.0)
CLOUD._http = SERVER.client
PROMETHEUS = Prometheus(url="https://p.example", username="me", password="secret")
LANGFUSE = Langfuse(url="https://l.example", public_key="p", secret_key="s")
TARGET = SshTarget("web-1", "10.0.0.1", 22, "root", "")
CADDY = {"green": ["a:1"], "blue": ["b:1"]}
OK: dict[str, Any] = {"status": 200, "headers": JSON}


def _within(module: Any, ask: Callable[[], Any]) -> Callable[[Any], Any]:
    def call(said: Any) -> Any:
        with patch.object(module, "request_within", lambda method, url, *_, **__: SERVER.client.request(method, url)):
            SERVER.said = said
            return ask()

    return call


def _challenged(said: Any) -> None:
    credentials = RegistryCredentials(SERVER.client, "me", "secret", lambda: None)
    SERVER.said = said
    challenge = answer_of(said).headers.get("www-authenticate", "")
    if credentials.answer_challenge(challenge, "repository:a:pull"):
        credentials.sign(httpx.Request("GET", "https://there.example/v2/"), "repository:a:pull")


def _led(realm: str) -> None:
    SERVER.said = {**OK, "body": {"token": "t"}}
    RegistryCredentials(SERVER.client, "me", "secret", lambda: None).answer_challenge(f'Bearer realm="{realm}"', "")


def _caddy(said: bytes) -> None:
    pieces = [said[start : start + 65536] for start in range(0, len(said), 65536)]

    class Channel:
        sendall = settimeout = close = staticmethod(lambda *_: None)

        def recv(self, _size: int) -> bytes:
            return pieces.pop(0) if pieces else b""

    class Session:
        open_socket = staticmethod(lambda *_: Channel())

    CaddyAdmin(Session(), "localhost:2019", "slipway", CADDY, "the switch").read()


def _collected(said: bytes) -> None:
    collector = LineCollector(str)
    for start in range(0, len(said), 5000):
        collector.feed(said[start : start + 5000])
    tail(collector.end())


def _joined(location: Any) -> None:
    there = answer_of({"headers": {"location": location}}).headers.get("location")
    upload_place(httpx.URL("https://there.example"), there)


def _described(content: bytes) -> None:
    """As the client gives it on: what is no mapping was refused by it."""
    manifest = read_mapping(content) or {}
    own_layer(manifest), described_layers(manifest)


_MANIFEST = {
    "layers": [{"digest": digest("a"), "size": 1, "annotations": {DIFF_ID: digest("b")}}],
    "config": {"digest": digest("c")},
}
_TOOLS = {"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "a"}], "protocolVersion": "2025-06-18"}}
_CHALLENGE = 'Bearer realm="https://auth.example/token",service="r",scope="repository:a:pull"'
_ERROR = {
    "status": 500,
    "headers": {"retry-after": "1", "ratelimit-reset": "1", **JSON},
    "body": {"id": "a", "message": "b"},
}
_RESPONSE = (
    'HTTP/1.1 200 OK\r\nEtag: "a"\r\nTransfer-Encoding: chunked\r\n\r\n'
    '11\r\n[{"dial": "a:1"}]\r\n0\r\nEtag: "b"\r\n\r\n'
)


def _asking(parser: Callable[..., Any], body: Any, ask: Callable[[httpx.Client], Any], **more: Any) -> Attacked:
    good = {**OK, "body": body, **more}
    return Attacked(parser, good, shape=None, read=SERVER.asked(ask), refuses=OUTSIDE)


WEBHOOK = {
    "version": "4", "status": "firing", "receiver": "slipway",
    "alerts": [{"status": "firing", "labels": {"alertname": "a"}, "annotations": {"summary": "b"}, "startsAt": "c",
                "fingerprint": "d"}],
}  # fmt: skip
OF_PROVIDERS = (
    Attacked(read_alerts, WEBHOOK, encoding="utf-8", read=lambda body: read_alerts(body, "shop")),
    *(Attacked(parse, good, shape=None, read=lambda value, parse=parse: Transport.parsed(CLOUD, "GET /", parse, value),
               refuses=OUTSIDE) for parse, good in RESOURCES),
    _asking(Transport.get, {"droplets": []}, lambda _: CLOUD.get("/v2/droplets", "droplet:read")),
    Attacked(Transport.send, _ERROR, shape=None, refuses=OUTSIDE, error=True,
             read=SERVER.asked(lambda _: CLOUD.send("POST", "/v2/droplets", "droplet:create"))),
    _asking(Transport.pages, {"droplets": [{"id": 1}], "meta": {"total": 1}},
            lambda _: CLOUD.pages("/v2/droplets", "droplets", "droplet:read")),
    Attacked(Prometheus.query, {**OK, "body": {"data": {"result": [{"metric": {"a": "b"}, "value": [1, "2"]}]}}},
             shape=None, refuses=OUTSIDE, read=_within(blocks.prometheus_api, lambda: PROMETHEUS.query("up"))),
    Attacked(PrometheusServer.query_range, {**OK, "body": {"data": {"result": [{"metric": {}, "values": [[1, "2"]]}]}}},
             shape=None, refuses=OUTSIDE,
             read=_within(blocks.prometheus_api, lambda: PROMETHEUS.server().query_range("up", 0, 60, 60))),
    Attacked(Langfuse.observations, {**OK, "body": {"data": [{"id": "a"}]}}, shape=None, refuses=OUTSIDE,
             read=_within(blocks.langfuse, lambda: LANGFUSE.observations("a" * 32))),
    _asking(RegistryClient.check, {}, lambda _: REGISTRY.check()),
    _asking(RegistryClient.digest, "", lambda _: REGISTRY.digest("a", "v1"),
            headers={**JSON, "docker-content-digest": digest("a")}),
    _asking(RegistryClient.manifest, _MANIFEST, lambda _: REGISTRY.manifest("a", "v1")),
    _asking(RegistryClient.push_blob, "", lambda _: REGISTRY.push_blob("a", digest("a"), b"x"),
            headers={"location": "/u"}),
    _asking(RegistryCredentials.answer_challenge, {"token": "t"}, lambda _: _challenged(SERVER.said),
            headers={"www-authenticate": _CHALLENGE}),
    Attacked(RegistryCredentials.answer_challenge, "https://auth.example/token", read=_led, refuses=OUTSIDE),
    Attacked(described_layers, _MANIFEST, encoding="utf-8", read=_described, refuses=OUTSIDE),
    Attacked(upload_place, "/v2/a/blobs/uploads/1?_state=a", read=_joined, refuses=OUTSIDE),
    Attacked(refuse_error, {"status": 400, "headers": JSON, "body": {"errors": [{"message": "m"}]}},
             shape=None, error=True, refuses=OUTSIDE,
             read=SERVER.asked(lambda client: refuse_error(client.get("/v2/a"), "there.example", "me", False, "a"))),
    Attacked(excerpt, {"status": 200, "headers": JSON, "body": "abc"}, shape=None,
             read=SERVER.asked(lambda client: excerpt(client.get("/v2/a"))), refuses=(httpx.HTTPError,)),
    Attacked(read_json, {"a": 1}, encoding="utf-8", refuses=(ValueError,)),
    Attacked(read_mapping, {"a": 1}, encoding="utf-8"),
    Attacked(is_loopback, "127.0.0.1:5000"),
    Attacked(refuse_clear_text, "https://a.example", read=lambda text: refuse_clear_text(text, "it"),
             refuses=(*OUTSIDE, httpx.InvalidURL)),
    Attacked(parse_host_key, new_host_key()[1], refuses=OUTSIDE,
             read=lambda text: parse_host_key(SshTarget("web-1", "10.0.0.1", 22, "root", text))),
    Attacked(read_private_key, new_host_key()[0], read=lambda text: read_private_key(text, TARGET), refuses=OUTSIDE),
    Attacked(LineCollector.feed, "a\nb\r\nc", encoding="utf-8", read=_collected),
    Attacked(read_switch_files, 'green {"by": "me"}\ncanary-blue-05 {"by": "me"}\n'),
    Attacked(CaddyAdmin.read, _RESPONSE, encoding="latin-1", read=_caddy, refuses=OUTSIDE),
    Attacked(CaddyAdmin.read, [{"dial": "a:1"}],
             shape=lambda value: f"HTTP/1.1 200 OK\r\nEtag: a\r\n\r\n{printed(value)}",
             encoding="latin-1", read=_caddy, refuses=OUTSIDE),
    Attacked(list_tools, {**OK, "headers": {**JSON, "mcp-session-id": "s"}, "body": _TOOLS}, shape=None,
             read=SERVER.asked(lambda client: list_tools(client, "https://there.example/mcp", {"Host": "a"})),
             refuses=(McpFailed, httpx.HTTPError)),
)  # fmt: skip
