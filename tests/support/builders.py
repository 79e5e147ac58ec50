"""Small whole things for the tests of the core: a stack, a release, a container. Each test says what it is about."""

import hashlib
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from flows.core.droplet.containers import Container, Healthcheck
from flows.core.records.history import History
from flows.core.records.record import Record, RecordOutcome
from flows.core.release.release import Image, Layer, Release
from flows.core.stack.stack import Stack

HOST = "registry.example.com"
GOOD, FAILED, BACK, OPEN = RecordOutcome.GOOD, RecordOutcome.FAILED, RecordOutcome.ROLLED_BACK, RecordOutcome.CANDIDATE
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def digest(name: str) -> str:
    """A digest of this name: of a hex digit, that digit all over."""
    digits = name * 64 if len(name) == 1 and name in "0123456789abcdef" else hashlib.sha256(name.encode()).hexdigest()
    return f"sha256:{digits}"


@cache
def public_key(name: str) -> str:
    """A public key in PEM form; the same for the same name."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def pinned(name: str, letter: str = "a") -> str:
    return f"{HOST}/team/{name}@{digest(letter)}"


def stack(services: dict, **more) -> Stack:
    """A stack as Compose resolves it; a service that says nothing else has an image of its own name."""
    spoken = {name: {"image": f"{HOST}/{name}:1", **spec} for name, spec in services.items()}
    return Stack.from_config({"name": "shop", "services": spoken, **more})


def image(*layers: tuple[str, int], platforms: tuple[str, ...] = ("linux/amd64",)) -> Image:
    return Image(platforms=platforms, layers=tuple(Layer(digest=digest(name), size=size) for name, size in layers))


def release(**more) -> Release:
    services = more.pop("services", {"web": pinned("web")})
    images = more.pop("images", {reference: image(("base", 1000)) for reference in services.values()})
    given = {"stack": "shop", "tag": "v1", "compose_files": ("compose.yml",), "registry": HOST}
    return Release(**{**given, "services": services, "images": images, **more})


def container(service: str = "web", **more) -> Container:
    given = {
        "id": f"id-{service}",
        "name": f"shop-{service}-1",
        "service": service,
        "image": pinned(service),
        "image_id": "sha256:image",
        "state": "running",
        "health": "none",
        "exit_code": 0,
        "oom_killed": False,
        "restarts": 0,
        "started": NOW,
        "healthcheck": None,
        "address": "172.18.0.2",
        "last_words": "",
        "labels": (("com.docker.compose.oneoff", "False"),),
    }
    return Container(**{**given, **more})


def checked(health: str, service: str = "web", **more) -> Container:
    """A container with a healthcheck of 1 s, 3 retries and a start period of 20 s."""
    check = Healthcheck(interval=1, timeout=1, retries=3, start_period=20)
    return container(service, health=health, healthcheck=check, **more)


def record(number: int, tag: str, outcome: RecordOutcome = GOOD, **more) -> Record:
    return Record(number=number, stack="shop", tag=tag, name=f"{tag}.0", outcome=outcome, **more)


def past(*records: Record, current: str | None = None, gone: tuple[str, ...] = ()) -> History:
    kept = frozenset(r.name for r in records) - set(gone)
    return History(records, kept, records[-1].name if current is None else current, (), len(records))
