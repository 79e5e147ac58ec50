"""prefect.yaml: Prefect ignores what it does not know, so every key, parameter and entrypoint is checked here."""

import importlib
import inspect
import json
from uuid import UUID

import pytest
import yaml
from prefect import Flow
from prefect.client.schemas.actions import DeploymentCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.schedules import CronSchedule
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger
from prefect.utilities.schema_tools.validation import is_valid_schema, validate

from flows.core.control.events import EVENT_KINDS
from tests import CHECKOUT

pytestmark = pytest.mark.unit

WHOLE = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text())
DEPLOYMENTS = {deployment["name"]: deployment for deployment in WHOLE["deployments"]}
KEYS = {
    *("name", "description", "entrypoint", "tags", "parameters", "concurrency_limit", "work_pool", "schedules"),
    *("triggers", "version", "enforce_parameter_schema"),
}
each = pytest.mark.parametrize("deployment", DEPLOYMENTS.values(), ids=DEPLOYMENTS)


def flow_of(deployment: dict) -> Flow:
    path, name = deployment["entrypoint"].split(":")
    return getattr(importlib.import_module(path.removesuffix(".py").replace("/", ".")), name)


def test_every_flow_of_the_command_line_has_its_deployment():
    assert set(DEPLOYMENTS) >= {"release", "build-push", "deploy", "validate", "status", "deploy-home", "promote"}
    assert set(DEPLOYMENTS) >= SIDE_BY_SIDE
    assert len(DEPLOYMENTS) == len(WHOLE["deployments"])


def test_the_root_of_flows_is_the_list_of_deployments():
    flows = {deployment["entrypoint"].split(":")[0] for deployment in DEPLOYMENTS.values()}
    beside = {f"flows/{name}.py" for name in ("__init__", "canary", "hooks")}
    assert {str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "flows").glob("*.py")} == flows | beside


def test_the_file_has_only_keys_that_prefect_reads():
    assert set(WHOLE) <= {"name", "prefect-version", "pull", "build", "push", "definitions", "deployments"}
    for step in WHOLE.get("pull", ()):
        assert list(step) == ["prefect.deployments.steps.set_working_directory"]


@each
def test_a_deployment_has_only_keys_that_prefect_reads(deployment):
    assert set(deployment) <= KEYS


@each
def test_prefects_own_model_reads_it(deployment):
    fields = DeploymentCreate.model_fields
    plain = {key: value for key, value in deployment.items() if key in fields and key != "concurrency_limit"}
    for schedule in plain.pop("schedules", ()):
        assert set(schedule) == {"cron", "timezone", "active"}
        assert CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"]).cron
        assert schedule["active"] is False  # whoever wants it turns it on
    assert DeploymentCreate(flow_id="00000000-0000-0000-0000-000000000000", **plain).name == deployment["name"]
    limit = deployment["concurrency_limit"]
    assert ConcurrencyLimitConfig(**limit).limit >= 1
    assert set(limit) <= set(ConcurrencyLimitConfig.model_fields)
    assert limit["collision_strategy"] == "ENQUEUE"


@each
def test_an_entrypoint_is_the_flow_of_the_same_name(deployment):
    flow = flow_of(deployment)
    assert isinstance(flow, Flow)
    assert flow.name == deployment["name"]
    assert (CHECKOUT / deployment["entrypoint"].split(":")[0]).is_file()


@each
def test_a_deployment_can_be_recognised(deployment):
    assert deployment["description"].endswith(".")
    assert "slipway" in deployment["tags"]
    assert deployment["work_pool"]["name"] == "slipway"


@each
def test_its_parameters_are_those_of_the_flow(deployment):
    flow = flow_of(deployment)
    taken = inspect.signature(flow.fn).parameters
    given = deployment.get("parameters", {})
    assert set(given) <= set(taken)
    required = {name for name, parameter in taken.items() if parameter.default is parameter.empty}
    assert flow.validate_parameters({**dict.fromkeys(required, "v1"), **given})


def filled_in(schema: dict, definitions: dict) -> object:
    """A value that a form may give for a parameter."""
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    one = definitions[kinds[0]["$ref"].rpartition("/")[2]] if "$ref" in kinds[0] else kinds[0]
    if "enum" in one or "const" in one:
        return one.get("enum", [one.get("const")])[0]
    values = {"string": "a-b", "integer": 7, "number": 0.5, "boolean": True, "array": ["a", "b"], "object": {"a": "b"}}
    return values[one["type"]]


@each
@pytest.mark.parametrize("whole", [False, True], ids=["as it is", "everything filled in"])
def test_a_rerun_is_accepted_with_the_parameters_that_prefect_kept(deployment, whole):
    """Prefect keeps what a run was given as JSON, and gives it to the flow again when somebody reruns it."""
    flow = flow_of(deployment)
    form = flow.parameters.model_dump()
    asked = {name for name, one in form["properties"].items() if whole or name in form.get("required", ())}
    given = {
        **deployment.get("parameters", {}),
        **{name: filled_in(form["properties"][name], form.get("definitions", {})) for name in sorted(asked)},
    }
    assert is_valid_schema(form) is None
    assert validate(given, form, ignore_required=False) == []
    taken = flow.validate_parameters(given)
    kept = json.loads(json.dumps(flow.serialize_parameters(taken)))
    assert validate(kept, form, ignore_required=False) == []
    assert flow.validate_parameters(kept) == taken
    assert kept.keys() >= given.keys()


@each
def test_every_deployment_takes_a_destination_and_its_form_says_what_that_is(deployment):
    shown = flow_of(deployment).parameters.properties["destination"]
    assert (shown["type"], shown["default"]) == ("string", "")
    assert shown["description"].startswith("name of a destination of the settings files")


@each
def test_every_parameter_is_described(deployment):
    schema = flow_of(deployment)
    described = schema.fn.__doc__ or ""
    for name in inspect.signature(schema.fn).parameters:
        assert f"{name}:" in described


CHOICES = {"colour": {"green", "blue"}, "strategy": {"rolling", "prefetch", "recreate"},
           "approval": {"never", "inconclusive", "always"}}  # fmt: skip


@each
def test_what_has_a_few_values_is_a_choice_in_the_form(deployment):
    flow = flow_of(deployment)
    for name, schema in flow.parameters.properties.items():
        wanted = CHOICES["colour"] if name == "to" and flow.name != "rollback" else CHOICES.get(name)
        found = {value for part in (schema, *schema.get("anyOf", ())) for value in part.get("enum", ())}
        assert wanted in (None, found), name


@each
def test_no_parameter_is_a_secret(deployment):
    names = set(inspect.signature(flow_of(deployment).fn).parameters)
    assert not {name for name in names for word in ("password", "secret", "token", "key") if word in name}


TRIGGERS = {trigger["name"]: (one, trigger) for one in DEPLOYMENTS.values() for trigger in one.get("triggers", ())}


@pytest.mark.parametrize(("deployment", "trigger"), TRIGGERS.values(), ids=TRIGGERS)
def test_a_trigger_is_off_and_waits_for_an_event_of_ours_with_parameters_of_the_flow(deployment, trigger):
    assert set(trigger) == {"name", "enabled", "expect", "match", "parameters"}
    assert trigger["enabled"] is False
    assert trigger["name"].startswith("slipway: ")
    assert set(trigger["expect"]) <= {kind.name for kind in EVENT_KINDS}
    assert set(trigger["parameters"]) <= set(inspect.signature(flow_of(deployment).fn).parameters)
    # Prefect puts `| tojson` behind an expression, and that binds closer than an `or`.
    assert not [said for said in trigger["parameters"].values() if " or " in said and "(" not in said]
    read = DeploymentEventTrigger.model_validate(trigger)
    read.set_deployment_id(UUID(int=1))
    assert read.as_automation().enabled is False


def test_the_triggers_are_those_that_the_page_lists():
    page = (CHECKOUT / "docs/EVENTS.md").read_text()
    assert {name for name in TRIGGERS if f"| `{name}` |" in page} == set(TRIGGERS)
    assert page.count("| `slipway: ") == len(TRIGGERS)


# Some only look; and a way back must not wait behind the promotion that it is needed for.
SIDE_BY_SIDE = {
    "validate", "status", "history", "debug-agent", "plan", "gates", "watch", "switch-back", "provenance",
    "stability",
}  # fmt: skip


def test_what_changes_something_runs_one_at_a_time():
    limits = {name: deployment["concurrency_limit"]["limit"] for name, deployment in DEPLOYMENTS.items()}
    assert {name for name, limit in limits.items() if limit > 1} == SIDE_BY_SIDE


def test_what_tells_of_a_change_keeps_the_overview():
    text = {name: (CHECKOUT / one["entrypoint"].split(":")[0]).read_text() for name, one in DEPLOYMENTS.items()}
    telling = {name for name, code in text.items() if any(f" {word}(" in code for word in ("emit", "note_change"))}
    keeping = {
        name for name, code in text.items() if "    overview=keep_overview,\n" in code or ", overview=keep" in code
    }
    # A release that was published runs nowhere yet, and a plan changes nothing.
    assert keeping == (telling | {"release", "rollback", "promote"}) - {"build-push", "plan"}
    assert keeping >= {"deploy", "promote", "switch-back", "deploy-home", "adopt", "reconcile", "status", "drift"}
