"""The edge follows the name of one file, in every state that file can be in, and keeps it."""

import contextlib
import shlex
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support import wait_until
from tests.support.lab.lab import connect

pytestmark = pytest.mark.lab
STATE = "/var/lib/slipway-edge"
LAB_STATE = '{"by": "lab"}'


@pytest.fixture(autouse=True)
def edge(lab):
    """The edge by SSH, with one colour active; it is left at green, whatever happened."""
    with connect(lab, "edge") as client:
        set_state(client, "green")
        yield client
    with connect(lab, "edge") as client:
        set_state(client, "green")


@pytest.fixture
def stacks(lab, unique):
    """Something that answers as the gateway of each colour; a stack that is there already answers itself."""
    made = []
    for colour in ("green", "blue"):
        if answers(lab, colour):
            continue
        made.append(name := f"{unique}-{colour}")
        lab.docker(
            *("run", "-d", "--rm", "--name", name, "--network", f"container:{lab.name}-{colour}"),
            *(f"{lab.name}-edge", "caddy", "respond", "--listen", ":8000", "--header", f"X-Slipway-Colour: {name}"),
        )
        wait_until(lambda colour=colour: answers(lab, colour))
    yield
    for name in made:
        lab.docker("rm", "-f", name, check=False)


def answers(lab, colour):
    said = lab.inside(
        "edge", "curl", "-s", "-o", "/dev/null", f"slipway-lab-{colour}:8000/health", "-w", "%{http_code}", check=False
    )
    return said == "200"


def sh(client, command):
    _, stdout, stderr = client.exec_command(command, timeout=30)
    output = stdout.read().decode()
    assert stdout.channel.recv_exit_status() == 0, stderr.read().decode()
    return output


def set_state(client, *colours):
    """Make the state directory hold exactly these files."""
    written = "".join(f" && echo {shlex.quote(LAB_STATE)} >{STATE}/{colour}" for colour in colours)
    sh(client, f"rm -f {STATE}/*{written}")


def active(lab):
    answer = httpx.get(f"{lab.edge}/.slipway/active")
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.status_code, answer.text


def served_by(lab):
    answer = httpx.get(f"{lab.edge}/")
    return answer.headers.get_list("x-slipway-colour")


def test_a_rename_is_the_flip_both_ways(lab, edge):
    assert (active(lab), served_by(lab)) == ((200, "green"), ["green"])
    sh(edge, f"mv -T {STATE}/green {STATE}/blue")
    assert (active(lab), served_by(lab)) == ((200, "blue"), ["blue"])
    sh(edge, f"mv -T {STATE}/blue {STATE}/green")
    assert (active(lab), served_by(lab)) == ((200, "green"), ["green"])


def test_without_a_colour_the_edge_says_so_in_words(lab, edge):
    set_state(edge)
    assert active(lab) == (503, "none")
    answer = httpx.get(f"{lab.edge}/")
    assert (answer.status_code, answer.headers.get("x-slipway-colour")) == (503, None)
    assert "No colour is active" in answer.text


def test_with_both_colours_traffic_goes_to_blue_and_the_doubt_is_told(lab, edge):
    set_state(edge, "green", "blue")
    assert active(lab) == (503, "both")
    assert served_by(lab) == ["blue"]


def test_the_colour_stands_once_in_each_answer_whatever_the_stack_says(lab, edge, stacks):
    for colour in ("green", "blue"):
        set_state(edge, colour)
        assert httpx.get(f"{lab.edge}/health").status_code == 200
        assert served_by(lab) == [colour]


def sockets(lab, container, *which):
    """The sockets at port 8000 that the container's network has."""
    return lab.docker("exec", container, "ss", "-Htn", *which, "sport = :8000").strip()


@pytest.fixture
def in_flight(lab, unique):
    """A request through the edge to a stack that takes it and says nothing for a minute."""
    lab.docker(
        *("run", "-d", "--rm", "--init", "--name", unique, "--network", f"container:{lab.name}-blue"),
        *(f"{lab.name}-droplet", "socat", "TCP-LISTEN:8000,fork,reuseaddr", "EXEC:sleep 60"),
    )
    with connect(lab, "edge") as client, ThreadPoolExecutor() as one:
        set_state(client, "blue")
        wait_until(lambda: sockets(lab, unique, "-l"))
        request = one.submit(httpx.get, f"{lab.edge}/", timeout=60)
        wait_until(lambda: sockets(lab, unique, "state", "established"))
        yield request
        lab.docker("rm", "-f", unique, check=False)


def test_a_restart_waits_for_no_request_in_flight_and_keeps_the_colour(lab, in_flight):
    edge = f"{lab.name}-edge"
    lab.docker("stop", edge)
    # What does not end when it is asked to is killed after ten seconds, and has this code.
    assert lab.docker("inspect", "--format", "{{.State.ExitCode}}", edge).strip() != str(128 + signal.SIGKILL)
    lab.docker("start", edge)
    wait_until(lambda: is_up(lab))
    assert active(lab) == (200, "blue")
    assert isinstance(in_flight.exception(), httpx.TransportError)


def test_a_caddy_that_died_is_started_again(lab, edge):
    sh(edge, "pkill -KILL -x caddy")
    wait_until(lambda: is_up(lab))
    assert active(lab) == (200, "green")


def is_up(lab):
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{lab.edge}/.slipway/active").status_code < 500
    return False


def test_thousands_of_requests_lose_none_while_the_colours_are_renamed_back_and_forth(lab, edge, stacks):
    seen, stop = Counter(), threading.Event()
    askers = [
        threading.Thread(target=ask, args=(lab, path, seen)) for path in ("/health", "/health", "/.slipway/active")
    ]

    def rename():
        with connect(lab, "edge") as flipping:
            while not stop.is_set():
                sh(
                    flipping,
                    f"for _ in 1 2 3 4 5; do mv -T {STATE}/green {STATE}/blue; mv -T {STATE}/blue {STATE}/green; done",
                )

    flipper = threading.Thread(target=rename)
    for thread in (flipper, *askers):
        thread.start()
    for thread in askers:
        thread.join()
    stop.set()
    flipper.join()
    assert {status for _, status, _ in seen} == {200}
    assert seen.total() == 3 * 1000
    assert {colour for path, _, colour in seen if path == "/health"} == {"green", "blue"}


def ask(lab, path, seen):
    with httpx.Client(timeout=10) as http:
        for _ in range(1000):
            try:
                answer = http.get(f"{lab.edge}{path}")
                seen[path, answer.status_code, answer.headers.get("x-slipway-colour")] += 1
            except httpx.TransportError as error:
                seen[path, repr(error), None] += 1


@pytest.fixture
def admin(lab, unique):
    """A second edge, switched by the admin API; asked from inside, for it is published nowhere."""
    lab.docker(
        *("run", "-d", "--init", "--name", unique, "--network", lab.name),
        *("-v", f"{lab.private_key}.pub:/etc/slipway/authorized_keys:ro"),
        *(f"{lab.name}-edge", "entrypoint", "/etc/caddy/admin.json"),
    )

    def ask(*argv):
        return lab.docker("exec", unique, "curl", "-s", *argv, check=False)

    upstreams = "http://localhost:2019/id/slipway/upstreams"
    wait_until(lambda: "green" in ask(upstreams))
    yield ask, upstreams
    lab.docker("rm", "-f", unique)


def test_the_other_way_of_switching_is_a_named_handler_of_the_admin_api(lab, admin, unique):
    ask, upstreams = admin
    blue = '[{"dial":"slipway-lab-blue:8000"}]'
    ask("-X", "PATCH", "-H", "Content-Type: application/json", "-d", blue, upstreams)
    assert ask(upstreams).strip() == blue
    lab.docker("restart", unique)
    wait_until(lambda: ask(upstreams))
    assert ask(upstreams).strip() == blue
