"""The masking of secrets in whatever leaves Slipway: every value that is known to be secret, in every encoding.

Nothing here guesses what a secret looks like, with two exceptions: a password inside a URL, and a variable whose name
says that it holds one.
"""

import base64
import functools
import ipaddress
import json
import posixpath
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from flows.core.stack.env_files import parse

MASKED = "••••"
# Shorter values are part of too many innocent words to be replaced in free text.
SHORTEST = 6
_SECRET_NAME = re.compile("KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|DSN|PRIVATE|COOKIE|SALT|WEBHOOK", re.IGNORECASE)
# What follows is searched in whatever services print, so each pattern begins where no other match could: a word is gone
# through once, not once from each of its letters.
_URL_PASSWORD = re.compile(r"""((?<=[a-z0-9+.-])://[^\s/:@?#"'<>]*:)([^\s/@"'<>]+)(?=@)""", re.IGNORECASE)
# As in `host=db password=…`, `?api_key=…` and YAML-like lines of an env file.
_INNER = re.compile(
    r"""(?:key|token|secret|pwd|(?<!\w)(?>\w*?pass)\w*+)["']?\s*+[=:]\s*["']?([^\s;&"']+)""", re.IGNORECASE
)
_HARMLESS = re.compile(r"true|false|yes|no|on|off|none|null|\d{1,5}|\d{1,3}(\.\d+)?", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}[^/]*")
_OPTION = re.compile(
    r"""-(?:(?>\w*?pass)\w*+|\w*+(?:(?<=key)|(?<=token)|(?<=secret)|(?<=pwd)))[=\s]+["']?([^\s"']+)""", re.IGNORECASE
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'"}
_ESCAPE = re.compile(r"""\\([nrt\\"'])""")
# Compose reads `NAME: value` in an env file too.
_YAML_LIKE = re.compile(r"""^[^\S\n]*([\w.-]+)\s*:\s+["']?([^\n"']+)""", re.MULTILINE)
_ENV_FILE = re.compile(r"(^|.*\.)env(\..*)?|environment", re.IGNORECASE)


class Mask:
    """A mask over known secrets, for texts and values.

    Args:
        secrets: the secret values; short ones and those that are plainly no secret are passed over.
        public: words everybody may see (names of services, say), though a secret may be equal to one.
    """

    def __init__(self, secrets: Iterable[str] = (), public: Collection[str] = ()) -> None:
        self.given, self.public = frozenset(secrets), frozenset(public)
        pieces = {piece for value in self.given for piece in _pieces(value)}
        self.secrets = frozenset(piece for piece in pieces - self.public if not is_plain(piece))
        self._forms = frozenset(form for value in self.secrets for form in _forms(value))

    def __call__(self, text: str) -> str:
        """The text with `••••` in place of every secret. Overlapping ones are replaced together."""
        spans = sorted(span for form in self._forms if form in text for span in _places(form, text))
        parts, end = [], 0
        for start, stop in spans:
            if start >= end:
                parts += [text[end:start], MASKED]
            end = max(end, stop)
        masked = "".join([*parts, text[end:]])
        return _URL_PASSWORD.sub(rf"\1{MASKED}", masked) if "://" in masked else masked

    def environment(self, pairs: Mapping[str, str]) -> dict[str, str]:
        """Variables with their values masked where the name or the content says that they are secret.

        An empty value stays: that it is empty may be what is wrong.
        """
        return {name: MASKED if value and is_secret_name(name) else self(value) for name, value in pairs.items()}

    def tree(self, value: Any) -> Any:
        """A JSON value with every text in it masked."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(key): self.tree(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(item) for item in value]
        return value


def is_secret_name(name: str) -> bool:
    """Whether a variable's name says that its value is secret."""
    return bool(_SECRET_NAME.search(name))


def is_plain(value: str) -> bool:
    """Whether a value is not masked in free text: too short, or plainly no secret.

    Such as an IP address, a small number, a yes or no, or an http(s) URL without password, query and token.
    """
    value = value.strip()
    if len(value) < SHORTEST or _HARMLESS.fullmatch(value):
        return True
    try:
        ipaddress.ip_interface(re.sub(r"(?<=\.\d):\d{1,5}$|(?<=\d\d):\d{1,5}$", "", value))
    except ValueError:
        return _is_plain_url(value)
    return True


def variable_values(variables: Mapping[str, str]) -> set[str]:
    """The secret values of variables: each whole, line by line, and passwords inside URLs."""
    return {piece for value in variables.values() for piece in _pieces(value)}


def environment_values(variables: Mapping[str, str], files: Mapping[str, str]) -> set[str]:
    """The secret values of a stack's environment: its variables, and path → content of its env and secret files."""
    return variable_values(variables).union(*(file_values(path, text) for path, text in files.items()))


def file_values(path: str, text: str) -> set[str]:
    """The secret values of an env file or a secret file, which its name says.

    Of an env file the values of its variables; of a secret file the whole, each line, and what follows `NAME=`.
    """
    assigned = variable_values(parse(text) | dict(_YAML_LIKE.findall(text)))
    if _ENV_FILE.fullmatch(posixpath.basename(path)):
        return assigned
    return assigned | set(_pieces(text))


def container_values(environment: Mapping[str, str], words: Iterable[str]) -> set[str]:
    """The secret values of a container, by its environment and its command line.

    Variables whose name says so, passwords inside URLs, and what follows an option such as `--api-key`.
    """
    line = " ".join(words)
    named = {name: value for name, value in environment.items() if is_secret_name(name)}
    inside = {found[2] for value in (*environment.values(), line) for found in _URL_PASSWORD.finditer(value)}
    return variable_values(named) | inside | set(_OPTION.findall(line))


def _pieces(value: str) -> Iterator[str]:
    """A secret value and the parts of it that are secret on their own.

    A log prints one line at a time, many programs turn `\\n` into line breaks, and clients split URLs.
    """
    for text in (value, _ESCAPE.sub(lambda found: _ESCAPES[found[1]], value)):
        yield text
        yield text.strip()
        yield from (line.strip() for line in text.splitlines() if not line.startswith("-----"))
    for inner in (*(found[2] for found in _URL_PASSWORD.finditer(value)), *_INNER.findall(value)):
        yield inner
        yield unquote(inner)


def _is_plain_url(value: str) -> bool:
    try:
        url = urlsplit(value)
        plain = url.scheme in ("http", "https") and url.hostname and not re.search(r"\s", value)
    except ValueError:
        return False
    secret = "@" in url.netloc or url.query or url.fragment or any(map(_looks_random, _TOKEN.findall(url.path)))
    return bool(plain and not secret)


def _looks_random(part: str) -> bool:
    return bool(re.search(r"\d", part) and re.search(r"[A-Za-z]", part))


def _forms(value: str) -> Iterator[str]:
    """The encodings of a value: itself, in JSON, Python, a URL, a shell, Compose, YAML, HTML, hex, base64."""
    yield value
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value), shlex.quote(value)):
        yield text[1:-1] if text[0] in "\"'" else text
    yield value.replace("$", "$$")
    yield value.replace("'", "''")
    yield escape(value, quote=False)
    yield from (escape(value).replace("&#x27;", quote_mark) for quote_mark in ("&#x27;", "&#39;", "'"))
    for quoted in (quote(value), quote(value, safe=""), quote_plus(value)):
        yield quoted
        yield re.sub(r"%..", lambda found: found.group().lower(), quoted)
    raw = value.encode(errors="replace")
    yield raw.hex()
    yield raw.hex().upper()
    whole = base64.b64encode(raw).decode().rstrip("=")
    yield whole
    yield whole.replace("+", "-").replace("/", "_")
    for before in range(3):  # inside something longer, such as user:password, a value may begin at any of three bits
        core = base64.b64encode(bytes(before) + raw)[(before * 8 + 5) // 6 :].decode().rstrip("=")
        if (before + len(raw)) % 3:
            core = core[:-1]  # its last character depends on what follows
        if len(core) >= SHORTEST:
            yield core
            yield core.replace("+", "-").replace("/", "_")


def _places(form: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a form stands in a text; of those that overlap by its own period (as in `abababab`) one place for all."""
    start = text.find(form)
    if start < 0:
        return
    period = form[len(form) - _period(form) :]
    while start >= 0:
        end = start + len(form)
        while text.startswith(period, end):
            end += len(period)
        yield start, end
        start = text.find(form, end - len(form) + 1)


@functools.lru_cache(maxsize=4096)
def _period(form: str) -> int:
    """The length of the shortest beginning whose repetition the form is (Knuth, Morris, Pratt)."""
    borders, border = [0], 0
    for letter in form[1:]:
        while border and form[border] != letter:
            border = borders[border - 1]
        border += form[border] == letter
        borders.append(border)
    return len(form) - border
