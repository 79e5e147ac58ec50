"""What one run carries from step to step."""

from contextvars import ContextVar

# Set while the same steps are taken again and again: the terminal shows only what is not well.
quiet_progress: ContextVar[bool] = ContextVar("hushed", default=False)
