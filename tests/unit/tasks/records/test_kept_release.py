"""A release that is kept on a droplet is the one that its record names, or no target of a rollback."""

from types import SimpleNamespace

import pytest

from flows.core.droplet.directories import StackDirectory
from flows.core.errors import NoRollbackTarget
from flows.tasks.records.history import find_kept_release
from tests.support.builders import record, release

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("other", [release(stack="billing"), release(tag="v0")], ids=["stack", "tag"])
def test_another_release_in_its_directory_is_not_started(other):
    said = f"\n@@slipway:release\n{other.document().decode()}\n@@slipway:config\nname: shop\n"
    session = SimpleNamespace(address="droplet green", run=lambda _script, **_: SimpleNamespace(out=said))
    with pytest.raises(NoRollbackTarget, match=rf"release {other.tag} of stack {other.stack} stands there"):
        find_kept_release.fn(session, StackDirectory("/opt/slipway", "shop"), record(1, "v1"))
