"""The steps of a release on a droplet, in their order: the names of tasks, and the points of fault tests."""

from enum import Enum


class Step(Enum):
    """One step; its value is the name of its task."""

    PLAN = "plan the deploy"
    PREFLIGHT = "preflight"
    PUT_FILES = "put files"
    PULL = "pull images"
    LOOK_BACK = "find the rollback target"
    SWITCH = "make current"
    REMOVE_ORPHANS = "remove orphan containers"
    STOP = "stop services"
    START = "start services"
    WAIT = "wait until ready"
    PROVE = "prove digests"
    KEEP_RECORD = "keep record"
    HEALTH = "probe health"
    TOOLS = "discover MCP tools"
    WORKFLOWS = "run workflows"
    READ_SWITCH = "read the switch"
    LOOK = "look at a colour"
    WINDOW = "let requests come"
    METRICS = "read metrics"
    TRACES = "read traces"
    ASK = "ask a person"
    SHARE = "send a share"
    TURN = "turn the switch"
    PROBE_SWITCH = "probe through the switch"
    WATCH = "watch"
    SLEEP = "put to sleep"
    WAKE = "wake up"
    MEMORY = "check memory"


VALIDATE = (Step.HEALTH, Step.TOOLS, Step.WORKFLOWS)
# What a release does to a droplet. `prefetch` and `recreate` have a STOP too, a stack that lost a service has
# REMOVE_ORPHANS. A rollback pulls only what is no longer there.
DEPLOY = (
    Step.PREFLIGHT,
    Step.PUT_FILES,
    Step.PULL,
    Step.SWITCH,
    Step.START,
    Step.WAIT,
    Step.PROVE,
    Step.KEEP_RECORD,
    *VALIDATE,
    Step.KEEP_RECORD,
)
ROLLBACK = (
    Step.LOOK_BACK,
    Step.SWITCH,
    Step.START,
    Step.WAIT,
    Step.PROVE,
    Step.KEEP_RECORD,
    *VALIDATE,
    Step.KEEP_RECORD,
)
