"""Parsers of what droplets print, each with a good answer."""

import json
from typing import Any

from flows.core.debug.bundle import DebugBundle
from flows.core.debug.collectors import CollectorTarget
from flows.core.debug.diagnosis import diagnose_host, diagnose_service
from flows.core.debug.evidence import Evidence, read_evidence, read_python, read_system, read_usage
from flows.core.debug.overview import read_overview, unhealthy_services
from flows.core.debug.redaction import redact, redaction_mask, secret_paths
from flows.core.debug.service_commands import read_service_names
from flows.core.deploy.deployed_state import read_deployed_state
from flows.core.deploy.facts import Facts, read_facts
from flows.core.deploy.files.droplet_trees import read_trees
from flows.core.deploy.files.writable import Bringing, PathChange
from flows.core.deploy.files.writable_scripts import read_kept, read_look
from flows.core.deploy.plan.readings import read_standing
from flows.core.deploy.preflight import missing_external
from flows.core.deploy.pull import read_pulls
from flows.core.deploy.readiness import Patience, Watch, judge_readiness
from flows.core.droplet.asleep import SleepMarker, read_marker
from flows.core.droplet.containers import by_service, container_environment, read_containers, read_inspected
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.docker_commands import complaint
from flows.core.droplet.lock import Holder, read_holder
from flows.core.droplet.running import read_resolved, read_running, stack_there
from flows.core.droplet.sections import read_rows, sections
from flows.core.droplet.versions import is_older, version
from flows.core.gates.probes import judge_health, judge_workflow
from flows.core.insight.doctor import read_droplet_checks
from flows.core.insight.drift import read_drift
from flows.core.insight.metrics.droplet import read_metrics_look
from flows.core.insight.status import read_status
from flows.core.prune.inventory import read_inventory, read_strangers
from flows.core.prune.removal import Item, Kind, Removal, read_refusals
from flows.core.prune.system_prune import read_prunable
from flows.core.records.history import read_history
from flows.core.records.storage import read_records
from flows.core.release.tree import dump_tree
from flows.core.stack.compose_versions import unknown_fields
from flows.core.stack.extension import WorkflowProbe
from flows.core.traffic.edge.setup_scripts import read_pinned_image
from flows.core.traffic.edge.view import read_edge_view
from flows.core.traffic.memory import read_memory
from tests.support.adoption.attacked import OF_ADOPTION
from tests.support.builders import HOST, pinned, record, release, stack
from tests.support.hostile.attacked import Attacked
from tests.support.hostile.changes import in_lines, in_sections, packed
from tests.support.machine.attacked import OF_SETUP

STACK = "shop"
HOME = StackDirectory("/opt/slipway", STACK)
WITH_A_FILE = release(environment_files=({"path": "a"},))
PLACES = ("data", "data/a", "b")
DOCUMENT: dict[str, Any] = json.loads(release().document())
RECORD: dict[str, Any] = json.loads(record(1, "v1").document())
CONFIG: dict[str, Any] = {
    "name": STACK,
    "services": {"web": {"image": pinned("web"), "ports": [{"target": 80}], "networks": {"n": None},
                         "deploy": {"replicas": 1}, "command": ["a"],
                         "x-slipway": {"port": 80, "health": "/h"}, "secrets": [{"source": "s"}],
                         "healthcheck": {"test": ["CMD", "true"]}, "depends_on": {}, "environment": {"A": "b"},
                         "volumes": [{"type": "bind", "source": "/a", "target": "/b"}]}},
    "secrets": {"s": {"file": "/s"}},
}  # fmt: skip
EDGE: dict[str, Any] = {
    "edge": {"image": pinned("caddy"), "mark": "a1", "state": "Up 2 hours (healthy)"},
    "published": {"name": "shop-web-1", "project": "shop", "ports": "0.0.0.0:80->8080/tcp, :::443-444->443-444/tcp"},
    "listening": "0100007F:0050 0A\n00000000000000000000000000000000:01BB 0A",
    "sites": '# slipway {"hosts": ["a.example.com"], "stack": "shop"}',
    "states": "shop/green\nshop/release/green/v1",
    "addresses": "10.0.0.7 fe80::1",
    "told": '# slipway {"email": "a@example.com", "tls": "acme"}',
}
INSPECTED: dict[str, Any] = {
    "Id": "a" * 64, "Name": "/shop-web-1", "Image": "sha256:1", "RestartCount": 0,
    "State": {"Status": "running", "ExitCode": 0, "OOMKilled": False, "StartedAt": "2026-05-04T12:00:00.123456789Z",
              "Health": {"Status": "healthy", "Log": [{"Output": "ok"}]}, "Error": "", "Pid": 7},
    "Config": {"Image": "host/web",
               "Labels": {"com.docker.compose.service": "web", "com.docker.compose.oneoff": "False"},
               "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1, "Timeout": 1, "Retries": 3, "StartPeriod": 1},
               "Env": ["A=b"]},
    "HostConfig": {"NetworkMode": "container:" + "b" * 64},
    "NetworkSettings": {"Networks": {"n": {"IPAddress": "1.2.3.4"}}},
    "Mounts": [{"Type": "volume", "Name": "c" * 64, "Destination": "/d"}],
}  # fmt: skip
OWNER = {**INSPECTED, "Id": "b" * 64, "HostConfig": {"NetworkMode": "n"}}
HISTORY = f"==> 000001.json <==\n{json.dumps(RECORD)}\n"
MARKER: dict[str, Any] = json.loads(SleepMarker("v1.0", ("web",), "now").document())
LISTED = {"history": HISTORY, "kept": "v1.0", "name": "releases/v1.0", "asleep": MARKER}
RUNNING = {
    "containers": [INSPECTED],
    "images": json.dumps({"id": "sha256:1", "digests": [pinned("web")]}),
    "release": DOCUMENT,
    "config": CONFIG,
}
ENTRY = {"id": "1", "name": "/web", "image": "i", "state": "running", "project": STACK, "service": "web",
         "one_off": "False", "number": "1", "pid": 7}  # fmt: skip
TREE = packed(dump_tree({}).decode())
STARTED = stack({"web": {}})
FACTS = Facts(networks=frozenset(), volumes=frozenset())
REMOVAL = Removal((Item(Kind.RELEASE, "v1", "v1", ""), Item(Kind.CONTAINER, "c", "c", "")))
BRINGING = Bringing(changes=(PathChange("put", "data/a", None, 0o644), PathChange("delete", "b", None, 0)))
_ACCOUNT = f"/sys/fs/cgroup/docker/{'a' * 64}"
PROBE = WorkflowProbe(post="/run", expect="a.b")


def _with_owners(value: Any) -> str:
    return "\n".join(map(json.dumps, value)) if isinstance(value, list) else json.dumps(value)


def _debugged(text: str) -> None:
    """All that debug-agent and a deploy make of a droplet's containers, once they are read."""
    overview = read_overview(STACK, "droplet web-1", text)
    for inspected in overview.inspected.values():
        CollectorTarget.of(inspected)
        container_environment(inspected)
    evidence, paths = Evidence(logs={"a" * 64: text[:10_000]}), secret_paths(overview, HOME)
    shown, left = redact(overview, evidence, redaction_mask(overview, paths, evidence, frozenset()))
    readings = tuple(diagnose_service(shown, left, name) for name in (*unhealthy_services(shown), *shown.services))
    DebugBundle(shown, left, shown.services, {}, (*readings, diagnose_host(shown, left)), "now").files()
    found = [one for mine in by_service(overview.containers).values() for one in mine]
    judge_readiness(STARTED, found, Watch(), Patience())


OF_DROPLETS = (
    Attacked(CollectorTarget.of, RUNNING, shape=in_sections, read=_debugged),
    Attacked(read_inspected, [[INSPECTED], [OWNER]], shape=_with_owners),
    Attacked(read_containers, [[INSPECTED], [OWNER]], shape=_with_owners),
    Attacked(read_running, RUNNING, shape=in_sections),
    Attacked(read_resolved, CONFIG),
    Attacked(stack_there, CONFIG, shape=None),
    Attacked(missing_external, {**CONFIG, "networks": {"n": {"external": True, "name": "x"}}}, shape=None,
             read=lambda config: missing_external(config, FACTS)),
    Attacked(read_deployed_state, {**LISTED, **RUNNING, "environment": "A=b"}, shape=in_sections,
             read=lambda text: read_deployed_state(text, HOME, "web-1")),
    Attacked(read_standing, {
        "resolved": CONFIG, "variables": "A=b", "given": f"{'a' * 64}  -", "tree": json.loads(dump_tree({})),
        "hashes": f"web {'a' * 64}",
    }, shape=in_sections, read=lambda text: read_standing(text, HOME, "v1.0", WITH_A_FILE)),
    Attacked(read_service_names, {"services": "web", "release": DOCUMENT}, shape=in_sections, read=read_service_names),
    Attacked(read_droplet_checks, {
        "now": "1.5", "engine": "28.1", "compose": "2.26", "disk": "/dev/sda 9 1 8 1% /", "holder": "{}",
        "writable": "yes", "release": DOCUMENT,
    }, shape=in_sections, read=lambda text: read_droplet_checks(text, "droplet web-1", 1.0)),
    Attacked(read_drift, {
        **LISTED, **RUNNING, "environment": "A=b", "names": "current:v1.0",
        "would": " DRY-RUN MODE -  Container web  Recreate\n:said:",
    }, shape=in_sections, read=lambda text: read_drift(text, HOME, "web-1")),
    Attacked(read_metrics_look, {**LISTED, "holder": "{}"}, shape=in_sections,
             read=lambda text: read_metrics_look(text, STACK)),
    Attacked(read_status, {**LISTED, **RUNNING, "holder": "{}"}, shape=in_sections,
             read=lambda text: read_status(text, STACK)),
    Attacked(read_overview, {**RUNNING, "now": "1", "records": "{}"}, shape=in_sections,
             read=lambda text: read_overview(STACK, "droplet web-1", text)),
    Attacked(read_facts, {
        **LISTED, "info": {"ServerVersion": "28.1", "Architecture": "x86_64", "OSType": "linux",
                           "ClientInfo": {"Plugins": [{"Name": "compose", "Version": "2.26"}]}},
        "disk": "/dev/sda 9 1 8 1% /", "containers": [INSPECTED], "images": {"digests": ["a@b"], "tags": ["a:b"]},
        "networks": "n 1\n:said:", "volumes": "v\n:said:", "current": DOCUMENT,
    }, shape=in_sections, read=lambda text: read_facts(text, STACK)),
    Attacked(read_inventory, {
        **LISTED, "containers": f"{json.dumps(ENTRY)}\ncomplete", "mounts": "7 /opt/slipway/shop/releases/v1.0/files",
        "images": {"id": "i", "tags": ["a:b"], "digests": None, "project": STACK, "size": 1},
        "documents": f"@@document:v1.0\n{json.dumps(DOCUMENT)}\n", "incoming": "x",
    }, shape=in_sections, read=lambda text: read_inventory(text, STACK)),
    Attacked(read_strangers, [{"Id": "i", "RepoTags": None, "Config": {"Labels": {"a": "b"}}}],
             read=lambda text: read_strangers(text, STACK)),
    Attacked(read_edge_view, EDGE, shape=in_sections),
    Attacked(read_pinned_image, [pinned("caddy")], read=lambda text: read_pinned_image(text, f"{HOST}/team/caddy:2")),
    Attacked(read_prunable, {
        "version": "28.1\t1.48", "containers": "c\ti\tExited", "images": f"1\t{pinned('web')}\t9MB", "busy": "v",
        "anonymous": "v w", "volumes": "v w x", "disk": "Build Cache\t1GB",
        "documents": f"@@document\n{json.dumps(DOCUMENT)}\n",
    }, shape=in_sections),
    Attacked(read_pulls, ["slipway-pulled r@d 1.5 2.5"],
             shape=lambda lines: "\n".join(map(str, lines)) if isinstance(lines, list) else str(lines)),
    Attacked(read_records, LISTED, shape=in_sections, read=lambda text: read_records(sections(text), STACK)),
    Attacked(read_records, HISTORY, shape=packed, read=lambda text: read_records({"history": text}, STACK)),
    Attacked(read_history, RECORD, read=lambda text: read_history([("000001.json", text)], ["v1.0"], "v1.0", STACK)),
    Attacked(read_trees, {
        "names": "current:v1.0\ntwin:v2.0\nbringing:\nnamed:v3.0", "current": TREE, "twin": TREE, "named": TREE,
        "standing": packed("f 644 1 1.5 files/a\0"),
    }, shape=in_sections),
    Attacked(read_look, f"=\nd 755\n=\nf\nl {'a' * 64}  -\n644\n{'b' * 64}  b\n",
             read=lambda text: read_look(text, PLACES, ("data",))),
    Attacked(read_kept, "kept 0\nkept 1\n", read=lambda text: read_kept(text, BRINGING)),
    Attacked(read_refusals, "gone release v1\nleft container c busy\n", read=lambda text: read_refusals(text, REMOVAL)),
    Attacked(read_holder, json.loads(Holder("t", "me", "deploy", "r", "u", "s").line())),
    Attacked(read_marker, MARKER, read=lambda text: read_marker(text, "v1.0")),
    Attacked(read_memory, {
        "memory": "MemTotal:  2000 kB\nMemAvailable:  900 kB", "active containers": {"id": "1", "service": "web"},
        "active usage": {"ID": "1", "MemUsage": "1MiB / 2GiB", "PIDs": "3"}, "idle containers": "", "idle usage": "",
    }, shape=in_sections),
    Attacked(read_evidence, {
        "log 1": "said", "packages 1": "/usr/lib/python3/dist-packages/a-1.0.dist-info", "host disk": "Filesystem 1 2",
        "usage": json.dumps({"ID": "1", "MemUsage": "1MiB / 2GiB", "PIDs": "3"}),
        "system 1": "P:a\nV:1", "events": "1|die|web|1|9", "secret 0": "s",
    }, shape=in_sections),
    Attacked(read_python, "/usr/bin/python3.11\n/usr/lib/python3.11/site-packages/a_b-1.0-py3.11.egg-info"),
    Attacked(read_system, "Package: a\nStatus: install ok installed\nVersion: 1\n\nP:b\nV:2"),
    Attacked(read_usage, [{"ID": "1", "MemUsage": "1.5MiB / 2GiB", "PIDs": "3"}], shape=in_lines),
    Attacked(read_usage, f"{_ACCOUNT}/memory.current:12\n{_ACCOUNT}/cpu.stat:usage_usec 7"),
    Attacked(sections, {"a": "b", "c": "d"}, shape=in_sections),
    Attacked(read_rows, "a\tb\nc\td"),
    Attacked(version, "v28.1.0-rc1+dfsg"),
    Attacked(is_older, "2.26.1", read=lambda text: is_older(text, "2.20")),
    Attacked(complaint, "a\nfailed to read .env: line 1: unexpected character in variable name \"A B\""),
    Attacked(unknown_fields, "services.web Additional property x is not allowed",
             read=lambda text: unknown_fields(text, ())),
    Attacked(judge_health, {"status": "ok"}, read=lambda text: judge_health(200, text)),
    *OF_ADOPTION,
    *OF_SETUP,
    Attacked(judge_workflow, {"a": {"b": [1]}}, read=lambda text: judge_workflow(PROBE, 200, text)),
)  # fmt: skip
