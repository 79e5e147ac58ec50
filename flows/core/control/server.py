"""The control plane on one machine: its services, what they are started with, and their systemd units."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

POOL = "slipway"
PROFILE = "slipway"
SERVER, WORKER = "slipway-server", "slipway-worker"
# What a service takes from whoever starts it: how it reaches others, and what a run's programs need.
KEPT = (
    *(
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "PYTHONPATH",
        "XDG_RUNTIME_DIR",
        "DOCKER_HOST",
        "DOCKER_CONFIG",
        "SSH_AUTH_SOCK",
    ),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "SLIPWAY_SETTINGS"),
)


@dataclass(frozen=True)
class ControlPlane:
    """Where the control plane of this machine is: what `slipway server up` was told the first time.

    Attributes:
        directory: holds its database and logs; no one else may enter it.
        repository: where runs work.
        host: address that the server listens on.
        port: its port.
    """

    directory: str
    repository: str
    host: str = "127.0.0.1"
    port: int = 4200

    @property
    def api(self) -> str:
        """Address of its API, from this machine."""
        return f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.port}/api"  # noqa: S104 — compared, not listened on


@dataclass(frozen=True)
class MachineService:
    """A process that is kept running.

    Attributes:
        name: of its unit, its log and its pid file.
        description: one line for `systemctl status`.
        argv: the program.
        environment: all that it gets.
        directory: where it works.
        stop_s: seconds between asking it to stop and insisting.
        after: the service that has to be up before.
    """

    name: str
    description: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str
    stop_s: int = 15
    after: str = ""


def common_environment(
    plane: ControlPlane, profiles: str, environ: Mapping[str, str], versions: str = ""
) -> dict[str, str]:
    """Environment of both services. The login is in the profile, so that no unit file and no argument has it.

    Args:
        profiles: path of Prefect's file of profiles.
        environ: of the command that starts them.
        versions: of the packages: with others, what runs is started anew.
    """
    return {name: environ[name] for name in KEPT if environ.get(name)} | {
        "PREFECT_HOME": plane.directory,
        "PREFECT_PROFILES_PATH": profiles,
        "PREFECT_PROFILE": PROFILE,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        **({"STARTED_WITH": versions} if versions else {}),
    }


def server_service(plane: ControlPlane, common: Mapping[str, str], python: str = sys.executable) -> MachineService:
    """The Prefect server: SQLite in the plane's directory."""
    own = {
        # One by one, each change of a task's state is a transaction, and SQLite locked for others.
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "20",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        # Whoever is logged in at the UI has the login in their browser; no other web page may read the API's answers.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": ",".join(
            f"http://{host}:{plane.port}" for host in dict.fromkeys((plane.host, "127.0.0.1", "localhost"))
        ),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{plane.directory}/prefect.db",
    }
    argv = (python, "-m", "prefect", "server", "start", "--host", plane.host, "--port", str(plane.port))
    return MachineService(SERVER, "Prefect server of Slipway", argv, {**common, **own}, plane.directory)


def worker_service(plane: ControlPlane, common: Mapping[str, str], python: str = sys.executable) -> MachineService:
    """The worker that carries out the runs of the pool. It stops its runs itself, which takes half a minute."""
    argv = (python, "-m", "flows.worker", "--type", "fork", "--pool", POOL, "--name", "slipway")
    own = {"PREFECT_WORKER_QUERY_SECONDS": "2"}
    return MachineService(
        WORKER, "Prefect worker of Slipway", argv, {**common, **own}, plane.repository, stop_s=45, after=SERVER
    )


def unit_text(service: MachineService, target: str) -> str:
    """The service as a systemd unit.

    Args:
        target: what it is started with: `multi-user.target`, or `default.target` for a user's own.
    """
    after = f" {service.after}.service" if service.after else ""
    return "\n".join([
        "# Made by `slipway server up`, which writes it anew.",
        "[Unit]",
        f"Description={service.description}",
        f"After=network-online.target{after}",
        *([f"Wants={after.strip()}"] if after else []),
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        f"WorkingDirectory={_specifier_free(service.directory)}",
        *(f"Environment={_quoted(f'{name}={value}')}" for name, value in sorted(service.environment.items())),
        f"ExecStart={' '.join(_quoted(word.replace('$', '$$')) for word in service.argv)}",
        "Restart=always",
        "RestartSec=2",
        f"TimeoutStopSec={service.stop_s}",
        "KillMode=mixed",
        "UMask=0077",
        "",
        "[Install]",
        f"WantedBy={target}",
        "",
    ])  # fmt: skip


def _specifier_free(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """A word of a unit file: quoted, with nothing in it that systemd would replace."""
    return '"' + _specifier_free(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def read_plane(document: Any) -> ControlPlane | None:
    """The control plane of its file, read as JSON; None where that is none."""
    if not isinstance(document, dict):
        return None
    directory, repository, host, port = (document.get(key) for key in ("directory", "repository", "host", "port"))
    words = (directory, repository, host)
    if not all(isinstance(word, str) and word for word in words) or type(port) is not int or not 0 < port < 65536:
        return None
    return ControlPlane(str(directory), str(repository), str(host), port)
