"""A site is put in force once, when Caddy takes it; whatever it refuses, what was in force is."""

import pytest

from flows.core.errors import EdgeMissing, HostTaken, SiteRefused
from flows.core.traffic.edge.caddyfile import EdgeSettings
from flows.core.traffic.edge.places import EdgeDirectory
from flows.core.traffic.edge.site import EdgeRoute, Site
from flows.core.traffic.edge.site_scripts import mark_release_script, put_site_script
from flows.tasks.traffic.edge import sites
from tests.support import assert_good_shell

pytestmark = pytest.mark.unit


def site(stack="shop", port=1, host="a.example.com"):
    return Site(stack, {host: (EdgeRoute("/", {"green": (port,)}),)})


def put(droplet, given):
    return sites.put_site.fn(droplet, droplet.directory, given)


def files(droplet) -> set[str]:
    config = droplet.edge / "config"
    return {str(path.relative_to(config)) for path in config.rglob("*") if path.is_file()}


@pytest.fixture
def edge(droplet):
    """A droplet whose edge runs."""
    (droplet.edge / "config/sites").mkdir(parents=True)
    (droplet.edge / "config/Caddyfile").write_text(EdgeSettings().text())
    (droplet.place / "containers/1").write_text("m")
    (droplet.place / "running").write_text("caddy@sha256:1")
    return droplet


def test_a_site_is_asked_about_then_put_in_force_and_a_second_time_nothing_is_done(edge):
    assert put(edge, site()) is True
    asked = edge.docker_was_asked("exec")
    assert [line.split()[3] for line in asked] == ["validate", "reload"]
    assert "/etc/slipway-edge/trial/Caddyfile" in asked[0]
    assert (edge.edge / "config/sites/shop.caddy").read_text() == site().text()
    assert put(edge, site()) is False
    assert edge.docker_was_asked("exec") == []
    assert files(edge) == {"Caddyfile", "sites/shop.caddy"}


def test_a_site_that_differs_replaces_the_one_before_it_and_no_other(edge):
    put(edge, site("blog", host="b.example.com"))
    put(edge, site())
    assert put(edge, site(port=2)) is True
    assert (edge.edge / "config/sites/shop.caddy").read_text() == site(port=2).text()
    assert [entry.stack for entry in sites.read_edge.fn(edge, edge.directory).sites] == ["blog", "shop"]


def test_the_switch_finds_its_directory_once_a_site_is_there(edge):
    put(edge, site())
    assert (edge.edge / "state/shop").is_dir()
    assert sites.make_switch_place(edge, edge.directory, "blog") is None
    assert (edge.edge / "state/blog").is_dir()


def test_what_caddy_refuses_is_not_put_there_and_its_words_are_told(edge):
    put(edge, site())
    edge.docker_was_asked()
    with pytest.raises(
        SiteRefused, match=r"refuses the site of shop: Error: adapting .* in force still\. Look: slipway"
    ):
        put(edge, site("shop", host="BROKEN.example.com"))
    assert [line.split()[3] for line in edge.docker_was_asked("exec")] == ["validate"]
    assert (edge.edge / "config/sites/shop.caddy").read_text() == site().text()
    assert "config/unloaded" not in files(edge)
    assert put(edge, site()) is False


@pytest.mark.parametrize("before", [True, False])
def test_what_caddy_does_not_put_in_force_is_taken_back_and_put_in_force_by_the_next(edge, before):
    if before:
        put(edge, site())
    (edge.place / "reload-fails").touch()
    with pytest.raises(SiteRefused):
        put(edge, site(port=2))
    here = edge.edge / "config/sites/shop.caddy"
    assert (here.read_text() if here.exists() else None) == (site().text() if before else None)
    assert "unloaded" in files(edge)
    (edge.place / "reload-fails").unlink()
    edge.docker_was_asked()
    assert put(edge, site()) is True
    assert edge.docker_was_asked("reload")
    assert "unloaded" not in files(edge)


def test_what_was_written_and_not_put_in_force_by_one_that_was_killed_is_by_the_next(edge):
    put(edge, site())
    (edge.edge / "config/unloaded").touch()
    (edge.edge / "config/trial").mkdir()
    assert put(edge, site()) is True
    assert put(edge, site()) is False


def test_a_site_that_is_removed_is_served_no_longer(edge):
    put(edge, site())
    assert sites.remove_site.fn(edge, edge.directory, "shop") is True
    assert sites.remove_site.fn(edge, edge.directory, "shop") is False
    assert files(edge) == {"Caddyfile"}


def test_a_host_of_another_stack_is_refused_before_anything_is_written(edge):
    put(edge, site("blog"))
    with pytest.raises(HostTaken, match="the stack blog is served as"):
        put(edge, site("shop"))
    assert files(edge) == {"Caddyfile", "sites/blog.caddy"}


def test_without_an_edge_the_command_that_puts_one_there_is_told(droplet, edge):
    (edge.place / "containers/1").unlink()
    with pytest.raises(EdgeMissing, match="slipway edge setup prod"):
        put(edge, site())
    assert files(edge) == {"Caddyfile"}


def test_a_droplet_that_never_had_an_edge_has_none(droplet):
    with pytest.raises(EdgeMissing, match="no edge runs there"):
        put(droplet, site())
    assert not droplet.edge.exists()


def test_the_release_of_a_colour_has_one_name(droplet):
    at = droplet.edge / "state/shop/release/green"

    def mark(tag):
        return sites.mark_release.fn(droplet, droplet.directory, "shop", "green", tag)

    assert [mark("v1"), mark("v1"), mark("v2")] == [True, False, True]
    assert [one.name for one in at.iterdir()] == ["v2"]
    (at / "a-left-over").touch()
    assert mark("v2") is True
    assert [one.name for one in at.iterdir()] == ["v2"]


def test_the_scripts_are_good_shell():
    at = EdgeDirectory("/opt/slipway")
    for argv in (put_site_script(at, "shop"), mark_release_script(at, "shop", "green", "v1")):
        assert_good_shell(argv[2])
