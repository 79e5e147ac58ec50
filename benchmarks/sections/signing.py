"""What signing, attesting and verifying nine images adds to a release, and how fast hostile text is masked."""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.command import BenchmarkFailed
from benchmarks.lab import NAME
from benchmarks.measure import Section, alternate, judged, median, ratio, seconds, timed
from benchmarks.slipway import Ran, command, in_process
from blocks import ContainerRegistry, SigningKey, TrustedKeys
from blocks.signing.trusted_keys import TrustedKey
from flows.core.secrets.masking import Mask
from flows.core.trust.signatures import Claim
from flows.settings import Settings
from flows.tasks.trust.cosign import cosign_at
from flows.tasks.trust.keys import generate_key
from flows.tasks.trust.verification import verify_signatures

SIGNING, VERIFYING, LINEAR = 0.25, 2.0, 12.0
_STEPS = ("find signatures", "read packages", "sign images", "sign release")
_MEGABYTE = 1_000_000
# What a service may print to keep a pattern busy: long words, half credentials, escapes, and lines without an end.
_HOSTILE = "TOKEN=pass" + "pass" * 40 + " https://user:x@" + "a." * 200 + " \x1b[31m" + "-" * 300 + "\n" + "k" * 500


def measure(bench: Bench) -> list[Section]:
    """One table: signing beside the build and push of the same images, verifying nine beside one, and masking."""
    section = Section("Signing, verifying, masking", ("what", "time", "beside", "time", "ratio", "target", ""))
    with _keys() as key:
        bench.start_over()
        directory = str(bench.ours.directory)
        command("build-push", "--stack", directory)  # the layers of the base are read once
        signed: list[Ran] = []

        def publish(signing: str) -> float:
            bench.ours.change_every_service()
            with _settings(SLIPWAY_SIGNING=signing):
                ran = command("build-push", "--stack", directory)
            if signing:
                signed.append(ran)
            return ran.seconds

        sides = {"signed": lambda: publish(NAME), "unsigned": lambda: publish("")}
        found = alternate(bench.rounds, sides, lambda words: bench.tell(f"build and push, {words}"))
        spent = [sum(ran.spent(step) for step in _STEPS) for ran in signed]
        plain = found["unsigned"]
        section.add("sign and attest nine new images", seconds(spent), "build and push them, warm", seconds(plain),
                    *judged(ratio(spent, plain), SIGNING), strong=True)  # fmt: skip
        publish(NAME)
        _verify(bench, section, key, _images())
    _mask(bench, section)
    return [section]


def _verify(bench: Bench, section: Section, key: SigningKey, images: Sequence[str]) -> None:
    settings, registry = Settings(), ContainerRegistry.load(NAME)
    with cosign_at(registry, settings) as cosign:
        trusted = TrustedKey(public_key=key.public_key)

        def verify(references: Sequence[str]) -> float:
            claims, answers = [Claim(reference, {}, reference) for reference in references], []
            spent = timed(lambda: answers.extend(verify_signatures(claims, trusted, cosign)))
            if any(answer.returncode for _, answer in answers):
                raise BenchmarkFailed(f"cosign does not verify what was signed: {answers[0][1].stderr}")
            return spent

        sides = {"nine": lambda: verify(images), "one": lambda: verify(images[:1])}
        found = alternate(3 * bench.rounds, sides, lambda words: bench.tell(f"verify, {words}"))
    section.add(f"verify {len(images)} images", seconds(found["nine"]), "verify one", seconds(found["one"]),
                *judged(ratio(found["nine"], found["one"]), VERIFYING), strong=True)  # fmt: skip


def _mask(bench: Bench, section: Section) -> None:
    mask = Mask(frozenset(f"secret-{number}-{'x' * number}" for number in range(6, 40)))
    texts = {size: (_HOSTILE * (size * _MEGABYTE // len(_HOSTILE) + 1))[: size * _MEGABYTE] for size in (1, 10)}
    sides = {str(size): lambda size=size: timed(lambda: mask(texts[size])) for size in texts}
    found = alternate(bench.rounds, sides, lambda words: bench.tell(f"mask, MB: {words}"))
    section.add("mask 10 MB of hostile text", seconds(found["10"]), "mask 1 MB", seconds(found["1"]),
                *judged(ratio(found["10"], found["1"]), LINEAR), strong=True)  # fmt: skip
    section.notes.append(f"Masking: {10 / median(found['10']):.1f} MB a second, with 34 secrets known.")


def _images() -> list[str]:
    metadata = json.loads(Path(os.environ["SLIPWAY_REPORTS"], "push-docr-metadata.json").read_text())
    return sorted(set(metadata["images"].values()))


@contextlib.contextmanager
def _keys() -> Iterator[SigningKey]:
    """A key pair of the benchmark's own, under its name."""
    key = in_process(lambda: generate_key(Settings()))
    try:
        yield key
    finally:
        SigningKey.delete(NAME)
        TrustedKeys.delete(NAME)


@contextlib.contextmanager
def _settings(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
