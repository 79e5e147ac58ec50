"""Whether what docker prints speaks of a refused login."""

import pytest

from flows.core.registry.logins import login_refused

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("said", "login"), [
    ("unauthorized: authentication required", True), ("denied: requested access to the resource is denied", True),
    ("Error response from daemon: Unauthorized", True), ("received unexpected HTTP status: 500", False),
    ("write: no space left on device", False), ("", False),
])  # fmt: skip
def test_a_login_that_was_refused_is_told_from_other_failures(said, login):
    assert login_refused(["The push refers to repository [x]", said]) is login
