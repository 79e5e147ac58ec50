"""What a promotion would change, read without a run: the switch's state file and what both colours carry."""

from collections.abc import Sequence
from dataclasses import replace

from blocks.traffic.caddy_files import CLIENT_IMPACT
from blocks.traffic.state import switch_words
from flows.api.client import PrefectApi
from flows.core.deploy.deployed_state import DeployedState, deployed_state_script, read_deployed_state
from flows.core.droplet.places import split_place
from flows.core.errors import BlockMissing
from flows.core.traffic.colours import COLOURS, Colour, check_colours, direction, other
from flows.core.traffic.promotion_plan import PromotionPlan, plan_promotion
from flows.looking.places import DROPLET, LookedAt, ask_each, find_places
from flows.looking.traffic import find_caddy, read_state_file
from flows.settings import Settings
from flows.tasks.runs.log_masking import register_stack_secrets
from flows.tasks.traffic.edge.site_of_colours import site_of

_TIMEOUT_S = 60.0
_States = dict[str, DeployedState | Exception]


def look_at_plan(
    api: PrefectApi, stack: str, to: Colour | None, settings: Settings, *, edge: bool = False
) -> PromotionPlan | None:
    """The plan of a promotion, as the flow `plan` has it; None: the switch is of a kind that only its block can ask.

    Args:
        to: green or blue; only needed when the switch points nowhere.
        edge: also what the edge of a droplet that both colours share is told to serve.

    Raises:
        BlockMissing, BadColours, SwitchAmbiguous, NothingDeployed, and what a session raises.
    """
    fields = find_caddy(api, settings.switch) if settings.switch else None
    if fields is None:
        return None
    places = _places(api, stack, settings)
    said = ask_each(_state, places.values())
    seen, where = read_state_file(fields, settings.switch), switch_words(settings.switch, str(fields.get("url")))
    colour, left = direction(seen.active, to, where, _first(to, seen.active, said, settings))
    new = _states(settings.colours.droplets(colour), said)
    old = _states(settings.colours.droplets(left), said) if left else []
    found = plan_promotion(stack, colour, left, new, old, where, CLIENT_IMPACT)
    found = found.with_canary(str(seen.share or ""), settings.canary if left else (), settings.canary_seconds)
    if edge and settings.shared_droplet and (release := new[0].release):
        place = places[settings.colours.droplets(colour)[0]]
        with place.session() as session:
            found = replace(found, site=site_of(session, place.directory.directory, release, colour).text())
    return found


def _places(api: PrefectApi, stack: str, settings: Settings) -> dict[str, LookedAt]:
    names = [name for colour in COLOURS for name in settings.colours.droplets(colour)]
    places = find_places(api, stack, names, settings)
    for name in names:
        if name not in places:
            block = split_place(name)[0]
            raise BlockMissing(
                f"no block {DROPLET}/{block} was saved. Save it: slipway droplet add {block} --host ADDRESS "
                "--key-file PATH"
            )
    check_colours(settings.colours, {name: _where(place) for name, place in places.items()})
    return places


def _where(place: LookedAt) -> str:
    at = place.address
    return f"{at.user}@{at.host}:{at.port}{split_place(place.name)[1] or ''}"


def _state(place: LookedAt) -> DeployedState:
    with place.session() as session:
        said = session.run(deployed_state_script(place.directory), timeout=_TIMEOUT_S, name="deployed state").out
    state = read_deployed_state(said, place.directory, place.name)
    if state.stack:
        register_stack_secrets(state.stack)
    return state


def _first(to: Colour | None, active: Sequence[str], said: _States, settings: Settings) -> Colour | None:
    """Where the first promotion goes: only as long as the other colour has no release."""
    first = settings.first_colour if not active and to is None else None
    if first and any(state.release for state in _states(settings.colours.droplets(other(first)), said)):
        return None
    return first


def _states(droplets: Sequence[str], said: _States) -> list[DeployedState]:
    found = []
    for name in droplets:
        state = said[name]
        if isinstance(state, Exception):
            raise state
        found.append(state)
    return found
