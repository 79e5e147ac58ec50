"""Hostile texts and JSON values, as hypothesis draws them."""

from typing import Any

from hypothesis import strategies as st

# What has broken parsers, terminals and masks before: too deep, too long, half, another alphabet, a mark of ours.
PIECES = (
    "", "\x00", "\n", "\r", "\t", " ", "\x1b[31m", "\x1b]52;c;aGk=\x07", "\x85", "\u2028", "\u202e", "\ufeff",
    "\ufffd", "é", "😀", "ß", "İ", "٣", "²", "&a", "*a", "!!python/object:os.system", "<<: *a", "{{", "}}", "${", "$",
    "`", "'", '"', "\\", "|", "#", "---", "...", "- ", ": ", "=", "==> x <==", "@@slipway:", "@@slipway:containers",
    "@@document", "[" * 100_000, '{"a":' * 20_000, "9" * 5_000, "-1", "1e999", "NaN", "Infinity", "1" * 40, "0x10",
    "null", "true", "[]", "{}", '"', "a" * 5_000, "../" * 40, "/etc/passwd", "sha256:", "sha256:" + "g" * 64,
    "sha256:" + "0" * 64, "H4sIAAAAAAAA", "data: ", "://", "http://[", "http://a:b@c:999999", "https://x:y@z/",
    "\ud800", "%00", "%zz", "container:", "None", "inf", "0001-01-01T00:00:00Z", "9999-99-99T99:99:99.9Z", "gone",
    "left x", "kept 1", "kept 999999999999999999999", "kept -1", "kept x",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, float("nan"), float("inf"), -float("inf"), 10**30, 10**400, "", "0", "x", "\x00",
    "\n", "\ud800", "é", "9" * 5_000, [], [[]], [None], {}, {"a": None}, [{}], "a" * 5_000, 2**63, "2026-13-01", "NaN",
    [1, "a"], "[" * 2_000,
)  # fmt: skip

_letters = st.characters(codec="utf-8") | st.sampled_from("\x00\x1b\x85\u2028\u202e`$'\"\\{}[]:,|&*#!%@-\n\r\t ")
words = st.text(_letters, max_size=12)
texts = st.lists(words | st.sampled_from(PIECES), max_size=6).map("".join)
values = st.recursive(
    st.sampled_from(VALUES) | words | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
