"""Which blocks were saved; a server that never heard of a kind has none of it."""

import re
from contextlib import nullcontext

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from blocks import CaddySwitch, ContainerRegistry
from flows.settings import Settings
from flows.tasks.runs import blocks
from flows.tasks.runs.block_names import block_name
from flows.tasks.runs.blocks import saved_names

pytestmark = pytest.mark.unit
REQUEST = httpx.Request("GET", "http://127.0.0.1:4200/api/block_types/slug/x/block_documents")


def answer(status: int) -> PrefectHTTPStatusError:
    error = httpx.HTTPStatusError("no", request=REQUEST, response=httpx.Response(status, request=REQUEST))
    return PrefectHTTPStatusError.from_httpx_error(error)


def raising(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    class Client:
        def read_block_documents_by_type(self, _slug: str) -> list:
            raise error

    monkeypatch.setattr("flows.tasks.runs.blocks.get_client", lambda **_options: nullcontext(Client()))


@pytest.mark.parametrize("error", [answer(404), ObjectNotFound(http_exc=Exception("no"))], ids=["404", "not found"])
def test_a_kind_that_was_never_registered_has_no_blocks(monkeypatch, error):
    raising(monkeypatch, error)
    assert saved_names(CaddySwitch) == []


def test_another_error_of_the_server_is_not_taken_for_that(monkeypatch):
    raising(monkeypatch, answer(500))
    with pytest.raises(httpx.HTTPStatusError):
        saved_names(CaddySwitch)


def test_both_passwords_of_a_registry_are_known_to_be_secret(monkeypatch):
    logins = {"username": "me", "password": "may-write", "pull_username": "reader", "pull_password": "may-read"}
    registry = ContainerRegistry(registry_url="registry.example.com", **logins)
    known = []
    monkeypatch.setattr(blocks, "load_any", lambda *_: registry)
    monkeypatch.setattr(blocks, "register_secrets", known.extend)
    assert blocks.load_registry(Settings()) is registry
    assert known == ["may-write", "may-read"]


# What Compose takes for a project's name.
NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,12}", fullmatch=True)


@given(NAMES, NAMES)
def test_two_stacks_never_share_an_environment_block(one, other):
    assert (block_name(one) == block_name(other)) is (one == other)


@given(NAMES)
def test_a_block_is_named_as_prefect_allows(stack):
    assert re.fullmatch(r"[a-z0-9-]+", block_name(stack))


@pytest.mark.parametrize(
    ("one", "other"), [("a_b", "a-b"), ("a_b", "a__b"), ("a--b", "a-b"), ("a-", "a"), ("a_", "a-")]
)
def test_names_that_look_alike_as_blocks_are_told_apart(one, other):
    assert block_name(one) != block_name(other)


@pytest.mark.parametrize("stack", ["shop", "a-b", "4711", "shop-home"])
def test_a_stack_whose_name_a_block_may_have_gives_it_to_its_block(stack):
    assert block_name(stack) == stack
