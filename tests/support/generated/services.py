"""One service of a generated stack: fields of all kinds, its image, and what it refers to."""

from typing import Any

from hypothesis import strategies as st

from tests.support.generated.fields import FIELDS, either, label_keys, some
from tests.support.generated.strings import scalars, simple

PATHS = ("conf/app.yaml", "conf/a b.txt", "./data", "conf", "../beside/x.conf", "conf/é.txt", "conf/$$1.txt")


@st.composite
def service(draw: st.DrawFn, others: list[str]) -> dict[str, Any]:
    """One service, which may refer to these others."""
    spec: dict[str, Any] = {key: draw(FIELDS[key]) for key in draw(some_fields(5))}
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
    return made_consistent(spec)


def made_consistent(spec: dict[str, Any]) -> dict[str, Any]:
    """Without what Compose refuses beside each other."""
    deploy = spec.get("deploy") or {}
    limits = (deploy.get("resources") or {}).get("limits") or {}
    for key, other in (("scale", "replicas" in deploy), ("cpus", "cpus" in limits), ("mem_limit", "memory" in limits),
                       ("pids_limit", "pids" in limits), ("memswap_limit", True),
                       ("mem_reservation", "resources" in deploy),
                       ("cpu_quota", "cpus" in spec), ("cpu_period", "cpus" in spec)):  # fmt: skip
        if other:
            spec.pop(key, None)
    return spec


def some_fields(most: int) -> st.SearchStrategy[list[str]]:
    """Names of fields that are drawn from `FIELDS`."""
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
        "dockerfile": st.sampled_from(("Dockerfile", "../other.Dockerfile")),
        "args": either(st.sampled_from(("GIT_SHA", "V"))), "target": simple, "labels": either(label_keys),
        "cache_from": st.just(["x/y:cache"]), "network": st.just("host"), "shm_size": st.just("64m"),
        "extra_hosts": st.just(["a:127.0.0.1"]), "platforms": st.just(["linux/amd64"]),
        "additional_contexts": st.just({"more": "./data"}), "no_cache": st.booleans(), "pull": st.booleans(),
        "secrets": st.just(["of_env"]), "tags": st.just(["x/y:1"]), "ssh": st.just(["default"]),
        "privileged": st.booleans(), "isolation": st.just("default"), "cache_to": st.just(["type=inline"]),
        "ulimits": st.just({"nofile": 100})}),
    st.just({"context": ".", "dockerfile_inline": "FROM scratch\n"}),
)  # fmt: skip
_targets = st.sampled_from(("/mnt", "/srv/a b", "/etc/x.conf", "/data"))
_mounts = st.one_of(
    st.builds(lambda path, target, end: f"{path if path.startswith('.') else './' + path}:{target}{end}",
              st.sampled_from(PATHS), _targets, st.sampled_from(("", ":ro", ":rw", ":ro,z"))),
    st.sampled_from((
        "rows:/rows", "rows:/rows:ro", "/anonymous", "/var/log:/logs:ro", "${OTHER_DIR:-./data}:/other", "/:/host:ro")),
    st.fixed_dictionaries({"type": st.just("bind"), "source": st.sampled_from(PATHS), "target": _targets}, optional={
        "read_only": st.booleans(), "bind": st.fixed_dictionaries({}, optional={
            "propagation": st.just("rprivate"), "create_host_path": st.booleans(), "selinux": st.just("z")}),
        "consistency": st.just("cached")}),
    st.fixed_dictionaries({"type": st.just("volume"), "source": st.just("rows"), "target": _targets}, optional={
        "volume": st.fixed_dictionaries({}, optional={"nocopy": st.booleans()})}),
    st.fixed_dictionaries({"type": st.just("tmpfs"), "target": _targets}, optional={
        "tmpfs": st.fixed_dictionaries({}, optional={
            "size": st.sampled_from((1000000, "1m")), "mode": st.just(0o1777)})}),
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
    st.fixed_dictionaries({"source": st.sampled_from(("of_file", "of_content"))},
                          optional={"target": st.just("/etc/conf"), **_entry}),
), 1, 2)  # fmt: skip
_networks = st.one_of(
    st.sampled_from((["default"], ["back"], ["back", "default"])),
    st.fixed_dictionaries({"back": st.one_of(st.none(), st.fixed_dictionaries({}, optional={
        "aliases": st.just(["an.alias", "other"]), "ipv4_address": st.just("10.99.0.5"), "priority": st.just(100),
        "link_local_ips": st.just(["169.254.8.8"]), "driver_opts": st.just({"a.b": "1"}),
        "mac_address": st.just("02:42:ac:11:65:44")}))}),
)  # fmt: skip
