"""Which images a Dockerfile starts from or copies from.

Syntax: docs.docker.com/reference/dockerfile. Only what leads to an image is read; BuildKit reads the rest.
"""

import re
from collections.abc import Iterator, Mapping

_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)\s*$", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#\s*\w+\s*=")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")
_FROM = re.compile(r"FROM\s+((?:--\S+\s+)*)(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_COPY_FROM = re.compile(r"(?:COPY|ADD)\s.*?--from=(\S+)", re.IGNORECASE | re.DOTALL)
_MOUNT_FROM = re.compile(r"--mount=(\S+)")
_ARG = re.compile(r"ARG\s+(.*)", re.IGNORECASE | re.DOTALL)
_DEFAULT = re.compile(r"(\w+)(?:=(\"[^\"]*\"|'[^']*'|\S*))?")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})")
_BARE = re.compile(r"\$(\w+)()()()")
# No image has a longer name. What is longer is not expanded: arguments that double each other would never end.
_LONGEST = 4096


def image_references(text: str, args: Mapping[str, str]) -> tuple[str, ...]:
    """The images that a Dockerfile refers to (`FROM`, `COPY --from`, `RUN --mount=from=`), each once, as it names them.

    Its own stages and `scratch` are none. What a variable without a value leads to is left as it stands.

    Args:
        args: build arguments; they win over the defaults of `ARG`.
    """
    known: dict[str, str] = {}
    stages: set[str] = set()
    found: dict[str, None] = {}
    for instruction in _instructions(text):
        if arg := _ARG.match(instruction):
            for name, default in _DEFAULT.findall(arg[1]):
                known[name] = args.get(name, _expand(default.strip("\"'"), known) or known.get(name, ""))
        if start := _FROM.match(instruction):
            if (name := _expand(start[2], known)).lower() not in stages:
                found[name] = None
            stages |= {start[3].lower()} if start[3] else set()
        for name in (_expand(name, known) for name in _copied_from(instruction)):
            if name.lower() not in stages and not name.isdecimal():
                found[name] = None
    return tuple(name for name in found if name and name.lower() != "scratch")


def familiar(reference: str) -> str:
    """An image's name as people write it, the same for `base`, `base:latest` and `docker.io/library/base`."""
    if "@" in reference:
        return reference
    name = re.sub(r"^(?:(?:index\.)?docker\.io/)?(?:library/)?", "", reference)
    return name.removesuffix(":latest")


def _copied_from(instruction: str) -> Iterator[str]:
    if found := _COPY_FROM.match(instruction):
        yield found[1]
    if instruction[:3].upper() == "RUN":
        for mount in _MOUNT_FROM.findall(instruction):
            fields = dict(field.split("=", 1) for field in mount.split(",") if "=" in field)
            if "from" in fields:
                yield fields["from"]


def _instructions(text: str) -> Iterator[str]:
    """Each instruction as one line: comments and the content of here-documents left out, continued lines joined."""
    lines = iter(text.lstrip("\ufeff").splitlines())
    escape, whole, directives = "\\", "", True
    for line in lines:
        bare = line.strip()
        directives = directives and bool(_DIRECTIVE.match(bare))
        if directives and (given := _ESCAPE.match(bare)):
            escape = given[1]
        if bare.startswith("#") or (whole and not bare):
            continue
        if bare.endswith(escape):
            whole += bare[:-1] + " "
            continue
        instruction, whole = whole + bare, ""
        for _, end in _HEREDOC.findall(instruction) if instruction[:4].upper() in ("RUN ", "COPY", "ADD ") else ():
            for inner in lines:
                if inner.lstrip("\t").rstrip() == end:
                    break
        if instruction:
            yield instruction
    if whole:
        yield whole


def _expand(text: str, known: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name, how, words = found[1] or found[2], found[3] or "", found[4] or ""
        mine = known.get(name)
        if how.endswith("+"):
            return words if (mine if ":" in how else mine is not None) else ""
        if how.endswith("-"):
            return words if mine is None or (":" in how and not mine) else mine
        return found[0] if mine is None else mine

    if len(text) > _LONGEST:
        return text
    last = text.rfind("}") + 1  # `${A-` without an end is none, and need not be looked for from each beginning
    expanded = _VARIABLE.sub(value, text[:last]) + _BARE.sub(value, text[last:])
    return expanded if len(expanded) <= _LONGEST else text
