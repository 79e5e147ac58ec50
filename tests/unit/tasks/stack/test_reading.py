"""A stack is read by Compose as it is written and as it is meant, whatever its variables stand in."""

import pytest

from flows.core.errors import UnsetVariables, UnsupportedField
from flows.settings import Settings
from flows.tasks.stack.project import open_project
from flows.tasks.stack.reading import ComposeReader, used_variables
from tests.support.stack.compose_client import needs_compose, write_files

pytestmark = pytest.mark.unit

MOUNTED = (
    "services: {web: {image: x, env_file: [web.env], volumes: ['${DATA:-./data}/in:/in:ro'], ports: ['${P:-80}:80']}}"
)


def opened(directory, variables: dict[str, str] | None = None):
    reader = ComposeReader(Settings(), variables or {})
    return open_project(str(directory), Settings(), variables or {}, reader), reader


@needs_compose
def test_a_default_with_a_colon_may_stand_in_a_short_mount(tmp_path):
    project, reader = opened(write_files(tmp_path, {"compose.yaml": MOUNTED, "web.env": "A=1"}))
    [mount] = project.read(reader, {})["services"]["web"]["volumes"]
    assert (mount["source"], mount["read_only"]) == (f"{tmp_path}/data/in", True)
    [written] = project.written(reader)["services"]["web"]["volumes"]
    assert (written["source"], written["target"], written["read_only"]) == ("${DATA:-./data}/in", "/in", True)
    assert project.written(reader)["services"]["web"]["ports"] == ["${P:-80}:80"]


@needs_compose
def test_files_that_are_included_and_extended_may_be_named_by_variables(tmp_path):
    files = {
        "compose.yaml": "include: ['${PART:-part}/compose.yaml']\nservices: {web: {env_file: [web.env], "
        "extends: {file: '${PART:-part}/base.yaml', service: base}}}",
        "part/compose.yaml": "services: {db: {image: 'db:$$x${V:-1}'}}",
        "part/base.yaml": "services: {base: {image: 'x:${V:-1}'}}",
        "web.env": "A=1",
    }
    project, reader = opened(write_files(tmp_path, files))
    written = project.written(reader)["services"]
    assert (written["db"]["image"], written["web"]["image"]) == ("db:$$x${V:-1}", "x:${V:-1}")


@needs_compose
def test_a_variable_that_an_env_file_alone_uses_is_refused(tmp_path):
    files = {
        "compose.yaml": "services: {web: {image: x, env_file: [web.env]}}",
        "web.env": "URL=postgres://$PASSWORD@db",
    }
    project, reader = opened(write_files(tmp_path, files))
    with pytest.raises(UnsetVariables, match="PASSWORD"):
        project.read(reader, {})


@needs_compose
def test_a_variable_of_what_is_switched_off_needs_no_value(tmp_path):
    text = "services: {web: {image: x}, tool: {image: 'tool:$VERSION', profiles: [tools]}}"
    project, reader = opened(write_files(tmp_path, {"compose.yaml": text}))
    assert list(project.read(reader, {})["services"]) == ["web"]


def test_what_the_compose_files_do_not_use_an_env_file_uses():
    raw = {"services": {"web": {"image": "x:$A"}, "tool": {"image": "${B}"}}, "x-more": {"C": "$C"}}
    assert used_variables(raw, {"services": {"web": {}}}, ("A", "B", "C", "D")) == ("A", "D")


def test_a_file_of_labels_is_refused_before_compose_looks_for_it(tmp_path):
    write_files(tmp_path, {"compose.yaml": "services: {web: {image: x, label_file: ./labels}}"})
    with pytest.raises(UnsupportedField, match=r"compose\.yaml:1 names a file of labels"):
        opened(tmp_path)


@needs_compose
def test_compose_is_told_no_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    project, reader = opened(
        write_files(tmp_path, {"compose.yaml": "services: {web: {image: x, volumes: ['~/a:/a']}}"})
    )
    [mount] = project.read(reader, {})["services"]["web"]["volumes"]
    assert mount["source"] == f"{tmp_path}/~/a"


@needs_compose
def test_reading_leaves_nothing_in_the_checkout_and_beside_it(tmp_path):
    files = {
        "shop/compose.yaml": "include: [../part/compose.yaml]\n"
        "services: {web: {image: x, env_file: [web.env, ../shared/more.env, {path: ../none/absent.env}]}}",
        "part/compose.yaml": "services: {db: {image: 'db:${V}', env_file: [db.env]}}",
    }
    write_files(tmp_path, files)
    project, reader = opened(tmp_path / "shop", {"V": "1"})
    contents = {entry.path: b"A=1" for entry in project.entries}
    assert len(contents) == 4
    assert project.read(reader, contents)["services"]["web"]["environment"] == {"A": "1"}
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(files)
    assert {path.name for path in tmp_path.iterdir()} == {"shop", "part"}


def test_the_variables_of_a_stack_are_data_and_never_the_docker_clients_environment(tmp_path, monkeypatch):
    docker, seen = tmp_path / "docker", tmp_path / "seen"
    docker.write_text(f"#!/bin/sh\n/usr/bin/env >> {seen}\necho 'services: {{a: {{image: x}}}}'\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "s3cr3t")
    monkeypatch.setenv("DOCKER_HOST", "unix:///own.sock")
    hostile = {"PATH": "/evil", "LD_PRELOAD": "/evil.so", "DOCKER_HOST": "tcp://evil", "BASH_ENV": "/evil", "A": "1"}
    reader = ComposeReader(Settings(docker=str(docker)), hostile)
    reader.read((f"{tmp_path}/compose.yaml",), {f"{tmp_path}/compose.yaml": b"services: {a: {image: x}}"})
    environment = dict(line.split("=", 1) for line in seen.read_text().splitlines())
    assert set(environment) - {"PWD", "_", "SHLVL", "OLDPWD"} == {"DOCKER_HOST", "DOCKER_CONFIG"}
    assert environment["DOCKER_HOST"] == "unix:///own.sock"
