"""What a stack's files ask of Compose: each field that a later release brought, with its line."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flows.core.stack.compose_versions import FIELDS, ComposeNeed, compose_needs, unknown_fields

pytestmark = pytest.mark.unit

WHOLE = """\
x-common: &common
  gpus: all
services:
  web:
    <<: *common
    image: x
    env_file: [{path: a.env, format: raw}]
    volumes: [{type: image, source: x, target: /x}]
    ports: !override ["80"]
    networks: {default: {gw_priority: 1}}
  off:
    profiles: [never]
    post_start: [{command: a}]
configs: {app: {content: x}}
"""


def found(text: str) -> dict[str, tuple[str, str]]:
    return {need.field: (need.version, need.place) for need in compose_needs({"compose.yaml": text})}


def test_every_field_is_found_with_its_line_also_behind_a_merge_key_and_where_a_service_is_off():
    assert found(WHOLE) == {
        "gpus": ("2.30.0", "compose.yaml:2"),
        "env_file[].path": ("2.24.0", "compose.yaml:7"),
        "env_file[].format": ("2.30.0", "compose.yaml:7"),
        "volumes[].type=image": ("2.35.0", "compose.yaml:8"),
        "networks.*.gw_priority": ("2.33.0", "compose.yaml:10"),
        "post_start": ("2.30.0", "compose.yaml:13"),
        "configs.*.content": ("2.23.1", "compose.yaml:14"),
        "!override": ("2.24.4", "compose.yaml:9"),
    }


@pytest.mark.parametrize("policy", ["daily", "weekly", "refresh", "every_12h"])
def test_a_pull_policy_that_came_later_is_found(policy):
    [(field, (version, _))] = found(f"services: {{web: {{image: x, pull_policy: {policy}}}}}").items()
    assert (field.split("=")[0], version) == ("pull_policy", "2.34.0")
    assert found("services: {web: {image: x, pull_policy: if_not_present}}") == {}


@pytest.mark.parametrize(
    "text",
    [
        "services: {gpus: {image: x, environment: {gpus: all}, labels: {post_start: x}}}",
        "x-models: {}\nservices: {web: {image: models, volumes: [a:/b], env_file: a.env, networks: [gw_priority]}}",
        "volumes: {content: {labels: {enable_ipv4: x}}}",
        "",
        "a: [",
    ],
    ids=["names and values", "the short forms", "other places", "nothing", "no YAML"],
)
def test_what_only_has_the_name_of_a_field_asks_for_nothing(text):
    assert found(text) == {}


def written(field: str) -> str:
    """A compose file that has this field and nothing else."""
    head, _, value = field.partition("=")
    document: object = value or "x"
    for part in reversed(head.split(".")):
        bare = part.removesuffix("[]")
        document = {"any" if bare == "*" else bare: [document] if part.endswith("[]") else document}
    return yaml.safe_dump(document)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_the_table_is_found_where_it_stands(field):
    assert found(written(field))[field.removeprefix("services.*.")][0] == FIELDS[field]


def test_a_need_says_where_what_and_which():
    said = str(ComposeNeed("gpus", "2.30.0", "a.yaml:9"))
    assert said == "a.yaml:9 uses `gpus`, which needs Compose 2.30.0"


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        ("services.a Additional property gpus is not allowed", ". a.yaml:1 uses `gpus`, which needs Compose 2.30.0"),
        ("services.a Additional property gpu is not allowed", ""),
        ("services.a.image must be a string", ""),
    ],
)
def test_a_field_that_compose_does_not_know_is_named_with_its_line(complaint, words):
    assert unknown_fields(complaint, [ComposeNeed("gpus", "2.30.0", "a.yaml:1")]) == words


def test_a_field_of_an_entry_is_named_too():
    need = ComposeNeed("env_file[].format", "2.30.0", "a.yaml:1")
    assert unknown_fields("services.a.env_file.0 Additional property format is not allowed", [need])


nodes = st.recursive(
    st.none() | st.booleans() | st.text(max_size=3) | st.sampled_from(["image", "all", "service:x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["services", "configs", "web", "gpus", "volumes", "type", "content", "<<", "develop", "models"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(nodes)
def test_any_yaml_is_looked_through(document):
    for need in compose_needs({"c.yaml": yaml.safe_dump(document)}):
        assert need.place.startswith("c.yaml:")
        assert need.version in FIELDS.values()


def test_a_text_that_refers_to_itself_and_one_that_grows_without_end_ask_for_nothing():
    assert found("services: &a\n  web: {gpus: all, services: *a}") == {}
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    assert found(f"{bomb}services: {{web: {{gpus: all}}}}") == {}
