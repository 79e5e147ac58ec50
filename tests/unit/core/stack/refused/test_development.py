"""What is for development only is refused, with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import DevelopmentOnly
from flows.core.stack.refused.command_line import reloading_words
from flows.core.stack.refused.development import refuse_development
from tests.support.builders import stack

pytestmark = pytest.mark.unit

KINDS = ("source", "reload", "debug")
BUILT = {"build": {"context": "/s/web"}}


def bind(source: str, target: str = "/app") -> dict:
    return {"type": "bind", "source": source, "target": target}


def refused(spec: dict, text: str = "services: {}", host_paths: tuple[str, ...] = ()) -> str:
    """The refusal of a stack with this one service; '' when it is not refused."""
    try:
        refuse_development(stack({"web": spec}), {"compose.yml": text}, lambda path: path == "/s/web/src", host_paths)
    except DevelopmentOnly as error:
        return str(error)
    return ""


def test_a_mount_over_a_build_context_is_refused_with_its_line():
    text = "services:\n  web:\n    volumes:\n      - ./web:/app\n"
    assert refused({**BUILT, "volumes": [bind("/s/web")]}, text) == (
        "this is the development form of the stack, which is never released: compose.yml:4 mounts source /s/web into "
        "web (meant? x-slipway: {allow: [source]}). Keep such lines in docker-compose.override.yml, which Slipway does "
        "not read, or say beside the service that they are meant"
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


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ({**BUILT, "volumes": [bind("/s/web")]}, "source"),
        ({"command": ["uvicorn", "--reload"]}, "reload"),
        ({"environment": {"FLASK_DEBUG": "1"}}, "debug"),
    ],
)
def test_each_kind_may_be_meant_and_the_refusal_names_the_field(spec, kind):
    field = f"x-slipway: {{allow: [{kind}]}}"
    assert field in refused(spec)
    assert field in refused({**spec, "x-slipway": {"allow": [other for other in KINDS if other != kind]}})
    assert refused({**spec, "x-slipway": {"allow": [kind]}}) == ""


@pytest.mark.parametrize("source", ["/", "/s", "/s/web", "/s/web/src"])
def test_a_mount_of_the_droplets_own_path_holds_nothing_of_the_source(source):
    spec = {**BUILT, "volumes": [bind(source, "/rootfs")]}
    assert "mounts source" in refused(spec)
    assert refused(spec, host_paths=(source,)) == ""


def test_a_remote_build_context_is_no_directory_of_ours():
    assert refused({"build": {"context": "https://example.com/app.git"}, "volumes": [bind("/s/web/src")]}) == ""


RELOADS = {
    "a flag": ({"command": ["uvicorn", "--reload"]}, "--reload"),
    "a flag with a value": ({"command": ["uvicorn", "--reload=true"]}, "--reload"),
    "a flag inside a shell's one word": ({"command": ["sh", "-c", "exec uvicorn app --reload"]}, "--reload"),
    "a program": ({"command": ["node_modules/.bin/nodemon", "a.js"]}, "nodemon"),
    "a program by its path": ({"command": ["/usr/local/bin/watchmedo", "auto-restart"]}, "watchmedo"),
    "a module": ({"command": ["python", "-m", "debugpy", "app.py"]}, "debugpy"),
    "node's own": ({"command": ["node", "--watch", "a.js"]}, "--watch"),
    "a runner's program": ({"command": ["npx", "--yes", "nodemon", "a.js"]}, "nodemon"),
    "a second command of a shell": ({"command": ["sh", "-c", "migrate && PORT=1 nodemon a.js"]}, "nodemon"),
    "a server as a module": ({"command": ["python3.12", "-m", "uvicorn", "--reload"]}, "--reload"),
    "a program of the stack's own": ({"command": ["python3", "-m", "agents.serve", "--reload"]}, "--reload"),
    "its script, by a project's tool": ({"command": ["uv", "run", "serve.py", "--reload"]}, "--reload"),
    "an open quotation mark": ({"command": ["sh", "-c", "uvicorn --log 'x --reload"]}, "--reload"),
    "in the entrypoint": ({"entrypoint": ["uvicorn", "--reload"]}, "--reload"),
}


@pytest.mark.parametrize(("spec", "flag"), RELOADS.values(), ids=RELOADS)
def test_what_reloads_is_refused_with_its_line(spec, flag):
    [(field, words)] = spec.items()
    text = f"services:\n  web:\n    {field}:\n      {words}\n"
    assert f"compose.yml:4 starts web with {flag}" in refused(spec, text)


@pytest.mark.parametrize(
    "command",
    [
        *(["serve", "--reloadable"], ["caddy", "reload"], ["echo", "no-nodemon-here"], [], ["watch"]),
        ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--watch"],
        ["/bin/sh", "-c", "exec sleep infinity", "--", "caddy", "run", "--watch"],
        ["scanner", "--exclude", "debugpy"],
        ["sh", "-c", "echo uvicorn; caddy run --watch"],
        ["prometheus", "--hot=1", "--reload"],
        ["supervise", "--reload", "uvicorn"],
    ],
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
    said = refused({**BUILT, "volumes": [bind("/s/web")], "command": "flask run --reload"})
    assert said.count("; ") == 1


@given(st.lists(st.text(max_size=12) | st.sampled_from(["uvicorn --reload", "--watch", "sh", "-c", "a;b", "'"])))
def test_any_command_line_is_read(words):
    said = reloading_words(words)
    assert all(any(word in spoken for spoken in words) for word in said)
