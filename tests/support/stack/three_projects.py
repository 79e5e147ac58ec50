"""A stack as Compose reads it in the projects of two colours and of their data home, on one droplet."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.core.release.role import as_role, cross_role_dependencies, home_services, home_volumes, role_override
from flows.core.stack.compose_yaml import dump_compose, load_config
from flows.core.stack.side_by_side.facts import SideBySide, side_by_side
from flows.core.stack.side_by_side.override import colour_override, home_override, together
from flows.core.stack.stack import Stack
from flows.settings import Settings
from tests.support.builders import pinned, release

COLOURS = ("green", "blue")
_SAID_AGAIN = {"container_name", "ports", "links", "depends_on", "networks"}


@dataclass(frozen=True)
class ThreeProjects:
    """The stack as a whole, what is known of it, and what Compose makes of each project."""

    whole: dict[str, Any]
    facts: SideBySide
    green: dict[str, Any]
    blue: dict[str, Any]
    home: dict[str, Any]

    def of(self, colour: str) -> dict[str, Any]:
        return self.green if colour == "green" else self.blue


def compose_config(directory: Path, project: str, *files: str) -> dict[str, Any]:
    """What Compose makes of these files of a directory."""
    named = [word for file in files for word in ("--file", file)]
    argv = [Settings().docker, "compose", *(["--project-name", project] if project else []), *named, "config"]
    answer = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode == 0, answer.stderr
    return load_config(answer.stdout)


def read_whole(directory: Path, compose: str | dict[str, Any]) -> dict[str, Any]:
    """Write a stack there, and return it as Compose resolves it."""
    (directory / "compose.yaml").write_text(compose if isinstance(compose, str) else json.dumps(compose))
    return compose_config(directory, "", "compose.yaml")


def play(directory: Path, compose: str | dict[str, Any]) -> ThreeProjects:
    """Have Compose read a stack as each of the three projects."""
    whole = read_whole(directory, compose)
    stack = Stack.from_config(whole)
    facts = SideBySide.model_validate_json(side_by_side(whole).model_dump_json())
    one = release(
        stack=stack.name,
        services={name: pinned(name) for name in stack.services},
        home=home_services(stack),
        waits=cross_role_dependencies(stack),
        volumes=home_volumes(stack, whole.get("volumes")),
    )
    printed = {}
    for part in (*COLOURS, *(["home"] if one.home else [])):
        role = "home" if part == "home" else "colour"
        services = as_role(one, role).services
        mine = (
            home_override(facts, stack=stack.name, services=services)
            if part == "home"
            else colour_override(facts, stack=stack.name, colour=part, services=services)
        )
        (directory / f"{part}.yaml").write_bytes(dump_compose(together(role_override(one, role), mine)))
        printed[part] = compose_config(directory, f"{stack.name}-{part}", "compose.yaml", f"{part}.yaml")
    return ThreeProjects(whole, facts, printed["green"], printed["blue"], printed.get("home", {"services": {}}))


def taken(printed: dict[str, Any]) -> set[tuple[str, str]]:
    """What a project takes of a droplet for itself: ports, names of containers, networks and volumes that it makes."""
    found = {("container", s["container_name"]) for s in printed["services"].values() if s.get("container_name")}
    found |= {("port", port) for spec in printed["services"].values() for port in published(spec)}
    for field in ("networks", "volumes"):
        entries = (printed.get(field) or {}).values()
        found |= {(field, entry["name"]) for entry in entries if not entry.get("external")}
    return found


def published(spec: dict[str, Any]) -> list[str]:
    """The ports of the droplet that a service publishes."""
    found: list[str] = []
    for entry in spec.get("ports") or ():
        first, _, last = str(entry.get("published") or "").partition("-")
        found += [str(port) for port in range(int(first), int(last or first) + 1)] if first else []
    return found


def external(printed: dict[str, Any]) -> set[str]:
    """The networks that somebody else must have made before the project starts."""
    return {entry["name"] for entry in (printed.get("networks") or {}).values() if entry.get("external")}


def assert_apart(projects: ThreeProjects) -> None:
    """The projects have nothing in common but what home makes, and each is what the compose file says otherwise."""
    green, blue, home = (taken(one) for one in (projects.green, projects.blue, projects.home))
    assert not green & blue
    assert not (green | blue) & home
    made = {name for kind, name in home if kind == "networks"}
    for colour in COLOURS:
        shared = {n["name"] for n in projects.of(colour).get("networks", {}).values() if n.get("external")}
        assert shared <= made
        assert all(f"-{colour}_" in name for name in shared)
    for printed in (projects.green, projects.blue, projects.home):
        for name, spec in printed["services"].items():
            _assert_kept(projects.whole["services"][name], spec, printed["services"])


def _assert_kept(before: dict[str, Any], after: dict[str, Any], beside: dict[str, Any]) -> None:
    """A service is as it was, on the networks it was on, under every name it had."""
    assert {k: v for k, v in before.items() if k not in _SAID_AGAIN} == {
        k: v for k, v in after.items() if k not in _SAID_AGAIN
    }
    networks = before.get("networks") or {}
    kept = {key: said for key, said in (after.get("networks") or {}).items() if not key.startswith("slipway-")}
    assert set(kept) == set(networks)
    for key, said in networks.items():
        now = kept[key] or {}
        known = set((said or {}).get("aliases") or ())
        if before.get("container_name") != after.get("container_name"):
            known.add(before["container_name"])
        assert set(now.get("aliases") or ()) == known
        assert now.get("priority") == (said or {}).get("priority")
    assert set(after.get("depends_on") or ()) == set(before.get("depends_on") or ()) & set(beside)
