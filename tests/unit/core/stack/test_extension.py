"""`x-slipway`: what fits becomes a model, what does not is refused with service and field."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import BadExtension
from flows.core.stack.extension import Extension, read_extension

pytestmark = pytest.mark.unit


def test_a_service_that_says_nothing_is_not_probed():
    assert not read_extension("web", None).probed
    assert read_extension("web", {"data": "home"}) == Extension(data="home")


def test_a_full_extension_is_read():
    said = {
        "port": 8000,
        "health": "/health",
        "mcp": {"path": "/tools", "tools": ["search"], "minimum": 3},
        "workflow": {"post": "/run", "body": {"n": 1}, "expect": "task.id", "timeout": 5, "traced": False},
    }
    extension = read_extension("web", said)
    assert extension.probed
    assert (extension.port, extension.mcp.tools, extension.mcp.minimum) == (8000, ("search",), 3)
    assert (extension.workflow.method, extension.workflow.path) == ("POST", "/run")


def test_an_mcp_path_may_stand_alone():
    assert read_extension("web", {"mcp": "/mcp/v2"}).mcp.path == "/mcp/v2"
    assert read_extension("web", {"mcp": {}}).mcp.path == "/mcp"


def test_a_workflow_may_be_a_get():
    workflow = read_extension("web", {"workflow": {"get": "/tools", "expect": "tools"}}).workflow
    assert (workflow.method, workflow.path) == ("GET", "/tools")


BAD = {
    "unknown field": ({"helth": "/health"}, "x-slipway.helth: Extra inputs are not permitted"),
    "no mapping": ([], "x-slipway: Input should be"),
    "path without slash": ({"health": "health"}, "x-slipway.health: String should match"),
    "path with a space": ({"health": "/a b"}, "x-slipway.health: String should match"),
    "path with a line break at its end": ({"health": "/a\n"}, "x-slipway.health: String should match"),
    "port too high": ({"port": 65536}, "x-slipway.port: Input should be less than or equal to 65535"),
    "unknown home": ({"data": "away"}, "x-slipway.data: Input should be 'home', 'disposable' or 'per-colour'"),
    "tools that are no list": ({"mcp": {"tools": "search"}}, "x-slipway.mcp.tools: Input should be a valid tuple"),
    "nothing expected": ({"workflow": {"get": "/a"}}, "x-slipway.workflow.expect: Field required"),
    "an empty name expected": ({"workflow": {"get": "/a", "expect": ""}}, "x-slipway.workflow.expect: "),
    "no method": ({"workflow": {"expect": "a"}}, "x-slipway.workflow: needs either `post: /path` or `get: /path`"),
    "two methods": ({"workflow": {"get": "/a", "post": "/a", "expect": "a"}}, "x-slipway.workflow: needs either"),
    "get with a body": (
        {"workflow": {"get": "/a", "body": {}, "expect": "a"}},
        "x-slipway.workflow: `body` goes with `post`",
    ),
    "a body that JSON has no words for": (
        {"workflow": {"post": "/a", "expect": "a", "body": {"day": date(2026, 5, 4)}}},
        "x-slipway.workflow.body: cannot be sent as JSON (Object of type date is not JSON serializable). Quote it",
    ),
    "endless probe": ({"workflow": {"get": "/a", "expect": "a", "timeout": 601}}, "x-slipway.workflow.timeout: "),
}


@pytest.mark.parametrize(("value", "words"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_with_service_and_field(value, words):
    with pytest.raises(BadExtension) as error:
        read_extension("web", value)
    assert str(error.value).startswith(f"service web: {words}")
    assert str(error.value).endswith("What x-slipway may hold: docs/STACK.md")


@pytest.mark.parametrize("host", ["shop.example.com", "localhost:8000", "[::1]:8000", "10.0.0.1"])
def test_a_host_is_a_name_or_an_address(host):
    assert read_extension("web", {"host": host}).host == host


@pytest.mark.parametrize("host", ["", "http://shop", "a b", "shop/", "shop\r\nX-Y: z"])
def test_what_is_no_host_is_refused(host):
    with pytest.raises(BadExtension, match=r"x-slipway\.host: "):
        read_extension("web", {"host": host})


@pytest.mark.parametrize(
    ("said", "allow"), [({"mounts_source": True}, ("source",)), ({"mounts_source": False}, ()), ({}, ())]
)
def test_the_spelling_of_version_0_1_is_read(said, allow):
    assert read_extension("web", said).allow == allow


@pytest.mark.parametrize("value", ["no", None, 1])
def test_the_older_spelling_takes_nothing_but_yes_and_no(value):
    with pytest.raises(BadExtension, match="`mounts_source` is true or false"):
        read_extension("web", {"mounts_source": value})


def test_every_fault_is_named_at_once():
    with pytest.raises(BadExtension, match=r"x-slipway\.port: .*; x-slipway\.data: "):
        read_extension("web", {"port": 0, "data": "away"})


@pytest.mark.parametrize(
    ("said", "before", "wanted", "expected"),
    [
        ({}, False, True, False),
        ({}, True, True, True),
        ({"traced": True}, False, True, True),
        ({"traced": False}, True, False, False),
    ],
    ids=["nothing said, never traced", "nothing said, traced before", "must be", "is not looked for"],
)
def test_a_trace_is_expected_where_the_stack_says_so_or_the_last_good_release_left_one(said, before, wanted, expected):
    probe = read_extension("web", {"workflow": {"get": "/a", "expect": "a", **said}}).workflow
    assert (probe.trace_wanted, probe.trace_expected(before)) == (wanted, expected)


fields = st.sampled_from([
    *("port", "health", "mcp", "workflow", "data", "host", "allow", "mounts_source"),
    *("path", "tools", "minimum", "post", "get", "body", "expect", "timeout", "traced"),
])  # fmt: skip
plain = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates(), st.binary(max_size=3)),
    st.sampled_from(["/a", "home", "/mcp"]),
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields | st.integers(), inner, max_size=5),
    max_leaves=12,
)
sendable = st.fixed_dictionaries(
    {"workflow": st.fixed_dictionaries({"post": st.just("/a"), "expect": st.just("a"), "body": values})}
)


@given(values | sendable)
def test_any_value_is_a_model_or_refused(value):
    try:
        extension = read_extension("web", value)
    except BadExtension:
        return
    body = extension.workflow.body if extension.workflow else None
    assert isinstance(json.dumps(body, allow_nan=False), str)
