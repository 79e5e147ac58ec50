"""README, Run it for real: its commands, literally, from the wheel to a release that the CI's own steps promote.

At hand are a directory with a compose file and a Dockerfile, an empty machine, and the lab's registry. What is put in
the place of README's names and addresses, and nothing else, stands in `Newcomer.here`.
"""

import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests import CHECKOUT
from tests.support import wait_until
from tests.support.lab.lab import CA, STATE, Lab, docker
from tests.support.machine.empty_machine import EmptyMachine, open_empty_machine
from tests.support.machine.wheel import installed_wheel

pytestmark = pytest.mark.lab
HOST, STACK, NAMESPACE = "www.example.com", "my-stack", "test-run-for-real"
COMPOSE = """\
services:
  web:
    build: .
    init: true
    ports: ["8000:8000"]
    healthcheck: {test: [CMD, perl, /srv/web, ask], interval: 2s, start_period: 20s, start_interval: 300ms}
"""
DOCKERFILE = r"""FROM debian:trixie-slim
COPY <<'EOF' /srv/web
use IO::Socket::INET;
if (@ARGV) { exit !IO::Socket::INET->new("127.0.0.1:8000") }
my $server = IO::Socket::INET->new(LocalPort => 8000, Listen => 50, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
    while (defined(my $line = <$client>)) { last if $line =~ /^\r?$/ }
    my $text = "version $ENV{VERSION}";
    print $client "HTTP/1.1 200 OK\r\nContent-Length: " . length($text) . "\r\nConnection: close\r\n\r\n$text";
    close $client;
}
EOF
ENV VERSION=1
CMD ["perl", "/srv/web"]
"""


class Newcomer:
    """Somebody who types what stands in README."""

    def __init__(self, home: Path, machine: EmptyMachine, lab: Lab, edge_image: str) -> None:
        self.home, self.machine = home, machine
        self.stack = home / STACK
        self.place = home / "checkout"
        self.place.mkdir()
        (home / ".ssh").mkdir()
        (home / ".ssh/id_ed25519").write_text(lab.private_key.read_text())
        (home / ".ssh/id_ed25519").chmod(0o600)
        self.wheel, commands = installed_wheel(home / "wheel")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        user, self.password = lab.registry_auth
        self.here = {
            # The wheel is built and installed by pip, into an environment that has this one's packages.
            "make wheel": "true", "pipx install dist/slipway-*.whl": "slipway --version",
            "server up": f"server up --port {port}",
            "init --promote --ci-source REQUIREMENT": f"init --promote --yes --ci-source file://{self.wheel}",
            "registry.example.com --namespace my-team": f"{lab.registry} --ca {CA} --namespace {NAMESPACE}",
            "me@example.com": user,
            "--host 203.0.113.7": f"--host 127.0.0.1 --port {machine.port}",
            "--edge --url": f"--edge --edge-image {edge_image} --tls internal --url",
            # Nobody watches for a minute here.
            'approval = "never"': 'approval = "never"\nwatch = 1\nwatch_interval = 0.5\ngate_window = 0\ndrain = 2',
        }  # fmt: skip
        self.environment = {
            "PATH": f"{commands}:{STATE}/bin:{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(home),
            "DO_NOT_TRACK": "1", "NO_PROXY": lab.registry.partition(":")[0], "no_proxy": lab.registry.partition(":")[0],
            **{name: f"{who}@example.com" for who in ("me",) for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")},
            "GIT_AUTHOR_NAME": "Me", "GIT_COMMITTER_NAME": "Me",
        }  # fmt: skip

    def follow(self, section: str) -> None:
        """Do what a section says, block by block."""
        for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE):
            if language == "sh":
                for command in filter(None, text.splitlines()):
                    self.type(command)
            elif language == "toml":
                (self.stack / "slipway.toml").write_text(self.localized(text))
            else:
                self.fill_in(yaml.safe_load(text))

    def fill_in(self, said: dict[str, dict[str, object]]) -> None:
        """Say the same in the compose file, where `init` has left its proposal."""
        file = self.stack / "compose.yaml"
        document = yaml.safe_load(file.read_text())
        for service, more in said["services"].items():
            assert "x-slipway" in document["services"][service]
            document["services"][service].update(more)
        file.write_text(yaml.safe_dump(document, sort_keys=False))

    def type(self, command: str, **more: str) -> str:
        """One command, as it stands there; what it said."""
        if command.startswith("cd "):
            self.place = self.home / command.removeprefix("cd ~/")
            return ""
        began = time.monotonic()
        answers = f"{self.password}\n" if "registry set" in command else "y\ny\ny\n"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.localized(command)], cwd=self.place, input=answers, text=True,
            env={**self.environment, **more}, capture_output=True, timeout=400, check=False,
        )  # fmt: skip
        print(f"{time.monotonic() - began:5.1f} s  {command.splitlines()[0]}")  # pytest -rP shows it
        assert done.returncode == 0, f"`{command}`: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def localized(self, text: str) -> str:
        for this, that in self.here.items():
            text = text.replace(this, that)
        return text

    def login(self) -> dict[str, str]:
        """The secrets that CI is given."""
        text = (self.home / ".prefect/profiles.toml").read_text()
        return {name: re.findall(rf'^{name} = "(.*)"', text, re.MULTILINE)[0] for name in (
            "PREFECT_API_URL", "PREFECT_API_AUTH_STRING",
        )}  # fmt: skip

    def seen(self) -> str:
        """What a client gets from the edge."""
        address = docker(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", self.machine.container
        )
        root = self.machine.inside("cat /opt/slipway/.edge/data/caddy/pki/authorities/local/root.crt")
        with httpx.Client(verify=ssl.create_default_context(cadata=root), trust_env=False, timeout=15) as client:
            answer = client.get(f"https://{address}/", headers={"Host": HOST}, extensions={"sni_hostname": HOST})
        return answer.raise_for_status().text


@pytest.fixture
def newcomer(tmp_path: Path, lab: Lab) -> Iterator[Newcomer]:
    from blocks import ContainerRegistry  # noqa: PLC0415 — after the environment is set
    from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images  # noqa: PLC0415

    registry = RegistryNamespace(ContainerRegistry.load("registry"), NAMESPACE)
    for name in ("image", "machine", "wheel"):
        (tmp_path / name).mkdir()
    edge = registry.push("caddy", f"FROM {lab.name}-edge\nENTRYPOINT []\n", tmp_path / "image")
    with open_empty_machine("test-run-for-real", tmp_path / "machine") as machine:
        made = Newcomer(tmp_path, machine, lab, edge)
        made.stack.mkdir()
        (made.stack / "compose.yaml").write_text(COMPOSE)
        (made.stack / "Dockerfile").write_text(DOCKERFILE)
        subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(made.stack)], check=True)
        try:
            yield made
        finally:
            made.place = made.stack
            made.type("slipway server down")
            registry.empty()
            remove_build_images(NAMESPACE)


def test_from_nothing_to_a_release_that_the_steps_of_ci_promote(newcomer: Newcomer) -> None:
    readme = (CHECKOUT / "README.md").read_text()
    section = readme.split("## Run it for real\n")[1].split("\n## ")[0]
    last = re.findall(r"^slipway trigger .*$", section, re.MULTILINE)[-1]
    newcomer.follow(section.replace(last, ""))
    wait_until(lambda: newcomer.seen() == "version 1", why=lambda: newcomer.machine.inside("docker ps --all"))

    newcomer.type("sed -i 's/VERSION=1/VERSION=2/' Dockerfile && git commit --quiet --all --message two")
    commit = newcomer.type("git rev-parse HEAD").strip()
    runner = {
        **newcomer.login(), "GITHUB_SHA": commit, "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(newcomer.home / "summary.md"), "PATH": runner_path(newcomer), **pip_settings(),
    }  # fmt: skip
    workflow = yaml.safe_load((newcomer.stack / ".github/workflows/release.yml").read_text())
    steps = [step["run"] for step in workflow["jobs"]["release"]["steps"] if "run" in step]
    assert steps[-1].replace("slipway-trigger", "slipway trigger") == last
    for step in steps:
        newcomer.type(step, **runner)
    assert newcomer.seen() == "version 2"
    assert "completed" in (newcomer.home / "summary.md").read_text()
    again = newcomer.type("slipway setup --host 203.0.113.7 --key-file ~/.ssh/id_ed25519 --yes")
    assert "Nothing to do" in again


def runner_path(newcomer: Newcomer) -> str:
    """A runner of the CI's: a Python of its own, in front of what every machine has."""
    place = newcomer.home / "runner"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, timeout=120)
    return f"{place}/bin:/usr/bin:/bin"


def pip_settings() -> dict[str, str]:
    """Where this machine's pip finds packages, and whom it trusts."""
    given = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
    return {"PIP_CONFIG_FILE": str(Path("~/.config/pip/pip.conf").expanduser()), **given}
