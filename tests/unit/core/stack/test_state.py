"""Where state lives: a stack that keeps some and does not say where is not promoted."""

import pytest

from flows.core.errors import StateUndeclared
from flows.core.release.role import refuse_release
from flows.core.stack.state import refuse_undeclared, undeclared_state
from tests.support.builders import release, stack

pytestmark = pytest.mark.unit


def mount(kind: str = "volume", source: str = "data", **more) -> dict:
    return {"type": kind, "source": source, "target": "/data", **more}


def keeping(*mounts: dict, data: str | None = None):
    return stack({"db": {"volumes": list(mounts), **({"x-slipway": {"data": data}} if data else {})}, "web": {}})


@pytest.mark.parametrize(
    ("mounts", "words"),
    [
        ([mount()], r"keeps state in db \(volume data at /data\), and"),
        ([mount("bind", "/srv/x")], r"db \(/srv/x at /data\)"),
        ([mount("cluster", "net")], r"db \(net at /data\)"),
        ([mount(), mount("bind", "/srv/x"), mount("tmpfs", "")], r"\(volume data at /data, /srv/x at /data\)"),
        ([mount(source="")], r"db \(a volume without a name at /data\)"),
    ],
)
@pytest.mark.parametrize("home", ["", "home"])
def test_a_service_that_keeps_state_and_says_nothing_is_refused(mounts, words, home):
    with pytest.raises(StateUndeclared, match=words) as error:
        refuse_undeclared(keeping(*mounts), home)
    assert all(f"{{data: {choice}}}" in str(error.value) for choice in ("home", "disposable", "per-colour"))


@pytest.mark.parametrize(
    "mounts",
    [
        *([], [mount(read_only=True)], [mount("tmpfs", "")], [mount("bind", "/x", read_only=True)]),
        *([mount(source="", read_only=True)], [mount("image", "tools:1")]),
    ],
    ids=["none", "read-only volume", "memory", "read-only bind", "anonymous, read-only", "an image"],
)
def test_what_does_not_outlive_its_container_need_not_be_declared(mounts):
    assert refuse_undeclared(keeping(*mounts), "") is None


@pytest.mark.parametrize(("data", "home"), [("disposable", ""), ("per-colour", ""), ("home", "home")])
def test_a_service_that_says_where_its_state_lives_is_taken(data, home):
    assert refuse_undeclared(keeping(mount(), data=data), home) is None


def test_state_at_home_needs_a_home():
    with pytest.raises(
        StateUndeclared, match=r"db of stack shop keeps its state on the data home .*slipway deploy-home"
    ):
        refuse_undeclared(keeping(mount(), data="home"), "")


def test_a_volume_that_the_image_asks_for_must_be_declared_too():
    with pytest.raises(StateUndeclared, match=r"in db \(a volume without a name at /var/lib/db\), and"):
        refuse_undeclared(keeping(), "", {"db": ("/var/lib/db",)})
    assert undeclared_state(keeping(mount(source="")), {"db": ("/data", "/b")}) == (
        "db (a volume without a name at /b, a volume without a name at /data)",
    )
    assert refuse_undeclared(keeping(data="disposable"), "", {"db": ("/data",)}) is None


def test_every_silent_service_is_named():
    silent = stack({name: {"volumes": [mount()]} for name in ("b", "a")})
    with pytest.raises(StateUndeclared, match=r"in a \(volume .*\), b \(volume"):
        refuse_undeclared(silent, "")


def test_a_release_says_the_same_of_its_stack_before_it_is_put_anywhere():
    said = undeclared_state(keeping(mount()))
    with pytest.raises(StateUndeclared) as by_release:
        refuse_release(release(unsaid=said), "home")
    with pytest.raises(StateUndeclared) as by_stack:
        refuse_undeclared(keeping(mount()), "home")
    assert str(by_release.value) == str(by_stack.value)


def test_a_release_with_services_at_home_needs_one():
    refuse_release(release(home=("db",)), "home")
    with pytest.raises(StateUndeclared, match="db of stack shop keeps its state on the data home"):
        refuse_release(release(home=("db",)), "")
