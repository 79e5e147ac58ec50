"""A service at close hand: its log as it comes, and a command inside of it; secrets are masked as everywhere else."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from blocks.ssh.session import Session
from blocks.ssh.streaming import stream_command
from flows.api.client import PrefectApi
from flows.core.debug.service_commands import (
    exec_argv,
    logs_argv,
    read_service_names,
    services_script,
    with_service,
)
from flows.core.droplet.sections import sections
from flows.core.errors import BadRelease, ConflictingOptions, UnreadableAnswer
from flows.core.release.release import read_release
from flows.looking.places import LookedAt, ask_each, named_places
from flows.looking.traffic import read_traffic
from flows.settings import Settings
from flows.tasks.droplet.deployed_secrets import register_environment_secrets
from flows.tasks.runs.log_masking import mask

_TIMEOUT_S = 60.0
Show = Callable[[str, str], None]


def places_with(
    api: PrefectApi, stack: str, service: str, *, droplet: str | None, colour: str | None, settings: Settings
) -> dict[str, LookedAt]:
    """The places that have a service: the one that is named, those of a colour, else those that traffic reaches.

    Raises:
        ConflictingOptions, UnknownService, NothingDeployed, BlockMissing
        what opening a droplet raises, where no droplet could be asked.
    """
    if droplet and colour:
        raise ConflictingOptions("give --droplet or --colour, not both")
    places = named_places(api, stack, droplet, settings)
    if colour:
        places = {name: place for name, place in places.items() if settings.colours.of(name) == colour}
    said = ask_each(_services, places.values())
    known = {name: one for name, one in said.items() if not isinstance(one, Exception)}
    if not known:
        for one in said.values():
            if isinstance(one, Exception):
                raise one
    found = with_service(known, service)
    colours = {settings.colours.of(name) for name in found} - {None}
    if len(colours) > 1 and (active := read_traffic(api, settings).active):
        found = tuple(name for name in found if settings.colours.of(name) in (None, *active)) or found
    return {name: places[name] for name in found}


def show_logs(places: Sequence[LookedAt], service: str, show: Show, *, tail: int, since: str, follow: bool) -> None:
    """Print the log of a service, from every place at once.

    Args:
        show: is given the place's name and a line.

    Raises:
        Unreachable
    """
    argv = {
        place.name: logs_argv(place.directory, [service], tail=tail, since=since, follow=follow) for place in places
    }
    stop, lock = threading.Event(), threading.Lock()

    def one(place: LookedAt) -> None:
        def line(text: str) -> None:
            with lock:
                show(place.name, mask(text))

        with place.session() as session:
            _know_secrets(session, place)
            if follow:
                stream_command(session, argv[place.name], line, stopped=stop.is_set)
            else:
                session.run(argv[place.name], timeout=_TIMEOUT_S, on_line=line, check=False, name="logs")

    with ThreadPoolExecutor(len(places)) as pool:
        try:
            for done in as_completed([pool.submit(one, place) for place in places]):
                done.result()
        finally:
            stop.set()


def run_inside(
    place: LookedAt, service: str, command: Sequence[str], show: Show, *, stdin: bytes, timeout: float
) -> int:
    """Run a command inside a service, and return its exit code.

    Args:
        show: is given `out` or `err`, and a line.
        stdin: what it reads.
        timeout: seconds until it is ended.

    Raises:
        RemoteTimeout, OutputTooLarge, Unreachable
    """
    with place.session() as session:
        _know_secrets(session, place)
        done = session.run(exec_argv(place.directory, service, command), timeout=timeout, stdin=stdin, check=False,
                           name=command[0])  # fmt: skip
    for stream, text in (("out", done.out), ("err", done.err)):
        for line in mask(text).splitlines():
            show(stream, line)
    return done.code


def _services(place: LookedAt) -> tuple[str, ...]:
    with place.session() as session:
        return read_service_names(
            session.run(services_script(place.directory), timeout=_TIMEOUT_S, name="services").out
        )


def _know_secrets(session: Session, place: LookedAt) -> None:
    """Remember what the release there was given: services print what they please."""
    said = sections(session.run(services_script(place.directory), timeout=_TIMEOUT_S, name="services").out)
    try:
        release = read_release(said["release"].encode()) if said.get("release") else None
    except (BadRelease, UnreadableAnswer):
        release = None
    register_environment_secrets(session, place.directory.current, release)
