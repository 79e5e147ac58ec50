"""Generated stacks: the same each time, and those that are played can be run by any engine."""

from pathlib import Path
from typing import Any

import pytest

from flows.core.stack.compose_yaml import load_config
from tests.stacks.generated import played
from tests.support.generated.drawn import drawn
from tests.support.generated.playable import CHANGED, RUNNABLE, SECRET, playable_stacks
from tests.support.generated.stacks import stacks
from tests.support.judge.extent import PLAYED
from tests.support.judge.stack import JudgedStack

pytestmark = pytest.mark.unit

# Beside the fields that are drawn: what each of them is given to be run.
GIVEN = {
    "<<", "build", "image", "command", "entrypoint", "environment", "env_file", "depends_on", "profiles", "volumes",
    "secrets", "configs", "networks", "network_mode", "restart",
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[JudgedStack, Path]]:
    """Each stack that is played, and the directory of its compose file."""
    found = []
    for stack in played():
        checkout = tmp_path_factory.mktemp(stack.called) / "checkout"
        checkout.mkdir()
        stack.prepare(checkout, None)  # type: ignore[arg-type]
        assert stack.change
        before = (checkout / stack.directory / CHANGED).read_text()
        stack.change(checkout)
        assert (checkout / stack.directory / CHANGED).read_text() == f"{before}another line\n"
        found.append((stack, checkout / stack.directory))
    return found


def test_as_many_are_drawn_as_were_asked_for_and_the_same_again():
    found = drawn(stacks(), 8)
    assert len(found) >= 8
    assert [one.files for one in found] == [one.files for one in drawn(stacks(), 8)]
    assert len({str(one.files) for one in found}) > 1


def test_enough_are_played_and_each_has_a_name_of_its_own(written: list[tuple[JudgedStack, Path]]):
    names = [stack.project for stack, _ in written]
    assert len(set(names)) == PLAYED == len(written)
    assert all(stack.called == stack.project and stack.is_here for stack, _ in written)
    for stack, place in written:
        assert f"STACK={stack.project}\n" in (place / ".env").read_text()
        assert stack.project in (place / "src" / "Dockerfile").read_text()


def test_every_image_is_built_from_the_checkout(written: list[tuple[JudgedStack, Path]]):
    for _, place in written:
        for spec in services(place).values():
            build = spec["build"] if isinstance(spec["build"], dict) else {"context": spec["build"]}
            assert (place / build["context"] / "Dockerfile").is_file()
            assert spec["image"].startswith(("${STACK}-", "${REGISTRY}/"))


def test_no_service_has_a_field_that_an_engine_may_not_have(written: list[tuple[JudgedStack, Path]]):
    found = {key for _, place in written for spec in services(place).values() for key in spec}
    assert found <= GIVEN | RUNNABLE.keys()
    assert len(found) > 30


def test_what_depends_on_a_service_that_ends_waits_for_its_end(written: list[tuple[JudgedStack, Path]]):
    conditions = set()
    for _, place in written:
        known = services(place)
        for spec in known.values():
            for name, how in (spec.get("depends_on") or {}).items():
                ends = known[name]["command"] == ["true"]
                conditions.add((ends, how["condition"]))
    assert conditions == {(True, "service_completed_successfully"), (False, "service_started")}


def test_the_services_that_read_what_changes_are_known(written: list[tuple[JudgedStack, Path]]):
    for stack, place in written:
        on = "COMPOSE_PROFILES" in (place / ".env").read_text()
        reading = {
            name
            for name, spec in services(place).items()
            if any("./conf" in str(mount) for mount in spec.get("volumes") or ()) and (on or "profiles" not in spec)
        }
        assert set(stack.concerns) == reading
    assert any(stack.concerns for stack, _ in written)


def test_each_holds_secrets_that_are_looked_for(written: list[tuple[JudgedStack, Path]]):
    for _, place in written:
        assert SECRET in (place / ".env").read_text()
        assert SECRET in (place / "secret.txt").read_text()
        assert SECRET not in (place / "compose.yaml").read_text()


def test_no_two_stacks_want_one_port_network_or_name(written: list[tuple[JudgedStack, Path]]):
    for stack in drawn(playable_stacks(), 20):
        text = stack.files["compose.yaml"]
        assert not [word for word in ("container_name", "published", "subnet", "external:") if word in text]


def services(place: Path) -> dict[str, dict[str, Any]]:
    """The services as the compose file has them."""
    found: dict[str, dict[str, Any]] = load_config((place / "compose.yaml").read_text())["services"]
    return found
