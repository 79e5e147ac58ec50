"""The provenance of an image: what SLSA asks for, and nothing that is secret."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import UnreadableAnswer
from flows.core.trust.bases import BaseImage
from flows.core.trust.provenance import (
    BUILD_TYPE,
    BUILDER,
    BuildParameters,
    BuildRun,
    BuildSource,
    Provenance,
    public_remote,
    read_provenance,
    slsa_predicate,
)
from tests import CHECKOUT
from tests.support.builders import digest

pytestmark = pytest.mark.unit

COMMIT = "1e34647a" * 5
PARAMETERS = BuildParameters(
    "shop", "v1", "web", "main", ("deploy/compose.yml",), ("extra",), "linux/amd64", ("BASE", "TOKEN")
)
SOURCE = BuildSource(COMMIT, "https://git.example.com/team/shop.git", dirty=True)
BASES = (
    BaseImage("docker.io/library/python:3.13", digest("b")),
    BaseImage("base:local", image_id=digest("c")),
    BaseImage("unknown:1"),
)
RUN = BuildRun(
    "https://prefect.example.com/runs/1", "2026-05-04T12:00:00+00:00", "2026-05-04T12:01:00+00:00", "ci@host", "0.2.0"
)
MADE = slsa_predicate(PARAMETERS, SOURCE, BASES, RUN)


def test_it_has_the_fields_that_slsa_requires():
    made = json.loads(MADE)
    definition, details = made["buildDefinition"], made["runDetails"]
    assert set(made) == {"buildDefinition", "runDetails"}
    assert re.fullmatch(r"https://\S+", definition["buildType"])
    assert isinstance(definition["externalParameters"], dict)
    assert re.fullmatch(r"https://\S+", details["builder"]["id"])
    assert details["builder"]["version"] == {"slipway": "0.2.0"}
    assert details["metadata"] == {"invocationId": RUN.url, "startedOn": RUN.started, "finishedOn": RUN.finished}
    for dependency in definition["resolvedDependencies"]:
        assert {"uri", "digest", "content"} & set(dependency)
        for value in dependency.get("digest", {}).values():
            assert re.fullmatch(r"[0-9a-f]{40,64}", value)


def test_the_commit_and_the_bases_are_dependencies_by_digest():
    dependencies = json.loads(MADE)["buildDefinition"]["resolvedDependencies"]
    assert dependencies[0] == {
        "name": "source",
        "uri": f"git+https://git.example.com/team/shop.git@{COMMIT}",
        "digest": {"gitCommit": COMMIT},
        "annotations": {"dirty": True},
    }
    found = [entry.get("digest") for entry in dependencies[1:]]
    assert found == [{"sha256": digest("b")[7:]}, {"dockerImageId": digest("c")[7:]}, None]


def test_parameters_are_named_and_arguments_have_no_values():
    asked = json.loads(MADE)["buildDefinition"]["externalParameters"]
    assert asked == {
        "stack": "shop", "tag": "v1", "service": "web", "ref": "main", "composeFiles": ["deploy/compose.yml"],
        "profiles": ["extra"], "platform": "linux/amd64", "buildArguments": ["BASE", "TOKEN"],
    }  # fmt: skip


def test_what_is_not_known_is_not_said():
    made = json.loads(slsa_predicate(BuildParameters("shop", "v1", "web"), BuildSource(), (), BuildRun()))
    assert made["buildDefinition"]["externalParameters"] == {"stack": "shop", "tag": "v1", "service": "web"}
    assert made["buildDefinition"]["resolvedDependencies"] == []
    assert made["runDetails"] == {"builder": {"id": BUILDER}, "metadata": {}}


def test_it_is_read_back_and_the_same_each_time():
    assert read_provenance(MADE) == Provenance(PARAMETERS, SOURCE, BASES, RUN)
    assert slsa_predicate(PARAMETERS, SOURCE, BASES, RUN) == MADE


def test_that_of_another_builder_is_read_as_far_as_it_goes():
    other = {"buildDefinition": {"buildType": "x", "externalParameters": {}}, "runDetails": {"builder": {"id": "y"}}}
    found = read_provenance(json.dumps(other).encode())
    assert (found.builder, found.parameters.stack, found.source, found.bases) == ("y", "", BuildSource(), ())


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"{" * 100_000, b'{"buildDefinition": 1, "runDetails": {}}', b"1" * 5_000_000]
)
def test_what_is_none_is_one_known_error(content):
    with pytest.raises(UnreadableAnswer, match="the provenance of an image"):
        read_provenance(content)


@pytest.mark.parametrize(
    ("remote", "public"),
    {
        "https": ("https://git.example.com/a/b.git", "https://git.example.com/a/b.git"),
        "a login": ("https://me:hunter2@git.example.com:8443/a", "https://git.example.com:8443/a"),
        "a token as user": ("https://ghp_x@git.example.com/a", "https://git.example.com/a"),
        "a query and a fragment": ("https://h/a?token=x#y", "https://h/a"),
        "ssh": ("ssh://git@git.example.com:22/a", "ssh://git.example.com:22/a"),
        "ssh in short": ("git@git.example.com:team/a.git\n", "ssh://git.example.com/team/a.git"),
        "ipv6": ("https://u:p@[::1]:80/a", "https://[::1]:80/a"),
        "a place of this host": ("/srv/git/a.git", ""),
        "a file": ("file:///srv/git/a.git", ""),
        "another helper": ("ext::sh -c x", ""),
        "a login that is out of place": ("https://h//me:hunter2@git.example.com/a", ""),
        "a bad port": ("https://h:x/a", ""),
        "nothing": ("", ""),
    }.values(),
)
def test_a_remote_is_told_without_what_is_nobodys_business(remote, public):
    assert public_remote(remote) == public


SECRET = "hunter2hunter2"
PARTS = st.sampled_from(
    ["https://", "git@", "h", ":", "/", "//", "@", "?", "#", f"{SECRET}@", f"u:{SECRET}@", "[", "]"]
)


@given(st.lists(PARTS, max_size=8).map("".join))
def test_no_remote_is_an_error_and_no_login_passes(remote):
    assert SECRET not in public_remote(remote)


def test_the_build_type_is_described():
    page = (CHECKOUT / "docs/PROVENANCE.md").read_text()
    assert BUILD_TYPE in page
    assert BUILDER in page
    for name in json.loads(MADE)["buildDefinition"]["externalParameters"]:
        assert f"`{name}`" in page
