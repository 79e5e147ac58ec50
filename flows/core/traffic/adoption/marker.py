"""The marker of an adoption: a file on the droplet that says how far it is, and how the project was before."""

import posixpath
import shlex
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from flows.core.answers import reads
from flows.core.droplet.directories import ADOPTED
from flows.core.release.release import Digest, Place, StackName, Tag
from flows.core.traffic.adoption.project import CONTAINER_ID, ENGINE_NAME, MOST, NETWORK_ID, RESTART

# What was done last; in this order.
AdoptionStep = Literal["begun", "stopped", "copied", "home", "green", "adopted"]
_STRICT = ConfigDict(frozen=True, extra="forbid")
EngineName = Annotated[str, Field(pattern=ENGINE_NAME, max_length=255)]


class LeftContainer(BaseModel):
    """One container of the project as it was: what leads back.

    `aside` is the name that it has meanwhile, where its own is needed by another.
    """

    model_config = _STRICT

    id: str = Field(pattern=CONTAINER_ID)
    name: EngineName
    aside: str = Field("", pattern=rf"{ENGINE_NAME}|^$", max_length=300)
    home: bool
    restart: str = Field(pattern=RESTART)
    ran: bool


class CopiedPath(BaseModel):
    """A directory or file that the home project goes on with as a copy: where it is, and its place below `shared`."""

    model_config = _STRICT

    source: str = Field(pattern=r"^/", max_length=4096)
    place: Place


class AdoptionMarker(BaseModel):
    """How far the adoption of a project is. `edge`: the edge has ports that were the project's."""

    model_config = _STRICT

    format: Literal[1] = 1
    step: AdoptionStep = "begun"
    stack: StackName
    project: EngineName
    tag: Tag
    digest: Digest
    containers: tuple[LeftContainer, ...] = Field(min_length=1, max_length=MOST)
    copied: tuple[CopiedPath, ...] = Field((), max_length=MOST * MOST)
    networks: dict[Annotated[str, Field(pattern=NETWORK_ID)], EngineName] = {}
    edge: bool = False

    @property
    def finished(self) -> bool:
        return self.step == "adopted"

    @property
    def ran(self) -> tuple[LeftContainer, ...]:
        """Those that ran; those of the data home first, as others ask them."""
        return tuple(sorted((one for one in self.containers if one.ran), key=lambda one: not one.home))

    def at(self, step: AdoptionStep) -> "AdoptionMarker":
        """The same, a step later."""
        return self.model_copy(update={"step": step})

    def document(self) -> bytes:
        """The marker as JSON that a person can read."""
        return (self.model_dump_json(indent=2) + "\n").encode()


def marker_file(directory: str, stack: str) -> str:
    """Where the marker of a stack is, below Slipway's directory on the droplet."""
    return posixpath.join(directory, ADOPTED, f"{stack}.json")


def marker_script(directory: str, stack: str) -> str:
    """The script that prints the marker; nothing where there is none."""
    file = shlex.quote(marker_file(directory, stack))
    return f"[ ! -e {file} ] || cat {file}"


@reads("the marker of the adoption (DIRECTORY/.adopted/STACK.json on the droplet)")
def read_adoption_marker(text: str) -> AdoptionMarker | None:
    """Parse what `marker_script` printed."""
    return AdoptionMarker.model_validate_json(text) if text.strip() else None


def keep_marker_script(directory: str, stack: str) -> str:
    """The script that writes the marker from standard input; it appears whole or not at all."""
    file = marker_file(directory, stack)
    new, place = shlex.quote(f"{file}.new"), shlex.quote(posixpath.dirname(file))
    whole = f"cat >{new}; sync {new} 2>/dev/null || true; mv {new} {shlex.quote(file)}"
    return f"set -eu; umask 077; mkdir -p {place}; {whole}"


def drop_marker_script(directory: str, stack: str) -> str:
    """The script that removes the marker."""
    return f"rm -f {shlex.quote(marker_file(directory, stack))}"
