"""A directory that plays a droplet: scripts are run by `sh`, with a `docker` that only notes what it is asked."""

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from flows.core.deploy.staging import stage_script, staged_files, staging_tar, switch_script
from flows.core.droplet.directories import StackDirectory
from flows.core.release.bundle import File
from tests.support.builders import release

DOCKER = """\
#!/bin/sh
[ ! -e "$0.env" ] || . "$0.env"
echo "$*" >>"$RECORD"
case $1 in
login) cat >"$RECORD.password"; cp "$DOCKER_CONFIG/config.json" "$RECORD.config" 2>/dev/null; exit "${LOGIN:-0}" ;;
pull) [ -z "${HANGS:-}" ] || exec sleep 60; case $3 in *"${REFUSE:-nothing}"*) echo "no $3" >&2; exit 1 ;; esac ;;
info) cat "$RECORD.info" ;;
compose) [ "${BROKEN:-}" ] && { echo 'services.web is odd' >&2; exit 15; }; echo 'name: shop' ;;
esac
exit 0
"""
FILES = {
    "release.json": File(b'{"tag": "v1"}'),
    "override.yml": File(b"services: {}"),
    "files/compose.yml": File(b"services: {}"),
    "files/run.sh": File(b"#!/bin/sh", 0o755),
    "seed/settings.json": File(b"first"),
}
SECRETS = {"secrets/key": File(b"k", 0o600)}
STATEFUL = release(compose_files=("compose.yml",), state=("uploads", "uploads/old", "settings.json"))


@dataclass(frozen=True)
class Host:
    """A directory that plays a droplet."""

    root: Path
    home: StackDirectory
    env: dict

    @property
    def path(self) -> Path:
        return Path(self.home.path)

    def sh(self, script: str, stdin: bytes = b"", **env: str) -> subprocess.CompletedProcess:
        self.tell_docker(**env)
        return subprocess.run(["sh", "-c", script], input=stdin, env=self.env | env, capture_output=True, check=False)

    def tell_docker(self, **env: str) -> None:
        """What `docker` knows besides its own environment, which Compose's commands empty."""
        known = {"RECORD": self.env["RECORD"], **env}
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in known.items()]
        (self.root / "bin" / "docker.env").write_text("".join(lines))

    def stage(self, name: str, files: dict = FILES, what=STATEFUL, **env: str) -> subprocess.CompletedProcess:
        seeds = {path: file for path, file in files.items() if path.startswith("seed/")}
        tar = staging_tar(staged_files(what, files, {"A": "1"}, SECRETS, self.home))
        return self.sh(stage_script(what, self.home, name, seeds), tar, **env)

    def deploy(self, name: str, files: dict = FILES, what=STATEFUL) -> None:
        for done in (self.stage(name, files, what), self.sh(switch_script(self.home, name))):
            assert (done.returncode, done.stderr) == (0, b"")

    def current(self, path: str) -> Path:
        return self.path / "current" / path

    def asked(self) -> list[str]:
        return Path(self.env["RECORD"]).read_text().splitlines()


def make_host(tmp_path: Path) -> Host:
    """An empty droplet below a directory whose name needs quoting."""
    (tmp_path / "bin").mkdir()
    docker = tmp_path / "bin/docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    directory = tmp_path / "it's a $PLACE"
    env = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path), "RECORD": str(tmp_path / "asked")}
    return Host(tmp_path, StackDirectory(str(directory), "shop"), {**env, "TMPDIR": str(tmp_path), "LC_ALL": "C"})
