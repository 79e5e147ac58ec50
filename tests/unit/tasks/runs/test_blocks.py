"""Which blocks were saved; a server that never heard of a kind has none of it."""

from contextlib import nullcontext

import httpx
import pytest
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from blocks import CaddySwitch
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
