"""Settings: what may be set, the files they are read from, and what a run has chosen."""

from flows.settings.fields import Approval, KeepWarm, Strategy
from flows.settings.settings import Settings

__all__ = ["Approval", "KeepWarm", "Settings", "Strategy"]
