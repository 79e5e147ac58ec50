"""Refusals and failures of finding out why a service is not well."""

from flows.core.errors.base import SlipwayError


class BundleNotWritten(SlipwayError):
    """A debug bundle was made, and could not be written to the reports directory."""
