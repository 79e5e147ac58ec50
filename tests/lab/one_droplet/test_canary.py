"""A canary on one droplet: clients reach the new release in shares, and all go back when it does not hold."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import pytest

from flows.core.traffic.edge.share import share_number
from tests.faults.harness.doubles.disposable_droplet import open_disposable_droplet
from tests.lab.one_droplet.unprepared import HOST, SOURS, Bazaar, open_bazaar
from tests.support import wait_until
from tests.support.lab.cli import CliResult
from tests.support.lab.lab import STATE

pytestmark = pytest.mark.lab

NAME, DROPLET = "fair", "canary"
STEPS = (5, 50)


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    """The stack on a droplet of its own, released for the first time."""
    with ExitStack() as closing:
        sockets = closing.enter_context(TemporaryDirectory(prefix="slipway-"))
        machine = closing.enter_context(open_disposable_droplet(DROPLET, STATE, Path(sockets)))
        made = closing.enter_context(open_bazaar(tmp_path_factory.mktemp(NAME), machine, NAME))
        made.setup_edge()
        made.slipway_ok("build-push", *made.write("v1"))
        made.says("deploy-home", "--tag", "v1", "--approval", "never")
        first = made.slipway("promote", "--stack", NAME, "--tag", "v1", "--approval", "never", SLIPWAY_CANARY="[5]")
        assert first.code == 0, first.all
        yield made


def address(low: int, high: int) -> str:
    """A loopback address of the droplet's whose number is in between."""
    return next(one for one in (f"127.9.{n}.7" for n in range(256)) if low <= share_number(one) < high)


# One client that is in each share, one that only the second step reaches, and one that the turn alone does.
CLIENTS = (address(50, 100), address(5, 50), address(0, 5))


class Visitors:
    """The clients ask one after another, those first who come last; each round is noted as the releases they see."""

    def __init__(self, stack: Bazaar) -> None:
        self._stack, self._end = stack, Event()
        self.rounds: list[tuple[str, ...]] = []
        self._thread = Thread(target=self._go)

    def _go(self) -> None:
        while not self._end.is_set():
            self.rounds.append(seen(self._stack))

    def __enter__(self) -> "Visitors":
        self._thread.start()
        wait_until(lambda: self.rounds)
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def kinds(self) -> list[tuple[str, ...]]:
        """The rounds without those that are as the one before."""
        return [one for number, one in enumerate(self.rounds) if not number or one != self.rounds[number - 1]]


def seen(stack: Bazaar) -> tuple[str, ...]:
    """The release that serves each client, by the edge's own word."""
    script = f"""for client in {" ".join(CLIENTS)}; do
    printf 'GET /hello HTTP/1.1\\r\\nHost: {HOST}\\r\\nConnection: close\\r\\n\\r\\n' |
        socat -t 10 - OPENSSL:127.0.0.1:443,bind=$client,verify=0,snihost={HOST} |
        sed -n 's/^X-Slipway-Release: *\\([^ \\r]*\\).*/\\1/Ip'
done"""
    return tuple(stack.sh(script).split())


def promote(stack: Bazaar, tag: str, *behaviour: str) -> CliResult:
    words = ("--promote", "--approval", "never", "--canary", ",".join(map(str, STEPS)))
    return stack.slipway("release", *stack.write(tag, *behaviour), *words, SLIPWAY_CANARY_SECONDS="4")


def shares(stack: Bazaar) -> list[str]:
    return stack.sh(f"cd /opt/{NAME}/.edge/state/{NAME} && ls | grep canary || true").split()


def test_a_good_release_reaches_more_clients_with_each_step_and_then_all(fair: Bazaar) -> None:
    with Visitors(fair) as visitors:
        said = promote(fair, "v2")
        assert said.code == 0, said.all
        wait_until(lambda: visitors.rounds[-1] == ("v2",) * 3, why=lambda: visitors.rounds[-3:])
    assert visitors.kinds() == [("v1", "v1", "v1"), ("v1", "v1", "v2"), ("v1", "v2", "v2"), ("v2", "v2", "v2")]
    assert shares(fair) == []
    assert fair.active() == ["blue"]
    assert "Before that 5 %, 50 % of the clients reached it, and it held." in said.out


def test_a_release_that_breaks_once_clients_reach_it_is_taken_back(fair: Bazaar) -> None:
    with Visitors(fair) as visitors:
        said = promote(fair, "v3", SOURS)
        assert said.code == 1, said.all
        wait_until(lambda: visitors.rounds[-1] == ("v2",) * 3, why=lambda: visitors.rounds[-3:])
    assert "release v3 did not hold as a canary" in said.err
    assert "the canary (5 % of the clients on green) was taken back" in said.err
    assert visitors.kinds() == [("v2", "v2", "v2"), ("v2", "v2", "v3"), ("v2", "v2", "v2")]
    assert shares(fair) == []
    assert fair.active() == ["blue"]
    assert fair.seen() == ("blue", "v2")


def test_a_share_that_is_left_is_shown_and_taken_back(fair: Bazaar) -> None:
    fair.sh(f"touch /opt/{NAME}/.edge/state/{NAME}/canary-green-05")
    shown = fair.status()
    assert {part: state.get("share") for part, state in shown.items()} == {
        f"{fair.block}/green": 5, f"{fair.block}/blue": 95, f"{fair.block}/home": None
    }  # fmt: skip
    assert "5 % of the clients on green" in fair.says("plan").all
    assert "was taken back" in fair.says("reconcile", part="blue").all
    assert shares(fair) == []
    fair.sh(f"touch /opt/{NAME}/.edge/state/{NAME}/canary-green-05")
    fair.says("switch-back")
    assert (shares(fair), fair.active()) == ([], ["blue"])
