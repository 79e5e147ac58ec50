"""The ReservedIpSwitch block: a DigitalOcean reserved IP that is moved between two droplets."""

from pydantic import Field, HttpUrl, PrivateAttr, model_validator

from blocks.digitalocean.models import ReservedIp
from blocks.errors import ActionFailed, ActionUnfinished, ApiFailed, SwitchFailed
from blocks.traffic.digitalocean_switch import COLOURS, DigitalOceanSwitch
from blocks.traffic.state import SwitchProbe, SwitchState

_LOCKED, _ASSIGNED = 60.0, 60.0


class ReservedIpSwitch(DigitalOceanSwitch):
    """
    A traffic switch made of a reserved IP that is assigned to one colour's droplet.

    Example:
        ```python
        from blocks import ReservedIpSwitch

        switch = ReservedIpSwitch.load("BLOCK_NAME")
        print(switch.read())
        ```
    """

    _block_type_name = "Slipway Reserved IP Switch"
    _block_type_slug = "slipway-reserved-ip-switch"
    _documentation_url = HttpUrl("https://docs.digitalocean.com/products/networking/reserved-ips/")
    _description = "A DigitalOcean reserved IP that one of two droplets has."

    ip: str = Field(title="Reserved IP", pattern=r"^\d+\.\d+\.\d+\.\d+$", description="The address that clients use.")
    _at: str | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _one_each(self) -> "ReservedIpSwitch":
        if any(len(names) != 1 for names in self.droplets.values()):
            raise ValueError("an address is one droplet's: name one of green and one of blue")
        return self

    @property
    def client_impact(self) -> str:
        return (
            "The address moves within seconds. Connections that are open then are cut, and new ones may fail until it "
            "has arrived; clients that try again do not notice."
        )

    @property
    def max_seconds(self) -> float:
        return _LOCKED + _ASSIGNED

    def read(self) -> SwitchState:
        with self.translating_errors("read"):
            return self._position(self.client.reserved_ips.get(self.ip))

    def switch_to(self, to: str, seen: SwitchState, by: str) -> SwitchState:
        target = self.droplets_of(to)[0]
        with self.translating_errors("turned"):
            unlocked = self.client.reserved_ips.wait_unlocked(self.ip, _LOCKED)
            now = self._position(unlocked)
            if now.active == (to,):
                return now
            if now.mark != seen.mark:
                raise self.moved_error(now)
            if target.region != unlocked.region:
                raise SwitchFailed(
                    f"{self} is of the region {unlocked.region}, and droplet {target.name} is in {target.region}: an "
                    "address cannot leave its region. It was left as it is"
                )
            try:
                self.client.reserved_ips.assign(self.ip, target.id, _ASSIGNED)
            except (ActionFailed, ActionUnfinished) as error:
                raise SwitchFailed(f"{self} could not be turned to {to}: {error}") from None
            except ApiFailed:
                if (now := self.read()).active != (to,):
                    raise
                return now
            now = self.read()
            if now.active != (to,):
                raise SwitchFailed(f"{self} was turned to {to}, but says {' and '.join(now.active) or 'nowhere'}")
            return now

    def probe(self, timeout: float = 5.0) -> SwitchProbe:
        """Request the probe path from the address.

        The colour is that of the answer's header, or else the one whose droplet has the address.
        """
        return self._probe(f"{self.url.rstrip('/')}{self.probe_path}", timeout, self._at)

    def _position(self, reserved: ReservedIp) -> SwitchState:
        active = tuple(c for c in COLOURS if reserved.droplet in {d.id for d in self.droplets_of(c)})
        self._at = active[0] if len(active) == 1 else None
        return SwitchState(active, str(reserved.droplet or ""))
