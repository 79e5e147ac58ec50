"""The interface of traffic switches, each of which sends traffic to one of two colours."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import httpx
from prefect.blocks.core import Block
from pydantic import Field

from blocks.errors import SwitchFailed
from blocks.http.request import request_within
from blocks.traffic.state import SwitchProbe, SwitchState, switch_words

COLOUR_HEADER = "X-Slipway-Colour"


class TrafficSwitch(Block, ABC):
    """
    What sends traffic to one of two colours: the interface of every kind of switch.

    A kind knows what its targets are (upstreams, droplet ids, addresses); flows speak of colours only. `switch_to` must
    be atomic as far as the kind allows, idempotent (a switch that points there already is left alone), and must not
    overwrite what somebody else did since `read`. `client_impact` is what clients see meanwhile.
    """

    url: str = Field(title="URL", pattern=r"^https?://", description="The one stable address that clients use.")
    probe_path: str = Field("/health", title="Probe path", pattern=r"^/\S*$", description="GET path asked through it.")

    @property
    def name(self) -> str:
        return self._block_document_name or type(self).__name__

    @property
    @abstractmethod
    def client_impact(self) -> str:
        """What clients see while it turns, and for how long: one sentence for plans and approvals."""

    @property
    def max_seconds(self) -> float:
        """Seconds that a turn may take until the new colour answers."""
        return 0.0

    @property
    def in_front(self) -> bool:
        """Whether it answers itself, whatever becomes of the colours; a name or an address only leads to one."""
        return False

    @property
    def last_report(self) -> str:
        """What was measured of the last turn, in words; '' where nothing was."""
        return ""

    def prepare(self, tell: Callable[[str], None]) -> None:
        """Do beforehand what makes the turn quick. May be done twice.

        Args:
            tell: called with what is waited for, in words.

        Raises:
            Unreachable, SwitchFailed, and what the kind's own API raises
        """

    def finish(self) -> None:
        """Undo what `prepare` did, once traffic stays where it is. May be done twice, and without it."""

    @abstractmethod
    def read(self) -> SwitchState:
        """The colours that traffic reaches, read from the switch itself.

        Raises:
            Unreachable, SwitchFailed
        """

    @abstractmethod
    def switch_to(self, to: str, seen: SwitchState, by: str) -> SwitchState:
        """Send traffic to a colour.

        Args:
            seen: the state in which that was decided.
            by: who turns it, in words, for whoever reads it next.

        Raises:
            SwitchMoved: its state is another one by now; nothing was changed.
            Unreachable, SwitchFailed
        """

    @property
    def undivided(self) -> str:
        """Why it cannot send a share of the clients to the other colour, in words; '' where it can."""
        return "it sends all traffic to one colour"

    def set_share(self, colour: str, percent: int, seen: SwitchState, by: str) -> SwitchState:
        """Send a share of the clients to the colour that is not active. A turn ends it.

        Args:
            percent: 1 to 99.
            seen: the state in which that was decided.

        Raises:
            SwitchMoved: its state is another one by now; nothing was changed.
            Unreachable, SwitchFailed
        """
        raise SwitchFailed(f"{self} knows no shares: {self.undivided}")

    def end_share(self) -> SwitchState:
        """Send all clients to the active colour, whatever share there is. May be done twice.

        Raises:
            Unreachable, SwitchFailed
        """
        return self.read()

    def seen_share(self, timeout: float = 5.0) -> str:
        """What the edge itself says of shares, as it is asked through it: the file's name, `none`, or anything else
        where it knows nothing of them. Never raises for a bad answer."""
        address = f"{self.url.rstrip('/')}/.slipway/canary"
        try:
            answer = self._request(address, timeout, headers={"Connection": "close"})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{type(error).__name__}: {error}"
        return answer.text[:100].strip() if answer.status_code == 200 else f"status {answer.status_code}"

    def probe(self, timeout: float = 5.0) -> SwitchProbe:
        """Request the probe path through the switch, on a new connection. Never raises for a bad answer."""
        return self._probe(f"{self.url.rstrip('/')}{self.probe_path}", timeout)

    def _probe(self, address: str, timeout: float, otherwise: str | None = None, **options: Any) -> SwitchProbe:
        """Request an address.

        Args:
            otherwise: the colour, where the answer does not name one.
            options: more options of the request.
        """
        headers = {"Connection": "close", **options.pop("headers", {})}
        try:
            answer = self._request(address, timeout, headers=headers, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return SwitchProbe(None, 0, f"GET {address}: {type(error).__name__}: {error}")
        colour = answer.headers.get(COLOUR_HEADER) or otherwise
        return SwitchProbe(
            colour, answer.status_code, f"GET {address}: {answer.status_code} from {colour or 'nobody known'}"
        )

    def _request(self, address: str, timeout: float, **options: Any) -> httpx.Response:
        """Send a GET request, straight to that address.

        Raises:
            httpx.HTTPError, httpx.InvalidURL
        """
        return request_within("GET", address, timeout, trust_env=False, **options)

    def close(self) -> None:
        """Close connections; the switch can be used again afterwards."""

    def reach(self) -> str:
        """A sentence for the terminal: where it points.

        Raises:
            Unreachable, SwitchFailed
        """
        try:
            active = self.read().active
        finally:
            self.close()
        return f"traffic switch {self.name} for {self.url}: points at {' and '.join(active) or 'nowhere'}"

    def __str__(self) -> str:
        return switch_words(self.name, self.url)
