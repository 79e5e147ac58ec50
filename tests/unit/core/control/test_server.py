"""What the services of the control plane are started with, and their units, word for word."""

import shutil
import subprocess

import pytest

from flows.core.control.server import (
    ControlPlane,
    MachineService,
    common_environment,
    read_plane,
    server_service,
    unit_text,
    worker_service,
)

pytestmark = pytest.mark.unit

PLANE = ControlPlane("/data/slipway", "/srv/shop", port=4300)
COMMON = common_environment(
    PLANE, "/home/me/.prefect/profiles.toml", {"PATH": "/bin", "PREFECT_API_URL": "http://x", "A": "b"}
)


def test_a_service_takes_from_the_shell_only_what_it_needs():
    assert COMMON == {
        "PATH": "/bin",
        "PREFECT_HOME": "/data/slipway",
        "PREFECT_PROFILES_PATH": "/home/me/.prefect/profiles.toml",
        "PREFECT_PROFILE": "slipway",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def test_with_other_versions_of_its_packages_a_service_is_another_one():
    made = [common_environment(PLANE, "/p", {}, versions) for versions in ("prefect-3.8.8", "prefect-3.8.9")]
    assert server_service(PLANE, made[0]) != server_service(PLANE, made[1])


def test_the_server_listens_where_it_was_told_and_lets_no_other_page_read():
    service = server_service(PLANE, COMMON, "/py")
    assert service.argv == ("/py", "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", "4300")
    assert service.environment["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] == "http://127.0.0.1:4300,http://localhost:4300"
    assert (
        service.environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] == "sqlite+aiosqlite:////data/slipway/prefect.db"
    )


def test_the_worker_works_in_the_repository_and_serves_the_pool():
    service = worker_service(PLANE, COMMON, "/py")
    assert service.argv == ("/py", "-m", "flows.worker", "--type", "fork", "--pool", "slipway", "--name", "slipway")
    assert (service.directory, service.after) == ("/srv/shop", "slipway-server")


def test_a_unit_is_started_at_boot_and_again_whenever_it_ends():
    service = MachineService("one", "One", ("/py", "a $b %c"), {"X": 'q"%'}, "/srv/50%", 45, "slipway-server")
    assert unit_text(service, "multi-user.target").splitlines() == [
        "# Made by `slipway server up`, which writes it anew.",
        "[Unit]",
        "Description=One",
        "After=network-online.target slipway-server.service",
        "Wants=slipway-server.service",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "WorkingDirectory=/srv/50%%",
        'Environment="X=q\\"%%"',
        'ExecStart="/py" "a $$b %%c"',
        "Restart=always",
        "RestartSec=2",
        "TimeoutStopSec=45",
        "KillMode=mixed",
        "UMask=0077",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_itself_finds_nothing_wrong_with_them(tmp_path):
    services = (server_service(PLANE, COMMON), worker_service(PLANE, COMMON))
    units = [tmp_path / f"{service.name}.service" for service in services]
    for unit, service in zip(units, services, strict=True):
        unit.write_text(unit_text(service, "multi-user.target"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "slipway-" in line]) == (0, [])


@pytest.mark.parametrize(
    "document", [None, [], {}, {"directory": "/d", "repository": "/r", "host": "h", "port": True}, {"directory": "/d"}]
)
def test_what_is_no_control_plane_is_none(document):
    assert read_plane(document) is None


def test_a_control_plane_is_read_as_it_was_written():
    assert read_plane({"directory": "/d", "repository": "/r", "host": "h", "port": 1}) == ControlPlane(
        "/d", "/r", "h", 1
    )
