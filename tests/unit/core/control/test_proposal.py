"""What is proposed for a service, by what the service says of itself."""

import tomllib

import pytest
import yaml

from flows.core.control.beginning.images import known_image
from flows.core.control.beginning.proposal import propose, unsaid_state
from flows.core.control.beginning.starting_files import ci_kind, starting_settings
from flows.core.stack.extension import read_extension

pytestmark = pytest.mark.unit


def curl(url: str) -> dict[str, object]:
    return {"build": ".", "healthcheck": {"test": ["CMD", *url.split()]}}


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        (curl("curl -f http://localhost:8000/health"), {"port": 8000, "health": "/health"}),
        (curl("wget -qO- http://127.0.0.1/up?full=1"), {"port": 80, "health": "/up?full=1"}),
        (curl("curl -f http://localhost:${PORT:-8000}/"), {"port": 8000, "health": "/"}),
        (curl("curl -f http://localhost:$PORT/"), {}),
        (curl("curl -f https://localhost:8000/health"), {}),
        (curl("curl -f http://elsewhere:8000/health"), {}),
        (curl("curl -fH Host:x http://localhost:8000/health"), {}),
        (curl("curl -X POST http://localhost:8000/health"), {}),
        (curl("curl -u a:b http://localhost:8000/health"), {}),
        ({**curl("curl http://localhost/up"), "network_mode": "none"}, {}),
        ({"healthcheck": {"test": "curl http://localhost/up", "disable": "true"}}, {}),
        ({"healthcheck": {"test": "python -c \"urlopen('http://localhost:9/up')\""}}, {"port": 9, "health": "/up"}),
        ({"image": "grafana/grafana:11"}, {"port": 3000, "health": "/api/health", "data": "home"}),
        ({"image": "${DB:-docker.io/library/postgres:16}@sha256:ab"}, {"data": "home"}),
        ({"image": "x", "volumes": ["rows:/rows:ro"]}, {"data": "home"}),
        ({"image": "x", "volumes": [{"type": "volume", "source": "rows", "target": "/rows"}]}, {"data": "home"}),
        ({"image": "x", "volumes": ["./conf:/conf", "/rows", "$HOME:/h"]}, {}),
        ({"image": "x", "ports": ["127.0.0.1:8080:5000"]}, {"port": 5000}),
        ({"image": "x", "ports": ["8080:5000/udp", "9100-9200:9100-9200"]}, {}),
        ({"image": "x", "ports": [{"target": "80", "published": "81"}]}, {"port": 80}),
        ({"image": "x", "ports": ["22:22"]}, {}),
        ({"image": "acme/weather-mcp:1", "ports": ["9100"]}, {"port": 9100, "mcp": "/mcp"}),
        ({"image": "x", "labels": {"mcp.server": "true"}, "expose": ["9100"]}, {"port": 9100, "mcp": "/mcp"}),
        ({"image": "x", "environment": ["MCP_PORT=7000"]}, {"port": 7000, "mcp": "/mcp"}),
        ({"image": "acme/weather-mcp:1", "ports": ["1:1", "2:2"]}, {}),
        ({"image": "postgres", "labels": ["mcp=1"], "expose": ["5432"]}, {"data": "home"}),
        ({"image": "x", "x-slipway": None, "volumes": ["rows:/rows"]}, {}),
        ({"image": None, "ports": None, "volumes": "", "environment": None, "healthcheck": None, "labels": None}, {}),
    ],
)
def test_each_field_comes_from_what_the_service_says(spec, fields):
    found = propose({"a": spec})
    assert (dict(found["a"].fields) if found else {}) == fields


def test_what_cannot_be_apart_from_state_goes_home_with_it_or_stays_where_it_is_said_to_be():
    tied = {"db": {"image": "postgres"}, "tool": {"image": "x", "network_mode": "service:db"}, "other": {"image": "x"}}
    assert propose(tied).keys() == {"db", "tool"}
    tied["tool"]["x-slipway"] = {"port": "1"}
    assert not propose(tied)
    tied["tool"]["x-slipway"] = {"data": "home"}
    assert propose(tied).keys() == {"db"}
    tied["other"] = {"image": "x", "links": ["db"], "x-slipway": {"port": "1"}}  # on neither side could db stay
    assert not propose(tied)


def test_services_that_share_a_volume_are_at_home_together():
    found = propose({"a": {"image": "x", "volumes": ["v:/v"]}, "b": {"image": "y", "volumes": ["v:/w:ro"]}})
    assert {name: dict(one.fields) for name, one in found.items()} == {"a": {"data": "home"}, "b": {"data": "home"}}


def test_what_only_a_person_knows_stands_as_a_comment_and_the_block_is_what_a_release_reads():
    one = propose({"a": {**curl("curl http://localhost:8000/up"), "ports": ["80:8000"]}})["a"]
    written = "\n".join(one.block(2))
    assert read_extension("a", yaml.safe_load(written)["x-slipway"]).probed
    assert "# expose: {host: www.example.com, port: 8000}" in written
    assert "# workflow:" in written
    for ask in one.asks:
        read_extension("a", {"port": 8000} | yaml.safe_load(ask.removeprefix("# ")))


def test_state_that_nobody_speaks_of_is_named():
    services = {"a": {"image": "x", "volumes": ["/srv:/srv", "/etc/x:/x:ro"]}, "b": {"image": "postgres"}}
    assert unsaid_state(services, propose(services)) == {"a": ("/srv",)}


@pytest.mark.parametrize("reference", ["postgres", "docker.io/pgvector/pgvector:pg16", "host:5000/a/MariaDB@sha256:0"])
def test_a_known_image_is_known_from_any_registry(reference):
    assert known_image(reference).keeps


@pytest.mark.parametrize("reference", ["", "postgres-exporter", "acme/server:1", "$IMAGE", ":", "@"])
def test_an_image_is_not_taken_for_another(reference):
    assert known_image(reference) is None


def test_the_ci_is_that_of_the_remote():
    kinds = {
        "git@gitlab.com:a/b": "gitlab",
        "https://gitlab.example.com/a/b": "gitlab",
        "https://github.com/a/gitlab": "github",
    }
    assert {remote: ci_kind(remote) for remote in kinds} == kinds


def test_the_settings_are_toml_with_one_destination():
    assert tomllib.loads(starting_settings()) == {
        "version": 1,
        "destinations": {"production": {"droplet": "production"}},
    }
