"""The release record: what was deployed to a droplet, when, by which run, and its outcome."""

from enum import Enum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from flows.core.records.measurements import Measurements

# The newest format that is read. A record says the oldest that can hold it: a version of Slipway that does not know an
# outcome refuses the history that has one (NewerRecord), changes nothing, and still reads every other history.
FORMAT = 2
Kind = Literal["deploy", "rollback"]


class RecordOutcome(Enum):
    """The outcome of putting a release on a droplet.

    `candidate`: nobody has judged it yet. `superseded`: it ran, and another release came before anybody judged it; it
    counts neither as good nor as failed. Before format 2 such a record was `failed`, with a reason that begins with
    "interrupted".
    """

    CANDIDATE = "candidate"
    GOOD = "good"
    FAILED = "failed"
    ROLLED_BACK = "rolled back"
    SUPERSEDED = "superseded"

    @property
    def format(self) -> int:
        """The oldest format of records that knows this outcome."""
        return 2 if self is RecordOutcome.SUPERSEDED else 1


class Run(BaseModel):
    """The Prefect run that put a release on a droplet, and who started it."""

    model_config = ConfigDict(frozen=True)

    id: str = ""
    name: str = ""
    url: str = ""
    by: str = ""


class Verified(BaseModel):
    """What was proved of a release before it was put on a droplet: by which key, and of which bytes.

    `digest` is that of the release as it was published, `document` the SHA-256 of its document as it was put on the
    droplet. `published` is ISO 8601, UTC, as the signature says it.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    digest: str
    published: str = ""
    document: str = ""


class Record(BaseModel):
    """The record of one release that was deployed to one droplet once.

    `number` counts up on each droplet and orders the records, whatever clocks say. `name` is the release's directory,
    `environment` a hash of what the stack's environment held, never a value of it. `previous` is the directory that ran
    before, `leaves` the number of the record that a rollback replaces. `deployed` is set once the services
    were ready and their digests proved, `ended` once the release was judged. `traced` are the services whose workflow
    probe left a trace when the release was judged good; older records do not say it. `verified` says what its
    signatures proved, `unverified` why they did not, where it was put there all the same; neither is said where no key
    was saved. `measured` is what its runs measured; None in records of before. Where another verdict came later,
    `judged` is when it was judged first, and `was_good` whether it was good then. Times are ISO 8601, UTC.
    """

    model_config = ConfigDict(frozen=True)

    format: int = 1
    number: int
    stack: str
    kind: Kind = "deploy"
    tag: str
    name: str
    commit: str | None = None
    environment: str = ""
    previous: str | None = None
    previous_tag: str | None = None
    leaves: int | None = None
    run: Run = Run()
    began: str = ""
    deployed: str | None = None
    ended: str | None = None
    outcome: RecordOutcome = RecordOutcome.CANDIDATE
    reason: str = ""
    traced: tuple[str, ...] = ()
    verified: Verified | None = Field(None, exclude_if=lambda verified: verified is None)
    unverified: str = Field("", exclude_if=lambda why: not why)
    measured: Measurements | None = Field(None, exclude_if=lambda measured: measured is None)
    judged: str = Field("", exclude_if=lambda when: not when)
    was_good: bool = Field(False, exclude_if=lambda was: not was)

    @property
    def file(self) -> str:
        """The name of the record's file below `history/`; names sort as numbers do."""
        return f"{self.number:06d}.json"

    @property
    def open(self) -> bool:
        """Whether the release was not judged yet."""
        return self.outcome is RecordOutcome.CANDIDATE

    def document(self) -> bytes:
        """The record as JSON that a person can read."""
        return (self.model_dump_json(indent=2) + "\n").encode()
