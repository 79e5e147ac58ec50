"""The checkout whose files ship, or do not."""

import pytest

from tests.support.files.checkout import Checkout


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "it's a checkout" / "shop", ["./conf:/conf:ro"])
