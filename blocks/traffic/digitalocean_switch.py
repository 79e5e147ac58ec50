"""The base of traffic switches at DigitalOcean: an account, and the droplets of each colour there."""

from abc import ABC
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import Field, HttpUrl, PrivateAttr, model_validator

from blocks.digitalocean.account import DigitalOceanAccount
from blocks.digitalocean.client import DigitalOcean
from blocks.digitalocean.models import DropletInfo
from blocks.errors import ApiFailed, OutsideError, SwitchFailed, SwitchMoved, TokenRefused, Unreachable
from blocks.traffic.state import SwitchState
from blocks.traffic.switch import TrafficSwitch

COLOURS = ("green", "blue")


class DigitalOceanSwitch(TrafficSwitch, ABC):
    """A traffic switch that is turned through DigitalOcean's API."""

    _logo_url = HttpUrl("https://github.com/digitalocean.png")

    account: DigitalOceanAccount = Field(title="Account", description="The DigitalOcean account.")
    droplets: dict[str, list[str]] = Field(
        title="Droplets", description="Colour → names of its droplets at DigitalOcean."
    )
    _client: DigitalOcean | None = PrivateAttr(None)
    _found: dict[str, tuple[DropletInfo, ...]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> "DigitalOceanSwitch":
        if set(self.droplets) != set(COLOURS) or not all(self.droplets.values()):
            raise ValueError("`droplets` needs the names of green's and of blue's")
        twice = set(self.droplets["green"]) & set(self.droplets["blue"])
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} cannot be green and blue")
        return self

    def close(self) -> None:
        """Close the connection, and forget the droplets: another one may have a name by the next time."""
        if self._client is not None:
            self._client.__exit__(None, None, None)
        self._client = None
        self._found.clear()

    @property
    def client(self) -> DigitalOcean:
        """The kept client of the API; `client.api.calls` lists its calls."""
        if self._client is None:
            self._client = self.account.client()
        return self._client

    def droplets_of(self, colour: str) -> tuple[DropletInfo, ...]:
        """The droplets of a colour, looked up once while the switch is open: their ids do not change.

        Raises:
            NotAtDigitalOcean, ApiFailed: no droplet has the name, or several have it.
        """
        if colour not in self._found:
            self._found[colour] = tuple(self.client.droplets.named(name) for name in self.droplets[colour])
        return self._found[colour]

    @contextmanager
    def translating_errors(self, doing: str) -> Iterator[None]:
        """Raise errors of the API as SwitchFailed; Unreachable and TokenRefused stay what they are."""
        try:
            yield
        except (SwitchMoved, SwitchFailed, TokenRefused, Unreachable):
            raise
        except ApiFailed as error:
            raise SwitchFailed(f"{self} could not be {doing}: {error}") from None

    def moved_error(self, now: SwitchState) -> SwitchMoved:
        """The error for a switch that somebody else moved since it was read."""
        return SwitchMoved(
            f"{self} was changed by somebody else since it was read: it points at "
            f"{' and '.join(now.active) or 'nowhere'} now. It was left as it is. Look first: slipway status"
        )

    def reach(self) -> str:
        """A sentence for the terminal: where it points; its droplets were found.

        Raises:
            Unreachable, SwitchFailed, TokenRefused
        """
        try:
            with self.translating_errors("read"):
                for colour in COLOURS:
                    self.droplets_of(colour)
            return super().reach()
        except OutsideError:
            self.close()
            raise
