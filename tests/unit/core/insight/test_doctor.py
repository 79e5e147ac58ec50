"""What doctor judges: each verdict from what was found, and what a droplet's script prints."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from flows.core.droplet.directories import StackDirectory
from flows.core.insight.doctor import (
    droplet_check_script,
    judge_automations,
    judge_certificate,
    judge_clock,
    judge_deployments,
    judge_disk,
    judge_versions,
    judge_workers,
    read_droplet_checks,
)
from flows.core.stack.side_by_side.facts import Exposed, SideBySide
from tests.support import assert_good_shell
from tests.support.builders import release
from tests.support.fake_droplet import make_host

pytestmark = pytest.mark.unit
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(("ahead", "verdict", "words"), [
    (0.4, "ok", "as here"), (-20, "warn", "20 s behind"), (3600, "fail", "3600 s ahead"), (None, "unknown", "not say"),
])  # fmt: skip
def test_a_clock_is_judged_by_its_distance(ahead, verdict, words):
    found = judge_clock("clock", ahead)
    assert (found.verdict, words in found.words, bool(found.remedy)) == (verdict, True, verdict in ("warn", "fail"))


@pytest.mark.parametrize(
    ("free", "verdict"), [(50_000_000_000, "ok"), (1_000_000_000, "warn"), (1, "fail"), (None, "unknown")]
)
def test_a_disk_is_judged_by_what_is_free(free, verdict):
    assert judge_disk("disk", free, "green").verdict == verdict


@pytest.mark.parametrize(("days", "verdict"), [(60, "ok"), (3, "warn"), (-2, "fail")])
def test_a_certificate_is_judged_by_what_is_left_of_it(days, verdict):
    assert judge_certificate("a.example.com", days * 86400).verdict == verdict


@pytest.mark.parametrize(
    ("server", "verdict"), [("3.8.8", "ok"), ("3.9.1", "ok"), ("3.7.0", "warn"), ("4.0.0", "warn"), ("odd", "warn")]
)
def test_a_server_is_not_older_than_we_are(server, verdict):
    assert judge_versions(server, "3.8.8").verdict == verdict


def worker(seconds: float) -> dict:
    return {"name": f"w{seconds:g}", "last_heartbeat_time": (NOW - timedelta(seconds=seconds)).isoformat()}


@pytest.mark.parametrize(
    ("workers", "verdict", "words"),
    [
        ([worker(10), worker(1000)], "ok", "w10"),
        ([worker(1000)], "fail", "none is alive of 1"),
        ([], "fail", "there is none"),
        ([{"name": "x"}], "unknown", "cannot be read"),
        ("odd", "unknown", "cannot be read"),
    ],
)
def test_a_worker_is_alive_while_it_says_so(workers, verdict, words):
    found = judge_workers("slipway", workers, NOW)
    assert (found.verdict, words in found.words) == (verdict, True)


def test_missing_deployments_and_automations_are_named():
    assert judge_deployments(["a", "b"], ["a", "b", "theirs"]).verdict == "ok"
    found = judge_deployments([f"d{n}" for n in range(8)], ["d0"])
    assert (found.verdict, found.words) == ("fail", "missing: d1, d2, d3, d4, d5 and 2 more")
    automations = [{"name": "x", "enabled": True}, {"name": "y", "enabled": False}]
    assert judge_automations(automations, ["x"]).verdict == "ok"
    assert judge_automations(automations, ["x", "y"]).words == "missing or off: y"


def test_the_script_is_good_shell():
    assert_good_shell(droplet_check_script(StackDirectory("/opt/it's", "shop")), "SC2086", "SC2016")


DOCKER = '#!/bin/sh\ncase "$1" in version) echo 26.1.5 ;; compose) echo 2.26.1-4 ;; info) echo / ;; esac\n'
EXPOSING = release().model_copy(
    update={"side_by_side": SideBySide(exposed={"web": Exposed(hosts=("a.example.com",), port=80)})}
)


def test_a_droplet_says_all_of_it_and_nothing_on_it_changes(tmp_path):
    host = make_host(tmp_path)
    (tmp_path / "bin/docker").write_text(DOCKER)
    at = host.path / "releases/v1.0"
    at.mkdir(parents=True)
    (host.path / "current").symlink_to("releases/v1.0")
    (at / "release.json").write_bytes(EXPOSING.document())
    before = sorted(host.path.rglob("*"))
    done = host.sh(droplet_check_script(host.home))
    found, hosts = read_droplet_checks(done.stdout.decode(), "droplet green", datetime.now(UTC).timestamp())
    assert {check.name: check.verdict for check in found} == {
        "droplet green: Docker Engine": "ok", "droplet green: Compose": "ok", "droplet green: clock": "ok",
        "droplet green: directory": "ok", "droplet green: disk": found[2].verdict,
    }  # fmt: skip
    assert hosts == ("a.example.com",)
    assert sorted(host.path.rglob("*")) == before


def test_a_droplet_without_docker_that_somebody_else_changes_is_told_with_remedies():
    holder = json.dumps({"by": "me", "purpose": "deploy", "since": "now"})
    output = f"@@slipway:now\n100.5\n@@slipway:engine\n@@slipway:compose\n2.10.0\n@@slipway:holder\n{holder}\n"
    found, hosts = read_droplet_checks(output, "d", 100.0)
    assert {check.name: check.verdict for check in found} == {
        "d: Docker Engine": "fail", "d: Compose": "fail", "d: disk": "unknown", "d: clock": "ok",
        "d: directory": "fail", "d: lock": "warn",
    }  # fmt: skip
    assert all(check.remedy for check in found if check.verdict in ("fail", "warn"))
    assert hosts == ()
