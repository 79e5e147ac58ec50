"""Offers what is known as choices in the forms of the deployments at the Prefect server."""

from collections.abc import Sequence

from blocks.errors import PrefectFailed
from flows.api.client import PrefectApi
from flows.core.control.forms import form_with_choices
from flows.core.droplet.places import block_of
from flows.core.errors import SlipwayError
from flows.settings import Settings

DROPLETS = "/block_types/slug/slipway-droplet/block_documents"


def offer_choices(api: PrefectApi, deployments: Sequence[str], destinations: Sequence[str] | None = None) -> list[str]:
    """Let the forms of these deployments offer the droplets that were saved, and the destinations. Says which changed.

    Args:
        deployments: their ids.
        destinations: names; None: what is offered stays.

    Raises:
        Unreachable, LoginRefused, PrefectFailed
    """
    droplets = known_droplets(api)
    known = {"droplet": droplets, "droplets": droplets, "like": droplets}
    if destinations is not None:
        known["destination"] = list(destinations)
    changed = []
    for deployment in deployments:
        said = api.get(f"/deployments/{deployment}")
        if not isinstance(said, dict) or not isinstance(schema := said.get("parameter_openapi_schema"), dict):
            continue
        if (form := form_with_choices(schema, known)) != schema:
            api.request("PATCH", f"/deployments/{deployment}", json={"parameter_openapi_schema": form})
            changed.append(str(said.get("name")))
    return changed


def known_droplets(api: PrefectApi) -> list[str]:
    """Names of the saved droplets, and the places on them that the settings know."""
    found = api.get(DROPLETS) or []
    if not isinstance(found, list):
        raise PrefectFailed(f"what answers at {api.connection.url} is not Prefect's API")
    saved = sorted(str(one["name"]) for one in found if isinstance(one, dict) and one.get("name"))
    try:
        shown = Settings().shown
    except SlipwayError:
        shown = ()
    return [*saved, *(place for place in shown if place not in saved and block_of(place) in saved)]
