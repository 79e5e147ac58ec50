"""What builds are run with: secrets from the environment block, and refusals before the first build."""

import os
from pathlib import Path

import pytest
import yaml

from flows.core.errors import BrokenStack, MissingBuildInput, MissingEnvironmentFile, UnsetVariables
from flows.core.registry.layout import RegistryLayout
from flows.core.release.image_plan import plan_images
from flows.core.stack.files.shipped_files import StackFiles
from flows.core.stack.stack import Stack
from flows.tasks.release.build_inputs import build_inputs
from flows.tasks.stack.source import Source

pytestmark = pytest.mark.unit


def inputs(project: Path, services: dict, wanted: tuple[str, ...] = (), values=None, files=None, **more):
    """The build inputs of a stack that lies in `project`."""
    config = {"name": "shop", "services": services, **more}
    text = "services:\n  app:\n    build:\n      ssh: [default, git]\n      platforms: [linux/amd64, linux/arm64]\n"
    place = str(project / "compose.yaml")
    paths = StackFiles(str(project), (place,), (), (), (), (), {}, {})
    source = Source(Stack.from_config(config), paths, {place: text}, config, (place,), None)
    plan = plan_images(source.stack, RegistryLayout("localhost:5000", "team"), "v1")
    return build_inputs(source, plan, wanted or tuple(services), values or {}, files or {})


def app(project: Path, **build) -> dict:
    return {"app": {"build": {"context": str(project), **build}}}


def written(made) -> tuple[dict, dict[str, bytes]]:
    """The build file as Compose reads it, and the content of each secret's file."""
    with made.written() as path:
        document = yaml.safe_load(Path(path).read_text())
        secrets = document.get("secrets") or {}
        contents = {name: Path(s["file"]).read_bytes() for name, s in secrets.items() if "file" in s}
        modes = {Path(path).stat().st_mode & 0o777, Path(path).parent.stat().st_mode & 0o777}
    assert modes == {0o600, 0o700}
    assert not Path(path).parent.exists()
    return document, contents


def test_a_secret_of_a_variable_has_the_blocks_value_and_stands_in_no_file(tmp_path):
    secrets = {"token": {"environment": "PATH"}}
    made = inputs(tmp_path, app(tmp_path, secrets=["token"]), values={"PATH": "s3cr3t"}, secrets=secrets)
    document, _ = written(made)
    name = document["secrets"]["token"]["environment"]
    assert made.variables == {name: "s3cr3t"}
    assert name not in os.environ
    assert "s3cr3t" not in str(document)


def test_a_secret_of_a_variable_that_nobody_set_is_refused(tmp_path):
    with pytest.raises(UnsetVariables, match=r"takes a secret from NPM_TOKEN \(secret token of app\)"):
        inputs(tmp_path, app(tmp_path, secrets=["token"]), secrets={"token": {"environment": "NPM_TOKEN"}})


def test_an_empty_value_is_a_value(tmp_path):
    made = inputs(tmp_path, app(tmp_path, secrets=["t"]), values={"T": ""}, secrets={"t": {"environment": "T"}})
    assert list(made.variables.values()) == [""]


@pytest.mark.parametrize(
    ("here", "held", "content"),
    [(b"old", b"new\r\n", b"new\r\n"), (b"here\xff", None, b"here\xff"), (None, b"held", b"held")],
    ids=["the block wins", "the checkout's own", "not in the checkout"],
)
def test_a_secret_file_is_the_blocks_or_the_checkouts(tmp_path, here, held, content):
    if here is not None:
        (tmp_path / "ca.pem").write_bytes(here)
    secrets = {"ca": {"file": str(tmp_path / "ca.pem")}}
    files = {} if held is None else {"./ca.pem": held}
    _, contents = written(inputs(tmp_path, app(tmp_path, secrets=["ca"]), files=files, secrets=secrets))
    assert contents == {"ca": content}


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ({"file": "ca.pem"}, r"needs ca\.pem \(secret ca of app\)"),
        ({"external": True}, "needs secret ca of app, which"),
    ],
)
def test_a_secret_that_is_nowhere_is_refused(tmp_path, secret, words):
    if "file" in secret:
        secret = {"file": str(tmp_path / secret["file"])}
    with pytest.raises(MissingEnvironmentFile, match=words):
        inputs(tmp_path, app(tmp_path, secrets=["ca"]), secrets={"ca": secret})


def test_secrets_of_services_are_no_secrets_of_builds(tmp_path):
    services = {"app": {"build": {"context": str(tmp_path)}, "secrets": ["db"]}}
    document, _ = written(inputs(tmp_path, services, secrets={"db": {"environment": "NOBODY"}}))
    assert "secrets" not in document


def test_the_agent_of_this_host_is_used_and_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    assert inputs(tmp_path, app(tmp_path, ssh=["default"])).notes == [
        "the build of app uses the SSH agent of this host"
    ]


def test_without_an_agent_a_build_that_uses_one_is_refused_with_its_line(tmp_path, monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(MissingBuildInput, match=r"compose\.yaml:4: the build of app uses the SSH agent"):
        inputs(tmp_path, app(tmp_path, ssh=["default"]))


def test_a_key_must_be_here(tmp_path):
    (tmp_path / "key").touch()
    said = inputs(tmp_path, app(tmp_path, ssh=[f"git: {tmp_path}/key"])).notes
    assert said == [f"the build of app uses the SSH key {tmp_path}/key of this host"]
    with pytest.raises(MissingBuildInput, match=r"compose\.yaml:4: .* uses the SSH key /gone \(build\.ssh: git\)"):
        inputs(tmp_path, app(tmp_path, ssh=["git=/gone"]))


def test_several_platforms_are_told_with_their_line(tmp_path):
    [note] = inputs(tmp_path, app(tmp_path, platforms=["linux/amd64", "linux/arm64"])).notes
    assert note.startswith("compose.yaml:5: app is built for this host's own platform alone, not for linux/amd64, ")


def test_dockerfiles_are_read_where_they_lie(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "Dockerfile").write_text("FROM debian")
    (tmp_path / "prod.Dockerfile").write_text("FROM shop-base")
    services = {
        "app": {"build": {"context": str(tmp_path), "dockerfile": "prod.Dockerfile"}},
        "inline": {"build": {"context": str(tmp_path), "dockerfile_inline": "ARG X=shop-app\nFROM $$X"}},
        "base": {"build": {"context": str(tmp_path / "base")}},
        "gone": {"build": {"context": str(tmp_path / "gone")}},
    }
    made = inputs(tmp_path, services)
    assert list(made.waves) == [["base", "gone"], ["app"], ["inline"]]
    document, _ = written(made)
    assert document["services"]["app"]["build"]["additional_contexts"] == {
        "shop-base": "docker-image://localhost:5000/team/shop-base:v1"
    }


def test_a_circle_is_refused_before_anything_is_built(tmp_path):
    services = {
        name: {"build": {"context": str(tmp_path), "dockerfile_inline": f"FROM shop-{other}"}}
        for name, other in (("a", "b"), ("b", "a"))
    }
    with pytest.raises(BrokenStack, match="built from each other"):
        inputs(tmp_path, services)
