"""A Docker pool: its template is one that Prefect's server and its docker worker take, and no run can change it."""

import asyncio
import json

import pytest
from prefect.server.schemas.actions import WorkPoolCreate
from prefect_docker.worker import DockerWorker, DockerWorkerJobConfiguration

from flows.worker.pool import Containers, docker_template
from tests import CHECKOUT

pytestmark = pytest.mark.unit
GIVEN = Containers(
    "registry.example.com/slipway-worker@sha256:" + "a" * 64, ("net",), ("/srv/stack:/srv/stack",), ("999",)
)


def configuration(containers: Containers, **values) -> DockerWorkerJobConfiguration:
    template = docker_template(containers)
    return asyncio.run(DockerWorkerJobConfiguration.from_template_and_values(template, values))


def test_the_servers_own_check_takes_it_and_its_words_are_those_of_prefects_docker_worker():
    made = WorkPoolCreate(name="slipway-docker", type="docker", base_job_template=docker_template(GIVEN))
    assert made.base_job_template == docker_template(GIVEN)
    theirs = DockerWorker.get_default_base_job_template()["job_configuration"]
    assert set(made.base_job_template["job_configuration"]) <= set(theirs)


def test_containers_are_as_they_were_asked_for_and_may_do_little():
    made = configuration(GIVEN)
    assert (made.image, made.networks, made.volumes) == (GIVEN.image, ["net"], ["/srv/stack:/srv/stack"])
    assert made.container_create_kwargs == {
        "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "group_add": ["999"]
    }  # fmt: skip
    assert made.env["PREFECT_HOME"] == "/home/slipway/.prefect"  # not the worker's, which is not in the image
    assert (made.privileged, made.auto_remove, made.stream_output) == (False, True, True)
    assert configuration(Containers()).image == "slipway-worker:latest"
    assert not configuration(Containers()).volumes


@pytest.mark.parametrize(
    "brought", [{"image": "evil"}, {"volumes": ["/:/host"]}, {"privileged": True}, {"env": {"A": "b"}}]
)
def test_a_run_brings_nothing_of_its_own(brought):
    assert docker_template(GIVEN)["variables"] == {**docker_template(GIVEN)["variables"], "additionalProperties": False,
                                                   "properties": {}}  # fmt: skip
    assert configuration(GIVEN, **brought) == configuration(GIVEN)


def test_on_the_hosts_network_a_server_on_its_loopback_is_reached():
    made = configuration(Containers(networks=("host",)))
    assert (made.network_mode, made.networks) == ("host", [])


def test_the_user_of_the_image_is_not_root():
    assert "\nUSER slipway\n" in (CHECKOUT / "compose/worker/Dockerfile").read_text()
    packaged = json.loads((CHECKOUT / "flows/work-pool-docker.json").read_text())
    assert packaged == json.loads((CHECKOUT / "work-pool-docker.json").read_text())
