"""What one droplet for both colours can be given that does not fit it: told, and traffic stays where it is."""

from dataclasses import replace

import pytest

from flows.core.stack.side_by_side.ports import loopback_ports
from tests.faults.harness.blue_green import FIRST, SECOND, BlueGreenScenario, refused
from tests.faults.harness.one_droplet_setup import stands
from tests.support import wait_until

pytestmark = pytest.mark.faults
REFUSED = "refused and told; traffic stays"
WEB, WORKER = "command: [/srv/part, web]", "command: [/srv/part, worker]"


def _publish(shared: BlueGreenScenario, tag: str, this: str, that: str) -> None:
    """Publish a release whose compose file differs."""
    stack = shared.sides["green"]
    replace(stack, changes=(*stack.changes, (this, that))).publish(tag)


@pytest.mark.parametrize("who", ["a process", "a container"])
def test_a_port_for_the_edge_is_taken(who: str, shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says(f"the loopback port of the idle colour is taken by {who}", "preflight", f"{REFUSED}; then it works")
    (port,) = loopback_ports(shared.stack, "web", start.idle)
    machine, image = shared.sides[start.idle].droplet, shared.sides[start.active].droplet.containers()["web"]["Image"]
    machine.sh(f"docker rm -f {shared.web(start.idle)} >/dev/null")
    listens = f"awk '{{print $2, $4}}' /proc/net/tcp | grep -qi '0100007F:{port:04X} 0A' && echo yes || true"
    if who == "a process":
        machine.sh(f"socat TCP-LISTEN:{port},bind=127.0.0.1,fork PIPE >/dev/null 2>&1 & echo $! >/run/squatter")
    else:
        machine.sh(f"docker run -d --name squatter -p 127.0.0.1:{port}:8000 {image} sleep 600 >/dev/null")
    wait_until(lambda: machine.sh(listens).strip())
    told = "a process of its own" if who == "a process" else "the container squatter"
    said = shared.say(shared.promote("--tag", FIRST))
    machine.sh(
        "[ ! -e /run/squatter ] || kill $(cat /run/squatter); rm -f /run/squatter; docker rm -f squatter || true"
    )
    refused(said, "PortTaken", str(port), told, "Nothing was changed")
    shared.untouched(start)
    shared.goes_on(start)
    stands(shared)


def test_another_stack_has_the_host(shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says("two stacks of the droplet expose one host", "preflight", REFUSED)
    twin = replace(shared.sides["green"], name=f"{shared.stack}-twin", published=set())
    twin.save_environment()
    twin.publish(FIRST)
    said = shared.say(["deploy", "--stack", twin.name, "--tag", FIRST, "--droplet", shared.block("green")])
    refused(said, "HostTaken", f"the stack {shared.stack} is served as {shared.stack}.example.test", "edge show")
    assert shared.edge.inside(f"ls /opt/{shared.stack}/.edge/config/sites").split() == [f"{shared.stack}.caddy"]
    shared.untouched(start)
    stands(shared)
    shared.goes_on(start)


@pytest.mark.parametrize("tag", [None, SECOND], ids=["what stands there", "a tag"])
def test_the_idle_colour_was_edited_by_hand(tag: str | None, shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says("a container of the idle colour removed, another added", "promote", "refused; with --tag put right")
    machine, image = shared.sides[start.idle].droplet, shared.sides[start.idle].droplet.containers()["web"]["Image"]
    project = f"com.docker.compose.project={shared.stack}-{start.idle}"
    machine.sh(
        f"docker rm -f {shared.web(start.idle)} >/dev/null\n"
        f"docker run -d --label {project} --label com.docker.compose.service=stray "
        f"--label com.docker.compose.container-number=1 --label com.docker.compose.oneoff=False "
        f"--label com.docker.compose.config-hash=none --name stray {image} sleep 600 >/dev/null"
    )
    if tag is None:
        refused(shared.say(shared.promote()), "NotPromoted", "web", f"Traffic stays on {start.active}", code=1)
        shared.untouched(start)
    shared.goes_on(start)
    stands(shared)


def test_the_active_colour_was_edited_by_hand(shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says("a container of the active colour removed by hand", "promote", "promoted; reconcile puts it right")
    machine = shared.sides[start.active].droplet
    machine.sh(f"docker rm -f {machine.containers()['worker']['Id']} >/dev/null")
    shared.goes_on(start)
    shared.done(shared.words("reconcile", "--droplet", shared.block(start.active)))
    stands(shared)


def test_a_service_listens_to_its_own_container_alone(shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says("the exposed service listens on 127.0.0.1 in its container", "validate", "the idle colour goes back")
    _publish(shared, "inward", WEB, f"{WEB}\n    environment: {{TOKEN: x, LISTEN: 127.0.0.1}}")
    refused(shared.say(shared.promote("--tag", "inward")), "ValidationFailed", "web", "127.0.0.1", code=1)
    shared.untouched(start)
    assert shared.sides[start.idle].version() == start.tags[start.idle]
    stands(shared)
    shared.goes_on(start)


def test_there_is_not_the_memory_for_both(shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says("the new colour may use more memory than there is", "check memory", REFUSED)
    _publish(shared, "greedy", WORKER, f"{WORKER}\n\n  hoard:\n    <<: *part\n    {WORKER}\n    mem_limit: 900g")
    refused(shared.say(shared.promote("--tag", "greedy")), "NotEnoughMemory", "Nothing was started", "docker stats")
    shared.untouched(start)
    assert shared.sides[start.idle].version() == start.tags[start.idle]
    stands(shared)
    shared.goes_on(start)


def test_the_state_directory_is_removed(shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says("the switch's directory is removed", "read the switch", f"{REFUSED}; made anew by edge setup")
    shared.edge.inside(f"rm -rf {shared.edge.directory}")
    assert shared.edge.through()[0] == 503
    refused(shared.say(shared.promote()), "SwitchFailed", shared.edge.directory, "slipway edge setup", code=1)
    shared.done(
        ["edge", "setup", f"{shared.stack}-prod", "--yes", "--stack", shared.stack,
         "--url", f"https://{shared.stack}.example.test"]
    )  # fmt: skip
    assert shared.edge.files() == []
    shared.done(shared.promote("--to", start.active))
    shared.ended_well(start, start.active)
    shared.goes_on(start)
    stands(shared)
