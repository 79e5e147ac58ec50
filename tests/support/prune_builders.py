"""Small whole things for the tests of pruning: releases on a droplet, their records, images and containers."""

from flows.core.prune.inventory import ContainerEntry, Inventory, LocalImage
from flows.core.records.history import History
from flows.core.records.record import Record, RecordOutcome
from tests.support.builders import digest, release

STACK = "shop"


def name(letter: str) -> str:
    """A release directory, as `release_name` calls it."""
    return f"{letter}.{letter * 16}"


def reference(letter: str) -> str:
    return f"registry.example.com/team/{letter}@{digest(letter)}"


def document(tag: str, *letters: str) -> str:
    """The document of a release whose services run these images."""
    return release(tag=tag, services={f"service-{n}": reference(n) for n in letters or tag}).document().decode()


def image(letter: str, **more) -> LocalImage:
    """An image of the stack, as a pull leaves it."""
    tags, digests = (f"registry.example.com/team/{letter}:slipway-{letter * 16}",), (reference(letter),)
    given = {"id": f"sha256:{letter}", "tags": tags, "digests": digests, "project": STACK, "size": 1_000_000}
    return LocalImage(**{**given, **more})


def container(letter: str, **more) -> ContainerEntry:
    """A container that Compose made, of the image of this letter."""
    given = {
        "id": f"id-{letter}", "name": f"shop-service-{letter}-1", "image": f"sha256:{letter}", "state": "running",
        "project": STACK, "service": f"service-{letter}", "one_off": "False", "number": "1",
    }  # fmt: skip
    return ContainerEntry(**{**given, **more})


def history(words: str, current: str = "", **more) -> History:
    """`ag bf`: release a was good, then release b failed (g, f, c: good, failed, candidate)."""
    outcomes = {"g": RecordOutcome.GOOD, "f": RecordOutcome.FAILED, "c": RecordOutcome.CANDIDATE}
    records = tuple(
        Record(number=number, stack=STACK, tag=letter, name=name(letter), outcome=outcomes[outcome])
        for number, (letter, outcome) in enumerate(words.split(), 1)
    )
    standing = frozenset(record.name for record in records)
    return History(**{"records": records, "kept": standing, "current": name(current) if current else "", **more})


def inventory(letters: str, **more) -> Inventory:
    """A droplet with one release for each letter, and its image."""
    documents = {name(letter): document(letter) for letter in letters}
    return Inventory(**{"stack": STACK, "documents": documents, "images": tuple(map(image, letters)), **more})
