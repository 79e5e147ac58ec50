"""Finding an engine: one that works is used and not touched; what cannot work is refused with the way out."""

import os

import pytest

from tests.support.lab_scripts import Machine

pytestmark = pytest.mark.unit
DOCKER = """
case "$1 $2" in
    "version "*) {answers} ;;
    "compose version") echo "{compose}"; [[ -n "{compose}" ]] ;;
    "buildx version") {buildx} ;;
esac
"""


def client(answers=True, compose="2.26.1", buildx=True):
    say = {True: "true", False: "false"}
    return DOCKER.format(answers=say[answers], compose=compose, buildx=say[buildx])


@pytest.fixture
def machine(tmp_path):
    return Machine.at(tmp_path)


@pytest.mark.parametrize("compose", ["2.20.0", "v2.26.1-4", "5.0.1"])
def test_an_engine_that_works_is_used_and_only_asked(machine, compose):
    docker = machine.put("docker", client(compose=compose))
    result = machine.run("engine.sh")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert os.readlink(machine.state / "bin" / "docker") == str(docker)
    assert {call.split()[0] for call in machine.calls} <= {"version", "compose", "buildx"}


def test_a_client_without_plugins_gives_way_to_the_packaged_one(machine):
    machine.put("docker", client(compose=""))
    packaged = machine.put("packaged/docker", client())
    assert machine.run("engine.sh").returncode == 0
    assert os.readlink(machine.state / "bin" / "docker") == str(packaged)


def test_the_second_time_one_question_is_enough(machine):
    machine.put("docker", client())
    machine.run("engine.sh")
    before = len(machine.calls)
    assert machine.run("engine.sh").returncode == 0
    assert len(machine.calls) == before + 1


@pytest.mark.parametrize(
    ("docker", "said"),
    [
        (client(compose="2.17.3"), "its Compose is '2.17.3'"),
        (client(compose=""), "its Compose is 'missing'"),
        (client(buildx=False), "buildx is missing"),
    ],
)
def test_an_engine_that_is_too_old_is_refused_and_left_alone(machine, docker, said):
    machine.put("docker", docker)
    result = machine.run("engine.sh")
    assert result.returncode == 1
    assert said in result.stderr
    assert "Nothing was changed." in result.stderr
    assert "Install Compose 2.20 or later" in result.stderr
    assert not (machine.state / "bin" / "docker").exists()


def test_an_installed_engine_without_compose_is_not_started(machine):
    machine.put("packaged/dockerd", "touch started")
    machine.put("docker", client(answers=False, compose=""))
    result = machine.run("engine.sh")
    assert result.returncode == 1
    assert "an engine is installed, but not Compose 2.20 or later" in result.stderr


def test_a_docker_host_that_does_not_answer_is_named(machine):
    machine.put("docker", client(answers=False))
    result = machine.run("engine.sh", DOCKER_HOST="ssh://elsewhere")
    assert "DOCKER_HOST is ssh://elsewhere, and no engine answers there." in result.stderr


def test_where_nothing_can_be_installed_it_says_what_to_install(machine):
    result = machine.run("engine.sh")
    assert result.returncode == 1
    assert "Docker Engine with Compose 2.20 or later and buildx" in result.stderr


def test_the_mirror_and_its_key_come_from_the_machines_own_sources(machine):
    source = machine.root / "some.sources"
    source.write_text("Types: deb\nSigned-By: /keys/own.gpg\n")
    machine.put("apt-get", f'echo "Packages main suite=$CODENAME http://mirror.example/debian/ {source}:1"')
    release = machine.run("-c", ". /etc/os-release; printf %s $VERSION_CODENAME").stdout
    result = machine.run("-c", "set -euo pipefail; . $LAB_DIR/packages.sh; own_mirror", CODENAME=release)
    assert result.stdout == "http://mirror.example/debian /keys/own.gpg\n"
