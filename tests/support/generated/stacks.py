"""Whole stacks: services with fields of all kinds, and the files that a stack is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.support.generated.fields import FIELDS, durations, either, label_keys, some
from tests.support.generated.strings import Plain, env_lines, names, scalars, simple, words
from tests.support.generated.writer import Anchored, Tagged, write_yaml

DIRECTORIES = ("app", "My_App.v2", "1st-app", "UPPER", "a b", "app_", "-x.y", "été-x1")
NAMES = ("named", "1st_name", "a-b_c", "0")
PATHS = ("conf/app.yaml", "conf/a b.txt", "./data", "conf", "../beside/x.conf", "conf/é.txt", "conf/$$1.txt")


@dataclass(frozen=True)
class GeneratedStack:
    """A stack: the name of its directory, and its files by their path from there."""

    directory: str
    files: Mapping[str, str] = field(hash=False)

    def write(self, below: Path) -> Path:
        """Make its checkout; returns the stack's directory."""
        place = below / self.directory
        for path, text in self.files.items():
            file = place / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, newline="")
        return place


@st.composite
def stacks(draw: st.DrawFn) -> GeneratedStack:
    """A stack that Compose 2.26 reads, as a rule."""
    files: dict[str, str] = {
        path: f"{path}\n"
        for path in ("conf/app.yaml", "conf/a b.txt", "conf/é.txt", "conf/$1.txt", "data/seed", "../beside/x.conf")
    }
    present = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    services: dict[str, Any] = {}
    for name in present:
        services[name] = draw(_service([other for other, spec in services.items() if "profiles" not in spec]))
    document: dict[str, Any] = {}
    variables = draw(env_lines(("NAME", "OTHER_NAME")))
    variables += "EMPTY=\n"
    match draw(st.sampled_from(("directory", "name", "variable", "environment"))):
        case "name":
            document["name"] = draw(st.sampled_from(NAMES))
        case "variable":
            document["name"] = "${STACK_NAME:-of-a-variable}"
            variables += draw(st.sampled_from(("", f"STACK_NAME={draw(st.sampled_from(NAMES))}\n")))
        case "environment":
            variables += f"COMPOSE_PROJECT_NAME={draw(st.sampled_from(NAMES))}\n"
    if draw(st.booleans()):
        document["x-common"] = Anchored({key: draw(FIELDS[key]) for key in draw(_some_fields(2))})
        services = {name: {"<<": Plain("*common"), **spec} for name, spec in services.items()}
    document["services"] = services
    document |= draw(_top_level(services))
    for path in {entry if isinstance(entry, str) else entry["path"] for spec in services.values()
                 for entry in spec.get("env_file") or ()}:  # fmt: skip
        files[path.replace("${OTHER:-", "").replace("}", "")] = draw(env_lines(("A", "FROM_FILE", "with.dot")))
    profiles = sorted({profile for spec in services.values() for profile in spec.get("profiles") or ()})
    if profiles and draw(st.booleans()):
        variables += f"COMPOSE_PROFILES={','.join(draw(st.lists(st.sampled_from(profiles), unique=True)))}\n"
    files |= draw(_more_files(document, present))
    if "extra.yaml" in files:
        variables += "COMPOSE_FILE=compose.yaml:extra.yaml\n"
    variables += draw(st.sampled_from(("", "COMPOSE_IGNORE_ORPHANS=true\nUSER=of-the-stack\nHOME=/nowhere\nLANG=xx\n")))
    files |= {"compose.yaml": write_yaml(document), ".env": variables}
    files |= {"secret.txt": "s3cr3t\n", "conf.txt": "configured\n"}
    return GeneratedStack(draw(st.sampled_from(DIRECTORIES)), files)


@st.composite
def _service(draw: st.DrawFn, others: list[str]) -> dict[str, Any]:
    """One service, which may refer to these others."""
    spec: dict[str, Any] = {key: draw(FIELDS[key]) for key in draw(_some_fields(5))}
    image = draw(
        st.sampled_from(("built", "${REGISTRY}/x/y:${IMAGE_TAG}", "postgres:16", "busybox@sha256:" + "0" * 64))
    )
    if image == "built":
        spec["build"] = draw(_builds)
    else:
        spec["image"] = image
    if draw(st.booleans()):
        spec["environment"] = draw(either(st.sampled_from(("A", "B_C", "yes", "PATH_LIKE", "N"))))
    if others and draw(st.booleans()):
        spec["depends_on"] = draw(st.one_of(st.just(others), _conditions(others)))
    if draw(st.booleans()):
        spec["volumes"] = draw(some(_mounts, 1, 3))
    if draw(st.integers(0, 3)) == 0:
        spec["env_file"] = draw(some(_env_files, 1, 2))
    if others and draw(st.integers(0, 3)) == 0:
        spec["profiles"] = draw(some(st.sampled_from(("debug", "store", "1e5")), 1, 2))
    for key, options in (("secrets", _secrets), ("configs", _configs)):
        if draw(st.integers(0, 2)) == 0:
            spec[key] = draw(options)
    match draw(st.integers(0, 5)):
        case 0:
            spec["networks"] = draw(_networks)
        case 1:
            spec["network_mode"] = draw(st.sampled_from(("host", "none", *(f"service:{other}" for other in others))))
    if "network_mode" in spec:
        for key in ("networks", "ports", "mac_address", "links", "dns"):
            spec.pop(key, None)
    if draw(st.integers(0, 5)) == 0 and not {"scale", "deploy"} & set(spec):
        spec["container_name"] = f"own-{draw(simple)}"
    if draw(st.booleans()):
        spec["x-of-users"] = draw(st.dictionaries(simple, scalars, max_size=2))
    return _made_consistent(spec)


def _made_consistent(spec: dict[str, Any]) -> dict[str, Any]:
    """Without what Compose refuses beside each other."""
    deploy = spec.get("deploy") or {}
    limits = (deploy.get("resources") or {}).get("limits") or {}
    for key, other in (("scale", "replicas" in deploy), ("cpus", "cpus" in limits), ("mem_limit", "memory" in limits),
                       ("pids_limit", "pids" in limits), ("memswap_limit", True), ("mem_reservation", "resources" in deploy),
                       ("cpu_quota", "cpus" in spec), ("cpu_period", "cpus" in spec)):  # fmt: skip
        if other:
            spec.pop(key, None)
    return spec


def _some_fields(most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(sorted(FIELDS)), max_size=most, unique=True)


def _conditions(others: list[str]) -> st.SearchStrategy[Any]:
    condition = st.fixed_dictionaries(
        {"condition": st.sampled_from(("service_started", "service_healthy", "service_completed_successfully"))},
        optional={"required": st.booleans(), "restart": st.booleans()},
    )
    return st.dictionaries(st.sampled_from(others), condition, min_size=1)


_builds = st.one_of(
    st.sampled_from(("./src", "src", "../beside", "https://example.com/x.git#main")),
    st.fixed_dictionaries({"context": st.just("./src")}, optional={
        "dockerfile": st.sampled_from(("Dockerfile", "../other.Dockerfile")), "args": either(st.sampled_from(("GIT_SHA", "V"))),
        "target": simple, "labels": either(label_keys), "cache_from": st.just(["x/y:cache"]), "network": st.just("host"),
        "shm_size": st.just("64m"), "extra_hosts": st.just(["a:127.0.0.1"]), "platforms": st.just(["linux/amd64"]),
        "additional_contexts": st.just({"more": "./data"}), "no_cache": st.booleans(), "pull": st.booleans(),
        "secrets": st.just(["of_env"]), "tags": st.just(["x/y:1"]), "ssh": st.just(["default"]), "privileged": st.booleans(),
        "isolation": st.just("default"), "cache_to": st.just(["type=inline"]), "ulimits": st.just({"nofile": 100})}),
    st.just({"context": ".", "dockerfile_inline": "FROM scratch\n"}),
)  # fmt: skip
_targets = st.sampled_from(("/mnt", "/srv/a b", "/etc/x.conf", "/data"))
_mounts = st.one_of(
    st.builds(lambda path, target, end: f"{path if path.startswith('.') else './' + path}:{target}{end}",
              st.sampled_from(PATHS), _targets, st.sampled_from(("", ":ro", ":rw", ":ro,z"))),
    st.sampled_from(("rows:/rows", "rows:/rows:ro", "/anonymous", "/var/log:/logs:ro", "${OTHER_DIR:-./data}:/other", "/:/host:ro")),
    st.fixed_dictionaries({"type": st.just("bind"), "source": st.sampled_from(PATHS), "target": _targets}, optional={
        "read_only": st.booleans(), "bind": st.fixed_dictionaries({}, optional={
            "propagation": st.just("rprivate"), "create_host_path": st.booleans(), "selinux": st.just("z")}),
        "consistency": st.just("cached")}),
    st.fixed_dictionaries({"type": st.just("volume"), "source": st.just("rows"), "target": _targets}, optional={
        "volume": st.fixed_dictionaries({}, optional={"nocopy": st.booleans()})}),
    st.fixed_dictionaries({"type": st.just("tmpfs"), "target": _targets}, optional={
        "tmpfs": st.fixed_dictionaries({}, optional={"size": st.sampled_from((1000000, "1m")), "mode": st.just(0o1777)})}),
)  # fmt: skip
_env_files = st.one_of(
    st.sampled_from(("one.env", "./two.env", "conf/three.env", "${OTHER:-four.env}")),
    st.fixed_dictionaries({"path": st.sampled_from(("five.env", "one.env"))}, optional={"required": st.booleans()}),
)
_entry = {"uid": st.just("103"), "gid": st.just("103"), "mode": st.sampled_from((0o440, "0440"))}
_secrets = some(st.one_of(
    st.sampled_from(("of_file", "of_env")),
    st.fixed_dictionaries({"source": st.sampled_from(("of_file", "of_env"))},
                          optional={"target": st.sampled_from(("renamed", "/etc/secret")), **_entry}),
), 1, 2)  # fmt: skip
_configs = some(st.one_of(
    st.sampled_from(("of_file", "of_content", "of_env")),
    st.fixed_dictionaries({"source": st.sampled_from(("of_file", "of_content"))}, optional={"target": st.just("/etc/conf"), **_entry}),
), 1, 2)  # fmt: skip
_networks = st.one_of(
    st.sampled_from((["default"], ["back"], ["back", "default"])),
    st.fixed_dictionaries({"back": st.one_of(st.none(), st.fixed_dictionaries({}, optional={
        "aliases": st.just(["an.alias", "other"]), "ipv4_address": st.just("10.99.0.5"), "priority": st.just(100),
        "link_local_ips": st.just(["169.254.8.8"]), "driver_opts": st.just({"a.b": "1"}), "mac_address": st.just("02:42:ac:11:65:44")}))}),
)  # fmt: skip


@st.composite
def _top_level(draw: st.DrawFn, services: Mapping[str, Any]) -> dict[str, Any]:
    """The parts that services name."""
    content = draw(words)
    return {
        "volumes": {"rows": draw(st.one_of(st.none(), st.fixed_dictionaries({}, optional={
            "name": st.sampled_from(("own-rows", "${OTHER:-rows}_x")), "labels": either(label_keys), "driver": st.just("local"),
            "driver_opts": st.just({"type": "none", "o": "bind", "device": "./data"})})))},
        "networks": {"back": draw(st.fixed_dictionaries(
            {"ipam": st.just({"config": [{"subnet": "10.99.0.0/24", "gateway": "10.99.0.1", "aux_addresses": {"h": "10.99.0.9"}}]})},
            optional={"internal": st.booleans(), "attachable": st.booleans(), "enable_ipv6": st.just(False),
                      "labels": either(label_keys), "driver": st.just("bridge"), "driver_opts": st.just({"a.b": "1"}),
                      "name": st.just("own-back")}))},
        "secrets": {"of_file": {"file": draw(st.sampled_from(("secret.txt", "./secret.txt")))}, "of_env": {"environment": "NAME"}},
        "configs": {"of_file": {"file": "./conf.txt"}, "of_content": {"content": content}, "of_env": {"environment": "NAME"}},
    }  # fmt: skip


@st.composite
def _more_files(draw: st.DrawFn, document: dict[str, Any], present: list[str]) -> dict[str, str]:
    """An included project with an environment of its own, a second compose file, a base to extend."""
    files: dict[str, str] = {"src/Dockerfile": "FROM scratch\n"}
    if draw(st.integers(0, 2)) == 0:
        document["include"] = draw(st.sampled_from((
            ["part/compose.yaml"], [{"path": "part/compose.yaml", "env_file": "part/own.env"}],
            [{"path": ["part/compose.yaml"], "project_directory": "."}])))  # fmt: skip
        files["part/compose.yaml"] = write_yaml({"services": {"included": {
            "image": "x:${PART:-none}", "environment": {"PART": "${PART:-none}", "NAME": "${NAME:-none}"}, "volumes": ["./d:/d"],
            "init": draw(st.booleans())}}})  # fmt: skip
        files["part/.env"] = draw(env_lines(("PART",)))
        files["part/own.env"] = draw(env_lines(("PART", "NAME")))
        files["part/d/x"] = "x\n"
        files["d/x"] = "x\n"
    if draw(st.integers(0, 2)) == 0:
        change = draw(st.sampled_from((
            {"environment": Tagged("!reset", None)}, {"ports": Tagged("!override", ["7000:7000"])}, {"environment": {"MORE": "1e3"}},
            {"labels": {"more": "yes"}}, {"command": Tagged("!reset", None)}, {"stop_grace_period": draw(durations)})))  # fmt: skip
        if "network_mode" not in document["services"][present[0]]:
            files["extra.yaml"] = write_yaml({"services": {present[0]: change}})
    if draw(st.integers(0, 3)) == 0:
        document["services"]["extended"] = {
            "extends": {"file": "base.yaml", "service": "base"},
            "labels": draw(either(label_keys)),
        }
        files["base.yaml"] = write_yaml({"services": {"base": {
            "image": "postgres:16", "environment": draw(either(label_keys)), "volumes": ["./conf:/conf:ro"]}}})  # fmt: skip
    return files
