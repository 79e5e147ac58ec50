"""Prices of droplets and snapshots at DigitalOcean, in US dollars, shown before anything is created."""

from collections.abc import Iterable
from dataclasses import dataclass

# Per GB and month; https://docs.digitalocean.com/products/snapshots/details/pricing/
SNAPSHOT_GB = 0.06
HOURS = 672  # a month is billed as at most so many hours


@dataclass(frozen=True)
class Cost:
    """The price of one droplet or snapshot: by the hour, and for a whole month."""

    what: str
    hourly: float
    monthly: float

    def __str__(self) -> str:
        hourly = f"${self.hourly:.4f} an hour, " if self.hourly else ""
        return f"{self.what}: {hourly}${self.monthly:.2f} a month"


def droplet_cost(name: str, size: str, hourly: float, monthly: float) -> Cost:
    """The price of a droplet, from the prices of its size in the API."""
    return Cost(f"droplet {name} ({size})", hourly, monthly)


def snapshot_cost(gigabytes: float, *, at_most: bool = True) -> Cost:
    """The price of a snapshot. It is billed by its content, whose size is known only afterwards."""
    monthly = gigabytes * SNAPSHOT_GB
    words = f"snapshot of at most {gigabytes:g} GB" if at_most else f"snapshot of {gigabytes:.1f} GB"
    return Cost(words, monthly / HOURS, monthly)


def cost_lines(costs: Iterable[Cost]) -> str:
    """The prices as text: a line each, and their sum."""
    every = list(costs)
    total = f"Together ${sum(c.hourly for c in every):.4f} an hour, ${sum(c.monthly for c in every):.2f} a month."
    return "\n".join([*(f"- {cost}" for cost in every), *([total] if len(every) > 1 else [])])
