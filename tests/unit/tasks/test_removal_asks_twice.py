"""What an engine lists as ours is asked for its label again before it is removed, whatever the filter let through."""

import json
import logging
from subprocess import CompletedProcess
from types import SimpleNamespace

import pytest

from flows.core.droplet.docker_commands import PROJECT_LABEL
from flows.settings import Settings
from flows.tasks.deploy import steps
from flows.tasks.prune import build_host
from tests.support.builders import container

pytestmark = pytest.mark.unit


@pytest.fixture
def droplet(monkeypatch):
    """A deployment of shop; every argv that its droplet was given."""
    monkeypatch.setattr(steps, "get_run_logger", lambda: logging.getLogger("test"))
    ran: list[list[str]] = []
    session = SimpleNamespace(run=lambda argv, **_more: ran.append(argv))
    release = SimpleNamespace(stack="shop")
    return SimpleNamespace(session=session, release=release, settings=Settings(), ran=ran)


def test_only_containers_with_the_stacks_label_are_removed(droplet, caplog):
    ours = container("old", labels=((PROJECT_LABEL, "shop"),))
    theirs = [container("web", labels=((PROJECT_LABEL, "billing"),)), container("none")]
    steps.remove_orphans.fn(droplet, [ours, *theirs])
    assert [argv[-1] for argv in droplet.ran] == [ours.id, ours.id]
    assert not {one.id for one in theirs} & {word for argv in droplet.ran for word in argv}
    assert "shop-web-1 is not of stack shop by its label, and stays" in caplog.text


def test_where_none_is_ours_nothing_is_run(droplet):
    steps.remove_orphans.fn(droplet, [container("none")])
    assert droplet.ran == []


@pytest.mark.parametrize(
    ("entry", "left_out"),
    [
        ({"Id": "sha256:a", "RepoTags": [], "Config": {"Labels": {PROJECT_LABEL: "shop"}}}, False),
        ({"Id": "sha256:a", "RepoTags": [], "Config": {"Labels": {PROJECT_LABEL: "billing"}}}, True),
        ({"Id": "sha256:a", "RepoTags": [], "Config": {"Labels": None}}, True),
        ({"Id": "sha256:a", "RepoTags": ["shop:1"], "Config": {"Labels": {PROJECT_LABEL: "shop"}}}, True),
    ],
    ids=["ours", "another stack's", "nobody's", "tagged"],
)
def test_an_engine_that_lists_images_of_others_is_not_told_to_prune_by_that_filter(monkeypatch, entry, left_out):
    ran = []

    def run(argv, _env, _timeout=60.0):
        ran.append(" ".join(argv[1:3]))
        said = {"image ls": "sha256:a\t<none>@<none>\t1MB\n", "image inspect": json.dumps([entry])}
        return CompletedProcess(argv, 0, said.get(ran[-1], "Total reclaimed space: 0B"), "")

    monkeypatch.setattr(build_host, "run", run)
    monkeypatch.setattr(build_host, "engine_environment", lambda _settings: {})
    said = build_host.free_build_host("shop", Settings())
    assert ("image prune" in ran) is not left_out
    assert ("was left out: the engine lists images of others" in said[0]) is left_out
    assert "builder prune" in ran
