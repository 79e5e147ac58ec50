"""Labels over the content of configs and secrets: exactly the services whose content changed have another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.deploy.content_labels import content_labels, refuse_unset_contents
from flows.core.errors import UnsetVariables
from tests.support.builders import stack

pytestmark = pytest.mark.unit

SERVICES = {
    "api": {"configs": ["inline"]},
    "both": {"configs": [{"source": "inline", "target": "/c"}], "secrets": [{"source": "key"}]},
    "key": {"secrets": ["key"]},
    "config": {"configs": ["value"]},
    "file": {"secrets": ["file"], "configs": ["mounted"]},
    "none": {},
}
CONFIGS = {"inline": {"content": "one"}, "value": {"environment": "VALUE"}, "mounted": {"file": "/s/c"}}
SECRETS = {"key": {"environment": "KEY"}, "file": {"file": "/s/key"}}
KNOWN = {"KEY": "k1", "VALUE": "v1"}


def labels(content: str = "one", services: dict = SERVICES, seed: str = "shop", **variables: str) -> dict[str, str]:
    shop = stack(services, configs={**CONFIGS, "inline": {"content": content}}, secrets=SECRETS)
    return content_labels(shop, {**KNOWN, **variables}, services, seed)


@pytest.mark.parametrize(
    ("change", "restart"),
    [
        ({"content": "two"}, {"api", "both"}),
        ({"KEY": "k2"}, {"both", "key"}),
        ({"VALUE": "v2"}, {"config"}),
        ({"OTHER": "x"}, set()),
        ({"seed": "other"}, {"api", "both", "key", "config"}),
        ({"content": "one$$"}, {"api", "both"}),
    ],
    ids=["a config's content", "a secret's variable", "a config's variable", "another variable", "another stack", "$"],
)
def test_exactly_those_services_have_another_label_whose_content_changed(change, restart):
    before, after = labels(), labels(**change)
    assert before.keys() == after.keys() == {"api", "both", "key", "config"}
    assert {name for name in before if before[name] != after[name]} == restart


def test_which_of_two_configs_has_a_content_counts():
    services = {"web": {"configs": ["inline", "value"]}}
    assert labels("x", services, VALUE="y") != labels("y", services, VALUE="x")


def test_only_services_that_run_there_have_labels():
    shop = stack(SERVICES, configs=CONFIGS, secrets=SECRETS)
    assert set(content_labels(shop, KNOWN, ["key", "elsewhere"], "shop")) == {"key"}


def test_an_empty_content_is_one():
    assert set(labels("", {"api": {"configs": ["inline"]}})) == {"api"}


@given(st.text(), st.text())
def test_a_label_shows_no_content_and_differs_with_it(one, other):
    first, second = labels(KEY=one)["key"], labels(KEY=other)["key"]
    assert (first == second) is (one == other)
    assert len(first) == 16


def test_a_value_that_nobody_gave_is_refused_with_what_it_is_for():
    shop = stack({"web": {"secrets": ["key"], "configs": ["value"]}}, configs=CONFIGS, secrets=SECRETS)
    words = r"shop uses KEY \(secret key of web\), VALUE \(config value of web\), which nobody gave"
    with pytest.raises(UnsetVariables, match=words):
        refuse_unset_contents(shop, {}, "shop uses")
    refuse_unset_contents(shop, {"KEY": "", "VALUE": "x"}, "shop uses")


def test_what_no_service_uses_needs_no_value():
    refuse_unset_contents(stack({"web": {}}, configs=CONFIGS, secrets=SECRETS), {}, "shop uses")
