"""Stacks that an engine can run: every image is built in the stack, every field is one that any engine has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.support.generated.fields import FIELDS, Strategy, either, keys, label_keys, some
from tests.support.generated.services import made_consistent
from tests.support.generated.stacks import DIRECTORIES, GeneratedStack
from tests.support.generated.strings import Plain, env_lines, names, quoted, words
from tests.support.generated.writer import Anchored, write_yaml

# The file that is changed for the second release.
CHANGED = "conf/a b.txt"
BUILT = "FROM debian:trixie-slim AS last\n"
SECRET = "in-no-release-of-a-generated-stack"


def _restartable(deploy: dict[str, Any]) -> dict[str, Any]:
    """Without a number of attempts that the engine takes for failures alone."""
    policy = deploy.get("restart_policy") or {}
    if policy.get("condition") != "on-failure":
        policy.pop("max_attempts", None)
    return deploy


_OWN: dict[str, Strategy] = {
    "annotations": st.fixed_dictionaries({"com.example.note": words}),
    "cpuset": st.just("0"),
    "deploy": FIELDS["deploy"].filter(lambda deploy: deploy.get("replicas") != 0).map(_restartable),
    "device_cgroup_rules": st.just(["c 1:3 mr"]),
    "expose": some(st.sampled_from((3000, "8000", "53/udp"))),
    "healthcheck": st.sampled_from((
        {"disable": True},
        {"test": ["CMD", "true"], "interval": "2s", "start_period": "5s", "start_interval": "300ms"},
        {"test": "true", "interval": "2s", "timeout": "3s", "retries": "2"},
    )),
    "ipc": st.sampled_from(("private", "shareable")),
    "oom_score_adj": st.sampled_from((0, 500)),  # a negative one takes a right that the lab's droplets do not have
    "logging": st.fixed_dictionaries({"driver": st.just("json-file")}, optional={
        "options": st.sampled_from(({"max-size": "10m", "tag": "{{.Name}}"}, {"max-file": 3, "max-size": "1m"}))}),
    "ports": some(st.sampled_from((80, "81/udp", {"target": 82}, {"target": "83", "host_ip": "127.0.0.1"})), 1, 2),
    "scale": st.sampled_from((1, 2, "2")),
    "tmpfs": st.sampled_from(("/run/x", ["/run/x", "/cache:size=64m,mode=1770"])),
    "ulimits": st.sampled_from(({"nofile": {"soft": 1000, "hard": 2000}}, {"nproc": 500})),
}  # fmt: skip
_SAME = (
    "attach", "cap_add", "cap_drop", "cpu_shares", "cpus", "devices", "dns", "dns_opt", "dns_search", "domainname",
    "extra_hosts", "group_add", "hostname", "labels", "mem_limit", "pids_limit", "read_only",
    "restart", "runtime", "security_opt", "shm_size", "stdin_open", "stop_signal", "sysctls", "tty", "user",
    "userns_mode", "working_dir",
)  # fmt: skip
RUNNABLE = {**{name: FIELDS[name] for name in _SAME}, **_OWN}
# A service that ends is not restarted, and there is one of it.
_OF_THOSE_THAT_STAY = ("deploy", "scale", "restart", "healthcheck")


@dataclass(frozen=True)
class PlayableStack(GeneratedStack):
    """A stack, and the services that run and are given the file that is changed.

    Its project and its images are named by the variable STACK, which its `.env` does not have yet.
    """

    readers: tuple[str, ...] = ()
    named: bool = True

    def environment(self, name: str) -> str:
        """What its `.env` is to say so that it is called so."""
        return f"STACK={name}\n" if self.named else f"STACK={name}\nCOMPOSE_PROJECT_NAME={name}\n"


@st.composite
def playable_stacks(draw: st.DrawFn) -> PlayableStack:
    """A stack that an engine can run."""
    services: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(draw(st.lists(names, min_size=1, max_size=4, unique=True))):
        services[name] = draw(_service(number, services))
    profiles = draw(st.booleans())
    running = {name: spec for name, spec in services.items() if profiles or "profiles" not in spec}
    named = draw(st.booleans())
    document = {
        **({"name": "${STACK}"} if named else {}),
        "x-common": Anchored({"init": True, "stop_grace_period": draw(st.sampled_from(("1s", "500ms")))}),
        "services": {name: {"<<": Plain("*common"), **spec} for name, spec in services.items()},
        "volumes": {"rows": draw(st.sampled_from((None, {"labels": {"yes": "no"}}, {"driver": "local"})))},
        "networks": {"back": draw(st.fixed_dictionaries({}, optional={
            "internal": st.booleans(), "attachable": st.booleans(), "labels": either(label_keys)}))},
        "secrets": {"of_file": {"file": "./secret.txt"}, "of_env": {"environment": "OF_ENV"}},
        "configs": {
            "of_file": {"file": "conf.txt"}, "of_env": {"environment": "OF_ENV"},
            "of_content": {"content": draw(words.map(lambda word: f"content {word}"))},
        },
    }  # fmt: skip
    variables = draw(env_lines(("NAME",))) + f"EMPTY=\nOF_ENV={SECRET}-1\nCOMPOSE_IGNORE_ORPHANS=true\n"
    files = {
        "compose.yaml": write_yaml(document),
        ".env": variables + ("COMPOSE_PROFILES=store\n" if profiles else ""),
        "one.env": draw(env_lines(("A", "FROM_FILE", "with.dot"))),
        "secret.txt": f"{SECRET}-2\n",
        "conf.txt": "configured\n",
        "src/Dockerfile": BUILT,
        **{path: f"{path}\n" for path in (CHANGED, "conf/é.txt", "conf/$1.txt", "data/seed", "../beside/x.conf")},
    }
    readers = tuple(name for name, spec in running.items() if _reads(spec))
    return PlayableStack(draw(st.sampled_from(DIRECTORIES)), files, readers, named)


@st.composite
def _service(draw: st.DrawFn, number: int, others: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One service, which may wait for these others."""
    chosen = draw(st.lists(st.sampled_from(sorted(RUNNABLE)), max_size=7, unique=True))
    spec: dict[str, Any] = {key: draw(RUNNABLE[key]) for key in chosen}
    spec["build"] = draw(_builds)
    spec["image"] = draw(st.sampled_from((f"${{STACK}}-s{number}", f"${{REGISTRY}}/s{number}:${{IMAGE_TAG}}")))
    ends = draw(st.integers(0, 4)) == 0
    if ends:
        spec |= {"command": ["true"], "restart": "no"}
        for key in _OF_THOSE_THAT_STAY:
            spec.pop(key, None) if key != "restart" else None
    else:
        spec |= draw(_commands)
    if draw(st.booleans()):
        spec["environment"] = draw(either(keys))
    if draw(st.integers(0, 2)) == 0:
        spec["env_file"] = draw(st.sampled_from((["one.env"], "./one.env", [{"path": "one.env", "required": True}])))
    if waited_for := {name: other for name, other in others.items() if "profiles" not in other}:
        if draw(st.booleans()):
            spec["depends_on"] = {name: {"condition": _condition(other)} for name, other in waited_for.items()}
        if draw(st.integers(0, 3)) == 0:
            spec["profiles"] = ["store"]
    spec |= draw(_given)
    match draw(st.integers(0, 4)):
        case 0:
            spec["networks"] = draw(_networks)
        case 1:
            spec["network_mode"] = "none"
            for key in ("ports", "dns"):
                spec.pop(key, None)
    return _runnable(spec)


def _runnable(spec: dict[str, Any]) -> dict[str, Any]:
    """Without what an engine refuses beside each other."""
    resources = spec.get("deploy", {}).get("resources", {})
    resources.get("reservations", {}).pop("memory", None)
    if {"configs", "secrets"} & set(spec):
        spec.pop("read_only", None)  # some of them are copied into the container
    return made_consistent(spec)


def _condition(other: Mapping[str, Any]) -> str:
    return "service_completed_successfully" if other["command"] == ["true"] else "service_started"


def _reads(spec: Mapping[str, Any]) -> bool:
    return any(str(mount).startswith("./conf") for mount in spec.get("volumes") or ())


_builds = st.one_of(
    st.just("./src"),
    st.fixed_dictionaries({"context": st.just("src")}, optional={
        "dockerfile": st.just("Dockerfile"), "args": st.dictionaries(st.sampled_from(("GIT_SHA", "V")), quoted),
        "target": st.just("last"), "labels": st.dictionaries(st.sampled_from(("com.example/x", "yes")), quoted)}),
)  # fmt: skip
_networks = st.sampled_from((["back", "default"], {"back": {"aliases": ["an.alias"]}}, ["back"]))
_commands = st.one_of(
    st.just({"command": "sleep infinity"}),
    st.just({"entrypoint": ["/usr/bin/env"], "command": ["sleep", "infinity"]}),
    some(words, 1, 3).map(lambda said: {"command": ["sh", "-c", "exec sleep infinity", *said]}),
)
_MOUNTS = (
    "./data:/data", "./conf:/conf:ro", f"./{CHANGED}:/etc/x.conf:ro", "../beside/x.conf:/beside.conf:ro", "rows:/rows",
    "rows:/only-read:ro", "/anonymous", {"type": "bind", "source": "./data", "target": "/srv/a b", "read_only": True},
    {"type": "tmpfs", "target": "/t", "tmpfs": {"size": 1000000}},
    {"type": "volume", "source": "rows", "target": "/uncopied", "volume": {"nocopy": True}},
)  # fmt: skip
_LONG = {"uid": "103", "gid": "103", "mode": 0o440}
# Each has a target of its own.
_given = st.fixed_dictionaries({}, optional={
    "volumes": some(st.sampled_from(_MOUNTS), 1, 4),
    "secrets": some(st.sampled_from((
        "of_file", {"source": "of_env", "target": "renamed", **_LONG},
        {"source": "of_file", "target": "/etc/secret"})), 1, 3),
    "configs": some(st.sampled_from((
        "of_file", "of_env", {"source": "of_content", "target": "/etc/conf", **_LONG})), 1, 3),
})  # fmt: skip
