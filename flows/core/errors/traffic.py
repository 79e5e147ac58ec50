"""Refusals and failures of the two colours, the traffic switch and promotions."""

from flows.core.errors.base import Refused, SlipwayError


class BadColours(Refused):
    """The two colours are not two: the same droplet in both, or a colour without one."""


class NoSwitch(Refused):
    """No traffic switch was set, so there is no active colour."""


class SwitchAmbiguous(Refused):
    """The traffic switch points to neither colour, or to both."""


class SwitchSilent(Refused):
    """What stands in front of both colours does not answer at all, so no turn could be proved, and none would help."""


class BadCanary(Refused):
    """The steps of a canary are not 1 to 99 percent and rising, or the traffic switch can send no share of clients."""


class ColourAsleep(Refused):
    """The colour is asleep: its containers are stopped until traffic goes back to it, or a release is put there."""


class NotEnoughMemory(Refused):
    """The droplet has not the memory that both colours need while a promotion lasts; nothing was started."""


class NotStable(Refused):
    """The active release was not stable for long enough, and promotions were told to wait for that."""


class PlanChanged(Refused):
    """What was approved is no longer what the colours carry."""


class CannotAdopt(Refused):
    """What runs on the droplet cannot go over to two colours and a data home without losing something."""


class NothingToApprove(Refused):
    """No run of that name waits for an approval."""


class BadAnswer(Refused):
    """The answer to an approval has no name, or is none of approve, reject and hold."""


class NotPromoted(SlipwayError):
    """A gate failed, or was inconclusive and the approval mode is never; traffic stays where it was."""


class NotApproved(SlipwayError):
    """The promotion was rejected, or nobody answered in time; traffic stays where it was."""

    exit_code = 3


class SwitchedBack(SlipwayError):
    """The new release failed its gates after the switch; traffic is on the old one again."""


class BothColoursUnhealthy(SlipwayError):
    """Neither colour is healthy; traffic stays where it is."""


class NotUndone(SlipwayError):
    """An adoption was undone, and not everything runs again that ran before."""


class BadEdge(Refused):
    """What the edge was to be made of cannot be: an image that no digest pins, an address that is none."""


class HostTaken(Refused):
    """Two stacks of a droplet, or two services of a stack, want the same host at the edge."""


class PortTaken(Refused):
    """A port that the edge needs is taken by something that is not ours."""


class EdgeMissing(Refused):
    """There is no edge on the droplet, or it does not run."""


class SiteRefused(Refused):
    """Caddy refuses what the edge was to serve; what it served before is in force still."""


class EdgeNotReady(SlipwayError):
    """The edge was put on the droplet, and does not answer."""
