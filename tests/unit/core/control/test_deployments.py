"""The deployments of an installed package: from prefect.yaml, and what somebody switched on stays on."""

import pytest

from flows.core.control.deployments import (
    differing_fields,
    keep_switched_on,
    module_entrypoint,
    packaged_deployments,
)

pytestmark = pytest.mark.unit

OURS = {
    "name": "drift", "description": "Compare.", "entrypoint": "flows/drift.py:drift", "tags": ["slipway"],
    "schedules": [{"cron": "17 * * * *", "timezone": "UTC", "active": False}],
    "triggers": [{"name": "on an alert", "enabled": False, "expect": ["x"]}],
    "concurrency_limit": {"limit": 1, "collision_strategy": "ENQUEUE"}, "work_pool": {"name": "slipway"},
}  # fmt: skip
(WANTED,) = packaged_deployments({"deployments": [OURS]}, "/srv/shop", "1+a")


def at_server(**changes):
    return {
        "description": "Compare.", "entrypoint": "flows.drift.drift", "tags": ["slipway"], "parameters": {},
        "version": "1+a", "work_pool_name": "slipway", "global_concurrency_limit": {"limit": 1},
        "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": "/srv/shop"}}],
        "schedules": [{"active": False, "schedule": {"cron": "17 * * * *", "timezone": "UTC", "day_or": True}}],
        **changes,
    }  # fmt: skip


def test_a_file_of_the_checkout_becomes_a_module():
    assert module_entrypoint("flows/build_push.py:build_push") == "flows.build_push.build_push"


def test_only_place_version_and_directory_are_added():
    assert {key for key in WANTED if WANTED[key] != OURS.get(key)} == {"entrypoint", "version", "pull"}


def test_what_is_as_wanted_does_not_differ():
    assert differing_fields(WANTED, at_server()) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": "1+b"}, "version"),
        ({"parameters": {"stack": "x"}}, "parameters"),
        ({"pull_steps": None}, "pull_steps"),
        ({"global_concurrency_limit": None}, "concurrency_limit"),
        ({"work_pool_name": "another"}, "work_pool_name"),
        ({"schedules": []}, "schedules"),
    ],
)
def test_what_differs_is_named(changes, field):
    assert differing_fields(WANTED, at_server(**changes)) == [field]


def test_a_schedule_that_was_switched_on_is_no_difference_and_stays_on():
    found = at_server()
    found["schedules"][0]["active"] = True
    assert differing_fields(WANTED, found) == []
    assert keep_switched_on(WANTED, found, [])["schedules"] == [{**OURS["schedules"][0], "active": True}]


def test_a_schedule_of_somebodys_own_stays():
    own = {"active": True, "schedule": {"interval": 600.0, "timezone": None}, "parameters": {"stack": "x"}}
    kept = keep_switched_on(WANTED, at_server(schedules=[own]), [])["schedules"]
    assert kept == [*OURS["schedules"], {"interval": 600.0, "active": True, "parameters": {"stack": "x"}}]


def test_a_trigger_that_was_switched_on_stays_on_and_others_stay_off():
    assert keep_switched_on(WANTED, at_server(), ["on an alert"])["triggers"][0]["enabled"] is True
    assert keep_switched_on(WANTED, at_server(), ["another"])["triggers"][0]["enabled"] is False
