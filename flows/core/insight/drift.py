"""Drift: how what is on a droplet differs from what was put there, although no run of ours changed it."""

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from flows.core.answers import reads
from flows.core.deploy.deployed_state import DeployedState, deployed_state_script, read_deployed_state
from flows.core.deploy.files.droplet_trees import DropletTrees, read_trees, trees_script
from flows.core.deploy.files.reuse import differs_as_put
from flows.core.deploy.replacement import TRIED, replaced_services
from flows.core.droplet.containers import Container, by_service
from flows.core.droplet.directories import COMMAND, StackDirectory
from flows.core.droplet.docker_commands import complaint
from flows.core.droplet.running import read_running
from flows.core.droplet.sections import section_script, sections
from flows.core.release.bundle import FILES
from flows.core.release.release import Release
from flows.core.release.tree import shown
from flows.core.traffic.edge.site import exposures
from flows.core.traffic.edge.view import EdgeView

DriftKind = Literal["containers", "configuration", "files", "edge", "switch", "unknown"]
# So many names of files are told; the rest are counted.
_SHOWN = 5
_SAID = ":said:"


@dataclass(frozen=True)
class DriftFinding:
    """One difference, in words.

    Args:
        kind: `containers`: others run than the release says; `configuration`: Compose would make a container anew;
            `files`: changed by hand; `edge`, `switch`: traffic is not led as the records say; `unknown`: could not be
            looked at.
    """

    kind: DriftKind
    what: str


@dataclass(frozen=True)
class DropletDrift:
    """What one droplet says: its current release (None where nothing is), and how it differs from that."""

    droplet: str
    release: Release | None = None
    findings: tuple[DriftFinding, ...] = ()

    @property
    def tag(self) -> str:
        """The tag of its release; '' for none."""
        return self.release.tag if self.release else ""

    @property
    def repairable(self) -> bool:
        """Whether putting the same release there again puts all of it right."""
        return bool(self.tag and self.findings) and all(
            finding.kind in ("containers", "configuration", "files") for finding in self.findings
        )


@dataclass(frozen=True)
class Drifted:
    """Result of drift: what each droplet, the edge and the switch say, and the droplets that were repaired."""

    stack: str
    seen: tuple[DropletDrift, ...] = ()
    repaired: tuple[str, ...] = ()

    @property
    def left(self) -> tuple[DropletDrift, ...]:
        """Those that differ still."""
        return tuple(one for one in self.seen if one.findings and one.droplet not in self.repaired)

    @property
    def words(self) -> str:
        """It in one sentence."""
        count = sum(len(one.findings) for one in self.left)
        mended = f"; put right: {', '.join(self.repaired)}" if self.repaired else ""
        if not count:
            return f"Everything of {self.stack} is as it was put there{mended}"
        return f"{count} differences on {', '.join(one.droplet for one in self.left)} for {self.stack}{mended}"

    def as_json(self) -> dict[str, object]:
        return {
            "stack": self.stack,
            "repaired": list(self.repaired),
            "droplets": {
                one.droplet: {
                    "release": one.tag or None,
                    "drift": [{"kind": finding.kind, "what": finding.what} for finding in one.findings],
                }
                for one in self.seen
            },
        }


def drift_script(directory: StackDirectory) -> str:
    """The script that prints all that drift is judged by, and changes nothing."""
    tried = shlex.join([f"{directory.current}/{COMMAND}", *TRIED])
    would = section_script({"would": f"{tried} 2>&1 && echo {_SAID}"})
    return f"{deployed_state_script(directory)}\n{would}\n{trees_script(directory, standing=True)}"


@reads("what stands on the droplet")
def read_drift(output: str, directory: StackDirectory, droplet: str) -> DropletDrift:
    """Parse the output of `drift_script`.

    Raises:
        ForeignRecord, NewerRecord, BadRelease
    """
    state = read_deployed_state(output, directory, droplet)
    if not state.release:
        stray = sorted(by_service(read_running(output).containers))
        words = f"{', '.join(stray)}: run as project {directory.stack}, and no release was put here"
        return DropletDrift(droplet, findings=(DriftFinding("containers", words),) if stray else ())
    found = [
        *(DriftFinding("containers", words) for words in state.wrong),
        *(DriftFinding("containers", words) for words in _ended(state, read_running(output).containers)),
        *_configuration(state, read_running(output).containers, sections(output).get("would", "")),
        *_files(read_trees(output)),
    ]
    return DropletDrift(droplet, state.release, tuple(found))


def edge_drift(view: EdgeView, stack: str, releases: Mapping[str, Release]) -> Iterator[DriftFinding]:
    """How the edge of a droplet differs from what the releases there expose.

    Args:
        releases: colour → the release that it runs.
    """
    wanted = sorted({host for one in releases.values() for expose in exposures(one).values() for host in expose.hosts})
    if not wanted:
        return
    if not view.runs:
        yield DriftFinding("edge", f"no edge runs, so {', '.join(wanted)} is not served")
        return
    site = next((one for one in view.sites if one.stack == stack), None)
    served = site.hosts if site else ()
    if missing := [host for host in wanted if host not in served]:
        yield DriftFinding("edge", f"the edge does not serve {', '.join(missing)}")
    for colour, release in releases.items():
        if site and (named := site.releases.get(colour)) and named != release.tag:
            yield DriftFinding("edge", f"the edge says release {named} of {colour}, which runs {release.tag}")


def switch_drift(active: Sequence[str], released: Collection[str]) -> Iterator[DriftFinding]:
    """How the traffic switch differs from what the colours run: it leads to none, to both, or where no release is.

    Args:
        released: the colours that have a release.
    """
    if len(active) != 1 and released:
        yield DriftFinding("switch", f"it points at {' and '.join(active) or 'neither colour'}")
    for colour in active:
        if colour not in released:
            yield DriftFinding("switch", f"it points at {colour}, where no release is")


def _ended(state: DeployedState, containers: Iterable[Container]) -> Iterator[str]:
    """Services without a restart policy may end, but not with an error; those that are asleep were stopped by us."""
    for one in containers:
        once = state.stack is not None and one.service in state.stack.one_shots
        if once and not state.asleep and one.state == "exited" and one.exit_code:
            yield f"{one.service} ended with exit {one.exit_code}"


def _configuration(state: DeployedState, containers: Iterable[Container], would: str) -> Iterator[DriftFinding]:
    """Containers that Compose would make anew: somebody changed the environment, a compose file or an override.

    Args:
        would: what Compose says that it would do.
    """
    if not would.endswith(_SAID):
        yield DriftFinding("configuration", f"Compose would not start the release any more: {complaint(would)}")
        return
    for service in replaced_services(would, containers):
        again = "run again" if state.stack and service in state.stack.one_shots else "made anew"
        yield DriftFinding(
            "configuration", f"{service} was made from another configuration, and would be {again} by the next `up`"
        )


def _files(trees: DropletTrees) -> Iterator[DriftFinding]:
    """Files that are not as they were put there. One that keeps content, size and time is not read."""
    _, there = trees.twin
    if not there or not trees.standing:
        return
    changed = sorted(name for name in there if there[name].kind == "file" and differs_as_put(
        there[name], trees.standing.get(name)
    ))  # fmt: skip
    added = sorted(name for name, said in trees.standing.items() if name not in there and said.startswith(("f ", "l ")))
    for words, names in (("changed by hand or gone", changed), ("not of the release", added)):
        if names:
            few = ", ".join(shown(name.removeprefix(f"{FILES}/")) for name in names[:_SHOWN])
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            yield DriftFinding("files", f"{words}: {few}{more}")
