"""What each field of a service may hold, by its name in the Compose schema."""

from typing import Any

from hypothesis import strategies as st

from tests.support.generated.strings import Plain, scalars, simple, words

Strategy = st.SearchStrategy[Any]

durations = st.sampled_from(("1s", "1m30s", "500ms", "2h", "1500us", "90s"))
sizes = st.sampled_from(("64m", "128M", "1g", "67108864", 67108864, "1gb"))
flags = st.sampled_from((True, False, "true", "false"))
keys = st.sampled_from(("A", "B_C", "lower", "WITH.DOT", "with-dash", "yes", "N", "X1", "null", "on"))
label_keys = st.one_of(keys, st.sampled_from(("com.example/x", "traefik.http.routers.r.rule", "a b", "é")))


def some(values: Strategy, least: int = 1, most: int = 3) -> Strategy:
    """A list of these, each once."""
    return st.lists(values, min_size=least, max_size=most, unique_by=repr)


def mapping(names: Strategy, values: Strategy, most: int = 4) -> Strategy:
    """Names with values, as Compose's `list_or_dict` in its first form."""
    return st.dictionaries(names, values, min_size=1, max_size=most)


def either(names: Strategy) -> Strategy:
    """A `list_or_dict`: a mapping, or a list of `NAME=VALUE`."""
    listed = mapping(names, words).map(lambda held: [f"{name}={value}" for name, value in held.items()])
    return st.one_of(mapping(names, scalars), listed)


commands = st.one_of(
    some(words, 1, 4),
    st.sampled_from(("sleep infinity", "sh -c 'exec sleep 5'", 'test a = "a b"', "echo $$HOME", "", [])),
)
healthchecks = st.one_of(
    st.just({"disable": True}),
    st.fixed_dictionaries(
        {
            "test": st.one_of(
                words.filter(bool), words.map(lambda w: ["CMD", "true", w]), words.map(lambda w: ["CMD-SHELL", w])
            )
        },
        optional={"interval": durations, "timeout": durations, "start_period": durations, "start_interval": durations,
                  "retries": st.sampled_from((3, "5"))},
    ),
)  # fmt: skip
_rates = some(st.builds(lambda rate: {"path": "/dev/null", "rate": rate}, st.sampled_from((1024, "12mb"))), 1, 1)
blkio = st.fixed_dictionaries(
    {"weight": st.integers(10, 1000)},
    optional={
        "device_read_bps": _rates,
        "device_write_bps": _rates,
        "device_read_iops": _rates,
        "device_write_iops": _rates,
    },
)
_limits = st.fixed_dictionaries(
    {}, optional={"cpus": st.sampled_from(("0.5", 1, "1")), "memory": sizes, "pids": st.just(50)}
)
_update = st.fixed_dictionaries({}, optional={
    "parallelism": st.just(1), "delay": durations, "failure_action": st.sampled_from(("pause", "continue")),
    "monitor": durations, "max_failure_ratio": st.sampled_from((0.1, Plain("1e-1"))),
    "order": st.sampled_from(("start-first", "stop-first"))})  # fmt: skip
deploys = st.fixed_dictionaries({}, optional={
    "mode": st.sampled_from(("replicated", "global")), "endpoint_mode": st.sampled_from(("vip", "dnsrr")),
    "replicas": st.sampled_from((0, 1, 2, "2")), "labels": either(label_keys),
    "update_config": _update, "rollback_config": _update,
    "resources": st.fixed_dictionaries({}, optional={
        "limits": _limits,
        "reservations": st.fixed_dictionaries({}, optional={"cpus": st.just("0.1"), "memory": sizes})}),
    "restart_policy": st.fixed_dictionaries({}, optional={
        "condition": st.sampled_from(("none", "on-failure", "any")), "delay": durations, "max_attempts": st.just(3),
        "window": durations}),
    "placement": st.fixed_dictionaries({}, optional={
        "constraints": st.just(["node.role==manager"]), "preferences": st.just([{"spread": "node.labels.zone"}]),
        "max_replicas_per_node": st.just(2)})})  # fmt: skip
ports = st.one_of(
    st.sampled_from((
        80, "80", "8080:80", "127.0.0.1:8081:81", "9000-9002:9000-9002", "53:53/udp", "[::1]:8082:82", "8083-8084:83")),
    st.fixed_dictionaries({"target": st.sampled_from((80, "90"))}, optional={
        "published": st.sampled_from(("18080", 18081, "18090-18095")), "protocol": st.sampled_from(("tcp", "udp")),
        "host_ip": st.just("127.0.0.1"), "mode": st.sampled_from(("host", "ingress")), "name": simple,
        "app_protocol": st.just("http")}),
)  # fmt: skip
_ulimits = st.dictionaries(
    st.sampled_from(("nofile", "nproc", "core")),
    st.one_of(st.just(1024), st.just({"soft": 10, "hard": 20})),
    min_size=1,
)

# Field → what it may hold. Fields that name other parts of the stack are in services.py.
FIELDS: dict[str, Strategy] = {
    "annotations": either(label_keys),
    "attach": flags,
    "blkio_config": blkio,
    "cap_add": some(st.sampled_from(("NET_ADMIN", "SYS_TIME", "ALL"))),
    "cap_drop": some(st.sampled_from(("MKNOD", "CHOWN"))),
    "cgroup": st.sampled_from(("host", "private")),
    "cgroup_parent": st.just("m-executor-abcd"),
    "command": commands,
    "cpu_count": st.sampled_from((1, "2")),
    "cpu_percent": st.sampled_from((50, "50")),
    "cpu_period": st.sampled_from((50000, "50000")),
    "cpu_quota": st.sampled_from((25000, "25000")),
    "cpu_rt_period": st.sampled_from(("1400", 11000)),
    "cpu_rt_runtime": st.sampled_from(("400", 95000)),
    "cpu_shares": st.sampled_from((512, "512")),
    "cpus": st.sampled_from((0.5, "1.5", Plain("5e-1"))),
    "cpuset": st.sampled_from(("0,1", "0")),
    "deploy": deploys,
    "device_cgroup_rules": st.just(["c 1:3 mr", "a 7:* rmw"]),
    "devices": some(st.sampled_from(("/dev/null:/dev/xnull:rwm", "/dev/zero"))),
    "dns": st.sampled_from(("8.8.8.8", ["9.9.9.9", "2001:db8::1"])),
    "dns_opt": st.just(["use-vc", "no-tld-query"]),
    "dns_search": st.sampled_from(("example.com", ["a.example", "b.example"])),
    "domainname": st.just("example.com"),
    "entrypoint": commands,
    "environment": st.one_of(either(keys), st.lists(keys, min_size=1, max_size=3, unique=True)),
    "expose": some(st.sampled_from((3000, "8000", "8080-8085/tcp", "53/udp"))),
    "external_links": st.sampled_from((["redis"], ["database:mysql"])),
    "extra_hosts": st.sampled_from(
        (["somehost:162.242.195.82", "otherhost=50.31.209.229", "v6:[::1]"], {"gateway.docker": "host-gateway"})
    ),
    "group_add": some(st.sampled_from(("mail", 1000, "1001"))),
    "healthcheck": healthchecks,
    "hostname": st.sampled_from(("web", "a.example.com", "1e5")),
    "init": flags,
    "ipc": st.sampled_from(("host", "private", "shareable")),
    "isolation": st.just("default"),
    "labels": either(label_keys),
    "logging": st.fixed_dictionaries(
        {"driver": st.sampled_from(("json-file", "local"))},
        optional={
            "options": mapping(
                st.sampled_from(("max-size", "tag", "labels")), st.sampled_from(("10m", "{{.Name}}", 3, Plain("1e1")))
            )
        },
    ),
    "mac_address": st.just("02:42:ac:11:65:43"),
    "mem_limit": sizes,
    "mem_reservation": sizes,
    "mem_swappiness": st.sampled_from((0, 60, "60")),
    "memswap_limit": sizes,
    "oom_kill_disable": flags,
    "oom_score_adj": st.sampled_from((-500, 0, 500)),
    "pid": st.just("host"),
    "pids_limit": st.sampled_from((100, "-1")),
    "platform": st.just("linux/amd64"),
    "ports": some(ports, 1, 2),
    "privileged": flags,
    "pull_policy": st.sampled_from(("always", "missing", "never", "if_not_present")),
    "read_only": flags,
    "restart": st.sampled_from(("no", "always", "on-failure", "on-failure:3", "unless-stopped")),
    "runtime": st.just("runc"),
    "scale": st.sampled_from((0, 1, 3, "2")),
    "security_opt": some(st.sampled_from(("no-new-privileges:true", "label:disable", "seccomp:unconfined"))),
    "shm_size": sizes,
    "stdin_open": flags,
    "stop_grace_period": durations,
    "stop_signal": st.sampled_from(("SIGUSR1", "SIGINT", "9")),
    "storage_opt": st.just({"size": "1G"}),
    "sysctls": st.sampled_from(({"net.core.somaxconn": 1024}, ["net.ipv4.tcp_syncookies=0"])),
    "tmpfs": st.sampled_from(("/run", ["/run", "/tmp:size=64m,mode=1777"])),
    "tty": flags,
    "ulimits": _ulimits,
    "user": st.sampled_from(("1000", "1000:1000", "www-data", "0")),
    "userns_mode": st.just("host"),
    "uts": st.just("host"),
    "working_dir": st.sampled_from(("/srv/a b", "/", "/srv/é")),
}
# Field → why it is not drawn, or where it is.
ELSEWHERE = {
    "image": "services.py", "build": "services.py", "configs": "services.py", "secrets": "services.py",
    "volumes": "services.py", "networks": "services.py", "network_mode": "services.py", "depends_on": "services.py",
    "env_file": "services.py", "profiles": "services.py", "container_name": "services.py", "extends": "stacks.py",
    "links": "another service by its name: tests/stacks/every_field", "volumes_from": "the same",
    "credential_spec": "Windows alone", "develop": "Compose prints it and `up` ignores it",
    "gpus": "Compose 2.30 or later", "label_file": "Compose 2.32 or later", "models": "Compose 2.38 or later",
    "provider": "Compose 2.36 or later", "post_start": "Compose 2.30 or later", "pre_stop": "Compose 2.30 or later",
    "pull_refresh_after": "Compose 2.35 or later", "use_api_socket": "Compose 2.37 or later",
}  # fmt: skip
