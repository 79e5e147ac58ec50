"""Forms with choices: what is known is offered, what is not is still taken, and a new form of a form is the same."""

import importlib

import pytest
import yaml
from prefect.utilities.schema_tools.validation import is_valid_schema, validate

from flows.core.control.forms import ANOTHER, FIRST, KNOWN, LAST, form_with_choices
from tests import CHECKOUT

pytestmark = pytest.mark.unit
ENTRIES = [one["entrypoint"] for one in yaml.safe_load((CHECKOUT / "prefect.yaml").read_text())["deployments"]]
NAMES = ["green", "blue"]
CHOICES = {"droplet": NAMES, "droplets": NAMES, "destination": ["staging", "production"]}


def schema_of(entrypoint: str) -> dict:
    path, _, name = entrypoint.partition(":")
    return getattr(importlib.import_module(path.removesuffix(".py").replace("/", ".")), name).parameters.model_dump()


RELEASE = schema_of("flows/release.py:release")


def test_what_is_known_is_a_choice_and_anything_else_is_still_taken():
    shown = form_with_choices(RELEASE, CHOICES)["properties"]
    assert shown["droplet"]["anyOf"] == [
        {"title": KNOWN, "type": "string", "enum": NAMES},
        {"title": ANOTHER, "type": "string"},
        {"type": "null"},
    ]
    assert shown["destination"]["anyOf"] == [
        {"title": KNOWN, "type": "string", "enum": ["", "staging", "production"]},
        {"title": ANOTHER, "type": "string"},
    ]
    assert "type" not in shown["destination"]
    assert shown["droplet"]["description"] == RELEASE["properties"]["droplet"]["description"]


def test_a_list_of_names_is_a_list_of_choices():
    shown = form_with_choices(schema_of("flows/status.py:status"), CHOICES)["properties"]["droplets"]["anyOf"]
    assert shown[0] == {"title": KNOWN, "type": "array", "items": {"type": "string", "enum": NAMES}}
    assert shown[1] == {"title": ANOTHER, "type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize("entrypoint", ENTRIES)
def test_every_deployments_form_stays_valid_takes_new_names_and_is_made_anew_of_itself(entrypoint):
    plain = schema_of(entrypoint)
    form = form_with_choices(plain, CHOICES)
    is_valid_schema(form)
    assert form_with_choices(form, CHOICES) == form
    assert form_with_choices(form, {name: [] for name in CHOICES}) == form_with_choices(plain, {})
    kept = form_with_choices(form, {"droplet": [*NAMES, "red"]})["properties"]
    assert kept.get("destination") == form["properties"].get("destination")
    for name in CHOICES.keys() & form["properties"].keys():
        value = ["red"] if name == "droplets" else "red"
        assert validate({name: value}, {**form, "required": []}) == []


def test_what_is_rarely_needed_comes_last():
    shown = form_with_choices(RELEASE, {})["properties"]
    names = sorted(shown, key=lambda name: shown[name]["position"])
    assert names[:4] == ["stack", "destination", "tag", "droplet"]
    assert names[-2:] == ["mirror_external", "cleanup_on_failure"]
    assert set(names) == set(RELEASE["properties"])


def test_the_order_names_parameters_that_there_are():
    known = {name for entrypoint in ENTRIES for name in schema_of(entrypoint)["properties"]}
    assert {*FIRST, *LAST} - known == set()
