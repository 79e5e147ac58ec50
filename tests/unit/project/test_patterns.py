"""Regular expressions take linear time, whatever they are searched in: it is others who write what they read."""

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CALLS = ("compile", "sub", "findall", "finditer", "search", "match", "fullmatch", "split")
# What these are searched in is short: names of files, and lines that were cut before (`_LINE` in diagnosis.py).
SHORT = {"flows.core.debug.diagnosis": "_EXCEPTION"}
FILE_NAMES = re.compile(r"flows\.core\.secrets\.credentials")
FIRST, SMALL, GROWTH, ALLOWED = 200, 3_000, 4, 9.0
FLOOR = 0.004
PUMPS = ("a", "1", "-", " ", "\n", "_", ".", "a.", "a-", "a ", "\n ", "$", "<", "/", ":", "\x1b[1", "pass", "a=", '"')


def patterns() -> Iterator[tuple[str, str | bytes, int, str]]:
    """Each literal regular expression of flows and blocks: where, what, its flags, and how it is applied."""
    for file in sorted(path for top in ("flows", "blocks") for path in (ROOT / top).rglob("*.py")):
        source = file.read_text()
        if "re." not in source:
            continue
        tree, name = ast.parse(source), ".".join(file.relative_to(ROOT).with_suffix("").parts)
        names = {id(node.value): node.targets[0].id for node in ast.walk(tree)
                 if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}  # fmt: skip
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in
                 {f"re.{call}" for call in CALLS}]  # fmt: skip
        for call in calls:
            space = vars(importlib.import_module(name))
            try:
                given = [eval(ast.unparse(argument), dict(space)) for argument in call.args[:1]]
            except NameError:  # holds a name of the stack
                continue
            flags = [eval(ast.unparse(one), dict(space)) for one in (*call.args[1:], *(k.value for k in call.keywords))
                     if re.search(r"\bre\.[A-Z]", ast.unparse(one))]  # fmt: skip
            named = names.get(id(call), "")
            how = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if how == "compile":
                used = set(re.findall(rf"\b{named}\.(\w+)\(", source)) if named else set()
                used = used or (
                    {"match"} if "add_implicit_resolver" in source else set()
                )  # by PyYAML, at the beginning
                how = (
                    "fullmatch" if used == {"fullmatch"} else "match" if used <= {"match", "fullmatch"} and used else ""
                )
            if SHORT.get(name) != named or not named:
                yield f"{name}:{call.lineno}", given[0], int(flags[0]) if flags else 0, how


def pumps(pattern: str | bytes) -> Iterator[str]:
    """Texts that are repeated to make a hostile one: common letters, and the words of the pattern itself."""
    yield from PUMPS
    words = re.findall(r"[\w:/=@'\"{$<-]{2,}", pattern if isinstance(pattern, str) else pattern.decode())
    for word in dict.fromkeys(words):
        yield from (word, f"{word} ", f"{word}\n", f"{word}=")


def grows(apply: Callable[[str | bytes], object], pump: str, raw: bool) -> bool:
    """Whether a text four times as long takes much more than four times as long."""

    def seconds(size: int) -> float:
        text = pump * (size // len(pump)) + "\x00"
        given = text.encode() if raw else text
        began = time.process_time()
        apply(given)
        return time.process_time() - began

    if min(seconds(FIRST) for _ in range(2)) > FLOOR:  # a cubic one would not end with the sizes below
        return True
    small = min(seconds(SMALL) for _ in range(3))
    return min(seconds(SMALL * GROWTH) for _ in range(2)) > ALLOWED * max(small, FLOOR / GROWTH)


FOUND = [one for one in patterns() if not (FILE_NAMES.match(one[0]) and isinstance(one[1], str))]


@pytest.mark.parametrize(("where", "pattern", "flags", "how"), FOUND, ids=[one[0] for one in FOUND])
def test_a_text_four_times_as_long_does_not_take_much_more_than_four_times_as_long(
    where: str, pattern: str | bytes, flags: int, how: str
) -> None:
    compiled = re.compile(pattern, flags)
    apply = getattr(compiled, how if how in ("match", "fullmatch") else "search")
    slow = next((pump for pump in pumps(pattern) if grows(apply, pump, isinstance(pattern, bytes))), None)
    assert slow is None, f"{where}: {pattern!r} is not linear for {slow!r}, repeated"


def test_the_patterns_are_found() -> None:
    assert len(FOUND) > 60
    assert any("_authToken" in str(pattern) for _, pattern, _, _ in FOUND)
