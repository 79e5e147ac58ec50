"""Which colour answers: a header, where whoever deploys this says so."""

import os

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-slipway-colour"


class ColourMiddleware:
    """Puts ``X-Slipway-Colour`` into each answer when ``SLIPWAY_COLOUR`` is set; an edge in front replaces it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.colour = os.environ.get("SLIPWAY_COLOUR", "").encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def coloured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), (HEADER, self.colour)]}
            await send(message)

        await self.app(scope, receive, coloured if self.colour and scope["type"] == "http" else send)
