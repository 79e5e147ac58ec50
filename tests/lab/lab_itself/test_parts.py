"""The lab is what it says: real parts, closed to strangers, reaching each other by name."""

import base64
import subprocess

import httpx
import paramiko
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from flows.core.registry.certificates import certificate_hint
from tests.support import wait_until
from tests.support.lab.lab import DOCR, DOCR_TOKENS, REGISTRY, SSH_PORTS, connect, lab_tls

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("auth", [None, ("slipway", "wrong")])
def test_the_registry_refuses_whoever_does_not_log_in(lab, auth):
    assert httpx.get(f"https://{lab.registry}/v2/", auth=auth, verify=lab_tls()).status_code == 401


def test_the_registry_lets_its_user_in(lab):
    assert httpx.get(f"https://{lab.registry}/v2/", auth=lab.registry_auth, verify=lab_tls()).status_code == 200


@pytest.mark.parametrize("registry", [REGISTRY, DOCR])
def test_a_registry_does_not_speak_http(lab, registry):
    answer = httpx.get(f"http://{registry}/v2/", auth=lab.registry_auth)
    assert (answer.status_code, answer.text) == (400, "Client sent an HTTP request to an HTTPS server.\n")


@pytest.mark.parametrize("address", [f"https://{REGISTRY}/v2/", f"https://{DOCR}/v2/", DOCR_TOKENS])
def test_who_does_not_know_the_labs_authority_trusts_no_registry(lab, address):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(address)


def test_an_engine_trusts_no_registry_whose_authority_it_was_not_told_of(lab, unique):
    """By this name the lab's registry is another one to the engine."""
    unknown = "slipway-lab-registry:5000"
    done = subprocess.run(
        ["docker", "exec", f"{lab.name}-green", "docker", "pull", f"{unknown}/tests/{unique}:1"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"belongs there in /etc/docker/certs.d/{unknown}/ca.crt" in certificate_hint(done.stderr)


def test_a_droplet_refuses_passwords(lab):
    with pytest.raises(paramiko.BadAuthenticationType) as refused:
        connect(lab, "green", password="anything")
    assert refused.value.allowed_types == ["publickey"]


def test_a_droplet_refuses_a_key_it_does_not_know(lab):
    with pytest.raises(paramiko.AuthenticationException):
        connect(lab, "blue", pkey=paramiko.RSAKey.generate(2048))


@pytest.mark.parametrize("machine", SSH_PORTS)
def test_a_machine_shows_the_host_key_that_was_read_inside_it(lab, machine):
    transport = paramiko.Transport(("127.0.0.1", lab.ssh_port(machine)))
    try:
        transport.start_client(timeout=10)
        shown = transport.get_remote_server_key()
    finally:
        transport.close()
    assert f"{shown.get_name()} {shown.get_base64()}" == lab.host_key(machine)


@pytest.mark.parametrize("machine", SSH_PORTS)
def test_the_labs_key_opens_each_machine(lab, machine):
    with connect(lab, machine) as client:
        assert on(client, "hostname").strip() == machine


def test_the_droplets_and_the_data_home_are_machines_of_their_own(lab):
    assert len({lab.host_key(machine) for machine in SSH_PORTS}) == 4
    assert len({lab.inside(machine, "docker", "info", "-f", "{{.ID}}") for machine in ("green", "blue", "data")}) == 3


def test_a_droplet_has_compose_and_nothing_to_build_with(lab):
    assert lab.inside("green", "docker", "compose", "version", "--short")
    assert "buildx" not in lab.inside("green", "docker", "info", "-f", "{{.ClientInfo.Plugins}}")


def test_one_connection_carries_many_sessions_at_once(green):
    channels = [green.get_transport().open_session(timeout=10) for _ in range(40)]
    for channel in channels:
        channel.exec_command("true")
    assert [channel.recv_exit_status() for channel in channels] == [0] * 40


def test_on_a_droplet_the_same_reference_means_the_same_registry(lab, green, unique):
    reference = f"{lab.registry}/tests/{unique}:1"
    user, password = lab.registry_auth
    lab.docker("tag", "debian:trixie-slim", reference)
    login = f"docker --config /run/{unique} login -u {user} --password-stdin {lab.registry}"
    try:
        with_login(lab, "push", "-q", reference)
        stdin, stdout, _ = green.exec_command(login, timeout=30)
        stdin.write(password)
        stdin.channel.shutdown_write()
        assert stdout.channel.recv_exit_status() == 0
        assert "refused" not in on(green, f"docker --config /run/{unique} pull -q {reference}")
        resolved = on(green, resolving(reference, unique))
        assert "slipway-lab-langfuse" in resolved
        assert "reached" in resolved
    finally:
        on(green, f"docker rmi {reference}; docker network rm {unique}; rm -rf /run/{unique}", check=False)
        lab.docker("rmi", reference, check=False)


def resolving(image, network):
    """A container on a network of its own, as Compose makes it, that looks up and reaches a part of the lab."""
    ask = "getent hosts slipway-lab-langfuse && (: </dev/tcp/slipway-lab-langfuse/3000) && echo reached"
    return f"docker network create {network} >/dev/null && docker run --rm --network {network} {image} bash -c '{ask}'"


def with_login(lab, *command):
    """Run the host's client with a login of its own, which is gone afterwards."""
    auth = base64.b64encode(":".join(lab.registry_auth).encode()).decode()
    config = lab.directory / "test-docker-config"
    config.mkdir(mode=0o700, exist_ok=True)
    (config / "config.json").write_text(f'{{"auths": {{"{lab.registry}": {{"auth": "{auth}"}}}}}}')
    try:
        lab.docker("--config", str(config), *command)
    finally:
        (config / "config.json").unlink()
        config.rmdir()


def on(client, command, check=True):
    _, stdout, stderr = client.exec_command(command, timeout=120)
    output = stdout.read().decode()
    assert not check or stdout.channel.recv_exit_status() == 0, stderr.read().decode()
    return output


def test_prometheus_asks_every_service_of_both_colours_and_of_home(lab):
    targets = httpx.get(f"{lab.prometheus}/api/v1/targets").json()["data"]["activeTargets"]
    asked = {(target["labels"]["colour"], target["labels"]["service"]) for target in targets}
    assert len(targets) == len(asked) == 16
    assert {colour for colour, _ in asked} == {"green", "blue", "home"}
    assert {service for colour, service in asked if colour == "home"} == {"rag-context", "state-persistence"}
    assert {(target["scrapeInterval"], target["scrapeTimeout"]) for target in targets} == {("2s", "1s500ms")}


def test_a_trace_sent_by_the_official_exporter_can_be_read_back(lab, unique):
    credentials = base64.b64encode(":".join(lab.langfuse_auth).encode()).decode()
    exporter = OTLPSpanExporter(
        f"{lab.langfuse}/api/public/otel/v1/traces",
        headers={"Authorization": f"Basic {credentials}"},
        compression=Compression.Gzip,
    )
    provider = TracerProvider(resource=Resource({"service.name": unique}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("tests").start_as_current_span("probe") as span:
        trace_id = format(span.get_span_context().trace_id, "032x")
    provider.shutdown()
    found = wait_until(lambda: observations(lab, trace_id), pause=0.1)
    assert [observation["name"] for observation in found] == ["probe"]
    assert found[0]["metadata"]["resourceAttributes"]["service.name"] == unique


def observations(lab, trace_id):
    answer = httpx.get(
        f"{lab.langfuse}/api/public/v2/observations",
        params={"traceId": trace_id, "fields": "basic,metadata"},
        auth=lab.langfuse_auth,
    )
    return answer.raise_for_status().json()["data"]
