"""A stack that cannot or must not be released is refused before anything is built."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import CHECKOUT
from tests.stacks.invalid_input import GOOD, REFUSED, InvalidInputCase, assert_one_error, open_invalid_input_case

pytestmark = pytest.mark.lab

SAMPLE = CHECKOUT / "compose"
WEB = """
name: bad-input
services:
  web:
    image: ${REGISTRY}/web:${IMAGE_TAG}
    build: .
"""

# What is wrong → files of the stack, words of the command, name of the error, words it must hold.
CASES: dict[str, tuple[dict[str, str], tuple[str, ...], str, tuple[str, ...]]] = {
    "the compose file is no YAML": (
        {"compose.yaml": "services:\n  web: [\n"},
        (), "BrokenStack", ("compose.yaml", "line 3", "docker compose config"),
    ),
    "the compose file is a list": (
        {"compose.yaml": "- web\n"},
        (), "BrokenStack", ("compose.yaml", "services:"),
    ),
    "the compose file has a field that Compose does not know": (
        {"compose.yaml": f"{WEB}    portz: [80]\n"},
        (), "BrokenStack", ("Compose cannot read the stack", "portz"),
    ),
    "the compose file has no services": (
        {"compose.yaml": "name: bad-input\n"},
        (), "BrokenStack", ("services",),
    ),
    "an included file is missing": (
        {"compose.yaml": f"include: [more.yaml]\n{WEB}"},
        (), "BrokenStack", ("compose.yaml refers to", "more.yaml", "No such file"),
    ),
    "a mounted file is missing": (
        {"compose.yaml": f"{WEB}    volumes: ['./conf/web.conf:/etc/web.conf:ro']\n"},
        (), "BrokenStack", ("conf/web.conf, which does not exist", "Add it"),
    ),
    "a subset names a service that is not there": (
        {},
        ("--services", "only,nobody"), "UnknownService", ("bad-input has no service nobody", "Its services: only"),
    ),
    "a subset keeps an image that was never published": (
        {"compose.yaml": f"{GOOD}  other:\n    image: ${{REGISTRY}}/other:${{IMAGE_TAG}}\n    build: .\n"},
        ("--services", "only"), "UnknownService", ("other was never published", "Leave --services out"),
    ),
    "a variable has no value": (
        {"compose.yaml": f"{WEB}    environment: {{COLOUR: '${{SHADE}}'}}\n"},
        (), "UnsetVariables", ("SHADE", "slipway environment set", "--env-file", "${SHADE:-value}"),
    ),
    "a variable is marked as needed": (
        {"compose.yaml": f"{WEB}    environment: {{COLOUR: '${{SHADE:?}}'}}\n"},
        (), "UnsetVariables", ("SHADE", "slipway environment set"),
    ),
    "x-slipway has a field that there is not": (
        {"compose.yaml": f"{WEB}    x-slipway: {{port: 80, helth: /up}}\n"},
        (), "BadExtension", ("service web: x-slipway.helth", "docs/STACK.md"),
    ),
    "x-slipway has a value that does not fit": (
        {"compose.yaml": f"{WEB}    x-slipway: {{port: 80, workflow: {{post: orders, expect: id}}}}\n"},
        (), "BadExtension", ("service web: x-slipway.workflow.post",),
    ),
    "x-slipway probes a service of no port": (
        {"compose.yaml": f"{WEB}    x-slipway: {{health: /up}}\n"},
        (), "BadExtension", ("service web: x-slipway.port", "has no ports"),
    ),
    "x-slipway probes a service of two ports": (
        {"compose.yaml": f"{WEB}    expose: [80, 81]\n    x-slipway: {{health: /up}}\n"},
        (), "BadExtension", ("service web: x-slipway.port", "has 2 ports"),
    ),
    "source is mounted": (
        {"compose.yaml": f"{WEB}    volumes:\n      - ./src:/app/src\n", "src/web.py": "print()\n"},
        (), "DevelopmentOnly", ("compose.yaml:8 mounts source", "into web", "docker-compose.override.yml"),
    ),
    "a reload flag is set": (
        {"compose.yaml": f"{WEB}    command:\n      - uvicorn\n      - --reload\n"},
        (), "DevelopmentOnly", ("compose.yaml:9 starts web with --reload", "docker-compose.override.yml"),
    ),
    "a debug flag is set": (
        {"compose.yaml": f"{WEB}    environment:\n      FLASK_DEBUG: 1\n"},
        (), "DevelopmentOnly", ("compose.yaml:8 sets FLASK_DEBUG for web",),
    ),
    "an image from elsewhere is not there": (
        {"compose.yaml": f"{WEB}  cache:\n    image: 127.0.0.1:1/cache:7\n"},
        (), "UnpinnedImage", ("127.0.0.1:1/cache:7 has no digest", "Check the name"),
    ),
    "the tag is none": (
        {},
        ("--tag", "no tag!"), "BadTag", ("'no tag!' is no image tag", "1 to 128"),
    ),
    "the env file is missing": (
        {},
        ("--env-file", "nowhere.env"), "MissingEnvironmentFile", ("nowhere.env: No such file", "--env-file PATH"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InvalidInputCase]:
    with open_invalid_input_case(tmp_path_factory.mktemp("bad")) as case:
        yield case


@pytest.mark.parametrize("what", CASES)
def test_a_stack_is_refused_when(what: str, case: InvalidInputCase) -> None:
    files, words, name, said = CASES[what]
    stack = case.stack(what.replace(" ", "-"), files)
    published = _published(case)
    with case.untouched():
        answer = case.slipway("release", "--stack", str(stack), *words)
    assert_one_error(answer, REFUSED, name, said)
    assert _published(case) == published


def test_a_compose_file_that_is_not_there_is_refused(case: InvalidInputCase, tmp_path: Path) -> None:
    with case.untouched():
        answer = case.slipway("release", "--stack", str(tmp_path / "compose.yaml"))
    assert_one_error(answer, REFUSED, "StackNotFound", (f"{tmp_path}/compose.yaml", "Give --stack PATH"))


def test_a_directory_without_a_compose_file_is_refused(case: InvalidInputCase, tmp_path: Path) -> None:
    with case.untouched():
        answer = case.slipway("release", "--stack", str(tmp_path))
    assert_one_error(answer, REFUSED, "StackNotFound", (f"{tmp_path}: no compose file", "Give --stack PATH"))


def test_outside_git_a_tag_must_be_given(case: InvalidInputCase, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(GOOD)
    with case.untouched():
        answer = case.slipway("release", "--stack", str(tmp_path))
    assert_one_error(answer, REFUSED, "BadTag", ("in no git checkout", "Give --tag TAG"))


def test_the_sample_s_development_form_is_refused_with_each_of_its_lines(case: InvalidInputCase) -> None:
    files = [str(SAMPLE / name) for name in ("docker-compose.yml", "docker-compose.override.yml")]
    lines = (SAMPLE / "docker-compose.override.yml").read_text().splitlines()
    line = {word: 1 + next(n for n, text in enumerate(lines) if word in text and "#" not in text) for word in
            ("--reload", "/app/agents")}  # fmt: skip
    answer = case.slipway("build-push", "--stack", ":".join(files), "--tag", "never")
    assert_one_error(answer, REFUSED, "DevelopmentOnly", (
        f"docker-compose.override.yml:{line['/app/agents']} mounts source",
        f"docker-compose.override.yml:{line['--reload']} starts orchestrator with --reload",
    ))  # fmt: skip


def _published(case: InvalidInputCase) -> list[str]:
    return [tag for repository in case.registry.repositories() for tag in case.registry.tags(repository)]
