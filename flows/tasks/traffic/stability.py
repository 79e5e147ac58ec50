"""Whether the active release has been stable for long enough, for a rehearsal, or a promotion that waits for it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from flows.core.errors import NotStable
from flows.core.insight.stability.condition import Stability, judge_stability
from flows.core.records.record import Record
from flows.settings import Settings
from flows.tasks.droplet.target import Target
from flows.tasks.records.history import load_history
from flows.tasks.traffic.colours import ColourDroplets


def active_stability(targets: Sequence[Target], settings: Settings) -> Stability:
    """How stable the release was that these droplets carry, by their records."""
    histories = {target.name: _records(target) for target in targets}
    return judge_stability(histories, settings.stability_limits, datetime.now(UTC))


def refuse_unstable(active: ColourDroplets | None, settings: Settings) -> None:
    """Refuse a promotion, where the setting `promote_when_stable` says so, while the active release is too young.

    Raises:
        NotStable
    """
    if not settings.promote_when_stable or active is None:
        return
    found = active_stability(active.targets, settings)
    if not found.stable:
        raise NotStable(
            f"{active} was not stable: {'; '.join(found.reasons)}. Nothing was changed. What it was like: slipway "
            "stability; to promote all the same: SLIPWAY_PROMOTE_WHEN_STABLE=false"
        )


def _records(target: Target) -> list[Record]:
    with target.connected() as session:
        return list(load_history(session, target.directory).records)
