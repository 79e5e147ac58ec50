"""What is made at DigitalOcean costs so much an hour and a month."""

import pytest

from flows.core.cloud.costs import Cost, cost_lines, droplet_cost, snapshot_cost

pytestmark = pytest.mark.unit


def test_costs_are_told_a_line_each_and_summed():
    costs = [droplet_cost("blue", "s-2vcpu-4gb", 0.0357, 24), snapshot_cost(80)]
    assert cost_lines(costs).splitlines() == [
        "- droplet blue (s-2vcpu-4gb): $0.0357 an hour, $24.00 a month",
        "- snapshot of at most 80 GB: $0.0071 an hour, $4.80 a month",
        "Together $0.0428 an hour, $28.80 a month.",
    ]
    assert cost_lines(costs[:1]).count("\n") == 0
    assert str(Cost("a droplet of an unknown price", 0, 0)) == "a droplet of an unknown price: $0.00 a month"
