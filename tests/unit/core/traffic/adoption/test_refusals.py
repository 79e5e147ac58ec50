"""What stands against an adoption: each reason is named, before anything is changed."""

import re

import pytest

from flows.core.errors import CannotAdopt, UnreadableAnswer
from flows.core.traffic.adoption.copying import FoundPath
from flows.core.traffic.adoption.project import OldProject, project_script, read_project
from flows.core.traffic.adoption.refusals import refuse_adoption
from tests.support.adoption.droplet import adopted_release, beside, bind_mount, entry, identity, volume_mount
from tests.support.hostile.changes import in_sections

pytestmark = pytest.mark.unit

PARTS = ("shop-home", "shop-green", "shop-blue")
NAMELESS = "c" * 64
WEB = entry("web", directory="/srv/shop")


def volume(name: str, key: str = "db", **more) -> dict:
    return {"Name": name, "Labels": {"com.docker.compose.volume": key}, **more}


def project(*containers: dict, **said) -> OldProject:
    """What is read of a project with these containers."""
    printed = in_sections({"containers": list(containers), "volumes": [], "edge": identity("e"), **said})
    return read_project(printed, "shop", PARTS)


def database(*mounts: dict, **more) -> dict:
    return entry("db", directory="/srv/shop", mounts=list(mounts), **more)


def refused(found: OldProject, release=None, copies=()) -> str:
    with pytest.raises(CannotAdopt) as raised:
        refuse_adoption("prod", found, release or adopted_release(), PARTS, copies)
    assert raised.value.exit_code == 2
    assert "Nothing was changed" in str(raised.value)
    return str(raised.value)


def test_what_is_as_the_release_says_is_not_refused():
    mounts = [volume_mount("shop_db"), bind_mount("/srv/shop/uploads/a"), bind_mount("/etc/localtime")]
    found = project(database(*mounts), WEB, volumes=[volume("shop_db")])
    assert refuse_adoption("prod", found, adopted_release(), PARTS) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (project(database(volume_mount("old_db")), volumes=[volume("old_db")]),
         r"db keeps its data in volume old_db, and the release's are shop_db\. Name it in the compose file, volumes: "
         r"\{db: \{name: old_db\}\}"),
        (project(database(volume_mount(NAMELESS, "/var/lib")), volumes=[volume(NAMELESS, "")]),
         r"db keeps something at /var/lib in a volume without a name"),
        (project(database(volume_mount("shop_db")), volumes=[
            volume("shop_db", Options={"o": "bind", "device": "/srv/shop/data"})]),
         "stands on /srv/shop/data, a directory of the project"),
        (project(database(bind_mount("/srv/shop/elsewhere"))), "db writes to /srv/shop/elsewhere, and the release"),
        (project(entry("web", directory="/srv/shop", mounts=[volume_mount("shop_cache")])),
         r"web writes to volume shop_cache, and the release does not say where that lives"),
        (project(entry("web", mounts=[bind_mount("/data")])), "web writes to /data"),
        (project(WEB, entry("legacy")), r"legacy runs, and the release has no such service\. Stop it"),
        (project(WEB, entry("web", name="shop-web-run-1", one_off="True")), "shop-web-run-1 is no service"),
        (project(WEB, entry("db", removes_itself=True)), "shop-db-1 is no service"),
        (project(entry("web", state="exited")), r"no container of a project shop runs there.*docker compose ls"),
        (project(), r"no container of a project shop runs there"),
        (project(WEB, neighbours="shop-green"), "shop-green runs there already, beside it"),
        (OldProject("shop-green"), "shop-green is a part of the stack itself"),
        (project(WEB, edge=""), r"no edge that could serve shop\.example\.com.*slipway edge setup prod --stack shop"),
    ],
)  # fmt: skip
def test_each_reason_is_named(found, words):
    assert re.search(words, refused(found))


@pytest.mark.parametrize(
    ("release", "words"),
    [
        (adopted_release(side_by_side=None), "it was built by an earlier version"),
        (adopted_release(side_by_side=beside(volumes={"cache": "shop_cache"}), unsaid=("web (volume cache at /c)",)),
         "web writes to volume shop_cache"),
    ],
)  # fmt: skip
def test_a_release_that_says_too_little_is_refused(release, words):
    assert words in refused(project(entry("web", mounts=[volume_mount("shop_cache")])), release)


def test_what_each_colour_has_of_its_own_is_no_reason():
    found = project(database(volume_mount("shop_db")), entry("web", mounts=[volume_mount("shop_cache")]))
    release = adopted_release(side_by_side=beside(volumes={"cache": "shop_cache"}))
    assert refuse_adoption("prod", found, release, PARTS) is None


def test_an_empty_volume_without_a_name_and_one_that_is_only_read_are_no_reasons():
    nameless, read = volume_mount(NAMELESS), {**volume_mount("shop_conf"), "RW": False}
    found = project(database(nameless), entry("web", mounts=[read]), volumes=[volume(NAMELESS, "")], empty=NAMELESS)
    assert refuse_adoption("prod", found, adopted_release(), PARTS) is None


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        (FoundPath("/srv/a", 9_000_000, 5_000_000, False), "/srv/a has 9.0 MB, and there is room for 5.0 MB"),
        (FoundPath("/srv/a", None, None, True), "/srv/a holds what belongs to other users"),
    ],
)
def test_what_cannot_be_copied_is_refused(copy, words):
    assert words in refused(project(WEB), copies=[copy])


def test_all_reasons_are_told_at_once():
    told = refused(project(database(volume_mount("old_db")), entry("legacy")), adopted_release(side_by_side=None))
    assert all(words in told for words in ("old_db", "legacy", "earlier version"))


@pytest.mark.parametrize(
    "said",
    [
        {"containers": [{**WEB, "Id": "short"}]},
        {"containers": [{**WEB, "Name": "/a b"}]},
        {"containers": {"a": 1}},
        {"containers": [WEB] * 501},
        {"containers": [entry("web", restart="sometimes")]},
        {"networks": "n shop_default"},
        {"networks": f"{identity('n')} a\tb"},
    ],
)
def test_an_answer_that_no_engine_gives_is_not_gone_by(said):
    with pytest.raises(UnreadableAnswer):
        read_project(in_sections(said), "shop", PARTS)


def test_a_project_is_read_with_its_restart_policies_ports_and_networks():
    ports = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostPort": "81"}], "9/tcp": None}
    found = project(
        entry("web", restart="on-failure", retries=3, ports=ports), entry("job", restart="", state="exited"),
        networks=f"{identity('n')} shop_default", edge=identity("e"),
    )  # fmt: skip
    job, web = found.containers
    assert (web.restart, job.restart) == ("on-failure:3", "no")
    assert web.ports == ("127.0.0.1:8080:80/tcp", "81:80/tcp")
    assert (found.running, found.networks, found.edge) == ((web,), {identity("n"): "shop_default"}, True)


def test_looking_at_a_project_starts_stops_and_writes_nothing():
    script = project_script("shop", PARTS)
    assert set(re.findall(r"\bdocker (\w+(?: \w+)?)", script)) <= {
        "ps", "inspect", "volume inspect", "network ls",
    }  # fmt: skip
    assert ">" not in script.replace("{{.", "")
