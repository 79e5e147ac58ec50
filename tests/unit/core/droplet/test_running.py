"""What runs on a droplet: its script, word for word, and its output as values."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.core.deploy.facts import facts_script
from flows.core.droplet.containers import read_containers
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.running import (
    Running,
    containers_script,
    kept_release_script,
    read_running,
    running_release_script,
    running_script,
)
from flows.core.droplet.sections import section_script
from flows.core.records.storage import history_sections

pytestmark = pytest.mark.unit

PS = "docker ps --all --quiet --no-trunc --filter label=com.docker.compose.project=shop"


SCRIPTS = {
    "facts": facts_script(StackDirectory("/opt/slip way", "shop"), ["host/web@sha256:1"]),
    "containers": containers_script("shop"),
    "running": running_script("shop"),
    "release": running_release_script(StackDirectory("/opt/it's", "shop")),
    "kept release": kept_release_script(StackDirectory("/opt/it's", "shop"), "v1.f00"),
    "history": section_script(history_sections(StackDirectory("/opt/it's", "shop"))),
}


def test_containers_are_asked_for_by_the_projects_label():
    assert SCRIPTS["containers"].startswith(f'ids=$({PS}) || exit; [ -z "$ids" ] || {{ said=$(docker inspect $ids); ')


def docker(place: Path, inspected: dict[str, dict]) -> dict[str, str]:
    """A `docker` that lists the containers of the project and inspects any; the environment to find it."""
    mine = [name for name, entry in inspected.items() if entry.pop("mine", True)]
    for name, entry in inspected.items():
        (place / name).write_text(json.dumps([entry], indent=4))
    program = place / "docker"
    program.write_text(
        f'#!/bin/sh\ncase $1 in ps) echo "{chr(10).join(mine)}";;\n'
        f"inspect) shift; {sys.executable} -c 'import json, sys; "
        f'print(json.dumps([json.load(open(f"{place}/{{n}}"))[0] for n in sys.argv[1:]], indent=4))\' "$@";; esac\n'
    )
    program.chmod(0o755)
    return {"PATH": f"{place}:/usr/bin:/bin"}


def entry(identity: str, mode: str = "shop_default", address: str = "", **more) -> dict:
    return {
        "Id": identity,
        "Name": f"/shop-{identity}-1",
        "Image": "sha256:i",
        "Config": {"Image": "i", "Env": ['X=    "NetworkMode": "container:dd"'], "Labels": {}},
        "State": {"Status": "running"},
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Networks": {"a": {"IPAddress": address}}},
        **more,
    }


def run(script: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=True)


def test_a_container_on_anothers_network_has_the_address_of_that_one_whoever_it_is(tmp_path):
    there = {
        "aa": entry("aa", address="172.18.0.2"),
        "bb": entry("bb", "container:aa"),
        "cc": entry("cc", "container:bb"),
        "ee": entry("ee", "container:ff"),
        "ff": entry("ff", address="172.17.0.9", mine=False),
    }
    said = run(SCRIPTS["containers"], docker(tmp_path, there))
    found = {c.id: c.address for c in read_containers(said.stdout)}
    assert found == {"aa": "172.18.0.2", "bb": "172.18.0.2", "cc": "172.18.0.2", "ee": "172.17.0.9"}
    assert said.stderr == ""


def test_without_containers_nothing_is_inspected(tmp_path):
    said = subprocess.run(
        ["sh", "-c", SCRIPTS["containers"]], env=docker(tmp_path, {}), capture_output=True, text=True, check=True
    )
    assert (said.stdout, said.stderr, said.returncode) == ("", "", 0)


def test_what_runs_is_read_with_its_digests():
    output = '@@slipway:containers\n@@slipway:images\n{"id":"sha256:1","digests":["a@b"]}\n{"id":"2","digests":null}\n'
    assert read_running(output) == Running([], {"sha256:1": ("a@b",), "2": ()})
    assert read_running("") == Running([], {})
