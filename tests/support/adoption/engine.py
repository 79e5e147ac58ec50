"""An engine that remembers what is stopped, started, renamed or removed.

Scripts under test ask it by a `docker` that is a few lines of shell: to start Python for each question would take
longer than all the rest.
"""

import contextlib
import json
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

LABEL = "com.docker.compose.project"
DOCKER = """\
#!/bin/sh
for word; do printf '%s\\n' "$word"; done >"$ENGINE/asked"
{ read -r code; cat; } <"$ENGINE/said"
exit "$code"
"""
_END = "no more"


@dataclass
class Engine:
    """Containers, volumes and networks by their ids or names; `asked` is every command."""

    containers: dict[str, Any]
    volumes: dict[str, Any]
    networks: dict[str, Any]
    asked: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def served(self, place: Path) -> Iterator[None]:
        """Answer every `docker` that has `ENGINE` set to this place, one after another."""
        for name in ("asked", "said"):
            os.mkfifo(place / name)
        thread = threading.Thread(target=self._serve, args=(place,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            (place / "asked").write_text(f"{_END}\n")
            thread.join()

    def _serve(self, place: Path) -> None:
        while (words := (place / "asked").read_text().splitlines()) != [_END]:
            self.asked.append(" ".join(words))
            code, lines = self.answer(words)
            (place / "said").write_text("".join(f"{line}\n" for line in (code, *lines)))

    def answer(self, words: list[str]) -> tuple[int, list[str]]:
        """Exit code and lines."""
        kind = words[0] if words[0] in ("container", "volume", "network") else ""
        verb, *rest = words[1:] if kind else words
        template = rest[rest.index("--format") + 1] if "--format" in rest else ""
        given = [word for word in rest if not word.startswith("--") and word != template]
        if kind == "network":
            return self._network(verb, given)
        if verb == "ps":
            return 0, self._listed(rest)
        known = self.volumes if kind == "volume" else self.containers
        wanted = given[:1] if verb == "rename" else given
        found = [known[name] for name in wanted if name in known]
        codes = [int(len(found) < len(wanted))]
        if verb != "inspect":
            return max([*codes, *(self._changed(verb, one, rest) for one in found)]), []
        return codes[0], [line for one in found for line in _shown(one, template)] if template else [json.dumps(found)]

    def _listed(self, rest: list[str]) -> list[str]:
        filters = [word for option, word in pairwise(rest) if option == "--filter"]
        return [
            key
            for key, one in self.containers.items()
            if ("--all" in rest or one["State"]["Status"] == "running")
            and {*filters} <= {f"label={LABEL}={one['Config']['Labels'][LABEL]}", f"status={one['State']['Status']}"}
        ]

    def _changed(self, verb: str, one: dict, rest: list[str]) -> int:
        runs = one["State"]["Status"] == "running"
        if verb == "update":
            name, _, count = rest[0].removeprefix("--restart=").partition(":")
            one["HostConfig"]["RestartPolicy"] = {"Name": name, "MaximumRetryCount": int(count or 0)}
        elif verb == "rename":
            one["Name"] = f"/{rest[-1]}"
        elif verb == "rm" and not runs:
            del self.containers[one["Id"]]
        elif verb in ("start", "restart"):
            one["State"]["Status"] = "running"
        elif verb == "stop" and runs:
            one["State"]["Status"] = "exited"
        return int(verb == "rm" and runs)

    def _network(self, verb: str, given: list[str]) -> tuple[int, list[str]]:
        if verb == "ls":
            wanted = next(word for word in given if word.startswith("label=")).rpartition("=")[2]
            return 0, [f"{key} {one['name']}" for key, one in self.networks.items() if one["project"] == wanted]
        if given[0] not in self.networks:
            return 1, []
        if verb == "inspect":
            return 0, [self.networks[given[0]]["project"]]
        if not (used := self.networks[given[0]].get("used")):
            del self.networks[given[0]]
        return int(bool(used)), []


def _shown(one: dict, template: str) -> list[str]:
    """What a template of ours makes of a container or a volume."""
    if "Mounts" in template:
        return [mount["Name"] for mount in one["Mounts"] if mount["Type"] == "volume"]
    if "State" in template:
        return [f"{one['Id']} {one['State']['Status']} none"]
    if "Labels" in template:
        return [one["Config"]["Labels"].get(re.findall(r'"(.*)"', template)[0], "")]
    return [one[template.strip("{}.")]]
