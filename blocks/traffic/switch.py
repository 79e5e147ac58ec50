"""The interface of a traffic switch: what sends traffic to one of two colours."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from prefect.blocks.core import Block
from pydantic import Field

from blocks.http.request import request_within

COLOUR_HEADER = "X-Slipway-Colour"


@dataclass(frozen=True)
class SwitchState:
    """What a switch says of itself.

    Args:
        active: the colours that traffic reaches: one, none (it points nowhere), or both.
        mark: changes with every turn, whoever made it; a turn shows the mark it started from.
        by: who turned it last, in words; '' when the switch cannot tell.
    """

    active: tuple[str, ...]
    mark: str = ""
    by: str = ""


@dataclass(frozen=True)
class SwitchProbe:
    """One answer that came through the switch, as any client would get it: by which colour, and how it went."""

    colour: str | None
    status: int
    detail: str

    @property
    def well(self) -> bool:
        """Whether a service answered; an error of its own, or of the switch, is no answer."""
        return 200 <= self.status < 500


class TrafficSwitch(Block, ABC):
    """
    What every kind of switch can do. A kind knows how its targets are called (upstreams, droplet ids, addresses); a
    colour is all that the flows speak of.

    `switch_to` must be atomic as far as its kind allows, idempotent (a switch that points there already is left alone), and
    must not overwrite what somebody else did since `read`. What clients see meanwhile stands in `client_impact`.
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
    def last_report(self) -> str:
        """What the last turn showed of its effect, in words; '' where there is nothing to add."""
        return ""

    def prepare(self, tell: Callable[[str], None]) -> None:
        """What makes the turn quick and can be done before anything is decided. May be done twice.

        Args:
            tell: is told what is waited for, in words.

        Raises:
            Unreachable, SwitchFailed, and what the kind's own API raises
        """

    def finish(self) -> None:
        """Take back what `prepare` did, once traffic stays where it is. May be done twice, and without it."""

    @abstractmethod
    def read(self) -> SwitchState:
        """Ask the switch itself which colours traffic reaches.

        Raises:
            Unreachable, SwitchFailed
        """

    @abstractmethod
    def switch_to(self, to: str, seen: SwitchState, by: str) -> SwitchState:
        """Send traffic to a colour.

        Args:
            seen: where it stood when that was decided.
            by: who turns it, in words, for whoever reads it next.

        Raises:
            SwitchMoved: it does not stand there any more; nothing was changed.
            Unreachable, SwitchFailed
        """

    def probe(self, timeout: float = 5.0) -> SwitchProbe:
        """Ask through the switch, on a connection of its own, which colour answers. Never raises for a bad answer."""
        return self._probe(f"{self.url.rstrip('/')}{self.probe_path}", timeout)

    def _probe(self, address: str, timeout: float, otherwise: str | None = None, **options: Any) -> SwitchProbe:
        """Ask at this address.

        Args:
            otherwise: the colour it must have been, where the answer does not say.
            options: what the request is sent with besides.
        """
        headers = {"Connection": "close", **options.pop("headers", {})}
        try:
            answer = request_within("GET", address, timeout, headers=headers, trust_env=False, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return SwitchProbe(None, 0, f"GET {address}: {type(error).__name__}: {error}")
        colour = answer.headers.get(COLOUR_HEADER) or otherwise
        return SwitchProbe(
            colour, answer.status_code, f"GET {address}: {answer.status_code} from {colour or 'nobody known'}"
        )

    def close(self) -> None:
        """Let go of connections; the switch can be used again afterwards."""

    def reach(self) -> str:
        """Return in words that it can be read.

        Raises:
            Unreachable, SwitchFailed
        """
        try:
            active = self.read().active
        finally:
            self.close()
        return f"traffic switch {self.name} for {self.url}: points at {' and '.join(active) or 'nowhere'}"

    def __str__(self) -> str:
        return f"traffic switch {self.name} ({self.url})"
