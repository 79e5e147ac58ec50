"""Errors of the worker that forks for each run."""

from flows.core.errors.base import SlipwayError


class TemplateEnded(SlipwayError):
    """The process that a worker forks its runs from ended before it could start one."""


class StartRefused(SlipwayError):
    """The process that a worker forks its runs from was asked for something it does not do."""
