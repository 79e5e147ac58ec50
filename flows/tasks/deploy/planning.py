"""A deploy that is prepared, and its plan: what it would do on its droplet, found out in one look."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field

from blocks import Droplet
from blocks.ssh.shell import RemoteShell
from flows.core.deploy.facts import Facts, facts_script, read_facts
from flows.core.deploy.files.staging import secret_contents
from flows.core.deploy.plan.plan import DeployPlan, plan_deploy
from flows.core.deploy.plan.readings import (
    Coming,
    Standing,
    coming,
    hashed_config,
    read_standing,
    standing_sections,
)
from flows.core.droplet.places import block_of, split_place
from flows.core.errors import SlipwayError
from flows.core.release.bundle import ReleaseFiles
from flows.core.release.release import Release, read_release
from flows.core.release.role import Role, as_role, part_override, role_files
from flows.core.stack.variables import active_profiles, without_steering
from flows.settings import Settings, Strategy
from flows.tasks.deploy.deployment import ReleasePayload
from flows.tasks.deploy.reading import Reading, read_here
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.target import Target
from flows.tasks.runs.blocks import layout, load_environment, load_registry
from flows.tasks.stack.environment import variables


@dataclass(frozen=True)
class PreparedDeploy:
    """A release and all that comes with it, ready to be put on one droplet; nothing was asked of that yet.

    Args:
        release: the part of it that runs there.
        here: what this host makes of it, once it is known.
    """

    target: Target
    release: Release
    payload: ReleasePayload
    here: Future[Reading] = field(compare=False)

    @classmethod
    def of(
        cls, droplet: Droplet, whole: Release, published: ReleaseFiles, *, role: Role, env_file: str | None,
        settings: Settings,
    ) -> "PreparedDeploy":  # fmt: skip
        """Prepare the part of a release that runs on a droplet of this role."""
        environment = load_environment(settings, whole.stack)
        values = variables(environment, env_file)
        part = split_place(droplet.name)[1]
        release = as_role(whole, role, part)
        secrets = secret_contents(release, environment.contents())
        colour = settings.colours.of(droplet.name) or ""
        prefix = layout(load_registry(settings)).prefix
        values = {**values, "REGISTRY": prefix, "IMAGE_TAG": whole.tag, "SLIPWAY_COLOUR": colour}
        release = release.model_copy(update={"profiles": active_profiles(release.profiles, values)})
        files = published if release == whole else role_files(published, release)
        home_beside = bool(part) and block_of(settings.home) == droplet.block
        payload = ReleasePayload(files, values, secrets, part_override(whole, role, part, home_beside))
        target = Target.of(droplet, release.stack, settings)
        content = payload.staged(release, target.directory).content
        return cls(target, release, payload, _begun(lambda: read_here(release, content, values, settings)))

    @property
    def name(self) -> str:
        """The directory that the release will have."""
        return self.payload.name(self.release.tag)


@dataclass(frozen=True)
class LookAhead:
    """What a look at a droplet asks so that a plan can be made: further sections, and the stack to hash there."""

    sections: Mapping[str, str]
    stdin: bytes = field(repr=False)
    coming: Coming

    @classmethod
    def of(cls, prepared: PreparedDeploy) -> "LookAhead":
        """What is asked for this deploy. A stack that cannot be read here is refused later, where it is put there."""
        p, directory = prepared, prepared.target.directory
        try:
            here = p.here.result()
        except SlipwayError:
            here = Reading({}, "")
        tree = p.payload.staged(p.release, directory).tree
        values = without_steering(p.payload.variables)
        comes, services = coming(
            p.release, here.config, here.version, here.unknown, values, p.payload.secrets, tree
        )  # fmt: skip
        config = hashed_config(p.release, here.config, services, directory) if services else b""
        return cls(standing_sections(directory, p.release, hashed=bool(config)), config, comes)


def look_at(session: RemoteShell, prepared: PreparedDeploy, ahead: LookAhead) -> tuple[Facts, Standing]:
    """The facts of a droplet, and what a plan compares with; by one command, which changes nothing.

    Raises:
        ForeignRecord, NewerRecord
    """
    release, directory = prepared.release, prepared.target.directory
    script = facts_script(directory, sorted(release.images), ahead.sections)
    said = session.run(script, timeout=QUICK, stdin=ahead.stdin).out
    facts = read_facts(said, release.stack)
    return facts, read_standing(said, directory, facts.history.current, release)


def plan_of(
    prepared: PreparedDeploy, facts: Facts, standing: Standing, ahead: LookAhead, strategy: Strategy
) -> DeployPlan:
    """The plan, by what was seen."""
    release, current = prepared.release, current_release(facts)
    return plan_deploy(prepared.target.name, release, current, facts, standing, ahead.coming, strategy)


def current_release(facts: Facts) -> Release | None:
    """The release the droplet runs now; None when there is none, or its document is unreadable."""
    try:
        return read_release(facts.current.encode()) if facts.current else None
    except Exception:
        return None


def _begun(work: Callable[[], Reading]) -> Future[Reading]:
    """The work, begun in a thread: Compose reads the stack here while the droplet is reached and locked."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="read-here")
    begun = pool.submit(copy_context().run, work)
    pool.shutdown(wait=False)
    return begun
