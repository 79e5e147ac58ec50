"""What is kept of a control plane that moves, what stays behind, and the ids under which the rest is made."""

import pytest

from flows.core.control.moving.contents import (
    FIELDS,
    Contents,
    contents_document,
    kept,
    read_contents,
    with_owners,
    without_loose_ends,
)
from flows.core.control.moving.ids import blocks_in_order, with_new_ids
from flows.core.errors import BadExport

pytestmark = pytest.mark.unit
OLD, NEW = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def test_of_a_run_that_ended_its_times_become_labels_and_its_id_the_key_that_keeps_it_from_being_there_twice():
    run = {"id": OLD, "name": "a", "flow_id": "f", "start_time": "2026-01-01", "labels": {"by": "me"},
           "state": {"type": "FAILED", "name": "Failed", "message": "no", "data": "x"}}  # fmt: skip
    assert kept("runs", [run]) == [{
        "id": OLD, "name": "a", "flow_id": "f", "idempotency_key": f"imported {OLD}",
        "state": {"type": "FAILED", "name": "Failed", "message": "no"},
        "labels": {"by": "me", "slipway.start_time": "2026-01-01", "slipway.imported": True},
    }]  # fmt: skip


@pytest.mark.parametrize(("kind", "thing"), [
    ("runs", {"id": OLD, "flow_id": "f", "state": {"type": "PAUSED"}}),
    ("runs", {"id": OLD, "flow_id": "f"}),
    ("blocks", {"id": OLD, "is_anonymous": True, "data": {}}),
    ("concurrency_limits", {"id": OLD, "name": f"deployment:{OLD}", "limit": 1}),
    ("artifacts", {"id": OLD, "key": "a"}),
])  # fmt: skip
def test_what_would_mean_nothing_elsewhere_stays_behind(kind, thing):
    assert kept(kind, [thing]) == []


def test_a_block_names_those_that_it_holds_instead_of_their_content():
    held = {"host": {"block_document": {"id": "h"}}}
    block = {"id": "b", "name": "front", "data": {"host": {"key": "s"}, "url": "u"}, "block_document_references": held,
             "block_type": {"slug": "caddy"}}  # fmt: skip
    (one,) = kept("blocks", [block])
    assert (one["data"], one["references"], one["block_type"]) == ({"url": "u"}, {"host": "h"}, "caddy")
    assert [each["id"] for each in blocks_in_order([one, {"id": "h"}])] == ["h", "b"]


def test_blocks_that_hold_each_other_are_refused():
    with pytest.raises(BadExport, match="hold each other"):
        blocks_in_order([{"id": "a", "references": {"x": "b"}}, {"id": "b", "references": {"x": "a"}}])


def test_ids_are_replaced_wherever_they_stand_and_others_stay():
    value = {"a": [OLD, f"prefect.deployment.{OLD}"], OLD: NEW, "n": 1, "other": OLD.replace("4111-8", "4111-9")}
    assert with_new_ids(value, {OLD: NEW}) == {
        "a": [NEW, f"prefect.deployment.{NEW}"], NEW: NEW, "n": 1, "other": OLD.replace("4111-8", "4111-9"),
    }  # fmt: skip


def contents(**kinds):
    return Contents({**{kind: [] for kind in FIELDS}, **kinds})


def test_runs_of_what_was_deleted_lose_it_or_stay_behind():
    found = without_loose_ends(contents(
        flows=[{"id": "f"}],
        runs=[{"id": "1", "flow_id": "f", "deployment_id": "gone"}, {"id": "2", "flow_id": "gone"}],
        artifacts=[{"id": "x", "flow_run_id": "1"}, {"id": "y", "flow_run_id": "2"}],
    ))  # fmt: skip
    assert found.kinds["runs"] == [{"id": "1", "flow_id": "f"}]
    assert [one["id"] for one in found.kinds["artifacts"]] == ["x"]


def test_an_automation_that_is_a_trigger_of_a_deployment_belongs_to_it():
    starts = {"name": "on drift", "actions": [{"deployment_id": "d"}]}
    found = with_owners(
        contents(deployments=[{"id": "d", "name": "reconcile"}], automations=[starts, {**starts, "name": "mine"}]),
        {"reconcile": ["on drift"]},
    )
    owners = [one.get("owner_resource") for one in found.kinds["automations"]]
    assert owners == ["prefect.deployment.d", None]


def test_an_export_reads_back():
    made = contents(flows=[{"id": OLD, "name": "release"}])
    assert read_contents(contents_document(made)) == made


@pytest.mark.parametrize("wrong", [
    None, [], {}, {"slipway_control_plane": True, "kinds": {}}, {"slipway_control_plane": 2, "kinds": {}},
    {"slipway_control_plane": 1}, {"slipway_control_plane": 1, "kinds": {"flows": {}}},
    {"slipway_control_plane": 1, "kinds": {"flows": [{"name": "without an id"}]}},
])  # fmt: skip
def test_what_is_no_export_is_refused_before_anything_changes(wrong):
    with pytest.raises(BadExport):
        read_contents(wrong)
