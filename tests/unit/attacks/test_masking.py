"""Whatever text a secret stands in, each rule of masking does what it is for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.secrets.masking import is_plain
from tests.support.hostile.extent import generated
from tests.support.hostile.masks import MASKS, MaskingRule
from tests.support.hostile.texts import texts

pytestmark = pytest.mark.unit

secrets = st.text(min_size=6, max_size=20).filter(lambda text: not is_plain(text) and "•" not in text)


@generated()
@given(secret=secrets, text=texts)
def test_no_text_keeps_a_rule_of_masking_from_what_it_is_for(secret: str, text: str) -> None:
    broken = [rule.name for rule in MASKS if not _holds(rule, secret, text)]
    assert broken == []


def _holds(rule: MaskingRule, secret: str, text: str) -> bool:
    try:
        return rule.holds(secret, rule.apply(secret, text))
    except Exception as error:
        pytest.fail(f"{rule.name}: {type(error).__name__}: {error}: given {secret!r} and {text[:300]!r}")
