"""Puts a release's files on a droplet: what is there already is linked, and only the rest is sent."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from prefect.logging import get_run_logger

from blocks.errors import RemoteFailed
from flows.core.deploy.content_labels import content_labels, refuse_unset_contents
from flows.core.deploy.facts import Facts
from flows.core.deploy.files.droplet_trees import TREE_ID, read_trees, tree_id, trees_script
from flows.core.deploy.files.reuse import WORTH_ASKING, plan_reuse, reuse_script
from flows.core.deploy.files.staging import local_override
from flows.core.deploy.files.staging_scripts import (
    discard_script,
    in_memory,
    override_script,
    prepare_script,
    stage_script,
    staged_members,
    timed,
)
from flows.core.deploy.preflight import missing_external
from flows.core.droplet.docker_commands import complaint
from flows.core.droplet.running import stack_there
from flows.core.errors import BrokenStack, DropletNotReady
from flows.core.release.archive import Member, packed, tar_stream
from flows.core.release.bundle import TREE
from flows.core.release.release import Release
from flows.core.release.role import refuse_mixed, whole_stack
from flows.core.release.shipment import counted
from flows.core.release.tree import Entry, Tree, dump_tree, total
from flows.core.stack.compose_yaml import load_config
from flows.core.stack.side_by_side.override import networks_from_home
from flows.core.stack.stack import Stack
from flows.core.steps import Step
from flows.core.traffic.colours import COLOURS
from flows.tasks.deploy.deployment import Deployment, ReleasePayload
from flows.tasks.deploy.reading import Reading, compare_readings
from flows.tasks.droplet.connection import QUICK
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_line
from flows.tasks.runs.retries import RETRIED
from flows.tasks.stack.reading import refuse_unset, unset_variables

# The tools that put files into place, as they begin a complaint.
_FILES = re.compile(r"^(mkdir|chmod|rm|tar|cp|ln|mv|sh|gzip): .*", re.MULTILINE)
_PRIVATE = 0o600
# Seconds: the list of a large tree is more than a droplet says elsewhere.
_LOOK = 120.0


@task(
    name=Step.PUT_FILES.value,
    task_run_name="put the release's files on {deployment.droplet}",
    **RETRIED,
)
def put_files(deployment: Deployment, payload: ReleasePayload, facts: Facts, here: Future[Reading]) -> Stack:
    """Put the release's files beside the running one, and read with the droplet's own Compose what they come to.

    Args:
        here: what this host makes of them.
        facts: what the preflight found.

    Raises:
        DropletNotReady: it lacks a network or volume that the stack does not make itself.
        UnsetVariables, BrokenStack, ReadingsDiffer, StateUndeclared: what was put there is removed again.
    """
    d = deployment
    staged = payload.staged(d.release, d.directory)
    try:
        again = d.name in facts.history.kept
        taken = _take(d, staged.tree, payload) if again or total(staged.tree) >= WORTH_ASKING else _Taken()
        tree = timed(staged.tree, int(time.time()), {**taken.standing, **taken.linked})
        stream = _Counted(packed(tar_stream(members_to_send(payload, d, tree, taken.linked))))
        script = stage_script(d.release, d.directory, d.name, tree, like=taken.like, prepared=taken.prepared)
        answer = d.session.run(script, timeout=d.settings.pull_timeout, stdin=stream)
    except RemoteFailed as error:
        _refuse_broken(error, d)
    _tell(tree, taken.linked, stream.bytes)
    try:
        printed = answer.out.replace(d.directory.incoming(d.name), "")
        compare_readings(d.release, here.result(), printed, answer.err, there=(d.droplet, facts.compose))
        config = load_config(answer.out)
        stack = stack_there(config)
        refuse_mixed(d.release, stack)
        if against := missing_external(config, facts, _made_by_home(d.release)):
            raise DropletNotReady(f"{d.session.address} cannot take release {d.release.tag}: {'; '.join(against)}")
        refuse_unset_contents(stack, payload.variables, f"stack {d.release.stack} uses")
        if labels := content_labels(stack, payload.variables, d.release.services, d.release.stack):
            override = local_override(d.release, payload.secrets, payload.role, labels)
            d.session.run(override_script(d.directory, d.name), timeout=QUICK, stdin=override)
        return stack
    except Exception:
        d.session.run(discard_script(d.directory, d.name), timeout=QUICK, check=False)
        raise


def _made_by_home(release: Release) -> tuple[str, ...]:
    """The networks that the data home makes for a colour on the same droplet."""
    facts, stack = release.side_by_side, whole_stack(release.stack)
    return tuple(n for c in COLOURS for n in networks_from_home(facts, stack=stack, colour=c)) if facts else ()


@dataclass(frozen=True)
class _Taken:
    """What a release takes from one that stands there.

    Args:
        linked: name → the entry it has there.
        like: the release whose files are all linked when the others are unpacked; '' for none.
        prepared: the directory is there, and holds what is linked.
        standing: where the same release stands already, its files as they were put there.
    """

    linked: Mapping[str, Entry] = field(default_factory=dict)
    like: str = ""
    prepared: bool = False
    standing: Mapping[str, Entry] = field(default_factory=dict, hash=False)


def _take(deployment: Deployment, tree: Tree, payload: ReleasePayload) -> _Taken:
    """Look what an earlier release has too; where more is to be done than to link it, do that."""
    d = deployment
    wanted = tree_id(payload.files.own[TREE].content) if TREE in payload.files.own else ""
    trees = read_trees(d.session.run(trees_script(d.directory, wanted, d.name, standing=True), timeout=_LOOK).out)
    name, there = trees.twin
    same = trees.named.get(d.name, {})
    standing = {n: entry for n, entry in same.items() if n in tree and tree[n].content == entry.content}
    reuse = plan_reuse(tree, there, trees.standing)
    if reuse.touched:
        get_run_logger().warning(
            "%d files of release %s on %s are not as they were put there; they are sent again",
            reuse.touched, name, d.droplet,
        )  # fmt: skip
    linked = {new: there[old] for new, old in reuse.names.items()}
    if not linked:
        return _Taken(standing=standing)
    if not reuse.unwanted and not reuse.moved:
        return _Taken(linked, name, standing=standing)
    script = reuse_script(d.directory.release(name), d.directory.incoming(d.name), reuse)
    d.session.run(prepare_script(d.directory, d.name), timeout=d.settings.pull_timeout, stdin=script)
    return _Taken(linked, prepared=True, standing=standing)


def members_to_send(
    payload: ReleasePayload, deployment: Deployment, tree: Tree, linked: Iterable[str]
) -> Iterator[Member]:
    """Everything of a release that is sent to a droplet, the list of the whole last.

    Args:
        tree: what its directory will hold.
        linked: names of the files that are there already.
    """
    staged = payload.staged(deployment.release, deployment.directory)
    here = set(linked)
    yield from (member for member in staged_members(staged, tree) if member.name not in here)
    wanted = [name for name in staged.published if name not in here]
    for name, _, content in payload.files.contents(wanted):
        yield Member(name, tree[name], lambda content=content: content)  # type: ignore[misc]
    yield in_memory(TREE, dump_tree(tree), _PRIVATE)
    if TREE in payload.files.own:
        yield in_memory(TREE_ID, f"{tree_id(payload.files.own[TREE].content)}\n".encode(), _PRIVATE)


class _Counted:
    """Pieces that are counted as they are sent."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.bytes += len(piece)
            yield piece


def _tell(tree: Tree, linked: Mapping[str, Entry], sent: int) -> None:
    files = {name: entry for name, entry in tree.items() if entry.kind == "file"}
    new = len(files) - len(linked)
    there = f"; {counted(len(linked), total(linked))} were there" if linked else ""
    get_run_logger().info("✓ %s of %s files sent, %s bytes%s", f"{new:,}", f"{len(files):,}", f"{sent:,}", there)


def _refuse_broken(error: RemoteFailed, deployment: Deployment) -> None:
    if failed := _FILES.search(error.output):
        why = masked_line(failed.group())
        raise DropletNotReady(
            f"{deployment.session.address}: {deployment.directory.path} cannot be written: {why}. "
            "Make room there, or give its block a directory that its user may write to"
        ) from None
    refuse_unset(unset_variables(error.output), f"stack {deployment.release.stack} uses")
    raise BrokenStack(
        f"Compose on {deployment.session.address} cannot read the stack: {masked_line(complaint(error.output))}"
    ) from None
