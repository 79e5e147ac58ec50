"""What the flows return, as the command line prints it."""

import json

import pytest

from flows.core.results import DropletStatus, ServiceState, service_states
from tests.support.builders import container, pinned

pytestmark = pytest.mark.unit


def test_a_status_is_plain_json():
    state = ServiceState(pinned("web"), "running", "healthy")
    said = DropletStatus(True, "v1", {"web": state}).as_json()
    assert json.loads(json.dumps(said)) == {
        "active": True,
        "release": "v1",
        "services": {"web": {"image": pinned("web"), "state": "running", "health": "healthy"}},
    }


def test_a_status_says_its_trouble_when_it_has_one():
    said = DropletStatus(None, None, trouble="cannot be reached").as_json()
    assert said == {"active": None, "release": None, "services": {}, "trouble": "cannot be reached"}


@pytest.mark.parametrize(
    ("image", "digests", "shown"),
    [
        (pinned("web"), (), pinned("web")),
        ("host/web:v1", (pinned("web"),), pinned("web")),
        ("host/web:v1", (), "host/web:v1"),
    ],
)
def test_a_service_is_shown_by_digest_where_one_is_known(image, digests, shown):
    states = service_states([container("web", image=image)], {"sha256:image": digests})
    assert states == {"web": ServiceState(shown, "running", "none")}


@pytest.mark.parametrize(
    "worse",
    [
        {"state": "exited"},
        {"state": "restarting", "health": "healthy"},
        {"health": "unhealthy"},
        {"health": "starting"},
    ],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_a_service_is_as_good_as_its_worst_container(worse, turn):
    both = [container("web", health="healthy"), container("web", **{"health": "healthy", **worse})][::turn]
    state = service_states(both, {})["web"]
    assert (state.state, state.health) == (worse.get("state", "running"), worse.get("health", "healthy"))
