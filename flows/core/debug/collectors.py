"""The script that collects evidence on containers and their host: logs, packages, usage, events, side by side.

It changes nothing, runs nothing inside a container whose files can be read from outside (in one that is at its memory
limit a single new process may be the end of it), and caps what it prints.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.core.droplet.containers import SERVICE_LABEL, container_environment
from flows.core.droplet.docker_commands import PROJECT_LABEL
from flows.core.droplet.private_place import PRIVATE_PLACE
from flows.core.droplet.sections import section_script

# Bytes kept of one section, such as a container's log, and of one secret file.
CAP, SECRET_CAP = 400_000, 65_536
_PREFIXES = ("/usr/local", "/usr")
_EVENTS = ("create", "start", "restart", "kill", "stop", "die", "oom", "destroy", "pause", "health_status")
_ATTRIBUTES = (SERVICE_LABEL, "exitCode", "signal")
# Kept in memory where there is a place for it: what is looked into may be a full disk.
_HEAD = (
    PRIVATE_PLACE
    + """\
umask 077
sweep /dev/shm "${TMPDIR:-/tmp}"
private /dev/shm || private "${TMPDIR:-/tmp}" || exit
d=$place
trap 'rm -rf "$d"' EXIT
trap 'exit 1' HUP INT TERM PIPE
limit() { if command -v timeout >/dev/null; then timeout "$@"; else shift; "$@"; fi; }
log() { limit 10 docker logs --timestamps --tail "$2" "$1" 2>&1 | tail -c "$3" | sed 's/^@@/ @@/'; }
packages() { # ID PID PREFIXES LAYER...: where Python notes its packages; else what the container's own Python says
    id=$1 pid=$2 prefixes=$3; shift 3
    if grep -qs "$id" "/proc/$pid/cgroup" && [ -r "/proc/$pid/root/." ]; then set -- "/proc/$pid/root"
    elif [ "$pid" != 0 ]; then
        for python in python3 python; do limit 10 docker exec "$id" "$python" -c "$own" 2>/dev/null && break; done
        return
    elif ! [ -r "${1:-/none}/." ]; then echo unreadable; return; fi
    for root; do for prefix in $prefixes; do
        for file in "$root$prefix"/bin/python3*[0-9] "$root$prefix"/lib*/python3*/*-packages/*.*-info; do
            if [ -e "$file" ] || [ -L "$file" ]; then echo "$file"; fi
        done
    done; done
}
system() { # ID PID LAYER...: of the distribution's package databases, the lines that say what is installed
    id=$1 pid=$2; shift 2
    if grep -qs "$id" "/proc/$pid/cgroup" && [ -r "/proc/$pid/root/." ]; then set -- "/proc/$pid/root"; fi
    for file in var/lib/dpkg/status lib/apk/db/installed usr/lib/apk/db/installed; do for root; do
        if [ -f "$root/$file" ]; then limit 10 grep -E '^((Package|Status|Version|P|V):|$)' "$root/$file"; break; fi
    done; done
}
own="import glob,sys
print(sys.prefix+'/bin/python%d.%d'%sys.version_info[:2])
for d in filter(None,sys.path): print(*glob.glob(d+'/*.*-info'),sep='\\n')"
usage() { # ID...: the kernel's accounts; where these are elsewhere, `docker stats`, which takes two seconds
    files=
    for id; do for at in "docker/$id" "system.slice/docker-$id.scope"; do
        for file in memory.current memory.max memory.usage_in_bytes memory.limit_in_bytes memory.stat \\
            pids.current cpu.stat cpuacct.usage; do
            files="$files /sys/fs/cgroup/$at/$file /sys/fs/cgroup/*/$at/$file"
        done
    done; done
    grep -sH '' $files | grep . || limit 10 docker stats --no-stream --no-trunc --format '{{json .}}' "$@"
}
"""
)
_HOST = {
    "load": "cat /proc/loadavg; nproc",
    "memory": "grep -E '^(Mem(Total|Available)|Swap(Total|Free)):' /proc/meminfo",
    "disk": (
        "set -- $(docker info --format '{{.ServerVersion}} {{.DockerRootDir}}' 2>/dev/null); "
        'echo "Docker Engine ${1:-does not answer}"; df -Pk / $2; df -Pi / $2'
    ),
    "images": "limit 2 docker system df",
}


@dataclass(frozen=True)
class CollectorTarget:
    """A container to collect evidence on: its main process (0: none), its file layers, and where its programs are."""

    id: str
    pid: int = 0
    layers: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = _PREFIXES

    @classmethod
    def of(cls, inspected: Mapping[str, Any]) -> "CollectorTarget":
        """The target for one entry of `docker inspect`."""
        data = (inspected.get("GraphDriver") or {}).get("Data") or {}
        layers = [data.get("UpperDir", ""), *data.get("LowerDir", "").split(":")]
        env = container_environment(inspected)
        found = [path.removesuffix("/bin") for path in env.get("PATH", "").split(":") if path.endswith("/bin")]
        prefixes = [env.get("VIRTUAL_ENV", ""), *found, *_PREFIXES]
        return cls(
            id=inspected["Id"],
            pid=int(inspected["State"].get("Pid") or 0),
            layers=tuple(filter(None, layers)),
            prefixes=tuple(dict.fromkeys(prefix for prefix in prefixes if re.fullmatch(r"/[\w./+-]+", prefix))),
        )


def collector_script(stack: str, subjects: Sequence[CollectorTarget], secrets: Iterable[str], lines: int) -> str:
    """A script that prints the evidence, a section for each kind and container.

    Args:
        secrets: files whose content must be known to be masked; printed, and never written anywhere.
        lines: last log lines of each container.
    """
    gather = {f"log {s.id}": shlex.join(["log", s.id, str(lines), str(CAP)]) for s in subjects}
    gather |= {f"packages {s.id}": _packages(s) for s in subjects}
    gather |= {f"system {s.id}": shlex.join(["system", s.id, str(s.pid), *s.layers]) for s in subjects}
    gather |= {f"host {name}": command for name, command in _HOST.items()}
    gather["events"] = _events(stack)
    if running := [s.id for s in subjects if s.pid]:
        gather["usage"] = shlex.join(["usage", *running])
    script = [f'{{ {command}; }} >"$d/{number}" 2>&1 &' for number, command in enumerate(gather.values())]
    shown = {name: f'tail -c {CAP} "$d/{number}"' for number, name in enumerate(gather)}
    for number, path in enumerate(secrets):
        shown[f"secret {number}"] = f"head -c {SECRET_CAP} {shlex.quote(path)} 2>/dev/null"
    return "\n".join([_HEAD, *script, "wait", section_script(shown)])


def _packages(subject: CollectorTarget) -> str:
    return shlex.join(["packages", subject.id, str(subject.pid), " ".join(subject.prefixes), *subject.layers])


def _events(stack: str) -> str:
    """The engine's events of the last hour. It keeps 256, and a healthcheck makes three each time it runs."""
    only = " ".join(f"--filter event={event}" for event in _EVENTS)
    mine = shlex.quote(f"label={PROJECT_LABEL}={stack}")
    words = "|".join(f'{{{{index .Actor.Attributes "{name}"}}}}' for name in _ATTRIBUTES)
    return (
        f'limit 10 docker events --since 1h --until "$(date +%s)" --filter type=container {only} '
        f"--filter {mine} --format '{{{{.TimeNano}}}}|{{{{.Action}}}}|{words}'"
    )
