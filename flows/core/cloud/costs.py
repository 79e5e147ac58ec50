"""What something at DigitalOcean costs, in US dollars, named before it is created."""

from collections.abc import Iterable
from dataclasses import dataclass

# Per GB and month; https://docs.digitalocean.com/products/snapshots/details/pricing/
SNAPSHOT_GB = 0.06
HOURS = 672  # a month is billed as at most so many hours


@dataclass(frozen=True)
class Cost:
    """One thing. `monthly` is what it costs when it stays."""

    what: str
    hourly: float
    monthly: float

    def __str__(self) -> str:
        hourly = f"${self.hourly:.4f} an hour, " if self.hourly else ""
        return f"{self.what}: {hourly}${self.monthly:.2f} a month"


def droplet_cost(name: str, size: str, hourly: float, monthly: float) -> Cost:
    """A droplet of a size whose price the API told."""
    return Cost(f"droplet {name} ({size})", hourly, monthly)


def snapshot_cost(gigabytes: float, *, at_most: bool = True) -> Cost:
    """A snapshot: billed by what it holds, which is known only afterwards."""
    monthly = gigabytes * SNAPSHOT_GB
    words = f"snapshot of at most {gigabytes:g} GB" if at_most else f"snapshot of {gigabytes:.1f} GB"
    return Cost(words, monthly / HOURS, monthly)


def cost_lines(costs: Iterable[Cost]) -> str:
    """All of them, a line each, and the sum."""
    every = list(costs)
    total = f"Together ${sum(c.hourly for c in every):.4f} an hour, ${sum(c.monthly for c in every):.2f} a month."
    return "\n".join([*(f"- {cost}" for cost in every), *([total] if len(every) > 1 else [])])
