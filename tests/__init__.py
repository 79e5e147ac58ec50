"""The tests, and what they share."""

from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
