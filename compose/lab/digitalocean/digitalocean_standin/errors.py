"""How the API says no."""

from __future__ import annotations

IDS = {
    400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict",
    412: "precondition_failed", 422: "unprocessable_entity", 429: "too_many_requests", 500: "server_error",
}  # fmt: skip


class ApiError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, id: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.id = status, message, id or IDS.get(status, "error")
        self.headers = headers or {}


def missing(what: str = "The resource you were accessing could not be found.") -> ApiError:
    """404."""
    return ApiError(404, what)


def unprocessable(why: str) -> ApiError:
    """422."""
    return ApiError(422, why)
