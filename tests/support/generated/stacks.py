"""Whole stacks: services with fields of all kinds, and the files that a stack is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.support.generated.fields import FIELDS, durations, either, label_keys
from tests.support.generated.services import service, some_fields
from tests.support.generated.strings import Plain, env_lines, names, words
from tests.support.generated.writer import Anchored, Tagged, write_yaml

DIRECTORIES = ("app", "My_App.v2", "1st-app", "UPPER", "a b", "app_", "-x.y", "été-x1")
NAMES = ("named", "1st_name", "a-b_c", "0")
_ADDRESSES = {"subnet": "10.99.0.0/24", "gateway": "10.99.0.1", "aux_addresses": {"h": "10.99.0.9"}}


@dataclass(frozen=True)
class GeneratedStack:
    """A stack: the name of its directory, and its files by their path from there."""

    directory: str
    files: Mapping[str, str] = field(hash=False)

    def write(self, below: Path) -> Path:
        """Make its checkout; returns the stack's directory."""
        place = below / self.directory
        for path, text in self.files.items():
            file = place / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, newline="")
        return place


@st.composite
def stacks(draw: st.DrawFn) -> GeneratedStack:
    """A stack that Compose 2.26 reads, as a rule."""
    files: dict[str, str] = {
        path: f"{path}\n"
        for path in ("conf/app.yaml", "conf/a b.txt", "conf/é.txt", "conf/$1.txt", "data/seed", "../beside/x.conf")
    }
    present = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    services: dict[str, Any] = {}
    for name in present:
        services[name] = draw(service([other for other, spec in services.items() if "profiles" not in spec]))
    document: dict[str, Any] = {}
    variables = draw(env_lines(("NAME", "OTHER_NAME")))
    variables += "EMPTY=\n"
    match draw(st.sampled_from(("directory", "name", "variable", "environment"))):
        case "name":
            document["name"] = draw(st.sampled_from(NAMES))
        case "variable":
            document["name"] = "${STACK_NAME:-of-a-variable}"
            variables += draw(st.sampled_from(("", f"STACK_NAME={draw(st.sampled_from(NAMES))}\n")))
        case "environment":
            variables += f"COMPOSE_PROJECT_NAME={draw(st.sampled_from(NAMES))}\n"
    if draw(st.booleans()):
        document["x-common"] = Anchored({key: draw(FIELDS[key]) for key in draw(some_fields(2))})
        services = {name: {"<<": Plain("*common"), **spec} for name, spec in services.items()}
    document["services"] = services
    document |= draw(_top_level(services))
    for path in {entry if isinstance(entry, str) else entry["path"] for spec in services.values()
                 for entry in spec.get("env_file") or ()}:  # fmt: skip
        files[path.replace("${OTHER:-", "").replace("}", "")] = draw(env_lines(("A", "FROM_FILE", "with.dot")))
    profiles = sorted({profile for spec in services.values() for profile in spec.get("profiles") or ()})
    if profiles and draw(st.booleans()):
        variables += f"COMPOSE_PROFILES={','.join(draw(st.lists(st.sampled_from(profiles), unique=True)))}\n"
    files |= draw(_more_files(document, present))
    if "extra.yaml" in files:
        variables += "COMPOSE_FILE=compose.yaml:extra.yaml\n"
    variables += draw(st.sampled_from(("", "COMPOSE_IGNORE_ORPHANS=true\nUSER=of-the-stack\nHOME=/nowhere\nLANG=xx\n")))
    files |= {"compose.yaml": write_yaml(document), ".env": variables}
    files |= {"secret.txt": "s3cr3t\n", "conf.txt": "configured\n"}
    return GeneratedStack(draw(st.sampled_from(DIRECTORIES)), files)


@st.composite
def _top_level(draw: st.DrawFn, services: Mapping[str, Any]) -> dict[str, Any]:
    """The parts that services name."""
    content = draw(words)
    return {
        "volumes": {"rows": draw(st.one_of(st.none(), st.fixed_dictionaries({}, optional={
            "name": st.sampled_from(("own-rows", "${OTHER:-rows}_x")), "labels": either(label_keys),
            "driver": st.just("local"), "driver_opts": st.just({"type": "none", "o": "bind", "device": "./data"})})))},
        "networks": {"back": draw(st.fixed_dictionaries(
            {"ipam": st.just({"config": [_ADDRESSES]})},
            optional={"internal": st.booleans(), "attachable": st.booleans(), "enable_ipv6": st.just(False),
                      "labels": either(label_keys), "driver": st.just("bridge"), "driver_opts": st.just({"a.b": "1"}),
                      "name": st.just("own-back")}))},
        "secrets": {
            "of_file": {"file": draw(st.sampled_from(("secret.txt", "./secret.txt")))},
            "of_env": {"environment": "NAME"}},
        "configs": {
            "of_file": {"file": "./conf.txt"}, "of_content": {"content": content}, "of_env": {"environment": "NAME"}},
    }  # fmt: skip


@st.composite
def _more_files(draw: st.DrawFn, document: dict[str, Any], present: list[str]) -> dict[str, str]:
    """An included project with an environment of its own, a second compose file, a base to extend."""
    files: dict[str, str] = {"src/Dockerfile": "FROM scratch\n"}
    if draw(st.integers(0, 2)) == 0:
        document["include"] = draw(st.sampled_from((
            ["part/compose.yaml"], [{"path": "part/compose.yaml", "env_file": "part/own.env"}],
            [{"path": ["part/compose.yaml"], "project_directory": "."}])))  # fmt: skip
        files["part/compose.yaml"] = write_yaml({"services": {"included": {
            "image": "x:${PART:-none}", "environment": {"PART": "${PART:-none}", "NAME": "${NAME:-none}"},
            "volumes": ["./d:/d"], "init": draw(st.booleans())}}})  # fmt: skip
        files["part/.env"] = draw(env_lines(("PART",)))
        files["part/own.env"] = draw(env_lines(("PART", "NAME")))
        files["part/d/x"] = "x\n"
        files["d/x"] = "x\n"
    if draw(st.integers(0, 2)) == 0:
        change = draw(st.sampled_from((
            {"environment": Tagged("!reset", None)}, {"ports": Tagged("!override", ["7000:7000"])},
            {"environment": {"MORE": "1e3"}}, {"labels": {"more": "yes"}}, {"command": Tagged("!reset", None)},
            {"stop_grace_period": draw(durations)})))  # fmt: skip
        if "network_mode" not in document["services"][present[0]]:
            files["extra.yaml"] = write_yaml({"services": {present[0]: change}})
    if draw(st.integers(0, 3)) == 0:
        document["services"]["extended"] = {
            "extends": {"file": "base.yaml", "service": "base"},
            "labels": draw(either(label_keys)),
        }
        files["base.yaml"] = write_yaml({"services": {"base": {
            "image": "postgres:16", "environment": draw(either(label_keys)),
            "volumes": ["./conf:/conf:ro"]}}})  # fmt: skip
    return files
