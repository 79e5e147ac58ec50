"""No secret survives in a text, whatever dress it wears; what is no secret stays readable."""

import base64
import html
import json
import shlex
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.secrets.masking import (
    MASKED,
    Mask,
    _places,
    container_values,
    file_values,
    is_plain,
    is_secret_name,
    variable_values,
)

pytestmark = pytest.mark.unit

SECRET = 's3cr$t "pass" w/ö\'rd\\'
URL = "postgres://app:hunter2%21@db:5432/shop?sslmode=off"
secrets = st.lists(st.text(min_size=6, max_size=20).filter(lambda t: not is_plain(t) and "•" not in t), max_size=4)
# Texts that are likely to hold pieces of secrets that touch and overlap.
shared = st.lists(st.text("abX1", min_size=6, max_size=9).filter(lambda t: not is_plain(t)), max_size=4)
DRESSES = {
    "as it is": str,
    "in JSON": lambda value: json.dumps({"said": value}),
    "in JSON that keeps letters": lambda value: json.dumps([value], ensure_ascii=False),
    "in Python": repr,
    "in a shell": shlex.quote,
    "in Compose's own output": lambda value: value.replace("$", "$$"),
    "in a path of a URL": quote,
    "in a query": quote_plus,
    "in a query of small hex": lambda value: quote(value, safe="").lower(),
    "in YAML between single quotes": lambda value: value.replace("'", "''"),
    "in HTML": html.escape,
    "in HTML of a template": lambda value: html.escape(value).replace("&#x27;", "&#39;"),
    "in HTML between tags": lambda value: html.escape(value, quote=False),
    "in bytes as hex": lambda value: (b"user:" + value.encode() + b"\n").hex().removeprefix(b"user:".hex())[:-2],
    "in hex of capitals": lambda value: value.encode().hex().upper(),
    "in base64": lambda value: base64.b64encode(value.encode()).decode(),
    "in base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
}


@given(secrets, st.text(), st.data())
def test_no_planted_secret_survives_in_any_text(values, text, data):
    for value in values:
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + value + text[at:]
    masked = Mask(values)(text)
    assert [value for value in values if value in masked] == []


@given(shared, st.text("abX1", max_size=60))
def test_secrets_that_overlap_go_together(values, text):
    masked = Mask(values)(text)
    assert [value for value in values if value in masked] == []
    assert Mask(values)(masked) == masked


@given(secrets, st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)), st.data())
def test_no_planted_secret_survives_in_a_tree(values, tree, data):
    masked = Mask(values).tree({"planted": [tree, *values], **dict.fromkeys(values, "key")})
    texts = json.dumps(masked, ensure_ascii=False)
    assert [value for value in values if json.dumps(value, ensure_ascii=False)[1:-1] in texts] == []


@pytest.mark.parametrize("dress", DRESSES)
def test_a_secret_is_known_in_its_usual_dresses(dress):
    value = "Zq/o?wx+y%z~k2" if "hex" in dress else SECRET
    mask = Mask([value, value.lower()])
    worn = DRESSES[dress](value)
    assert mask(f"<{worn}>").strip("<>'\"=[]{} ").removeprefix('said": "').strip("'\"") == MASKED


@given(st.text(min_size=8, max_size=24).filter(lambda t: not is_plain(t)), st.binary(max_size=5), st.binary(max_size=5))
def test_a_secret_inside_something_encoded_is_gone(value, before, after):
    encoded = base64.b64encode(before + value.encode() + after).decode()
    masked = Mask([value])(encoded)
    assert MASKED in masked
    assert len(masked) < len(encoded) - len(value) + len(MASKED) + 4


def test_a_secret_inside_another_leaves_nothing_of_it():
    assert Mask(["abcdefghijkl", "cdefgh"])("<abcdefghijkl>") == f"<{MASKED}>"


@pytest.mark.parametrize("value", ["hunter2", "hunter22", "hunter222"])
def test_of_an_encoded_secret_no_letter_stays(value):
    assert Mask([value])(base64.b64encode(value.encode()).decode()).rstrip("=") == MASKED


def test_a_login_in_a_header_shows_no_password():
    for user in ("a", "ab", "abc"):
        header = base64.b64encode(f"{user}:{SECRET}".encode()).decode()
        assert MASKED in Mask([SECRET])(header)


@pytest.mark.parametrize(
    "value",
    ["", "short", "info", "10.0.0.5", "10.0.0.0/16", "10.0.0.5:8000", "fe80::1", "true", "12345", "0.25",
     "http://rag:8000/query", "https://api.example.com", "http://[::1]:80/", " none "],
)  # fmt: skip
def test_what_is_plainly_no_secret_stays(value):
    assert is_plain(value)
    assert Mask([value])(f"it says {value}.") == f"it says {value}."


@pytest.mark.parametrize(
    "value",
    ["hunter2", "123456", "https://user:pw@example.com/x", "https://example.com/?key=abcdefgh", "ftp://example.com/",
     "https://hooks.example.com/services/T0AB12CD3EF45GH67IJ89", "/data/private", "http://a b"],
)  # fmt: skip
def test_what_may_be_a_secret_is_masked(value):
    assert Mask([value])(f"it says {value}.") == f"it says {MASKED}."


def test_each_line_of_a_secret_counts_however_its_line_breaks_are_written():
    for key in ("-----BEGIN KEY-----\nAAAABBBB\nCCCCDDDD\n", "-----BEGIN KEY-----\\nAAAABBBB\\nCCCCDDDD\\n"):
        assert Mask([key])("1 AAAABBBB\n2 CCCCDDDD") == f"1 {MASKED}\n2 {MASKED}"


def test_the_password_of_a_url_is_a_secret_too():
    mask = Mask(variable_values({"DATABASE_URL": URL}))
    assert mask("login failed for app with hunter2!") == f"login failed for app with {MASKED}"
    assert mask("hunter2%21") == MASKED


def test_a_password_in_an_unknown_url_is_masked():
    assert Mask()("cannot reach redis://:a1@cache:6379/0") == f"cannot reach redis://:{MASKED}@cache:6379/0"
    assert Mask()("see http://web:8000/a and mail b@c.org") == "see http://web:8000/a and mail b@c.org"


def test_words_that_everybody_may_see_stay():
    assert Mask(["postgres", "hunter2"], {"postgres"})("postgres hunter2") == f"postgres {MASKED}"


def test_an_environment_is_masked_by_name_and_by_content():
    mask = Mask(["hunter2"])
    shown = mask.environment({"API_KEY": "x", "DB_PASSWORD": "", "GREETING": "hi hunter2", "LOG_LEVEL": "info"})
    assert shown == {"API_KEY": MASKED, "DB_PASSWORD": "", "GREETING": f"hi {MASKED}", "LOG_LEVEL": "info"}


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "GH_TOKEN", "db_passwd", "PGPASSWORD", "SENTRY_DSN", "AUTH_SALT"])
def test_a_name_tells_of_a_secret(name):
    assert is_secret_name(name)
    assert not is_secret_name("LOG_LEVEL")


FILES = {
    "an env file's values": (
        "deploy/agent.env", "LOG=info\nexport A='quo ted'\n# no\nB: yaml-like\n", {"quo ted", "yaml-like"}
    ),
    "a secret file, and without its line break": ("db_password.txt", "hunter2\n", {"hunter2\n", "hunter2"}),
    "a secret that looks like a variable": ("token", "QUJDREVGRw==", {"QUJDREVGRw=="}),
    "each long line of a key": (
        "key.pem", "-----BEGIN KEY-----\nAAAABBBB\nCCCCDDDD\nEE\n-----END KEY-----", {"AAAABBBB", "CCCCDDDD"}
    ),
    "passwords inside": ("conf", "host=db password=hunter2", {"hunter2"}),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_of_a_file_counts(what):
    path, text, values = FILES[what]
    assert values <= file_values(path, text)
    assert "LOG=info" not in file_values(path, text)


@given(st.text("ab", min_size=1, max_size=8), st.text("ab", max_size=60))
def test_every_place_of_a_secret_is_found_however_it_overlaps_itself(secret, text):
    naive = {
        at for start in range(len(text)) if text.startswith(secret, start) for at in range(start, start + len(secret))
    }
    assert {at for start, end in _places(secret, text) for at in range(start, end)} == naive


def test_a_secret_that_repeats_itself_is_one_place_and_not_one_for_each_letter():
    assert len(list(_places("ab" * 500, "ab" * 50_000))) == 1
    assert Mask(["ab" * 500])("ab" * 50_000) == MASKED


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("serve --db-password hunter2hunter2", "hunter2hunter2"),
        ("serve -x-api-key=abcdef123", "abcdef123"),
        ("serve --passphrase-of-the-backup_pass_phrase 'abc def'", "abc"),
        ("serve --monkey business", "business"),
        ("serve --secretary nobody", ""),
    ],
)
def test_of_a_command_line_counts_what_follows_an_option_that_says_so(line, secret):
    assert container_values({}, line.split()) - {""} == ({secret} if secret else set())


@pytest.mark.parametrize(
    "value",
    ["host=db password=hunter2x", "X_passwords_of_all: 'hunter2x'", "a=key=hunter2x", "keypassword = hunter2x;b",
     "my.api-key=hunter2x&a=b", "passpass=hunter2x"],
)  # fmt: skip
def test_a_secret_inside_a_value_counts_on_its_own(value):
    assert "hunter2x" in variable_values({"A": value})
