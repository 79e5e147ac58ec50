"""A directory that plays a droplet: scripts are run by `sh`, with a `docker` that only notes what it is asked."""

import os
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from flows.core.deploy.files.droplet_trees import DropletTrees, read_trees, trees_script
from flows.core.deploy.files.reuse import plan_reuse, reuse_script
from flows.core.deploy.files.staging import StagedRelease, staged_release
from flows.core.deploy.files.staging_scripts import (
    in_memory,
    place_script,
    prepare_script,
    stage_script,
    staged_members,
    switch_script,
    timed,
)
from flows.core.deploy.files.writable import Bringing, brought, in_question, mounted_roots, plan_bringing
from flows.core.deploy.files.writable_scripts import bring_script, look_script, read_kept, read_look
from flows.core.droplet.directories import StackDirectory
from flows.core.release.archive import Member, held, packed, tar_stream
from flows.core.release.bundle import TREE, File, ReleaseFiles
from flows.core.release.tree import dump_tree
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


@dataclass
class Host:
    """A directory that plays a droplet."""

    root: Path
    home: StackDirectory
    env: dict
    sent: set[str] = field(default_factory=set)

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

    def staged(self, files: dict, what=STATEFUL, secrets: dict = SECRETS, tree: dict | None = None) -> StagedRelease:
        return staged_release(what, ReleaseFiles(files, tree), {"A": "1"}, secrets, self.home)

    def stage(
        self,
        name: str,
        files: dict = FILES,
        what=STATEFUL,
        *,
        secrets: dict = SECRETS,
        tree: dict | None = None,
        contents: dict | None = None,
        reuse: bool = False,
        now: int = 1000,
        **env: str,
    ) -> subprocess.CompletedProcess:
        """What `put files` does.

        Args:
            tree: the mounted files of the release; their contents are in `contents`.
            reuse: take from the current release what it has too.
        """
        staged, linked, like, prepared = self.staged(files, what, secrets, tree), {}, "", False
        if reuse:
            trees = self.trees(standing=True)
            like, there = trees.twin
            plan = plan_reuse(staged.tree, there, trees.standing)
            linked = {new: there[old] for new, old in plan.names.items()}
            if prepared := bool(plan.unwanted or plan.moved):
                script = reuse_script(self.home.release(like), self.home.incoming(name), plan)
                done = self.sh(prepare_script(self.home, name), script)
                assert (done.returncode, done.stderr) == (0, b"")
                like = ""
        whole = timed(staged.tree, now, linked)
        members = [one for one in staged_members(staged, whole) if one.name not in linked]
        members += [Member(n, whole[n], held(contents[n])) for n in staged.published if n not in linked]
        members.append(in_memory(TREE, dump_tree(whole), 0o600))
        self.sent = {member.name for member in members}
        archive = b"".join(packed(tar_stream(members)))
        return self.sh(stage_script(what, self.home, name, whole, like=like, prepared=prepared), archive, **env)

    def trees(self, wanted: str = "", name: str = "", *, standing: bool = False) -> DropletTrees:
        return read_trees(self.sh(trees_script(self.home, wanted, name, standing=standing)).stdout.decode())

    def compare(self, name: str, tree: dict, what=STATEFUL) -> Bringing:
        """What a release with this tree brings to writable paths."""
        new, bases = brought(tree), [brought(base) for base in self.trees(name=name).bases]
        roots = mounted_roots(what.state, (new, *bases))
        paths = in_question(bases, new, roots)
        looked = self.sh("sh", look_script(self.home, paths, roots))
        assert (looked.returncode, looked.stderr) == (0, b"")
        return plan_bringing(bases, new, read_look(looked.stdout.decode(), paths, roots), roots, what.rules)

    def bring(self, name: str, bringing: Bringing) -> dict[str, str]:
        done = self.sh("sh", bring_script(self.home, name, bringing))
        assert (done.returncode, done.stderr) == (0, b"")
        return {**bringing.kept, **dict.fromkeys(read_kept(done.stdout.decode(), bringing), "quicker")}

    def deploy(self, name: str, files: dict = FILES, what=STATEFUL, **more) -> dict[str, str]:
        """Put a release in force; returns the writable paths that stay as services have them."""
        done = self.stage(name, files, what, **more)
        assert (done.returncode, done.stderr) == (0, b"")
        wanted = {key: more[key] for key in ("secrets", "tree") if key in more}
        bringing = self.compare(name, self.staged(files, what, **wanted).tree, what)
        return self.switch(name, bringing)

    def switch(self, name: str, bringing: Bringing) -> dict[str, str]:
        done = self.sh(place_script(self.home, name))
        kept = self.bring(name, bringing)
        for answer in (done, self.sh(switch_script(self.home, name))):
            assert (answer.returncode, answer.stderr) == (0, b"")
        return kept

    def go_back(self, name: str, what=STATEFUL) -> dict[str, str]:
        """Put a release that stands there in force again."""
        return self.switch(name, self.compare(name, self.trees(name=name).named[name], what))

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
