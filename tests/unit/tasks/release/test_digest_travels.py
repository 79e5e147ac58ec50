"""What is approved is what is deployed: a release's digest travels from the build to the droplet, and a tag is resolved
once, before anybody is asked."""

import importlib
import logging
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from blocks.traffic.state import SwitchState
from flows.core.errors import ConflictingOptions
from flows.core.insight.stability.condition import Stability

pytestmark = pytest.mark.unit
WANTED = ("shop", "v1", "registry")
DIGEST = f"sha256:{'d' * 64}"
PUBLISHED = SimpleNamespace(release=SimpleNamespace(stack="shop", tag="v1"), digest=DIGEST, seconds=1.0)
FETCHED = SimpleNamespace(release=SimpleNamespace(stack="shop", tag="v1"), files=None, digest=DIGEST)


class Played:
    """A flow whose steps only write down what they were given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, *others: str) -> None:
        self.module = importlib.import_module(f"flows.{name}")
        self.modules = [self.module, *(importlib.import_module(f"flows.{other}") for other in others)]
        self.steps: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self._monkeypatch = monkeypatch
        self.has(block_cache=nullcontext, stack_name=lambda name: name, load_environment=lambda *_: None)
        self.has(load_registry=lambda _: "registry", load_droplet=lambda name: SimpleNamespace(name=name))

    def has(self, **parts: Any) -> None:
        for name, part in parts.items():
            for module in self.modules:
                self._monkeypatch.setattr(module, name, part, raising=False)

    def notes(self, **results: Any) -> None:
        for name, result in results.items():
            self.has(**{name: self._noting(name, result)})

    def _noting(self, name: str, result: Any):
        def step(*given: Any, **named: Any) -> Any:
            self.steps.append((name, given, named))
            return result

        return step

    @property
    def order(self) -> list[str]:
        return [name for name, _, _ in self.steps]

    def given(self, name: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        [found] = [(given, named) for step, given, named in self.steps if step == name]
        return found


@contextmanager
def _target(*_words: object):
    yield SimpleNamespace()


TARGET = SimpleNamespace(
    name="green", stack="shop", directory="d", droplet="droplet", locked=_target, connected=_target
)


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    monkeypatch.setenv("SLIPWAY_HOME", "home")


def test_release_deploys_the_digest_that_it_published(monkeypatch):
    flow = Played(monkeypatch, "release")
    done = SimpleNamespace(seconds=1.0)
    flow.notes(build_push=PUBLISHED, deploy=done, validate=done, prune_best_effort=None, table=None, release_rows=[])
    flow.has(connected=lambda _: nullcontext(), Target=SimpleNamespace(of=lambda *_: TARGET))
    flow.has(rollback_on_failure=lambda _: nullcontext(SimpleNamespace()))
    flow.module.release.fn(stack="shop")
    assert flow.given("deploy")[1]["digest"] == DIGEST


def test_release_promotes_the_digest_that_it_published(monkeypatch):
    flow = Played(monkeypatch, "release")
    flow.notes(build_push=PUBLISHED, promote_flow=None)
    flow.has(open_switch=lambda _: nullcontext(), read_switch=lambda _: SwitchState(("green",)))
    flow.has(connected=lambda _: nullcontext(), approval_mode=lambda *_: "never", load_colours=lambda *_: {})
    flow.module.release.fn(stack="shop", promote=True)
    assert flow.given("promote_flow")[1]["digest"] == DIGEST


def test_deploy_fetches_by_the_digest_and_hands_on_what_it_fetched(monkeypatch):
    flow = Played(monkeypatch, "deploy")
    flow.notes(fetch_release=FETCHED, deploy_release=None)
    flow.has(confirmed=lambda *_given, **_how: nullcontext())
    flow.module.deploy.fn("v1", stack="shop", droplet="green", digest=DIGEST)
    assert (flow.given("fetch_release")[0][:3], flow.given("fetch_release")[1]["digest"]) == (WANTED, DIGEST)
    assert flow.given("deploy_release")[0][1] is FETCHED


def test_deploy_home_fetches_once_before_it_asks_and_puts_that_there(monkeypatch):
    flow = Played(monkeypatch, "deploy_home")
    flow.notes(fetch_release=FETCHED, ask_for_approval=None, deploy_release=None, validate=None)
    flow.has(Target=SimpleNamespace(data_home=lambda **_: TARGET), _question=lambda _target, release: release)
    flow.has(approval_mode=lambda *_: "always", rollback_on_failure=lambda _: nullcontext(SimpleNamespace()))
    flow.module.deploy_home.fn("v1", stack="shop", digest=DIGEST)
    assert flow.order == ["fetch_release", "ask_for_approval", "deploy_release", "validate"]
    assert (flow.given("fetch_release")[0][:3], flow.given("fetch_release")[1]["digest"]) == (WANTED, DIGEST)
    assert flow.given("ask_for_approval")[0][0] is FETCHED.release
    assert flow.given("deploy_release")[0] == ("droplet", FETCHED)


def test_promote_fetches_by_the_digest_and_deploys_that_to_every_droplet(monkeypatch):
    flow = Played(monkeypatch, "promote", "deploy")
    colours = SimpleNamespace(targets=(TARGET, TARGET), colour="blue", stack="shop")
    flow.notes(fetch_release=FETCHED, validate=None)
    flow.has(open_switch=lambda _: nullcontext(SimpleNamespace()), prepare_switch=lambda _: None)
    flow.has(refuse_silent_switch=lambda *_: None, sleeping_again=lambda *_: nullcontext())
    flow.has(read_switch=lambda _: SwitchState(("green",)), finish_switch=lambda _: None)
    flow.has(load_colours=lambda *_: {"blue": colours, "green": colours}, connected=lambda _: nullcontext())
    flow.has(lock_colours=lambda *_, **__: nullcontext(), refuse_release=lambda *_: None)
    flow.has(read_states_if_reachable=lambda _: [], approval_mode=lambda *_: "never")
    flow.has(rollback_on_failure=lambda _: nullcontext(SimpleNamespace()))
    put = []

    def deploy_release(_droplet: object, fetched: object, **_more: object) -> None:
        put.append(fetched)
        if len(put) == 2:
            raise RuntimeError("enough")

    flow.has(deploy_release=deploy_release)
    with pytest.raises(RuntimeError, match="enough"):
        flow.module.promote.fn(stack="shop", tag="v1", digest=DIGEST)
    assert (flow.given("fetch_release")[0][:3], flow.given("fetch_release")[1]["digest"]) == (WANTED, DIGEST)
    assert put == [FETCHED, FETCHED]
    with pytest.raises(ConflictingOptions, match="give its --tag"):
        flow.module.promote.fn(stack="shop", digest=DIGEST)


def test_a_rehearsal_fetches_once_before_it_asks_and_puts_that_there(monkeypatch):
    flow = Played(monkeypatch, "rehearse")
    stability = Stability("v1", 9.0, 3, 3, 0, 0, ())
    flow.notes(fetch_release=FETCHED, ask_for_approval=None)
    flow.has(remove_left=lambda *_, **__: [], _active=lambda *_: ("green", stability), _costs=lambda *_: [])
    flow.has(approval_mode=lambda *_: "always", rehearsal_lock=lambda _: nullcontext())
    flow.has(get_run_logger=lambda: logging.getLogger("test"))
    flow.has(Target=SimpleNamespace(of=lambda *_: TARGET))
    put = []

    def deploy_release(_droplet: object, fetched: object, **_more: object) -> None:
        put.append(fetched)
        raise RuntimeError("enough")

    flow.has(deploy_release=deploy_release)
    flow.has(snapshot=lambda **_: SimpleNamespace(snapshot=SimpleNamespace(name="s", id="1")))
    flow.has(provision=lambda **_: SimpleNamespace(address="a", engine="e"))
    flow.has(runtime=SimpleNamespace(flow_run=SimpleNamespace(id="run")))
    with pytest.raises(RuntimeError, match="enough"):
        flow.module.rehearse.fn(stack="shop")
    assert flow.order == ["fetch_release", "ask_for_approval"]
    assert put == [FETCHED]
