"""What the judge looks for in published bytes, and that it finds it."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.judge.secrets import forms, leaks, said_in, secrets_of
from tests.support.lab.secret_leaks import published

pytestmark = pytest.mark.unit

PASSWORD = 'pa$$"word\\é-1'
ENV = b"# a remark of its own\nKEY=value-of-key # why\nexport SHORT=abc\nQUOTED='in quotes'\n"


def names(variables: dict[str, str], files: dict[str, bytes], *said: str) -> dict[str, str]:
    """Secret → its name, as text."""
    return {value.decode(errors="replace"): name for value, name in secrets_of(variables, files, said).items()}


def test_the_values_of_variables_are_secrets():
    assert names({"PASSWORD": PASSWORD, "MODE": "short"}, {}) == {PASSWORD: "the variable PASSWORD"}


def test_a_file_is_a_secret_and_so_are_its_lines_and_the_values_in_it():
    assert names({}, {"app.env": ENV}) == {
        ENV.decode(): "the file app.env",
        "KEY=value-of-key # why": "line 2 of app.env",
        "export SHORT=abc": "line 3 of app.env",
        "QUOTED='in quotes'": "line 4 of app.env",
        "value-of-key": "KEY of app.env",
        "in quotes": "QUOTED of app.env",
    }


def test_a_secret_file_may_hold_any_bytes():
    secret = b"\x00\xff\xfetoken\r\n"
    found = secrets_of({}, {"token.bin": secret}, ())
    assert found == {secret: "the file token.bin", secret.strip(): "line 1 of token.bin"}
    searched = leaks([("layer", b"before" + secret)], found)
    assert searched.leaks == ("layer holds the file token.bin", "layer holds line 1 of token.bin")


@pytest.mark.parametrize("said", [f"password: {PASSWORD}", f"password: {json.dumps(PASSWORD)}"])
def test_what_the_compose_file_says_in_clear_is_no_secret(said: str):
    assert names({"PASSWORD": PASSWORD, "OTHER": "other-secret"}, {}, "services:", said) == {
        "other-secret": "the variable OTHER"
    }


def test_what_a_checkout_says_is_its_compose_files_and_the_names_of_its_files(tmp_path: Path):
    for path, text in {
        "a/compose.yml": "x: 1\nservices: {}\n",
        "a/conf.yaml": "key: in-a-config\n",
        ".env": "services:\n",
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    assert sorted(said_in(tmp_path)) == [".env", "a", "a/compose.yml", "a/conf.yaml", "x: 1\nservices: {}\n"]


WRITTEN = {
    "as it is": PASSWORD,
    "in JSON": json.dumps({"a": PASSWORD}),
    "in JSON of ASCII": json.dumps(PASSWORD, ensure_ascii=False),
    "for Compose": PASSWORD.replace("$", "$$"),
    **{f"in base64, {n} bytes in": base64.b64encode(b"." * n + PASSWORD.encode() + b".").decode() for n in range(3)},
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_secret_is_found_however_it_is_written(text: str):
    searched = leaks([("a", b"nothing"), ("b", f"before {text} after".encode())], {PASSWORD.encode(): "PASSWORD"})
    assert searched.leaks == ("b holds PASSWORD",)
    assert searched.bytes == 7 + len(f"before {text} after".encode())


def test_what_holds_none_of_them_is_no_leak():
    near = [PASSWORD[:-1], PASSWORD[1:], base64.b64encode(PASSWORD[:-2].encode()).decode()]
    assert leaks([("a", text.encode()) for text in near], {PASSWORD.encode(): "PASSWORD"}).leaks == ()
    assert all(len(form) >= len(PASSWORD) for form in forms(PASSWORD.encode()))


def test_a_leak_in_a_layer_is_found_and_a_layer_that_everybody_has_is_not_read():
    registry = _Registry({"app": [_layer("etc/base", b"the base"), _layer("app/.env", ENV)], "empty": []})
    found = list(published(registry, largest=10**9, without=[registry.digest(_layer("etc/base", b"the base"))]))  # type: ignore[arg-type]
    secrets = secrets_of({}, {".env": ENV, "base": b"the base"}, ())
    assert set(leaks(found, secrets).leaks) >= {"app:t1 layer holds the file .env", "app:t1 layer holds KEY of .env"}
    assert not any("base" in leak for leak in leaks(found, secrets).leaks)
    everything = leaks(published(registry, largest=10**9), secrets)  # type: ignore[arg-type]
    assert any("base" in leak for leak in everything.leaks)


def _layer(name: str, content: bytes) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return raw.getvalue()


class _Registry:
    """A namespace of a registry, as `published` reads it: repository → the layers of its one image."""

    def __init__(self, images: dict[str, list[bytes]]) -> None:
        self._images = images
        self._blobs: dict[str, bytes] = {}
        self.block = SimpleNamespace(client=self._client)

    @staticmethod
    def digest(content: bytes) -> str:
        return f"sha256:{hashlib.sha256(content).hexdigest()}"

    def repositories(self) -> list[str]:
        return list(self._images)

    def tags(self, repository: str) -> list[str]:
        return ["t1"]

    def manifest(self, repository: str, tag: str) -> SimpleNamespace:
        layers = self._images[repository]
        config = json.dumps({"rootfs": {"diff_ids": [self.digest(layer) for layer in layers]}}).encode()
        content = {
            "config": self._put(config, "config"),
            "layers": [self._put(gzip.compress(layer), "layer") for layer in layers],
        }
        return SimpleNamespace(raw=json.dumps(content).encode(), content=content)

    def blob(self, repository: str, digest: str) -> bytes:
        return self._blobs[digest]

    def _put(self, content: bytes, kind: str) -> dict[str, object]:
        self._blobs[self.digest(content)] = content
        return {"digest": self.digest(content), "size": len(content), "mediaType": kind}

    @contextmanager
    def _client(self) -> Iterator["_Registry"]:
        yield self


def test_certificates_are_no_secrets_and_a_key_beside_them_is_one():
    certificate = b"-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIE\n-----END CERTIFICATE-----\n"
    key = b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n"
    assert secrets_of({}, {"ca.crt": certificate}, []) == {}
    assert certificate + key in secrets_of({}, {"both.pem": certificate + key}, [])
