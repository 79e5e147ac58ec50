"""What builds take from the build host beside their source."""

import pytest

from flows.core.stack.build_needs import BuildSecret, SshAccess, build_secret_files, build_secrets, ssh_accesses
from tests.support.builders import stack

pytestmark = pytest.mark.unit

SECRETS = {"token": {"environment": "NPM_TOKEN"}, "ca": {"file": "/s/ca.pem"}, "db": {"file": "/s/db"}}


def shop():
    build = {"context": "/s", "secrets": ["token", {"source": "ca", "target": "x"}]}
    services = {"web": {"build": build}, "job": {"build": build, "secrets": ["db"]}, "db": {"secrets": ["db"]}}
    return stack(services, secrets=SECRETS)


def test_the_secrets_of_builds_are_known_by_where_they_come_from():
    assert build_secrets(shop(), ["job", "web"]) == (
        BuildSecret("token", "job", variable="NPM_TOKEN"),
        BuildSecret("ca", "job", file="/s/ca.pem"),
    )
    assert build_secrets(shop(), ["db"]) == ()


def test_files_that_builds_read_are_not_those_that_services_read():
    assert build_secret_files(shop()) == ("/s/ca.pem",)


@pytest.mark.parametrize(
    ("ssh", "found"),
    [
        (["default"], [SshAccess("web", "default")]),
        (["git=/keys/git"], [SshAccess("web", "git", "/keys/git")]),
        (["default", "git: /keys/git"], [SshAccess("web", "default"), SshAccess("web", "git", "/keys/git")]),
        ({"default": None, "git": "/keys/git"}, [SshAccess("web", "default"), SshAccess("web", "git", "/keys/git")]),
        (None, []),
    ],
    ids=["the agent", "a key", "as Compose prints it", "a map", "none"],
)
def test_what_builds_ask_of_ssh_is_read_in_every_form(ssh, found):
    services = stack({"web": {"build": {"context": "/s", "ssh": ssh}}, "db": {}}).services.values()
    assert list(ssh_accesses(services)) == found
