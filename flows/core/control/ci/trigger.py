"""What a run that CI triggers is: its parameters, the key that keeps it from being started twice, and how it ended."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from typing import Any

from flows.core.errors import BadParameter


class Ending(Enum):
    """How a wait for a run ended; the value is the exit code of `slipway trigger`."""

    COMPLETED = 0
    FAILED = 1
    CANCELLED = 4
    TIMED_OUT = 5
    SUPERSEDED = 6
    PAUSED = 7


_BY_TYPE = {
    "COMPLETED": Ending.COMPLETED,
    "FAILED": Ending.FAILED,
    "CRASHED": Ending.FAILED,
    "CANCELLED": Ending.CANCELLED,
}
_BY_NAME = {"Superseded": Ending.SUPERSEDED, "TimedOut": Ending.TIMED_OUT}


def ending_of(kind: str, name: str) -> Ending | None:
    """How a run in this state ended; None: it goes on, or waits for somebody.

    Args:
        kind: the state's type, such as `CANCELLED`.
        name: the state's name, such as `Superseded`.
    """
    found = _BY_TYPE.get(kind)
    return found if found in (None, Ending.COMPLETED) else _BY_NAME.get(name, found)


def idempotency_key(commit: str | None, deployment: str, destination: str | None, parameters: Mapping[str, Any]) -> str:
    """The same for the same commit, deployment, destination and parameters: what keeps a retry from a second run."""
    whole = [commit, deployment, destination, parameters]
    said = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"slipway-{hashlib.sha256(said.encode()).hexdigest()}"


def trigger_parameters(
    given: Sequence[str], schema: Mapping[str, Any], *, ref: str | None, destination: str | None, named: bool
) -> dict[str, Any]:
    """The run's parameters.

    Args:
        given: `name=value`, each; as text where the parameter takes text, else as JSON; `null` where it may be
            nothing.
        schema: the deployment's parameters, as JSON Schema.
        ref: the commit; it is a parameter where the deployment takes one.
        named: the commit was asked for, and did not come from the surroundings.

    Raises:
        BadParameter
    """
    properties = schema.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    parameters: dict[str, Any] = {}
    for word in given:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise BadParameter(f"-p {word!r}: a parameter is given as NAME=VALUE")
        if name in parameters:
            raise BadParameter(f"-p {name}: it is given twice")
        parameters[name] = _value(name, text, known.get(name))
    if destination is not None:
        _add(parameters, "destination", destination)
    if ref is not None and (named or ("ref" in known and "ref" not in parameters)):
        _add(parameters, "ref", ref)
    if unknown := [name for name in parameters if name not in known]:
        near = get_close_matches(unknown[0], list(known), n=1)
        hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(sorted(known)) or 'none'}"
        raise BadParameter(f"the deployment takes no parameter {unknown[0]}; {hint}")
    return parameters


def _add(parameters: dict[str, Any], name: str, value: str) -> None:
    if name in parameters:
        raise BadParameter(f"{name} is given twice: leave either --{name} or -p {name}=… out")
    parameters[name] = value


def _value(name: str, text: str, schema: Any) -> Any:
    if _takes(schema, "string"):
        return None if text == "null" and isinstance(schema, Mapping) and _takes(schema, "null") else text
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadParameter(f'-p {name}: its value is no JSON; true, 5, null and ["a"] are some') from None


def _refuse_constant(word: str) -> None:
    raise ValueError(word)


def _takes(schema: Any, kind: str) -> bool:
    """Whether a parameter takes values of this type: its own says so, or that of an alternative, or nothing does."""
    if not isinstance(schema, Mapping):
        return True
    either = schema.get("anyOf")
    if isinstance(either, list):
        return any(_takes(one, kind) for one in either)
    kinds = schema.get("type")
    # A choice (`$ref`, `enum`) names no type, and is one of words.
    return kind in kinds if isinstance(kinds, list) else kinds == kind or (kinds is None and kind == "string")
