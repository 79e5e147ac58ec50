"""Which registry login a droplet is given to pull: the one that may only read, where there is one."""

from types import SimpleNamespace

import pytest

from blocks import ContainerRegistry
from blocks.errors import CertificateRefused, LoginRefused, RemoteFailed
from flows.core.deploy.pull import LOGIN_FAILED, PULL_FAILED
from flows.settings import Settings
from flows.tasks.deploy.pull import pull_references
from tests.support.builders import pinned

pytestmark = pytest.mark.unit
PUSHES = {"registry_url": "registry.example.com", "username": "pusher", "password": "may-write"}
READS = {"pull_username": "reader", "pull_password": "may-read"}


class Session:
    """A droplet's session that keeps what it is given."""

    address = SimpleNamespace(name="green")

    def __init__(self, code=0, says="unauthorized"):
        self.given, self.code, self.says = "", code, says

    def run(self, script, timeout, stdin, on_line):
        self.given += script + stdin.decode()
        if self.code:
            raise RemoteFailed(self.says, self.code, self.says)
        return SimpleNamespace(out="")


def test_a_droplet_is_given_the_login_that_may_only_read_and_no_other():
    session = Session()
    pull_references(session, [pinned("web")], ContainerRegistry(**PUSHES, **READS), Settings())
    assert "reader" in session.given
    assert session.given.endswith("may-read")
    assert "pusher" not in session.given
    assert "may-write" not in session.given


def test_when_that_login_is_refused_the_other_one_is_not_tried():
    session = Session(LOGIN_FAILED)
    with pytest.raises(LoginRefused):
        pull_references(session, [pinned("web")], ContainerRegistry(**PUSHES, **READS), Settings())
    assert "may-write" not in session.given


def test_without_one_there_is_the_login_that_there_is():
    session = Session()
    pull_references(session, [pinned("web")], ContainerRegistry(**PUSHES), Settings())
    assert session.given.endswith("may-write")


@pytest.mark.parametrize("code", [LOGIN_FAILED, PULL_FAILED])
def test_a_droplet_that_does_not_trust_the_registry_is_told_where_the_certificate_belongs(code):
    session = Session(code, 'Get "https://registry.example.com/v2/": x509: certificate signed by unknown authority')
    with pytest.raises(
        CertificateRefused, match=r"belongs there in /etc/docker/certs\.d/registry\.example\.com/ca\.crt"
    ):
        pull_references(session, [pinned("web")], ContainerRegistry(**PUSHES), Settings())
