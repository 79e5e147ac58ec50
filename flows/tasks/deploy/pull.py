"""Pulls images onto a droplet: for a deploy, or ahead of it while others are still being pushed."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from prefect.logging import get_logger

from blocks import ContainerRegistry
from blocks.errors import CertificateRefused, LoginRefused, OutsideError, RemoteFailed
from blocks.ssh.shell import RemoteShell
from flows.core.deploy.facts import facts_script, read_facts
from flows.core.deploy.preflight import RESERVE, missing_images, older_compose
from flows.core.deploy.pull import LOGIN_FAILED, PULLED, RegistryLogin, pull_script, read_pulls
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import DropletNotReady, PullFailed, SlipwayError
from flows.core.registry.certificates import certificate_hint
from flows.core.registry.logins import login_refused
from flows.core.release.release import Release
from flows.settings import Settings
from flows.tasks.droplet.connection import QUICK
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_end
from flows.tasks.runs.retries import RETRIED


def pull_references(
    session: RemoteShell,
    references: Sequence[str],
    registry: ContainerRegistry,
    settings: Settings,
    on_line: Callable[[str], None] | None = None,
) -> dict[str, float | None]:
    """Pull these images by digest; returns how many seconds each took, None where that is not known.

    Raises:
        CertificateRefused, LoginRefused, PullFailed
    """
    login = registry.login(write=False)
    try:
        return _pull(session, references, registry, login, settings, on_line)
    except LoginRefused as error:
        fresh = registry.renew(write=False)
        if fresh is None:
            raise
        get_logger("slipway.hooks").warning("%s. It has expired, or was revoked; trying a new one", error)
        return _pull(session, references, registry, fresh, settings, on_line)


def _pull(
    session: RemoteShell,
    references: Sequence[str],
    registry: ContainerRegistry,
    login: tuple[str, str],
    settings: Settings,
    on_line: Callable[[str], None] | None,
) -> dict[str, float | None]:
    user, password = login
    script = pull_script(references, RegistryLogin(registry.host, user))

    def show(line: str) -> None:
        if on_line and not line.startswith(PULLED):
            on_line(line)

    try:
        answer = session.run(script, timeout=settings.pull_timeout, stdin=password.encode(), on_line=show)
        return {**dict.fromkeys(references), **read_pulls(answer.out)}
    except RemoteFailed as error:
        said = masked_end(error.output)
        if hint := certificate_hint(error.output):
            raise CertificateRefused(f"{session.address} could not pull: {said}. {hint}") from None
        if error.code == LOGIN_FAILED:
            raise LoginRefused(f"registry {registry.host} as seen from {session.address}: {said}") from None
        if login_refused([error.output]):
            registry.renew(write=False)  # for the next try: what is pulled for long may outlive its login
        raise PullFailed(f"{session.address} could not pull: {said}") from None


@task(name="pull ahead", task_run_name="pull the images of {release.tag} ahead", **RETRIED)
def pull_ahead(session: RemoteShell, release: Release, registry: ContainerRegistry, settings: Settings) -> None:
    """Pull by digest all that a release runs and the droplet does not have, whatever part of it goes where.

    Raises:
        CertificateRefused, LoginRefused, PullFailed
    """
    script = facts_script(StackDirectory("/", ""), sorted(release.images))
    if missing := missing_images(release, read_facts(session.run(script, timeout=QUICK).out, "").present):
        pull_references(session, missing, registry, settings)


class PrefetchQueue:
    """Lets a droplet pull each image as soon as it is pushed, while the next is still on its way.

    It only saves time: what it could not or would not pull (too little disk, another architecture, no engine), the
    deploy pulls, or refuses. Use it as a context manager; it waits for its pulls at the end. `pulled` says then how
    many seconds each took, by reference.
    """

    def __init__(
        self,
        session: RemoteShell,
        registry: ContainerRegistry,
        settings: Settings,
        log: logging.Logger | logging.LoggerAdapter[logging.Logger],
    ) -> None:
        self._session = session
        self._registry = registry
        self._settings = settings
        self._log = log
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="pull-ahead")
        self._work: list[Future[None]] = []
        self._stopped = False
        self.pulled: dict[str, float | None] = {}

    def check_compose(self, stack: str, needs: Mapping[str, str]) -> None:
        """Refuse, before anything is built, a stack that the droplet's Compose does not know all fields of.

        Args:
            needs: field with its place → the version that brought it.

        Raises:
            DropletNotReady
        """
        if not needs:
            return
        have = self._session.run("docker compose version --short 2>/dev/null || true", timeout=QUICK).out.strip()
        if against := older_compose(have, needs):
            raise DropletNotReady(f"{self._session.address} cannot take stack {stack}: {'; '.join(against)}")

    def __enter__(self) -> "PrefetchQueue":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = kind is not None
        self._pool.shutdown(wait=kind is None, cancel_futures=kind is not None)

    def pull(self, sizes: Mapping[str, int], platforms: Mapping[str, str]) -> None:
        """Begin to pull images: reference by digest → unpacked bytes, and → platform."""
        if sizes:
            self._work.append(self._pool.submit(self._pull, dict(sizes), dict(platforms)))

    def _pull(self, sizes: dict[str, int], platforms: dict[str, str]) -> None:
        if self._stopped:
            return
        try:
            facts = read_facts(
                self._session.run(facts_script(StackDirectory("/", ""), sorted(sizes)), timeout=QUICK).out, ""
            )
            missing = [
                reference for reference in sorted(set(sizes) - facts.present) if platforms[reference] == facts.platform
            ]
            if not missing or facts.free < sum(sizes[reference] for reference in missing) + RESERVE:
                return
            self.pulled |= pull_references(self._session, missing, self._registry, self._settings)
            self._log.info("%s has pulled %d images ahead", self._session.address.name, len(missing))
        except (OutsideError, SlipwayError) as error:
            if self._stopped:  # the release failed, its connection is closed, and that is said already
                return
            self._log.warning("nothing was pulled ahead: %s", error)
