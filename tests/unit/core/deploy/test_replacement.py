"""Which services are replaced, in Compose's own words, and what their clients notice."""

import pytest

from flows.core.deploy.replacement import replaced_services, replacement_cost
from tests.support.builders import container

pytestmark = pytest.mark.unit

# As Compose 2.26 prints it, of a project whose web and worker differ.
SAID = """\
time="2026-05-04T12:00:00Z" level=warning msg="The \\"x\\" variable is not set. Defaulting to a blank string."
 DRY-RUN MODE -  Container shop-db-1  Running
 DRY-RUN MODE -  Container shop-web-1  Recreate
 DRY-RUN MODE -  Container shop-web-1  Recreated
 DRY-RUN MODE -  Container 0f1e2d_shop-web-1  Starting
 DRY-RUN MODE -  Container shop-worker-1  Recreate
"""


def there(*services: str, state: str = "running") -> list:
    return [container(name, name=f"shop-{name}-1", state=state) for name in services]


def test_the_services_are_those_whose_containers_compose_would_make_anew():
    assert replaced_services(SAID, there("db", "web", "worker", "other")) == ("web", "worker")
    assert replaced_services("", there("web")) == ()


def test_only_what_is_replaced_and_runs_is_away_where_it_is_rolling():
    words = replacement_cost(["web", "job"], [*there("web", "db"), *there("job", state="exited")], "rolling")
    assert words.startswith("web: away from the stop of the old container")
    assert "docs/ONE_DROPLET.md" in words


@pytest.mark.parametrize("strategy", ["prefetch", "recreate"])
def test_everything_is_away_where_all_is_stopped_first(strategy):
    assert replacement_cost([], there("web", "db"), strategy).startswith("db, web: all of it is stopped first")


@pytest.mark.parametrize("strategy", ["rolling", "prefetch", "recreate"])
def test_where_nothing_runs_nobody_loses_anything(strategy):
    assert replacement_cost(["web"], there("web", state="exited"), strategy) == ""
