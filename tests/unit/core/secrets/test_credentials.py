"""What looks like a credential, and what only sounds like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.secrets.credentials import KeyScanner, credential_by_content, credential_by_name

pytestmark = pytest.mark.unit

HEADS = ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA ", "PGP "]


@pytest.mark.parametrize("kind", HEADS)
@given(st.integers(0, 60), st.integers(0, 200))
def test_a_private_key_is_found_wherever_a_piece_ends(kind, cut, before):
    end = " BLOCK" if kind == "PGP " else ""
    text = b"x" * before + f"-----BEGIN {kind}PRIVATE KEY{end}-----\nMII".encode()
    scanner = KeyScanner()
    for piece in (text[: before + cut], text[before + cut :]):
        scanner.feed(piece)
    assert scanner.found


@pytest.mark.parametrize(
    "text", [b"-----BEGIN CERTIFICATE-----", b"-----BEGIN PUBLIC KEY-----", b"the PRIVATE KEY", b""]
)
def test_what_is_no_private_key_is_none(text):
    scanner = KeyScanner()
    scanner.feed(text)
    assert not scanner.found


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        (".env", True), (".env.local", True), (".envrc", True), (".env-prod", True), (".ENV", False),
        (".env.example", False), (".env.sample", False), (".env.local.template", False), (".environment", False),
        ("id_rsa", True), ("id_ed25519", True), ("id_rsa.pub", False), ("my_id_rsa", False),
        (".netrc", True), ("kubeconfig", True), ("prod.kubeconfig", True), ("store.p12", True), ("app.jks", True),
        ("application_default_credentials.json", True), ("credentials.json", False), ("config", False),
    ],
)  # fmt: skip
def test_some_names_say_it(name, looks):
    assert bool(credential_by_name(name)) is looks


CONTENTS = {
    "an env file with a secret": ("app.env", "A=1\nDB_PASSWORD=hunter22\n", True),
    "an env file with an export": ("app.env", "export API_KEY='abcdef'\n", True),
    "an env file without one": ("app.env", "COLOUR=red\nKEYBOARD=\n", False),
    "an env file that refers to one": ("app.env", 'TOKEN=${TOKEN}\nKEY=<your-key>\nSECRET="changeme"\n', False),
    "npm's login": (".npmrc", "//r.example.com/:_authToken=npm_1234\n", True),
    "npm's login by a variable": (".npmrc", "//r.example.com/:_authToken=${NPM_TOKEN}\n", False),
    "npm without a login": (".npmrc", "save-exact=true\n", False),
    "pip with a password": ("pip.conf", "index-url = https://me:secret@pypi.example.com\n", True),
    "pip without one": ("pip.conf", "index-url = https://pypi.example.com\n", False),
    "docker's login": ("config.json", '{"auths": {"r": {"auth": "bWU6c2VjcmV0"}}}', True),
    "a config.json": ("config.json", '{"colour": "red", "auth": true}', False),
    "AWS": ("credentials", "[default]\naws_secret_access_key = abcdefghijklmnopqrstuvwxyz\n", True),
    "a service account": ("sa.json", '{"type": "service_account"}', True),
    "an OAuth client": ("client_secret_1.json", '{"installed": {"client_secret": "abcdef"}}', True),
    "credentials.json of a cloud": ("credentials.json", '{"token": "abcdef"}', True),
    "credentials.json without any": ("credentials.json", '{"profiles": []}', False),
    "JSON": ("data.json", '{"type": "user", "token_limit": 5}', False),
    "a kubeconfig": ("config", "apiVersion: v1\nkind: Config\nusers:\n- user:\n    token: abcdefghij\n", True),
    "a kubeconfig with a key": ("k.yaml", "users:\n- user:\n    client-key-data: LS0tLS1CRUdJTg==\n", True),
    "YAML": ("app.yaml", "colour: red\ntoken: ''\n", False),
    "an example": ("app.env.example", "DB_PASSWORD=hunter22\n", False),
}


@pytest.mark.parametrize(("name", "text", "looks"), CONTENTS.values(), ids=CONTENTS)
def test_some_contents_say_it(name, text, looks):
    assert bool(credential_by_content(name, text.encode())) is looks


@given(st.sampled_from(["app.env", "config", "a.json", ".npmrc", "k.yaml"]), st.binary(max_size=80))
def test_any_content_can_be_looked_at(name, content):
    assert isinstance(credential_by_content(name, content), str)
