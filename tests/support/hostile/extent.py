"""How many inputs are generated: a few in `make test`, 10,000 for each parser, rule and script in `make test-all`."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

from tests.support.judge.extent import EVERYTHING

EXAMPLES = 10_000 if EVERYTHING else 60


def generated(examples: int = EXAMPLES) -> Callable[[Any], Any]:
    """Decorates a test that is given so many inputs, the same each time, however long each takes."""
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
