"""A machine that is a directory: scripts run here by `sh`, and commands that would change a system change that."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from blocks.errors import RemoteFailed, Unreachable
from blocks.ssh.keys import SshTarget
from blocks.ssh.shell import CommandResult

# Where scripts look on a system, and what is in the directory instead.
_SYSTEMS_OWN = ":/usr/local/sbin:/usr/sbin:/sbin"
_PLACES = ("/etc/", "/run/", "/proc/swaps", "/opt/", "/slipway.swap")
_COMMANDS = ("apt-get", "dpkg", "dpkg-query", "fallocate", "getent", "groupadd", "id", "install", "mkswap", "mv",
             "runuser", "service", "stat", "swapon", "useradd", "usermod")  # fmt: skip
# What is this host's own; anything else that a script calls is not there.
_REAL = ("cat", "chmod", "cp", "cut", "df", "flock", "grep", "head", "ln", "ls", "mkdir", "rm", "sh", "sha256sum",
         "sleep", "tail", "touch", "uname")  # fmt: skip
_FAKE = """\
#!/bin/sh
me=${0##*/}
# A fuse of N burns with each command that changes something: the N-th one is the last.
fuse() {
    [ -e "$ROOT/fuse" ] || return 0
    read -r left <"$ROOT/fuse"
    if [ "$left" -le 1 ]; then rm "$ROOT/fuse"; kill -9 0; fi
    echo $((left - 1)) >"$ROOT/fuse"
}
user() { grep "^$1:" "$ROOT/passwd"; }
act() {
    case $me in
        apt-get)
            case " $* " in *" install "*) ;; *) return 0 ;; esac
            for word; do case $word in
                docker.io | docker-ce)
                    : >"$ROOT/group"
                    for program in docker dockerd; do ln -sf fake "$ROOT/bin/$program"; done ;;
                docker-compose | docker-compose-v2 | docker-compose-plugin) : >"$ROOT/compose" ;;
            esac; done ;;
        dpkg) ;;
        fallocate) : >"$3" ;;
        groupadd) : >"$ROOT/group" ;;
        install)
            for place; do :; done
            mkdir -p "$place" && chmod 700 "$place"
            case $* in *" -o "*) echo "$5" >"$place.owner" ;; esac ;;
        mkswap) ;;
        mv) /bin/mv "$@" ;;
        runuser) shift 3; "$@" ;;
        service) : >"$ROOT/running"; echo "$2" >>"$ROOT/starts"; rm -f "$ROOT/etc/docker/unread" ;;
        swapon) fuse; echo "$1 file 1 0 -2" >>"$ROOT/proc/swaps" ;;
        useradd)
            for name; do :; done
            echo "$name:x:1001:1001::$ROOT/home/$name:/bin/bash" >>"$ROOT/passwd"
            mkdir -p "$ROOT/home/$name"; echo docker >"$ROOT/groups.$name" ;;
        usermod) echo docker >>"$ROOT/groups.$4" ;;
    esac
}
case $me in
    docker)
        case $1 in
            compose) [ -e "$ROOT/compose" ] && echo 2.26.1 ;;
            version) [ -e "$ROOT/running" ] && echo 26.1.5 ;;
            ps) cat "$ROOT/containers" 2>/dev/null || true ;;
        esac ;;
    dockerd) echo --validate; [ ! -e "$ROOT/refuses" ] ;;
    dpkg-query) ;;
    getent) case $1 in group) [ -e "$ROOT/group" ] ;; passwd) user "$2" ;; esac ;;
    id)
        [ "$#" -gt 1 ] || { echo 0; exit 0; }
        user "$2" >/dev/null || exit 1
        case $1 in
            -u) user "$2" | cut -d: -f3 ;;
            -gn) echo "$2" ;;
            -Gn) echo "$2" $(cat "$ROOT/groups.$2") ;;
        esac ;;
    stat)
        for place; do :; done
        [ -e "$place" ] || exit 1
        echo "$(cat "$place.owner" 2>/dev/null || echo root) $(/usr/bin/stat -c '%a %F' "$place")" ;;
    *) act "$@" || exit; fuse ;;
esac
"""
DEBIAN_13 = 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n'


class FakeMachine:
    """Stands in for a `Session` with a fresh Debian.

    `scripts` is every script that was run as root; `cut_off` ends one of them in its middle, as a lost power does.
    """

    def __init__(self, root: Path, system: str = DEBIAN_13) -> None:
        self.root, self.scripts, self.alive = root, list[str](), True
        self.address = SshTarget("web", "203.0.113.7", 22, "root", "")
        for name in ("bin", "etc", "run", "proc", "home", "opt"):
            (root / name).mkdir(parents=True)
        (root / "etc/os-release").write_text(system)
        (root / "proc/swaps").write_text("Filename Type Size Used Priority\n")
        (root / "etc/fstab").write_text("")
        (root / "passwd").write_text(f"root:x:0:0::{root}/root:/bin/sh\n")
        (root / "bin/fake").write_text(_FAKE)
        (root / "bin/fake").chmod(0o755)
        for command in _COMMANDS:
            (root / "bin" / command).symlink_to("fake")
        for command in _REAL:
            (root / "bin" / command).symlink_to(str(shutil.which(command)))

    def cut_off(self, number: int) -> None:
        """Have the machine lose its power after the command of this number that changes something."""
        (self.root / "fuse").write_text(f"{number}\n")

    def run(
        self, command: Sequence[str], *, timeout: float, stdin: bytes = b"", on_line: object = None, check: bool = True
    ) -> CommandResult:
        """Run it, with the directory in the place of the system."""
        if command[0] == "flock":
            self.scripts.append(stdin.decode())
        done = subprocess.run(
            [self._here(word) for word in command], input=self._here(stdin.decode()), capture_output=True, text=True,
            timeout=timeout, check=False, start_new_session=True,
            env={"PATH": f"{self.root}/bin", "ROOT": str(self.root)},
        )  # fmt: skip
        if done.returncode < 0:
            raise Unreachable("the connection broke")
        if check and done.returncode:
            words = done.stderr.strip() or done.stdout.strip()
            raise RemoteFailed(f"exit {done.returncode}: {words}", done.returncode, words)
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def state(self) -> dict[str, str]:
        """Every file that lasts, and what is in it."""
        found = {str(path.relative_to(self.root)): path for path in sorted(self.root.rglob("*")) if path.is_file()}
        return {
            name: path.read_text().replace(str(self.root), "")
            for name, path in found.items()
            if not name.startswith(("run/", "bin/", "starts"))
        }

    def _here(self, text: str) -> str:
        for place in _PLACES:
            text = text.replace(place, f"{self.root}{place}")
        return text.replace(_SYSTEMS_OWN, "")
