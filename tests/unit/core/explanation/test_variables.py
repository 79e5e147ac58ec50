"""Where the value of each variable comes from."""

import pytest

from flows.core.explanation.reading import EnvFile
from flows.core.explanation.variables import explain_variables, steering
from tests.support.stack.read_stack import DIRECTORY, FILE, read_stack_of

pytestmark = pytest.mark.unit


def origins(services: dict, text: str = "services: {}", /, **more) -> dict[str, tuple[str, str]]:
    return {one.name: (one.origin, one.source) for one in explain_variables(read_stack_of(services, text, **more))}


def test_a_value_comes_from_the_env_file_from_the_compose_file_or_from_nobody():
    services = {"web": {"environment": {"A": "${A}", "B": "${B:-1}", "C": "$C", "D": "${D:+x}"}}}
    text = "services:\n  web:\n    environment:\n      A: ${A}\n      B: ${B:-1} # $C\n      C: $C\n"
    assert origins(services, text, variables={"A": "s"}, unset=("C",)) == {
        "A": ("env file", ".env"),
        "B": ("default", "compose.yaml:5"),
        "C": ("nobody", "compose.yaml:5"),
        "D": ("nobody", ""),
    }


def test_an_empty_value_gives_way_to_a_default_with_a_colon_alone():
    services = {"web": {"environment": {"A": "${A:-1}", "B": "${B-1}"}}}
    found = origins(services, variables={"A": "", "B": ""})
    assert (found["A"][0], found["B"][0]) == ("default", "env file")


def test_an_include_has_an_env_file_of_its_own_and_the_projects_comes_first():
    texts = {FILE: "include: [db/compose.yaml]\nservices: {web: {image: '$A'}}", f"{DIRECTORY}/db/compose.yaml": (
        "services: {db: {environment: {A: $A, B: $B}}}")}  # fmt: skip
    env = f"{DIRECTORY}/db/.env"
    found = origins(
        {"web": {"image": "$A"}, "db": {"environment": {"A": "$A", "B": "$B"}}},
        texts=texts, variables={"A": "mine"}, env_files=[EnvFile(env, ("A", "B"), interpolates=True)],
        include_env={f"{DIRECTORY}/db/compose.yaml": (env,)},
    )  # fmt: skip
    assert found == {"A": ("env file", ".env"), "B": ("include", "db/.env")}


def test_an_includes_env_file_says_nothing_of_other_files():
    env = f"{DIRECTORY}/db/.env"
    texts = {FILE: "services: {web: {image: '$B'}}", f"{DIRECTORY}/db/compose.yaml": "services: {db: {image: x}}"}
    found = origins(
        {"web": {"environment": {"B": "$B"}}}, texts=texts, unset=("B",),
        env_files=[EnvFile(env, ("B",), interpolates=True)], include_env={f"{DIRECTORY}/db/compose.yaml": (env,)},
    )  # fmt: skip
    assert found["B"][0] == "nobody"


def test_slipways_own_variables_are_slipways_whatever_the_env_file_says():
    [one] = explain_variables(read_stack_of({"web": {"labels": {"x": "$IMAGE_TAG"}}}, variables={"IMAGE_TAG": "mine"}))
    assert (one.origin, one.remark) == ("slipway", "what .env says of it does not count")


def test_what_nobody_set_says_whether_that_is_refused_and_why_not():
    services = {
        "web": {"environment": {"PASSED": None, "NEEDED": "$NEEDED", "PLUS": "${PLUS:+x}"}},
        "tool": {"profiles": ["tools"], "image": "tool:$VERSION"},
    }
    found = {v.name: v for v in explain_variables(read_stack_of(services, unset=["NEEDED"], shell=frozenset({"PLUS"})))}
    assert found["NEEDED"].refused
    assert found["PASSED"].remark == "the container is not given it"
    assert found["VERSION"].remark == "only services that are switched off use it"
    assert found["PLUS"].remark == "this shell has it, which is no input of a release"
    assert [found[name].refused for name in ("PASSED", "VERSION", "PLUS")] == [False] * 3


def test_variables_of_names_includes_secrets_and_env_files_are_found_too():
    top = {"secrets": {"key": {"environment": "API_KEY"}}, "networks": {"n": {"name": "$NET"}}}
    text = "name: ${STACK:-shop}\ninclude: ['${PART}/compose.yaml']"
    read = read_stack_of({"web": {"secrets": ["key"]}}, text, top=top, unset=("FROM_ENV_FILE",))
    found = {one.name: one for one in explain_variables(read)}
    assert set(found) == {"API_KEY", "NET", "STACK", "PART", "FROM_ENV_FILE"}
    assert found["API_KEY"].services == ("web",)
    assert found["FROM_ENV_FILE"].refused


def test_variables_that_steer_compose_are_followed_or_left_out():
    variables = {"COMPOSE_PROFILES": "a", "COMPOSE_IGNORE_ORPHANS": "1", "COMPOSER": "1", "A": "1"}
    found = {one.subject: one.text for one in steering(read_stack_of({"web": {}}, variables=variables))}
    assert set(found) == {"COMPOSE_PROFILES", "COMPOSE_IGNORE_ORPHANS"}
    assert found["COMPOSE_PROFILES"].startswith("followed")
    assert found["COMPOSE_IGNORE_ORPHANS"].startswith("left out")
