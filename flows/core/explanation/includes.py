"""Which env files each included compose file is interpolated with."""

import os.path
from collections.abc import Callable, Mapping
from typing import Any

from flows.core.stack.compose_files import documents_of


def include_env_files(texts: Mapping[str, str], resolve: Callable[[str], str]) -> dict[str, tuple[str, ...]]:
    """Included compose file → the env files that give its variables, those of whoever includes it among them.

    Args:
        texts: absolute path → text, a file before those that it includes.
        resolve: interpolates a path that holds a variable.
    """
    found: dict[str, tuple[str, ...]] = {}
    for path, text in texts.items():
        base = os.path.dirname(path)

        def placed(entry: Any, base: str = base) -> str:
            return os.path.normpath(os.path.join(base, resolve(str(entry)) if "$" in str(entry) else str(entry)))

        for document in documents_of(path, text):
            for entry in filter(None, _list(document.get("include"))):
                long = entry if isinstance(entry, Mapping) else {"path": entry}
                files = [placed(one) for one in filter(None, _list(long.get("path")))]
                named = [placed(one) for one in filter(None, _list(long.get("env_file")))]
                place = placed(long["project_directory"]) if long.get("project_directory") else ""
                env_files = named or [os.path.join(place or os.path.dirname(file), ".env") for file in files[:1]]
                for file in files:
                    found[file] = tuple(dict.fromkeys((*found.get(path, ()), *found.get(file, ()), *env_files)))
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
