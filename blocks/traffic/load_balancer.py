"""The LoadBalancerSwitch block: a DigitalOcean load balancer that has the droplets of one colour as members."""

import hashlib
import json
import time

from pydantic import Field, HttpUrl, PrivateAttr

from blocks.digitalocean.models import LoadBalancer
from blocks.errors import SwitchFailed
from blocks.polling import until
from blocks.traffic.digitalocean_switch import COLOURS, DigitalOceanSwitch
from blocks.traffic.state import SwitchProbe, SwitchState

_ANSWERS = 3
_PAUSE = 0.3
_VOLATILE = ("droplet_ids", "status", "ip", "ipv6", "region", "created_at")


class LoadBalancerSwitch(DigitalOceanSwitch):
    """
    A traffic switch made of a regional load balancer, whose members are droplets or a tag.

    The new colour's droplets are added, probed through the balancer until they answer, and only then the old ones are
    removed. Nothing else of the balancer is changed.

    Example:
        ```python
        from blocks import LoadBalancerSwitch

        switch = LoadBalancerSwitch.load("BLOCK_NAME")
        print(switch.read())
        ```
    """

    _block_type_name = "Slipway Load Balancer Switch"
    _block_type_slug = "slipway-load-balancer-switch"
    _documentation_url = HttpUrl("https://docs.digitalocean.com/products/networking/load-balancers/")
    _description = "A DigitalOcean load balancer that one of two colours is behind."

    balancer: str = Field(title="Load balancer", description="Its name or id.")
    _id: str = PrivateAttr("")
    _only: str | None = PrivateAttr(None)
    _last: LoadBalancer | None = PrivateAttr(None)

    @property
    def in_front(self) -> bool:
        return True

    @property
    def client_impact(self) -> str:
        return (
            "Both colours are behind the balancer until the new one has answered through it, about "
            f"{self._admission():.0f} s; then the old one is taken out. Requests under way end where they began."
        )

    @property
    def max_seconds(self) -> float:
        return 3 * self._admission() + 30

    def read(self) -> SwitchState:
        with self.translating_errors("read"):
            return self._position(self._get())

    def switch_to(self, to: str, seen: SwitchState, by: str) -> SwitchState:
        with self.translating_errors("turned"):
            balancer = self._get()
            now = self._position(balancer)
            if now.active == (to,):
                return now
            before = seen.mark.partition("\n")[0]
            # Both are in when a turn was made half way: whoever sends it again finishes it.
            half_way = set(now.active) == set(COLOURS) and now.mark.partition("\n")[0] == before
            if now.mark != seen.mark and not half_way:
                raise self.moved_error(now)
            self._let_in(balancer, to)
            self._wait_admitted(to)
            balancer = self._get()
            if self._settings(balancer) != before:
                raise self.moved_error(self._position(balancer))
            self._take_out(balancer, next(colour for colour in COLOURS if colour != to))
            now = self.read()
            if now.active != (to,):
                raise SwitchFailed(f"{self} was turned to {to}, but says {' and '.join(now.active) or 'nowhere'}")
            return now

    def probe(self, timeout: float = 5.0) -> SwitchProbe:
        """Request the probe path through the balancer.

        The colour is that of the answer's header, or else the one that alone is behind the balancer.
        """
        return self._probe(f"{self.url.rstrip('/')}{self.probe_path}", timeout, self._only)

    def _get(self) -> LoadBalancer:
        api = self.client.load_balancers
        found = api.get(self._id) if self._id else api.named(self.balancer)
        self._id, self._last = found.id, found
        return found

    def _position(self, balancer: LoadBalancer) -> SwitchState:
        members = set(balancer.droplets)
        active = tuple(colour for colour in COLOURS if members & {d.id for d in self.droplets_of(colour)})
        self._only = active[0] if len(active) == 1 else None
        return SwitchState(active, f"{self._settings(balancer)}\n{sorted(members)}")

    def _settings(self, balancer: LoadBalancer) -> str:
        """A hash of the settings that a turn does not change."""
        kept = {name: value for name, value in balancer.whole.items() if name not in _VOLATILE}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]

    def _let_in(self, balancer: LoadBalancer, colour: str) -> None:
        ids = [d.id for d in self.droplets_of(colour) if d.id not in balancer.droplets]
        if balancer.tag:
            for id in ids:
                self.client.tags.add(balancer.tag, id)
        elif ids:
            self.client.load_balancers.add(balancer.id, ids)

    def _take_out(self, balancer: LoadBalancer, colour: str) -> None:
        ids = [d.id for d in self.droplets_of(colour) if d.id in balancer.droplets]
        if balancer.tag:
            for id in ids:
                self.client.tags.take(balancer.tag, id)
        elif ids:
            self.client.load_balancers.remove(balancer.id, ids)

    def _wait_admitted(self, colour: str) -> None:
        """Probe through the balancer until the colour has answered.

        Where answers do not name their colour, the balancer's health checks are given their time, and then it must
        answer well.

        Raises:
            SwitchFailed: it was not let in; both are behind the balancer.
        """
        self._only = None
        settled = time.monotonic() + 2 * self._admission()
        probes: list[SwitchProbe] = []

        def admitted(probe: SwitchProbe) -> bool:
            probes.append(probe)
            if probe.colour is None and time.monotonic() > settled:
                return len(probes) >= _ANSWERS and all(each.well for each in probes[-_ANSWERS:])
            return sum(each.well and each.colour == colour for each in probes) >= _ANSWERS

        def unfinished(probe: SwitchProbe, seconds: float) -> SwitchFailed:
            return SwitchFailed(
                f"{colour} did not answer through {self} within {seconds:.0f} s: {probe.detail}. Its droplets are in, "
                "and the others too: traffic goes to what passes the balancer's health check"
            )

        until(self.probe, admitted, self.max_seconds, pause=_PAUSE, unfinished=unfinished)

    def _admission(self) -> float:
        """Seconds until the balancer's health check lets a droplet in."""
        return self._last.check_interval * self._last.healthy_after if self._last else 30.0
