"""What is for development only is refused, with its line."""

import pytest

from flows.core.errors import DevelopmentOnly
from flows.core.stack.development import refuse_development
from tests.support.builders import stack

pytestmark = pytest.mark.unit

BUILT = {"build": {"context": "/s/web"}}


def bind(source: str, target: str = "/app") -> dict:
    return {"type": "bind", "source": source, "target": target}


def refused(spec: dict, text: str = "services: {}", sources: tuple[str, ...] = ("/s/web/src",)) -> str:
    """The refusal of a stack with this one service; '' when it is not refused."""
    try:
        refuse_development(stack({"web": spec}), {"compose.yml": text}, lambda path: path in sources)
    except DevelopmentOnly as error:
        return str(error)
    return ""


def test_a_mount_over_a_build_context_is_refused_with_its_line():
    text = "services:\n  web:\n    volumes:\n      - ./web:/app\n"
    assert refused({**BUILT, "volumes": [bind("/s/web")]}, text) == (
        "this is the development form of the stack, which is never released: compose.yml:4 mounts source /s/web into "
        "web. Keep such lines in docker-compose.override.yml, which Slipway does not read"
    )


@pytest.mark.parametrize(
    ("mount", "mentioned"),
    [
        ("/s", True),
        ("/s/web", True),
        ("/s/web/src", True),
        ("/s/web/nginx.conf", False),
        ("/s/website", False),
        ("/etc/localtime", False),
    ],
)
def test_a_mount_is_source_when_it_holds_a_context_or_source_inside_one(mount, mentioned):
    assert ("mounts source" in refused({**BUILT, "volumes": [bind(mount)]})) is mentioned


def test_a_mount_of_source_may_be_meant():
    assert refused({**BUILT, "volumes": [bind("/s/web")], "x-slipway": {"mounts_source": True}}) == ""


def test_a_remote_build_context_is_no_directory_of_ours():
    assert refused({"build": {"context": "https://example.com/app.git"}, "volumes": [bind("/s/web/src")]}) == ""


RELOADS = {
    "a flag": ({"command": ["uvicorn", "--reload"]}, "--reload"),
    "a flag with a value": ({"command": ["uvicorn", "--reload=true"]}, "--reload"),
    "a flag inside a shell's one word": ({"command": ["sh", "-c", "exec uvicorn app --reload"]}, "--reload"),
    "a program": ({"command": ["node_modules/.bin/nodemon", "a.js"]}, "nodemon"),
    "a program by its path": ({"command": ["/usr/local/bin/watchmedo", "auto-restart"]}, "watchmedo"),
    "a module": ({"command": ["python", "-m", "debugpy", "app.py"]}, "debugpy"),
    "in the entrypoint": ({"entrypoint": ["uvicorn", "--reload"]}, "--reload"),
}


@pytest.mark.parametrize(("spec", "flag"), RELOADS.values(), ids=RELOADS)
def test_what_reloads_is_refused_with_its_line(spec, flag):
    [(field, words)] = spec.items()
    text = f"services:\n  web:\n    {field}:\n      {words}\n"
    assert f"compose.yml:4 starts web with {flag}" in refused(spec, text)


@pytest.mark.parametrize(
    "command", [["serve", "--reloadable"], ["caddy", "reload"], ["echo", "no-nodemon-here"], [], ["watch"]]
)
def test_words_that_only_look_like_it_are_not_refused(command):
    assert refused({"command": command}) == ""


@pytest.mark.parametrize(
    ("value", "mentioned"),
    [("1", True), ("true", True), ("yes", True), ("0", False), ("False", False), ("", False), ("off", False)],
)
def test_a_debug_variable_counts_when_it_is_on(value, mentioned):
    text = "services:\n  web:\n    environment:\n      FLASK_DEBUG: x\n"
    said = refused({"environment": {"FLASK_DEBUG": value}}, text)
    assert ("compose.yml:4 sets FLASK_DEBUG for web" in said) is mentioned


def test_every_finding_is_named_at_once():
    said = refused({**BUILT, "volumes": [bind("/s/web")], "command": "run --reload"})
    assert said.count("; ") == 1
