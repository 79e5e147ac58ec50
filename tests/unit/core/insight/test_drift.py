"""Drift: the script really run in a directory that plays a droplet, and what is found when somebody changed it."""

import json
import os
from pathlib import Path

import pytest

from flows.core.droplet.directories import StackDirectory
from flows.core.insight.drift import (
    Drifted,
    DriftFinding,
    DropletDrift,
    drift_script,
    edge_drift,
    read_drift,
    switch_drift,
)
from flows.core.release.tree import Entry, dump_tree
from flows.core.stack.side_by_side.facts import Exposed, SideBySide
from flows.core.traffic.edge.view import EdgeView, SiteEntry
from tests.support import assert_good_shell
from tests.support.builders import HOST, pinned, record, release
from tests.support.fake_droplet import make_host

pytestmark = pytest.mark.unit

DOCKER = """\
#!/bin/sh
case "$1 $2" in
"ps --all") cat ids ;; "inspect --format") echo i ;; "inspect "*) cat containers ;; "image inspect") cat images ;;
esac
"""
WEB, JOB = pinned("web"), pinned("job", "b")
RELEASE = release(services={"web": WEB, "job": JOB})
CONFIG = f"name: shop\nservices:\n  web: {{image: {HOST}/web:1, restart: always}}\n  job: {{image: {HOST}/job:1}}\n"
TIME = 1_700_000_000


def container(service: str, state: str = "running", image: str = "1") -> dict:
    labels = {"service": service, "oneoff": "False"}
    named = {f"com.docker.compose.{name}": value for name, value in labels.items()}
    said = {"Id": service, "Name": f"/shop-{service}-1", "Image": f"sha256:{image}", "State": {"Status": state}}
    return {**said, "Config": {"Image": service, "Labels": named}}


WELL = (container("web"), container("job", "exited", "2"))


class Droplet:
    def __init__(self, place: Path) -> None:
        self.host = make_host(place)
        (place / "bin/docker").write_text(DOCKER)
        self.at = Path(self.host.home.release("v1.0"))
        self.runs(*WELL)

    def runs(self, *containers: dict) -> None:
        images = [{"id": "sha256:1", "digests": [WEB]}, {"id": "sha256:2", "digests": [JOB]}]
        (self.host.root / "ids").write_text(" ".join(one["Id"] for one in containers))
        (self.host.root / "containers").write_text(json.dumps(containers))
        (self.host.root / "images").write_text("\n".join(map(json.dumps, images)))

    def put(self, *anew: str, fails: str = "") -> None:
        files = self.at / "files"
        files.mkdir(parents=True)
        Path(self.host.home.current).symlink_to("releases/v1.0")
        (self.at / "release.json").write_bytes(RELEASE.document())
        (self.at / "config.yml").write_text(CONFIG)
        (self.at / "environment").write_text("MODE=fast\n")
        would = "".join(
            f" DRY-RUN MODE -  Container {name}  {word}\n" for name in anew for word in ("Recreate", "Recreated")
        )
        wanted = "up --no-start --dry-run --no-build --pull never"
        end = f"echo '{fails}' >&2; exit 15" if fails else ""
        (self.at / "compose").write_text(f'#!/bin/sh\n[ "$*" = "{wanted}" ] && printf "{would}"\n{end}\n')
        (self.at / "compose").chmod(0o755)
        tree = {"files": Entry("directory", 0o755)}
        for name in ("app.conf", "other.conf"):
            (files / name).write_text("first")
            (files / name).chmod(0o644)
            os.utime(files / name, (TIME, TIME))
            tree[f"files/{name}"] = Entry("file", 0o644, 5, "0" * 64, changed=TIME)
        (self.at / "tree.json").write_bytes(dump_tree(tree))
        history = Path(self.host.home.history)
        history.mkdir(parents=True)
        (history / record(1, "v1").file).write_bytes(record(1, "v1").document())

    def drift(self) -> DropletDrift:
        done = self.host.sh(drift_script(self.host.home))  # in the directory where `docker` finds what it prints
        assert done.returncode == 0, done.stderr
        return read_drift(done.stdout.decode(), self.host.home, "green")

    def found(self) -> list[tuple[str, str]]:
        return [(finding.kind, finding.what) for finding in self.drift().findings]


@pytest.fixture
def droplet(tmp_path, monkeypatch):
    made = Droplet(tmp_path)
    monkeypatch.chdir(tmp_path)
    return made


def test_what_is_as_it_was_put_there_has_no_drift(droplet):
    droplet.put()
    said = droplet.drift()
    assert (said.tag, said.findings, said.repairable) == ("v1", (), False)


def test_an_empty_droplet_has_none_and_one_with_strangers_of_the_project_has(droplet):
    droplet.runs()
    assert droplet.found() == []
    droplet.runs(*WELL)
    assert droplet.found() == [("containers", "job, web: run as project shop, and no release was put here")]
    assert not droplet.drift().repairable


def test_another_image_is_told(droplet):
    droplet.put()
    droplet.runs(container("web", image="2"), WELL[1])
    assert droplet.found() == [("containers", f"shop-web-1 runs {JOB}, not {WEB}")]
    assert droplet.drift().repairable


def test_a_service_that_ended_with_an_error_is_told_and_one_that_did_its_work_is_not(droplet):
    droplet.put()
    killed = container("job", "exited", "2")
    killed["State"]["ExitCode"] = 137
    droplet.runs(WELL[0], killed)
    assert droplet.found() == [("containers", "job ended with exit 137")]


def test_a_container_of_another_configuration_is_told_and_a_one_shot_would_be_run_again(droplet):
    droplet.put("shop-web-1", "shop-job-1", "1f_shop-other-1")
    assert droplet.found() == [
        ("configuration", "job was made from another configuration, and would be run again by the next `up`"),
        ("configuration", "web was made from another configuration, and would be made anew by the next `up`"),
    ]


def test_a_release_that_compose_cannot_read_any_more_is_told(droplet):
    droplet.put(fails="services.web is odd")
    assert droplet.found() == [("configuration", "Compose would not start the release any more: services.web is odd")]


def test_files_that_somebody_changed_removed_or_added_are_told_by_name(droplet):
    droplet.put()
    (droplet.at / "files/app.conf").write_text("other")
    (droplet.at / "files/other.conf").unlink()
    (droplet.at / "files/new.conf").write_text("mine")
    assert droplet.found() == [
        ("files", "changed by hand or gone: app.conf, other.conf"),
        ("files", "not of the release: new.conf"),
    ]


def test_the_script_changes_nothing_and_is_good_shell(droplet):
    droplet.put()
    before = sorted((path, path.lstat().st_mtime_ns) for path in droplet.host.path.rglob("*"))
    droplet.drift()
    assert sorted((path, path.lstat().st_mtime_ns) for path in droplet.host.path.rglob("*")) == before
    assert_good_shell(drift_script(StackDirectory("/opt/it's", "shop")), "SC2086", "SC2046")


EXPOSING = RELEASE.model_copy(
    update={"side_by_side": SideBySide(exposed={"web": Exposed(hosts=("a.example.com", "b.example.com"), port=80)})}
)


@pytest.mark.parametrize(
    ("view", "told"),
    [
        (EdgeView(), "no edge runs, so a.example.com, b.example.com is not served"),
        (EdgeView(image="caddy"), "the edge does not serve a.example.com, b.example.com"),
        (
            EdgeView(image="caddy", sites=(SiteEntry("shop", ("a.example.com",)),)),
            "the edge does not serve b.example.com",
        ),
        (
            EdgeView(
                image="caddy",
                sites=(SiteEntry("shop", ("a.example.com", "b.example.com"), releases={"green": "v0"}),),
            ),
            "the edge says release v0 of green, which runs v1",
        ),
    ],
    ids=["no edge", "no site", "a host is missing", "another release"],
)
def test_an_edge_that_does_not_serve_what_the_releases_expose_is_told(view, told):
    assert [finding.what for finding in edge_drift(view, "shop", {"green": EXPOSING})] == [told]


def test_where_nothing_is_exposed_no_edge_is_wanted():
    assert not list(edge_drift(EdgeView(), "shop", {"green": RELEASE}))


@pytest.mark.parametrize(
    ("active", "released", "told"),
    [
        (("green",), ("green", "blue"), []),
        ((), (), []),
        ((), ("green",), ["it points at neither colour"]),
        (("green", "blue"), ("green", "blue"), ["it points at green and blue"]),
        (("blue",), ("green",), ["it points at blue, where no release is"]),
    ],
)
def test_a_switch_leads_to_one_colour_that_has_a_release(active, released, told):
    assert [finding.what for finding in switch_drift(active, released)] == told


def test_what_was_put_right_is_no_drift_any_more():
    one = DropletDrift("green", RELEASE, (DriftFinding("files", "changed"),))
    assert Drifted("shop", (one,)).words == "1 differences on green for shop"
    mended = Drifted("shop", (one,), ("green",))
    assert (mended.left, mended.words) == ((), "Everything of shop is as it was put there; put right: green")
    assert mended.as_json()["droplets"]["green"]["drift"] == [{"kind": "files", "what": "changed"}]
