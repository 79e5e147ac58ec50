"""The CaddySwitch block: a Caddy in front of both colours, switched by a state file over SSH, or by its admin API."""

import contextlib
import json
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, Literal

import httpx
from prefect.logging import get_logger
from pydantic import Field, HttpUrl, PrivateAttr, model_validator

from blocks.droplet import Droplet
from blocks.errors import OutsideError, RemoteFailed, SwitchFailed, SwitchMoved
from blocks.http import tls
from blocks.ssh.http import EdgeAddress, http_client
from blocks.ssh.session import Session
from blocks.ssh.shell import CommandResult
from blocks.traffic.caddy_admin import CaddyAdmin
from blocks.traffic.caddy_files import (
    CLIENT_IMPACT,
    COLOURS,
    END_SHARE,
    MOVED,
    READ,
    SET_SHARE,
    TURN,
    read_switch_files,
    share_file,
)
from blocks.traffic.state import SwitchState
from blocks.traffic.switch import TrafficSwitch

# In the state directory of a stack at the edge that Slipway brings, between Slipway's directory and the stack's name.
_EDGE = "/.edge/state/"
_QUICK = 15.0


class CaddySwitch(TrafficSwitch):
    """
    A traffic switch made of a Caddy whose routes look for a state file named after the active colour.

    One rename of the file moves traffic from the next request on; nothing is reloaded, no connection is cut.
    docs/BLUE_GREEN_DEPLOYMENT.md has the Caddyfile.

    Example:
        ```python
        from blocks import CaddySwitch

        switch = CaddySwitch.load("BLOCK_NAME")
        print(switch.read())
        ```
    """

    _block_type_name = "Slipway Caddy Switch"
    _block_type_slug = "slipway-caddy-switch"
    _logo_url = HttpUrl("https://github.com/caddyserver.png")
    _documentation_url = HttpUrl("https://caddyserver.com/docs/caddyfile/matchers")
    _description = "A Caddy in front of both colours, switched by a state file over SSH."

    host: Droplet = Field(title="Host", description="The machine that Caddy runs on, as a Droplet block.")
    directory: str = Field(
        "/var/lib/slipway-edge",
        title="State directory",
        pattern=r"^/\S+$",
        description="The directory of the file named after the active colour; Caddy only reads it.",
    )
    way: Literal["state-file", "admin"] = Field(
        "state-file",
        title="Way",
        description="`admin` changes the upstreams by Caddy's admin API: a reload, which resets some connections.",
    )
    admin: str = Field(
        "localhost:2019",
        title="Admin API",
        pattern=r"^\S+:\d+$",
        description="For `admin`: where it listens on that host.",
    )
    admin_id: str = Field("slipway", title="Id", description="For `admin`: the `@id` of the reverse_proxy handler.")
    upstreams: dict[str, list[str]] = Field(
        default_factory=dict, title="Upstreams", description="For `admin`: colour → `host:port`s."
    )
    probe_at: str = Field(
        "",
        title="Probed at",
        pattern=r"^(\S+:[0-9]{1,5})?$",
        description="HOST:PORT as the host sees it, such as 127.0.0.1:443: probes go there over the host's SSH "
        "connection, under the name in the URL. Empty: they go to the URL, as clients do.",
    )
    authority: str = Field(
        "",
        title="Authority",
        description="The certificate (PEM) of an authority of the edge's own, which probes at that place trust "
        "beside the public ones.",
    )
    _session: Session | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _complete(self) -> "CaddySwitch":
        if self.way == "admin" and not all(self.upstreams.get(colour) for colour in COLOURS):
            raise ValueError("the admin way needs the upstreams of green and of blue")
        if self.authority:
            tls.context(self.authority)
        return self

    @property
    def client_impact(self) -> str:
        if self.way == "admin":
            return "Caddy reloads: some connections are reset, and streams may be cut."
        return CLIENT_IMPACT

    def read(self) -> SwitchState:
        if self.way == "admin":
            return self._admin().read()
        return read_switch_files(self._run(READ, self.directory).out)

    def switch_to(self, to: str, seen: SwitchState, by: str) -> SwitchState:
        if self.way == "admin":
            return self._admin().switch_to(to, seen)
        try:
            answer = self._run(TURN, self.directory, to, seen.mark, stdin=_signed(by))
        except RemoteFailed as error:
            if error.code == MOVED:
                now = self.read()
                if now.active == (to,):
                    return now  # a turn that was sent twice, or somebody who wanted the same
                raise SwitchMoved(
                    f"{self} was moved by {now.by or 'somebody'} since it was read: it points at "
                    f"{' and '.join(now.active) or 'nowhere'} now. It was left as it is. Look first: slipway status"
                ) from None
            raise self._unchanged(error) from None
        now = read_switch_files(answer.out)
        if now.active != (to,):
            raise SwitchFailed(f"{self} was turned to {to}, but says {' and '.join(now.active) or 'nowhere'}")
        return now

    @property
    def in_front(self) -> bool:
        return True

    @property
    def undivided(self) -> str:
        return "by the admin API it knows the upstreams of one colour" if self.way == "admin" else ""

    def set_share(self, colour: str, percent: int, seen: SwitchState, by: str) -> SwitchState:
        if self.way == "admin":
            return super().set_share(colour, percent, seen, by)
        words = (share_file(colour, percent), seen.mark, seen.share.mark if seen.share else "")
        try:
            return read_switch_files(self._run(SET_SHARE, self.directory, *words, stdin=_signed(by)).out)
        except RemoteFailed as error:
            if error.code != MOVED:
                raise self._unchanged(error) from None
        now = self.read()
        if now.active == seen.active and now.share and (now.share.colour, now.share.percent) == (colour, percent):
            return now  # sent twice
        who = (now.share.by if now.share else now.by) or "somebody"
        raise SwitchMoved(
            f"{self} was changed by {who} since it was read: it points at {' and '.join(now.active) or 'nowhere'} now, "
            f"with {now.share or 'no share elsewhere'}. It was left as it is. Look first: slipway status"
        )

    def end_share(self) -> SwitchState:
        if self.way == "admin":
            return self.read()
        try:
            return read_switch_files(self._run(END_SHARE, self.directory).out)
        except RemoteFailed as error:
            raise self._unchanged(error) from None

    def _unchanged(self, error: RemoteFailed) -> SwitchFailed:
        said = error.output or "no reason"
        return SwitchFailed(f"{self}: {self.directory} on {self.host.address} cannot be changed: {said}")

    def _request(self, address: str, timeout: float, **options: Any) -> httpx.Response:
        if not self.probe_at:
            return super()._request(address, timeout, **options)
        host, _, port = self.probe_at.rpartition(":")
        try:
            session = self._open()
        except OutsideError as error:
            raise httpx.ConnectError(str(error)) from None
        with http_client(session, timeout, edge=EdgeAddress(host, int(port), self.authority)) as client:
            return client.get(address, **options)

    def close(self) -> None:
        if self._session is not None:
            with contextlib.suppress(Exception):
                self._session.__exit__(None, None, None)
            self._session = None

    def _run(self, script: str, *words: str, stdin: bytes = b"") -> CommandResult:
        argv = ["sh", "-c", script, "slipway-switch", *words]
        session = self._open()
        try:
            return session.run(argv, timeout=_QUICK, stdin=stdin, name="traffic switch")
        except RemoteFailed as error:
            if script is READ:
                raise SwitchFailed(
                    f"{self}: {self.directory} on {self.host.address} cannot be read: {error.output}. {self._remedy()}"
                ) from None
            raise

    def _remedy(self) -> str:
        """What to do about a state directory that is not there."""
        own, edge, stack = self.directory.rpartition(_EDGE)
        if edge and own:
            words = f"slipway edge setup {self.host.name} --stack {stack} --url {self.url}"
            return f"Make it again, and then say where traffic goes: {words}, slipway promote --to COLOUR"
        return "Is that where Caddy looks? docs/BLUE_GREEN_DEPLOYMENT.md has the Caddyfile"

    def _open(self) -> Session:
        """The kept connection: a turn must not wait for a handshake. One that broke is replaced."""
        if self._session is None or not self._session.alive:
            self.close()
            session = self.host.session()
            session.__enter__()
            self._session = session
            get_logger("slipway.hooks").debug("connected to %s", self.host.address)
        return self._session

    def _admin(self) -> CaddyAdmin:
        return CaddyAdmin(self._open(), self.admin, self.admin_id, self.upstreams, str(self))


def _signed(by: str) -> bytes:
    """The line that a file of ours holds."""
    content = {"by": by, "at": datetime.now(UTC).isoformat(timespec="seconds"), "id": token_hex(8)}
    return f"{json.dumps(content)}\n".encode()
