"""Brings a release's files to the paths that services write to, and leaves there what is the services' own."""

from prefect.logging import get_run_logger

from flows.core.deploy.files.droplet_trees import read_trees, trees_script
from flows.core.deploy.files.writable import (
    QUICKER,
    Bringing,
    brought,
    in_question,
    mounted_roots,
    plan_bringing,
    sentences,
)
from flows.core.deploy.files.writable_scripts import bring_script, look_script, read_kept, read_look
from flows.core.errors import FilesInConflict
from flows.core.release.bundle import SEED
from flows.core.release.release import Release
from flows.core.release.tree import Tree
from flows.tasks.deploy.deployment import Deployment


def compare_writable(deployment: Deployment, tree: Tree | None, before: Release | None) -> Bringing:
    """Compare what a release brings to writable paths with what stands there, and decide what is changed.

    Args:
        tree: what the release's directory holds; None: what it holds on the droplet, for a release that goes into force
            again. That is never refused.
        before: the release that is in force, where it is known.

    Raises:
        FilesInConflict: a service has changed a file that the release brings, and the stack says to refuse that.
    """
    d = deployment
    stateless = not d.release.state and not (before and before.state)
    brings = tree is None or any(name.startswith(f"{SEED}/") for name in tree)
    if tree is not None and (stateless or not (brings or before)):
        return Bringing()
    answer = d.session.run(trees_script(d.directory, name=d.name), timeout=d.settings.pull_timeout)
    trees = read_trees(answer.out)
    if tree is None and d.name not in trees.named:
        return Bringing()  # version 0.1 put it there: nobody knows what it brought
    new, bases = brought(trees.named[d.name] if tree is None else tree), [brought(base) for base in trees.bases]
    roots = mounted_roots(d.release.state, (new, *bases))
    paths = in_question(bases, new, roots)
    if not paths:
        return Bringing()
    said = d.session.run(["sh"], timeout=d.settings.pull_timeout, stdin=look_script(d.directory, paths, roots)).out
    rules = dict(d.release.rules)
    if tree is None:
        rules |= {path: "keep" for path, rule in rules.items() if rule == "refuse"}
    bringing = plan_bringing(bases, new, read_look(said, paths, roots), roots, rules)
    if bringing.refused:
        raise FilesInConflict(
            f"{'; '.join(f'{paths}: {why}' for why, paths in sentences(bringing.refused))}, where x-slipway.mounts "
            f"says to refuse. Nothing on {d.droplet} was changed. Look at them there, in {d.directory.shared}; `keep` "
            "or `take` lets it through"
        )
    return bringing


def bring(deployment: Deployment, bringing: Bringing) -> dict[str, str]:
    """Make the changes that were decided; returns what stays as services have it: path → why."""
    d = deployment
    kept = dict(bringing.kept)
    if bringing.changes:
        script = bring_script(d.directory, d.name, bringing)
        answer = d.session.run(["sh"], timeout=d.settings.pull_timeout, stdin=script)
        kept |= dict.fromkeys(read_kept(answer.out, bringing), QUICKER)
    for why, paths in sentences(kept):
        get_run_logger().warning("%s on %s: %s", paths, d.droplet, why)
    return kept
