"""A switch that keeps a share of the clients, and two colours that are names only."""

from dataclasses import replace
from types import SimpleNamespace

from blocks.traffic.state import Share
from flows.settings import Settings
from tests.support.droplets.fake_colour import FakeSwitch

LEFT = Share("green", 25, "its mark", "a run that was killed")
SETTINGS = Settings(
    canary=(5, 50), canary_seconds=7, switch_timeout=0.01, switch="edge", green=("one/green",), blue=("one/blue",)
)


class Divided(FakeSwitch):
    """A switch that points at blue and keeps a share; `edge` is what its edge says of shares, if not the truth."""

    undivided, edge = "", ""

    def __init__(self, share: Share | None = None) -> None:
        super().__init__("blue")
        self.done, self.numbers, self.fails = [], iter(range(100)), []
        self.put(share)

    def put(self, share):
        self.states = [replace(self.states[0], share=share)]
        return self.states[0]

    @property
    def share(self):
        return self.states[0].share

    def set_share(self, colour, percent, seen, by):
        assert seen == self.states[0]
        self.done.append(percent)
        return self.put(Share(colour, percent, f"mark {next(self.numbers)}", by))

    def end_share(self):
        if self.fails:
            raise self.fails.pop()
        self.done.append(0)
        return self.put(None)

    def seen_share(self, timeout=5.0):
        share = self.share
        return self.edge or (f"/canary-{share.colour}-{share.percent:02}" if share else "none")


def side(colour):
    return SimpleNamespace(colour=colour, stack="shop", targets=(SimpleNamespace(name=f"one/{colour}"),))


GREEN, BLUE = side("green"), side("blue")
