"""Without a second colour: the release is changed where traffic reaches it, by plain Compose commands."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.command import BenchmarkFailed
from benchmarks.load import load
from benchmarks.switches.ground import Ground, answering, credentials
from benchmarks.switches.way import Decision, Way
from flows.core.droplet.directories import COMMAND
from flows.tasks.runs.blocks import load_registry

RUNBOOK = "the runbook: down, pull, up -d"
IN_PLACE = "docker compose pull, up -d"
_COMPOSE = {
    RUNBOOK: ("down --remove-orphans", "pull --quiet", "up --detach --no-build"),
    IN_PLACE: ("pull --quiet", "up --detach --no-build --remove-orphans"),
}
_LOGIN = "/run/slipway-switch-login"


def measure(ground: Ground, name: str, rounds: int, rest: float) -> Way:
    """Change the active colour's release by the commands of that way, there and back again in turn.

    Args:
        name: `RUNBOOK` or `IN_PLACE`.
        rest: seconds before the first round and after each.
    """
    way, colour = Way(name, rounds), ground.active()
    ground.tell(f"{name}: putting the files of two releases on {colour}")
    names = [ground.put(tag, colour) for tag in (ground.tags[1], ground.tags[0])]
    with _logged_in(ground, colour), load(ground.url) as running:
        running.wait(rest)
        for number in range(1, rounds + 1):
            to, now = names[(number - 1) % 2], names[number % 2]
            ground.inside(colour, _forget(ground, to, now))
            try:
                decision = _change(ground, name, colour, to)
            except BenchmarkFailed as error:
                way.trouble.append(f"round {number} failed: {str(error).splitlines()[-1]}")
            else:
                way.done += 1
                (way.back if number % 2 == 0 else way.decisions).append(decision)
                ground.tell(f"{name}: round {number} of {rounds}: {decision.over - decision.at:.1f} s")
            running.wait(rest)
    way.result = running.result
    ground.put(ground.tags[0], colour)  # by Slipway, so that its records say again what runs there
    return way


def _change(ground: Ground, name: str, colour: str, to: str) -> Decision:
    """The release's directory is in place, as the runbook's `git pull` would leave it; only Compose is measured."""
    home, before = ground.home(), answering(ground.url)
    link = f"ln -sfn releases/{to} {home.current}.new && mv -T {home.current}.new {home.current}"
    commands = [f"{home.current}/{COMMAND} {words}" for words in _COMPOSE[name]]
    decided = time.time()
    ground.inside(colour, "\n".join(["set -eu", f"export DOCKER_CONFIG={_LOGIN}", link, *commands]))
    release = answering(ground.url, lambda said: said != before)
    return Decision(decided, time.time(), release=release)


def _forget(ground: Ground, to: str, now: str) -> str:
    """A script that removes the images that only the release to come has, so that they are pulled as new ones are."""
    home = ground.home()
    images = [f"grep -o '[^ ]*@sha256:.*' {home.release(name)}/override.yml | sort -u" for name in (to, now)]
    return "\n".join([
        f"{images[0]} >/tmp/to && {images[1]} >/tmp/now || exit 1",
        "comm -23 /tmp/to /tmp/now | while read -r image; do",
        "    id=$(docker image inspect --format '{{.Id}}' \"$image\" 2>/dev/null) && docker image rm --force $id",
        "done; true",
    ])  # fmt: skip


@contextmanager
def _logged_in(ground: Ground, colour: str) -> Iterator[None]:
    """The plain commands find a login on the droplet; it is gone afterwards."""
    known, registry = credentials(), load_registry(ground.settings)
    login = f"docker login --username {known['registry_username']} --password-stdin {registry.host}"
    try:
        ground.inside(colour, f"export DOCKER_CONFIG={_LOGIN}\n{login} <<'END'\n{known['registry_password']}\nEND\n")
        yield
    finally:
        ground.inside(colour, f"rm -rf {_LOGIN}")
