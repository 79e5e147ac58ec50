"""What the stand-in does wrong when it is told to."""

from __future__ import annotations

import re
import time

from starlette.responses import Response

from .ask import Json
from .cloud import Cloud
from .errors import ApiError


def taken(cloud: Cloud, method: str, path: str) -> Json | None:
    """The fault that this request is to meet, counted down."""
    with cloud.lock:
        for fault in cloud.faults:
            match = fault.get("match", {})
            if match.get("method", method) != method or not re.search(match.get("path", ""), path):
                continue
            if fault.get("skip", 0) > 0:
                fault["skip"] -= 1
                continue
            if fault.get("times", 1) > 0:
                fault["times"] = fault.get("times", 1) - 1
                return fault
    return None


def before(fault: Json | None) -> None:
    """What happens instead of the work, or before it. Raises ApiError."""
    if fault and fault["act"] == "status":
        raise ApiError(int(fault["status"]), fault.get("message", "words"), fault.get("id", ""), fault.get("headers"))
    if fault and fault["act"] == "slow":
        time.sleep(float(fault["seconds"]))


def after(fault: Json | None) -> Response | None:
    """What is answered instead of the answer, when the work is done."""
    if fault and fault["act"] in ("cut", "lose"):
        # Fewer bytes than are promised: the server closes the connection.
        return Response(b'{"cut', headers={"content-length": "4096"}, media_type="application/json")
    if fault and fault["act"] == "html":
        return Response("<html><body>502 Bad Gateway</body></html>", 502, media_type="text/html")
    return None
