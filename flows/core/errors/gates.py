"""Refusals and failures of probes and the verdicts over them."""

from flows.core.errors.base import SlipwayError


class ValidationFailed(SlipwayError):
    """A probe failed; `services` are those whose probes did."""

    def __init__(self, message: str = "", services: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.services = services
