"""Builders of scripts and of their parts, each given hostile words wherever a name, a path or a reference may stand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flows.core.debug.collectors import CollectorTarget, collector_script
from flows.core.debug.overview import overview_script
from flows.core.debug.service_commands import services_script
from flows.core.deploy.deployed_state import deployed_state_script
from flows.core.deploy.facts import facts_script
from flows.core.deploy.files.droplet_trees import trees_script
from flows.core.deploy.files.reuse import Reuse, link_lines, reuse_script
from flows.core.deploy.files.staging_scripts import (
    discard_script,
    override_script,
    place_script,
    prepare_script,
    stage_script,
    switch_script,
)
from flows.core.deploy.files.writable import Bringing, PathChange
from flows.core.deploy.files.writable_scripts import bring_script, look_script
from flows.core.deploy.plan.readings import standing_sections
from flows.core.deploy.preflight import missing_external
from flows.core.deploy.pull import RegistryLogin, keep_tag, pull_script
from flows.core.droplet.asleep import mark_asleep_script, mark_awake_script, sleep_sections
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.half_made import mend_half_made
from flows.core.droplet.lock import holder_script
from flows.core.droplet.running import (
    containers_script,
    kept_release_script,
    release_sections,
    running_release_script,
    running_script,
    running_sections,
)
from flows.core.droplet.sections import section_script
from flows.core.insight.doctor import droplet_check_script
from flows.core.insight.drift import drift_script
from flows.core.insight.metrics.droplet import metrics_script
from flows.core.insight.status import status_script
from flows.core.prune.inventory import inventory_script
from flows.core.prune.removal import Item, Kind, Removal, removal_script
from flows.core.prune.system_prune import PrunableObjects, keep_script, prunable_script, system_prune_script
from flows.core.records.storage import history_sections, write_records
from flows.core.release.tree import Entry
from flows.core.stack.files.shipped_files import EnvironmentFile
from flows.core.traffic.adoption.copying import copy_script, look_at_copied_script
from flows.core.traffic.adoption.marker import (
    AdoptionMarker,
    CopiedPath,
    LeftContainer,
    drop_marker_script,
    keep_marker_script,
    marker_script,
)
from flows.core.traffic.adoption.project import project_script
from flows.core.traffic.adoption.scripts import (
    edge_script,
    finish_script,
    remove_stopped_script,
    restore_script,
    states_script,
    stop_old_script,
    stop_projects_script,
)
from flows.core.traffic.edge.places import EdgeDirectory
from flows.core.traffic.edge.setup_scripts import edge_authority_script, image_digests_script
from flows.core.traffic.edge.view import edge_view_script
from flows.core.traffic.memory import memory_script
from tests.support.builders import release
from tests.support.hostile.attacked import full_name
from tests.support.hostile.of_droplets import CONFIG, FACTS
from tests.support.machine.attacked import SETUP_SCRIPTS

Words = Sequence[str]
WORDS = 6
# No name leads out of it, because it is not there.
NOWHERE = "/nowhere-of-slipway/"


@dataclass(frozen=True)
class ScriptBuilder:
    """A builder of a script under attack: what it makes of so many hostile words."""

    function: Callable[..., Any]
    build: Callable[[Words], str | bytes | Sequence[str] | Mapping[str, str]]

    @property
    def name(self) -> str:
        return full_name(self.function)

    def script(self, words: Words) -> str | bytes:
        """The script; of parts one of them all."""
        made = self.build(words)
        if isinstance(made, Mapping):
            return section_script(made)
        return made if isinstance(made, str | bytes) else "\n".join(made)


def home(words: Words) -> StackDirectory:
    return StackDirectory(NOWHERE + words[0], words[1])


def _staged(words: Words) -> str:
    # What a release refuses is still taken for possible here: the script is not to rest on it.
    given = release().model_copy(update={
        "stack": words[2], "compose_files": (words[3],), "profiles": (words[4],),
        "state": (f"d/{words[5]}", f"a/{words[3]}"),
    })  # fmt: skip
    return stage_script(given, home(words), words[2], {f"seed/{words[5]}": Entry("file")}, like=words[4])


def _brought(words: Words) -> bytes:
    there = Entry("link", target=words[4])
    changes = [
        PathChange(verb, words[3], there, 0o644)
        for verb in ("all", "delete", "remove-directory", "directory", "put", "mode")
    ]
    return bring_script(home(words), words[2], Bringing(tuple(changes)))


def _removed(words: Words) -> str:
    items = [Item(kind, word, word, "", references=(words[4], words[5])) for kind in Kind for word in words[2:4]]
    return removal_script(home(words), Removal((*items, replace(items[0], running=True))))


def _copied(words: Words) -> list[CopiedPath]:
    return [CopiedPath.model_construct(source=NOWHERE + words[2], place=words[3])]


def _adopted(words: Words) -> AdoptionMarker:
    """A marker such as no parser of ours lets through."""
    left = [
        LeftContainer.model_construct(id=words[2], name=words[3], aside=words[4], home=home, restart=words[5], ran=True)
        for home in (True, False)
    ]
    return AdoptionMarker.model_construct(
        step="home", stack=words[0], project=words[1], containers=tuple(left), networks={words[4]: words[5]}
    )


def _collected(words: Words) -> str:
    entry = {"Id": words[2], "State": {"Pid": 7}, "GraphDriver": {"Data": {"UpperDir": words[3], "LowerDir": words[4]}},
             "Config": {"Env": [f"PATH={words[5]}/bin", f"VIRTUAL_ENV={words[4]}"]}}  # fmt: skip
    return collector_script(words[1], [CollectorTarget.of(entry), CollectorTarget(words[3])], words[4:], 10)


def _created(words: Words) -> str:
    """The command that a person is told to run."""
    config = {
        **CONFIG,
        "services": {"web": {"networks": {"n": None}}},
        "networks": {"n": {"external": True, "name": words[0]}},
    }
    return "".join(said.rpartition("Create it there: ")[2] for said in missing_external(config, FACTS))


SCRIPTS = (
    ScriptBuilder(section_script, lambda w: section_script({w[0]: "true", w[1]: "true"}, [w[1]])),
    ScriptBuilder(release_sections, lambda w: release_sections(NOWHERE + w[0])),
    ScriptBuilder(running_sections, lambda w: running_sections(w[0])),
    ScriptBuilder(history_sections, lambda w: history_sections(home(w))),
    ScriptBuilder(sleep_sections, lambda w: sleep_sections(home(w))),
    ScriptBuilder(mark_asleep_script, lambda w: mark_asleep_script(home(w))),
    ScriptBuilder(mark_awake_script, lambda w: mark_awake_script(home(w))),
    ScriptBuilder(memory_script, lambda w: memory_script(w[0], w[1])),
    ScriptBuilder(facts_script, lambda w: facts_script(home(w), w[2:])),
    ScriptBuilder(standing_sections, lambda w: standing_sections(
        home(w), release().model_copy(update={"stack": w[1], "profiles": (w[4],), "environment_files": tuple(
            EnvironmentFile(path=word) for word in w[2:4])}), hashed=True)),
    ScriptBuilder(containers_script, lambda w: containers_script(w[0])),
    ScriptBuilder(running_script, lambda w: running_script(w[0])),
    ScriptBuilder(running_release_script, lambda w: running_release_script(home(w))),
    ScriptBuilder(kept_release_script, lambda w: kept_release_script(home(w), w[2])),
    ScriptBuilder(deployed_state_script, lambda w: deployed_state_script(home(w))),
    ScriptBuilder(system_prune_script, lambda w: system_prune_script(
        PrunableObjects(containers=((w[0], w[1], w[2]),), networks=(w[3],), volumes=(w[4],)))),
    ScriptBuilder(services_script, lambda w: services_script(home(w))),
    ScriptBuilder(droplet_check_script, lambda w: droplet_check_script(home(w))),
    ScriptBuilder(drift_script, lambda w: drift_script(home(w))),
    ScriptBuilder(metrics_script, lambda w: metrics_script(home(w))),
    ScriptBuilder(status_script, lambda w: status_script(home(w))),
    ScriptBuilder(overview_script, lambda w: overview_script(w[1], home(w))),
    ScriptBuilder(trees_script, lambda w: trees_script(home(w), w[2], w[3], standing=True)),
    ScriptBuilder(inventory_script, lambda w: inventory_script(home(w))),
    ScriptBuilder(prunable_script, lambda w: prunable_script(NOWHERE + w[0])),
    ScriptBuilder(keep_script, keep_script),
    ScriptBuilder(keep_tag, lambda w: keep_script([keep_tag(w[0])])),
    ScriptBuilder(removal_script, _removed),
    ScriptBuilder(write_records, lambda w: write_records(home(w))),
    ScriptBuilder(prepare_script, lambda w: prepare_script(home(w), w[2])),
    ScriptBuilder(stage_script, _staged),
    ScriptBuilder(place_script, lambda w: place_script(home(w), w[2])),
    ScriptBuilder(switch_script, lambda w: switch_script(home(w), w[2])),
    ScriptBuilder(discard_script, lambda w: discard_script(home(w), w[2])),
    ScriptBuilder(override_script, lambda w: override_script(home(w), w[2])),
    ScriptBuilder(link_lines, lambda w: link_lines(NOWHERE + w[0], NOWHERE + w[1])),
    ScriptBuilder(reuse_script, lambda w: reuse_script(
        NOWHERE + w[0], NOWHERE + w[1], Reuse({f"files/{w[2]}": f"files/{w[3]}", w[4]: w[4]}, (w[5],)))),
    ScriptBuilder(look_script, lambda w: look_script(home(w), w[2:], [w[2]])),
    ScriptBuilder(bring_script, _brought),
    ScriptBuilder(pull_script, lambda w: pull_script(w[:4], RegistryLogin(w[4], w[5]))),
    ScriptBuilder(mend_half_made, lambda w: mend_half_made(w[0])),
    ScriptBuilder(holder_script, lambda w: holder_script(NOWHERE + w[0])),
    ScriptBuilder(edge_view_script, lambda w: edge_view_script(EdgeDirectory(NOWHERE + w[0]))),
    ScriptBuilder(edge_authority_script, lambda _: edge_authority_script()),
    ScriptBuilder(image_digests_script, lambda w: image_digests_script(w[0])),
    ScriptBuilder(collector_script, _collected),
    ScriptBuilder(missing_external, _created),
    ScriptBuilder(project_script, lambda w: project_script(w[0], (w[1], w[2]))),
    ScriptBuilder(marker_script, lambda w: marker_script(NOWHERE + w[0], w[1])),
    ScriptBuilder(keep_marker_script, lambda w: keep_marker_script(NOWHERE + w[0], w[1])),
    ScriptBuilder(drop_marker_script, lambda w: drop_marker_script(NOWHERE + w[0], w[1])),
    ScriptBuilder(look_at_copied_script, lambda w: look_at_copied_script(NOWHERE + w[0], _copied(w))),
    ScriptBuilder(copy_script, lambda w: copy_script(home(w), _copied(w))),
    ScriptBuilder(stop_old_script, lambda w: stop_old_script(_adopted(w))),
    ScriptBuilder(restore_script, lambda w: restore_script(_adopted(w), w)),
    ScriptBuilder(finish_script, lambda w: finish_script(_adopted(w))),
    ScriptBuilder(states_script, lambda w: states_script(_adopted(w).containers)),
    ScriptBuilder(stop_projects_script, stop_projects_script),
    ScriptBuilder(remove_stopped_script, remove_stopped_script),
    ScriptBuilder(edge_script, lambda w: edge_script(w[0])),
    *(ScriptBuilder(function, build) for function, build in SETUP_SCRIPTS),
)  # fmt: skip
