"""What `make down` removes: the lab's things, chosen by label and pid, and nothing else."""

import os
import select
import subprocess
from pathlib import Path

import pytest

from tests.support import PATIENCE
from tests.support.lab_scripts import Machine

pytestmark = pytest.mark.unit
DOCKER = """
filters=$(grep -oE '(label|reference)=[^ ]+' <<<"$*" | paste -sd' ')
lab='label=dev.slipway.lab=true label=com.docker.compose.project=slipway-lab'
case "$1 $2 $filters" in
    "ps -a $lab") echo slipway-lab-green; echo slipway-lab-edge ;;
    "volume ls $lab") echo slipway-lab_green-engine ;;
    "network ls $lab") echo slipway-lab ;;
    "images --filter $lab") echo slipway-lab-edge:latest; echo 0123456789ab ;;
    "images --filter reference=198.18.199.250:5000/agents/* label=com.docker.compose.project")
        echo 198.18.199.250:5000/agents/a:1 ;;
    "image inspect "*) echo sha256:base ;;
    "ps "*|"volume "*|"network "*|"images  ") echo somebody-elses ;;
esac
"""
LISTED = """\
container slipway-lab-green
container slipway-lab-edge
volume slipway-lab_green-engine
network slipway-lab
image slipway-lab-edge:latest
image 0123456789ab
image 198.18.199.250:5000/agents/a:1
"""


@pytest.fixture
def machine(tmp_path):
    machine = Machine.at(tmp_path)
    docker = machine.put("docker", DOCKER)
    (machine.state / "bin").mkdir()
    (machine.state / "bin" / "docker").symlink_to(docker)
    return machine


def test_only_what_carries_both_labels_is_chosen(machine):
    assert machine.run("down.sh", "list").stdout == LISTED


@pytest.mark.parametrize(("recorded", "chosen"), [("sha256:base", True), ("sha256:pulled", False), (None, False)])
def test_the_base_image_goes_only_if_it_is_still_the_one_the_lab_made(machine, recorded, chosen):
    (machine.state / "lab").mkdir()
    if recorded:
        (machine.state / "lab" / "base-image").write_text(f"{recorded}\n")
    assert ("image debian:trixie-slim\n" in machine.run("down.sh", "list").stdout) is chosen


def test_every_removal_names_one_thing_and_nothing_is_pruned(machine):
    result = machine.run("down.sh")
    changes = [call for call in machine.calls if {"rm", "rmi", "prune"} & set(call.split())]
    assert changes == [
        "rm -f -v slipway-lab-green slipway-lab-edge",
        "volume rm slipway-lab_green-engine",
        "network rm slipway-lab",
        "rmi slipway-lab-edge:latest",
        "rmi 0123456789ab",
        "rmi 198.18.199.250:5000/agents/a:1",
    ]
    assert result.stdout.count("\n") == 1
    assert "What stays" in result.stdout
    assert not machine.state.exists()


def test_the_engine_forgets_the_authority_of_the_labs_registries_first(machine):
    for registry in ("198.18.199.250:5000", "198.18.199.251:5001"):
        (machine.state / "lab" / "certs.d" / registry).mkdir(parents=True)
    machine.run("down.sh")
    first = next(call for call in machine.calls if {"run", "rm"} & set(call.split()))
    assert f"-v /etc/docker:/etc/docker -v {machine.state}/lab/certs.d:/lab:ro debian:trixie-slim sh -c" in first
    assert 'cmp -s "$name/ca.crt" "/etc/docker/certs.d/$name/ca.crt" && rm -r "/etc/docker/certs.d/$name"' in first


def test_a_process_is_stopped_with_what_it_started(machine):
    started = machine.run(
        "-c",
        ". $LAB_DIR/common.sh; . $LAB_DIR/process.sh;"
        "start_detached worker bash -c 'sleep 300 & echo $! >$RUN/child; wait';"
        "until [ -s $RUN/child ]; do sleep 0.02; done; cat $RUN/child",
    )
    child = started.stdout.strip()
    assert alive(child)
    machine.run("down.sh")
    assert gone(child)


def test_a_number_that_now_belongs_to_somebody_else_is_not_killed(machine):
    with subprocess.Popen(["sleep", "300"]) as stranger:
        (machine.state / "run").mkdir()
        (machine.state / "run" / "worker.pid").write_text(f"{stranger.pid} 12345\n")
        machine.run("down.sh")
        assert stranger.poll() is None
        stranger.kill()


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: str) -> bool:
    """Whether the process ends soon: its pidfd becomes readable then (pidfd_open(2))."""
    try:
        handle = os.pidfd_open(int(pid))
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], PATIENCE)[0])
    finally:
        os.close(handle)
