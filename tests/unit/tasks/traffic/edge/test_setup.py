"""An edge is put on a droplet by an image's digest; twice changes nothing, an upgrade keeps all and costs no outage."""

import httpx
import pytest

from flows.core.errors import BadEdge, EdgeNotReady, PortTaken, SiteRefused
from flows.core.traffic.edge.places import READY, EdgeDirectory
from flows.core.traffic.edge.setup_scripts import put_edge_script, start_edge_script
from flows.tasks.traffic.edge import setup
from tests.support import assert_good_shell
from tests.support.builders import digest

pytestmark = pytest.mark.unit
OLD, NEW = (f"caddy@{digest(letter)}" for letter in "ab")


@pytest.fixture(autouse=True)
def answers(monkeypatch):
    """What the edge says at port 80."""
    said = [READY]
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, text=said[0]))
    monkeypatch.setattr(setup, "http_client", lambda *_args, **_more: httpx.Client(transport=transport))
    monkeypatch.setattr(setup, "_ANSWER", 0.0)
    return said


def known(droplet, image, at="upstream"):
    (droplet.place / at).write_text(f'["{image}"]')


def run(droplet, *args, **more):
    done = setup.setup_edge.fn(droplet, droplet.directory, *args, **more)
    (droplet.place / "running").write_text(done.image)
    return done


@pytest.fixture
def edge(droplet):
    """A droplet with an edge of the first image."""
    known(droplet, OLD)
    run(droplet, "caddy:2")
    droplet.docker_was_asked()
    return droplet


def test_an_edge_is_put_there_by_digest_and_told_what_its_version_knows(droplet):
    known(droplet, OLD)
    done = run(droplet, "caddy:2", email="a@example.com")
    assert (done.image, done.version, done.before, done.changed) == (OLD, "2.8.4", "", True)
    assert len(droplet.containers()) == 1
    told = (droplet.edge / "config/Caddyfile").read_text()
    assert "stream_close_delay" in told
    assert "email a@example.com" in told
    assert OLD in (droplet.edge / "compose.yml").read_text()
    assert (droplet.edge / "data").stat().st_mode & 0o777 == 0o700
    assert droplet.docker_was_asked("tag")


def test_a_second_time_changes_nothing_and_keeps_the_image_that_is_there(edge):
    known(edge, NEW)
    before = edge.containers()
    done = run(edge)
    assert (done.image, done.changed) == (OLD, False)
    assert edge.containers() == before
    assert [line for line in edge.docker_was_asked() if line.split()[0] in ("pull", "compose", "exec", "stop")] == []


def test_what_was_told_before_is_kept_and_what_is_told_now_is_put_in_force_by_a_reload(edge):
    before = edge.containers()
    assert run(edge, tls="internal", email="a@example.com").changed
    assert edge.docker_was_asked("exec", "reload")
    assert not run(edge).changed
    told = (edge.edge / "config/Caddyfile").read_text()
    assert ("local_certs" in told, "email a@example.com" in told) == (True, True)
    assert edge.containers() == before


def test_another_image_starts_beside_the_old_one_which_ends_when_it_serves(edge):
    (edge.edge / "data/certificate").write_text("kept")
    (edge.edge / "state/shop").mkdir()
    (edge.edge / "state/shop/green").touch()
    known(edge, NEW)
    done = run(edge, "caddy:2")
    assert (done.image, done.before, done.changed) == (NEW, OLD, True)
    calls = [line.split() for line in edge.docker_was_asked()]
    order = [words[0] for words in calls if words[0] in ("compose", "logs", "stop", "rm")]
    assert order == ["compose", "logs", "stop", "rm"]
    assert next(words for words in calls if words[0] == "compose")[-3:] == ["--no-recreate", "--scale", "caddy=2"]
    assert list(edge.containers()) == ["2"]
    assert (edge.edge / "data/certificate").read_text() == "kept"
    assert (edge.edge / "state/shop/green").exists()


def test_an_image_that_does_not_serve_leaves_the_old_one_where_it_is(edge, monkeypatch):
    known(edge, NEW)
    (edge.place / "never-serves").touch()
    (edge.place / "sleep").write_text("#!/bin/sh\n")
    (edge.place / "sleep").chmod(0o755)
    monkeypatch.setattr(setup, "_SERVES", 1)
    before = edge.containers()
    with pytest.raises(EdgeNotReady, match=rf"does not start from {NEW}: panic\..* --image {OLD}"):
        run(edge, "caddy:2")
    assert edge.containers() == before


def test_one_that_was_killed_between_the_two_containers_is_finished_by_the_next(edge):
    [mark] = edge.containers().values()
    (edge.place / "containers/0").write_text("an older one")
    assert not run(edge).changed
    assert edge.containers() == {"1": mark}


def test_an_edge_that_was_removed_by_hand_is_started_again(edge):
    (edge.place / "containers/1").unlink()
    assert run(edge, OLD).changed
    assert len(edge.containers()) == 1


def test_sites_that_the_new_image_refuses_are_refused_before_anything_is_changed(edge):
    (edge.edge / "config/sites/shop.caddy").write_text("BROKEN")
    known(edge, NEW)
    before = (edge.edge / "compose.yml").read_text()
    with pytest.raises(SiteRefused, match=r"refuses the edge's configuration: Error: adapting .*Nothing was changed"):
        run(edge, "caddy:2")
    assert (edge.edge / "compose.yml").read_text() == before
    assert list(edge.containers()) == ["1"]


def test_an_image_that_cannot_be_had_is_refused(droplet):
    with pytest.raises(BadEdge, match=r"cannot pull 'caddy:2': Error: manifest unknown\. Nothing was changed"):
        run(droplet)
    assert not droplet.edge.exists()


def test_an_image_that_only_the_droplet_has_is_refused(droplet):
    known(droplet, "built-here", "digests")
    with pytest.raises(BadEdge, match="by no digest"):
        run(droplet, "caddy:2")
    assert not droplet.edge.exists()


def test_an_edge_that_does_not_answer_is_told_so(droplet, answers):
    known(droplet, OLD)
    answers[0] = "It works!"
    with pytest.raises(EdgeNotReady, match=r"does not answer at port 80: It works!"):
        run(droplet)


def test_ports_of_somebody_else_are_refused_before_anything_is_pulled(droplet, monkeypatch):
    known(droplet, OLD)
    monkeypatch.setattr(setup, "refuse_taken_ports", _refuse)
    with pytest.raises(PortTaken):
        run(droplet)
    assert not droplet.docker_was_asked("pull")


def _refuse(_view, droplet):
    raise PortTaken(droplet)


def test_the_scripts_are_good_shell():
    at = EdgeDirectory("/opt/slipway")
    for argv in (put_edge_script(at, OLD, "{}", ""), start_edge_script(at, "m", 1)):
        assert_good_shell(argv[2])
