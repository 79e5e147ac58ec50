"""What a droplet remembers of the releases that were put on it: readable there with `cat`, and by the command line."""

import getpass
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.stacks.single_service import BLOCK, STACK, SingleServiceStack, open_single_service_stack
from tests.support.lab.cli import slipway
from tests.support.lab.git_checkout import git
from tests.support.lab.lab import prefect_api

pytestmark = pytest.mark.lab

VALUES = {"greeting": "good morning", "colour": "apple green", "token": "open sesame"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SingleServiceStack]:
    with open_single_service_stack(tmp_path_factory.mktemp("single-service")) as stack:
        stack.save_environment(**VALUES)
        yield stack


@pytest.fixture(scope="module")
def first(stack: SingleServiceStack) -> dict[str, Any]:
    """The record of the first release."""
    stack.good("v1")
    return json.loads(stack.droplet.sh(f"cat {stack.droplet.home}/history/000001.json"))


def test_a_record_says_what_was_put_there_and_what_became_of_it(
    stack: SingleServiceStack, first: dict[str, Any]
) -> None:
    assert {name: first[name] for name in ("format", "number", "stack", "kind", "tag", "outcome", "reason")} == {
        "format": 1, "number": 1, "stack": STACK, "kind": "deploy", "tag": "v1", "outcome": "good", "reason": ""
    }  # fmt: skip
    assert (first["previous"], first["previous_tag"]) == (None, None)
    assert git(stack.checkout, "rev-parse", "HEAD").startswith(first["commit"])
    assert stack.droplet.sh(f"readlink {stack.droplet.home}/current").strip() == f"releases/{first['name']}"
    began, deployed, ended = (datetime.fromisoformat(first[name]) for name in ("began", "deployed", "ended"))
    assert began <= deployed <= ended <= datetime.now(UTC)


def test_a_record_names_the_run_and_who_started_it(first: dict[str, Any]) -> None:
    run = first["run"]
    assert run["by"] == f"{getpass.getuser()}@{os.uname().nodename}"
    with prefect_api() as api:
        answer = api.get(f"/flow_runs/{run['id']}").raise_for_status().json()
    assert answer["parent_task_run_id"] is None
    assert answer["name"].startswith("release")
    assert run["url"].endswith(f"/flow-run/{run['id']}")


def test_a_record_holds_a_hash_of_the_environment_and_none_of_its_values(
    stack: SingleServiceStack, first: dict[str, Any]
) -> None:
    assert re.fullmatch("[0-9a-f]{12,64}", first["environment"])
    written = stack.droplet.sh(f"cat {stack.droplet.home}/history/*")
    assert [value for value in VALUES.values() if value in written] == []
    assert set(stack.droplet.sh(f"stat -c %a {stack.droplet.home}/history/*").split()) == {"600"}


def test_a_record_says_what_its_runs_measured(stack: SingleServiceStack, first: dict[str, Any]) -> None:
    measured, place = first["measured"], f"{stack.droplet.home}/current/release.json"
    assert datetime.fromisoformat(measured["committed"]) <= datetime.fromisoformat(first["began"])
    assert {"preflight", "put files", "pull images", "start services", "wait until ready", "probe health"} <= set(
        measured["steps"]
    )
    assert (
        sum(measured["steps"].values())
        < (datetime.fromisoformat(first["ended"]) - datetime.fromisoformat(first["began"])).total_seconds()
        + measured["steps"]["preflight"]
        + measured["steps"]["put files"]
        + 1
    )
    images = json.loads(stack.droplet.sh(f"cat {place}"))["images"]
    assert {pull["image"] for pull in measured["pulls"]} == set(images)
    layers = {layer["digest"]: layer["size"] for image in images.values() for layer in image["layers"]}
    assert sum(pull["bytes"] for pull in measured["pulls"]) == sum(layers.values())
    assert set(measured["ready_seconds"]) == {probe["service"] for probe in measured["probes"]}
    assert measured["build"]["images"] == len(images)
    assert measured["lock_seconds"] >= 0


def test_history_and_status_show_the_record(stack: SingleServiceStack, first: dict[str, Any]) -> None:
    shown = json.loads(stack.on_droplet("history", "--json").out)["droplets"][BLOCK]
    assert shown == [first]
    status = json.loads(stack.on_droplet("status", "--json").out)["droplets"][BLOCK]
    assert (status["record"], status["release"]) == (first, "v1")
    assert "locked_by" not in status
    day, clock = first["began"][:10], first["began"][11:19]
    row = next(line for line in stack.on_droplet("history", "--wide").out.splitlines() if line.startswith("→"))
    assert re.split(r" {2,}", row.strip())[1:] == [
        "1", "deploy", "v1", "good", f"{day} {clock}", first["run"]["by"], first["environment"]
    ]  # fmt: skip
    said = stack.on_droplet("status").out
    assert f"{BLOCK} · release v1" in said
    assert "good, deploy 1" in said
    assert f"since {day} {clock} UTC, by {first['run']['by']}" in said


def test_a_second_release_names_the_one_before_it(stack: SingleServiceStack, first: dict[str, Any]) -> None:
    stack.good("v2")
    second = stack.records()[-1]
    assert (second["number"], second["tag"], second["outcome"]) == (2, "v2", "good")
    assert (second["previous"], second["previous_tag"]) == (first["name"], "v1")
    assert second["environment"] == first["environment"]
    assert stack.records()[0] == first
    stack.assert_runs("v2")


def test_the_published_release_names_the_one_before_it_too(stack: SingleServiceStack) -> None:
    said = slipway("build-push", *stack.make("v3"), **stack.settings)
    assert "Published release v3, after v2" in said.out


def test_the_same_release_again_is_a_record_of_its_own_and_changes_nothing_else(stack: SingleServiceStack) -> None:
    before, started = stack.records(), stack.droplet.started()
    assert stack.on_droplet("deploy", "--tag", "v2").code == 0
    again = stack.records()[-1]
    assert (again["number"], again["outcome"], again["deployed"] is not None) == (3, "candidate", True)
    assert again["name"] == again["previous"] == before[-1]["name"]
    assert stack.droplet.started() == started
    assert stack.on_droplet("validate").code == 0
    assert stack.outcomes() == [("deploy", "v1", "good"), ("deploy", "v2", "good"), ("deploy", "v2", "good")]


def test_another_environment_alone_is_another_directory_and_another_hash(stack: SingleServiceStack) -> None:
    before, container = stack.records()[-1], stack.droplet.started()
    stack.save_environment(**{**VALUES, "greeting": "good evening"})
    assert stack.on_droplet("deploy", "--tag", "v2").code == 0
    after = stack.records()[-1]
    assert (after["tag"], after["previous"]) == ("v2", before["name"])
    assert after["environment"] != before["environment"]
    assert after["name"] != before["name"]
    assert after["name"].startswith("v2.")
    standing = stack.droplet.sh(f"ls {stack.droplet.home}/releases").split()
    assert {before["name"], after["name"]} <= set(standing)
    assert stack.droplet.started() != container
    assert stack.droplet.inside("web", "printenv", "GREETING") == "good evening\n"


def test_a_record_that_cannot_be_read_is_left_out_and_said(stack: SingleServiceStack) -> None:
    """And its number is not given to another."""
    known = stack.records()
    stack.droplet.sh(f"echo '{{half a rec' >{stack.droplet.home}/history/000009.json")
    said = stack.on_droplet("history")
    assert (said.code, "record 000009.json is damaged, and left out" in said.out) == (0, True)
    assert json.loads(stack.on_droplet("history", "--json").out)["droplets"][BLOCK] == known
    assert stack.on_droplet("deploy", "--tag", "v1").code == 0
    stack.droplet.sh(f"rm {stack.droplet.home}/history/000009.json")
    assert [record["number"] for record in stack.records()] == [*(r["number"] for r in known), 10]
