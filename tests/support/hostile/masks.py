"""The rules by which texts are masked and cleaned, each with a secret somewhere in a hostile text."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flows.core.debug.evidence import Evidence, HostEvidence
from flows.core.debug.overview import StackOverview
from flows.core.debug.redaction import redact, redaction_mask
from flows.core.quotation import link_or_words, literal, quoted_end, quoted_line, without_controls
from flows.core.secrets.masking import (
    Mask,
    container_values,
    environment_values,
    file_values,
    is_plain,
    is_secret_name,
    variable_values,
)
from flows.core.secrets.release_environment import own_values
from flows.core.stack.env_files import render
from tests.support.hostile.attacked import full_name
from tests.support.hostile.of_droplets import INSPECTED


@dataclass(frozen=True)
class MaskingRule:
    """A rule of masking under attack.

    Args:
        function: what is attacked.
        apply: given a secret and a hostile text, what comes of it.
        holds: given the secret and what came of it, whether the rule did what it is for.
    """

    function: Callable[..., Any]
    apply: Callable[[str, str], Any]
    holds: Callable[[str, Any], bool] = lambda _secret, _found: True

    @property
    def name(self) -> str:
        return full_name(self.function)


def _hidden(secret: str, found: Any) -> bool:
    return not any(secret in text for text in _texts(found))


def _known(secret: str, found: set[str]) -> bool:
    return secret in found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (*_texts(key), *_texts(item))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _redacted(secret: str, text: str) -> list[Any]:
    inspected = {**INSPECTED, "Config": {**INSPECTED["Config"], "Env": [f"API_TOKEN={secret}"], "Cmd": [text, secret]}}
    overview = StackOverview("shop", "here", inspected={"a": inspected}, records=text + secret, trouble=secret)
    evidence = Evidence(logs={"a": text + secret + text}, host=HostEvidence({"disk": secret}), secrets=(secret,))
    mask = redaction_mask(overview, ["/run/secrets/a"], evidence, frozenset())
    shown, left = redact(overview, evidence, mask)
    return [dict(shown.inspected), shown.records, dict(left.logs), dict(left.host.said)]


def _line(secret: str, found: str) -> bool:
    return "\n" not in found and len(found) <= 400


def _clean(secret: str, found: str) -> bool:
    return not any((letter < " " and letter not in "\n\t") or "\x7f" <= letter <= "\x9f" for letter in found)


MASKS = (
    MaskingRule(Mask.__call__, lambda secret, text: Mask([secret])(f"{text}{secret}{text}"), _hidden),
    MaskingRule(Mask.environment,
                lambda secret, text: Mask([secret]).environment({"A": text + secret, "KEY": secret}), _hidden),
    MaskingRule(Mask.tree, lambda secret, text: Mask([secret]).tree([text, {secret: [text + secret]}]), _hidden),
    MaskingRule(variable_values, lambda secret, text: variable_values({"A": secret, "B": text}), _known),
    MaskingRule(environment_values,
                lambda secret, text: environment_values({"A": secret}, {"b": text, "c.env": text}), _known),
    MaskingRule(file_values, lambda secret, text: file_values("token", secret) | file_values(".env", text), _known),
    MaskingRule(file_values, lambda secret, text: file_values(".env", render({"A": secret}).decode() + text), _known),
    MaskingRule(container_values,
                lambda secret, text: container_values({"API_TOKEN": secret, "B": text}, ["-a", text]), _known),
    MaskingRule(own_values, lambda _, text: own_values(text)),
    MaskingRule(is_plain, lambda _, text: is_plain(text)),
    MaskingRule(is_secret_name, lambda _, text: is_secret_name(text)),
    MaskingRule(redaction_mask, _redacted, _hidden),
    MaskingRule(redact, _redacted, _hidden),
    MaskingRule(without_controls, lambda secret, text: without_controls(text + secret), _clean),
    MaskingRule(literal, lambda secret, text: literal(text + secret), lambda _, found: "\n" not in found),
    MaskingRule(link_or_words, lambda secret, text: link_or_words(text + secret, text),
                lambda _, found: "\n" not in found),
    MaskingRule(quoted_line, lambda secret, text: quoted_line(text + secret), _line),
    MaskingRule(quoted_end, lambda secret, text: quoted_end(text + secret), lambda _, found: len(found) <= 20 * 401),
)  # fmt: skip
