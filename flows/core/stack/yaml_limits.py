"""Limits of YAML: how deep it is nested, and how much it is once its aliases are written out.

Half a kilobyte can stand for more than any memory holds, and PyYAML's fast reader ends the whole process on a deep one.
So both are counted before anything is made of a text. Compose itself refuses such files.
"""

from typing import Any

import yaml

DEEPEST = 100
MOST = 300_000


class YamlTooLarge(yaml.YAMLError):
    """A YAML text is nested deeper, or holds more with its aliases written out, than any compose file does."""


class YamlCount:
    """The count of one text's nodes: collections are opened and closed, an alias counts as what it stands for."""

    def __init__(self) -> None:
        self._total = 0
        self._open: list[tuple[str | None, int]] = []
        self._sizes: dict[str, int] = {}

    def scalar(self, anchor: str | None) -> None:
        if anchor:
            self._sizes[anchor] = 1
        self._add(1)

    def begin(self, anchor: str | None) -> None:
        if len(self._open) >= DEEPEST:
            raise YamlTooLarge(f"it is nested more than {DEEPEST} levels deep")
        if anchor:
            self._sizes.pop(anchor, None)
        self._open.append((anchor, self._total))
        self._add(1)

    def end(self) -> None:
        anchor, before = self._open.pop()
        if anchor:
            self._sizes[anchor] = self._total - before

    def alias(self, anchor: str) -> None:
        if any(anchor == outer for outer, _ in self._open) and anchor not in self._sizes:
            raise YamlTooLarge(f"&{anchor} holds itself")
        self._add(self._sizes.get(anchor, 1))

    def _add(self, nodes: int) -> None:
        self._total += nodes
        if self._total > MOST:
            raise YamlTooLarge(f"with its aliases written out it holds more than {MOST} values")


def refuse_too_large(text: str, loader: Any) -> None:
    """Count a text by the events of its reader, before it makes anything of it.

    Raises:
        YamlTooLarge, yaml.YAMLError
    """
    count = YamlCount()
    event: Any
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.ScalarEvent):
            count.scalar(event.anchor)
        elif isinstance(event, yaml.CollectionStartEvent):
            count.begin(event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            count.end()
        elif isinstance(event, yaml.AliasEvent):
            count.alias(event.anchor or "")


class CountingLoader(yaml.SafeLoader):
    """PyYAML's safe loader, which counts while it composes."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._count = YamlCount()

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            self._count.alias(event.anchor or "")
        elif isinstance(event, yaml.CollectionStartEvent):
            self._count.begin(event.anchor)
            node = super().compose_node(parent, index)
            self._count.end()
            return node
        elif isinstance(event, yaml.ScalarEvent):
            self._count.scalar(event.anchor)
        return super().compose_node(parent, index)


def compose_documents(text: str) -> list[yaml.Node]:
    """The root nodes of a YAML text.

    Raises:
        YamlTooLarge, yaml.YAMLError
    """
    return [root for root in yaml.compose_all(text, Loader=CountingLoader) if root is not None]
