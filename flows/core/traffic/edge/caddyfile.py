"""The edge's main Caddyfile: what holds for all stacks. Their sites are files of their own, which it imports."""

import json
import re
from dataclasses import dataclass
from typing import Literal

from flows.core.errors import BadEdge
from flows.core.traffic.edge.places import ADMIN, HEAD, READY, READY_PATH

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
# From this version on, websockets outlive a reload (caddyserver.com/docs/caddyfile/directives/reverse_proxy).
_KEEPS_STREAMS = (2, 7, 0)

Certificates = Literal["acme", "internal"]


@dataclass(frozen=True)
class EdgeSettings:
    """What the edge is told once, for all stacks.

    Args:
        email: who the authority (ACME) writes to when a certificate cannot be renewed.
        tls: where certificates come from: an authority (ACME), or the edge itself.
        caddy: its version.
        admin: address of its admin API.
        http, https: the ports it listens at.
        bind: the address it listens at; '' for all.
        metrics: the loopback port of its metrics for Prometheus; 0: none.
    """

    email: str = ""
    tls: Certificates = "acme"
    caddy: tuple[int, ...] = (0, 0, 0)
    admin: str = ADMIN
    http: int = 80
    https: int = 443
    bind: str = ""
    metrics: int = 0

    def __post_init__(self) -> None:
        if self.email and not _EMAIL.fullmatch(self.email):
            raise BadEdge(f"{self.email!r} is no email address. Nothing was changed. Give it as NAME@DOMAIN: --email")

    def text(self) -> str:
        """The Caddyfile."""
        own = self.tls == "internal"
        options = [
            f"admin {self.admin}",
            *([f"email {self.email}"] if self.email else []),
            *([f"http_port {self.http}", f"https_port {self.https}"] if (self.http, self.https) != (80, 443) else []),
            *([f"default_bind {self.bind}"] if self.bind else []),
            # Its authority is there from the first start on, before any host is.
            *(
                ["local_certs", "pki {", "\tca local {", '\t\tname "The edge of this droplet"', "\t}", "}"]
                if own
                else []
            ),
            "skip_install_trust",
            "# Requests under way end, when the edge is stopped or told something new.",
            "grace_period 60s",
        ]
        lines = "\n".join(f"\t{line}" for line in options)
        counted = "\n\t\tmetrics" if self.metrics else ""
        metrics = f"\nhttp://:{self.metrics} {{\n\tbind 127.0.0.1\n\tmetrics\n}}\n" if self.metrics else ""
        kept = "\n\tstream_close_delay 24h" if self.caddy >= _KEEPS_STREAMS else ""
        head = json.dumps({"email": self.email, "tls": self.tls})
        return f"""{HEAD}{head}
# The edge of this droplet. Written by Slipway: slipway edge setup
{{
{lines}
	servers {{
		# No HTTP/3: two processes cannot share its port, and an upgrade of the edge is to cost no outage.
		protocols h1 h2{counted}
		# Answers take as long as they take.
		timeouts {{
			read_header 30s
			idle 10m
		}}
	}}
}}

# How a service is asked. Streams are passed on as they come, which is Caddy's own way with answers of no stated length;
# `flush_interval -1` would leave a service working on after its client has gone.
(slipway-upstream) {{{kept}
	# Who asked is what the edge saw, whatever the client says (X-Forwarded-* likewise).
	header_up -Forwarded
	header_up X-Real-IP {{remote_host}}
	header_down -X-Slipway-Colour
	header_down -X-Slipway-Release
	transport http {{
		dial_timeout 2s
		# Shorter than what servers keep a connection for, or a request would meet one that is just being closed.
		keepalive 1s
	}}
}}

# The same for a request without a body: of a service that restarts, a connection that was refused is made again. What
# was sent once never is: no request has the method that would be. One with a body is told at once (502): Caddy closes
# the body with the first connection, and what it sent by a second one would be cut off.
(slipway-patient) {{
	lb_try_duration 5s
	lb_try_interval 100ms
	lb_retry_match {{
		method NEVER
	}}
	import slipway-upstream
}}

http:// {{
	respond {READY_PATH} "{READY}" 200
	respond "No stack on this droplet has that host." 404
}}
{metrics}
import sites/*.caddy
"""
