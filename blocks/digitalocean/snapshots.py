"""DigitalOcean's API for snapshots of droplets and for tags."""

from urllib.parse import quote

from blocks.digitalocean.models import Snapshot
from blocks.digitalocean.transport import Transport
from blocks.errors import ApiFailed, NotAtDigitalOcean


class Snapshots:
    """The part of the API under `/v2/snapshots`. `Droplets.act(id, "snapshot", name=…)` is what makes one."""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def all(self) -> list[Snapshot]:
        """All snapshots of droplets."""
        found = self._api.pages("/v2/snapshots", "snapshots", "snapshot:read", resource_type="droplet")
        # Asked again here: a volume has snapshots, too.
        mine = [item for item in found if item.get("resource_type") == "droplet"]
        return [self._api.parsed("GET /v2/snapshots", Snapshot.parse, item) for item in mine]

    def remove(self, id: str, name: str) -> bool:
        """Remove a snapshot that still has this name. Returns whether there was one.

        Raises:
            ApiFailed: it is another one by now; it was left as it is.
        """
        # By the list: to read a single one, the API wants a scope for those of volumes, too.
        now = next((one for one in self.all() if one.id == id), None)
        if now is None:
            return False
        if now.name != name:
            raise ApiFailed(
                f"DigitalOcean: snapshot {id} was to be removed as {name}, and is {now.name}. It was left as it is. "
                "Look at it in the control panel"
            )
        try:
            self._api.send("DELETE", f"/v2/snapshots/{quote(id)}", "image:delete snapshot:delete", again=True)
        except NotAtDigitalOcean:
            return False
        return True


class Tags:
    """The part of the API under `/v2/tags`. A resource has a tag or has it not, so each call may be made twice."""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def add(self, tag: str, id: int | str, kind: str = "droplet") -> None:
        """Tag a droplet, or an `image` (a snapshot). The tag is made if there is none."""
        self._api.send("POST", "/v2/tags", "tag:create", {"name": tag}, again=True)
        self._resources("POST", tag, id, kind)

    def take(self, tag: str, id: int | str, kind: str = "droplet") -> None:
        """Remove a tag from a droplet or an `image`."""
        self._resources("DELETE", tag, id, kind)

    def _resources(self, method: str, tag: str, id: int | str, kind: str) -> None:
        body = {"resources": [{"resource_id": str(id), "resource_type": kind}]}
        scope = "tag:create" if method == "POST" else "tag:delete"
        self._api.send(method, f"/v2/tags/{quote(tag)}/resources", scope, body, again=True)
