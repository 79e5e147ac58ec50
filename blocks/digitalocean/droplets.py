"""DigitalOcean's API for droplets, their actions and their firewalls."""

from blocks.digitalocean.models import Action, DropletInfo, Firewall, NewDroplet
from blocks.digitalocean.transport import Transport
from blocks.digitalocean.waiting import Progress, appeared, silent, wait_for
from blocks.errors import ActionFailed, AnswerLost, ApiFailed, NotAtDigitalOcean

_ATTEMPTS = 3


class Droplets:
    """The part of the API under `/v2/droplets` and `/v2/actions`."""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def all(self, *, tag: str = "", name: str = "") -> list[DropletInfo]:
        """All droplets, or those with this tag and of exactly this name."""
        query = {"tag_name": tag} if tag else {"name": name} if name else {}
        found = self._api.pages("/v2/droplets", "droplets", "droplet:read", **query)
        every = [self._api.parsed("GET /v2/droplets", DropletInfo.parse, item) for item in found]
        # Asked again here: there, upper and lower case are the same, and who removes what this returns relies on it.
        return [one for one in every if (not tag or tag in one.tags) and name in ("", one.name)]

    def get(self, id: int) -> DropletInfo:
        """The droplet of this id. Raises NotAtDigitalOcean."""
        path = f"/v2/droplets/{id}"
        found = self._api.get(path, "droplet:read")
        return self._api.parsed(f"GET {path}", lambda a: DropletInfo.parse(a["droplet"]), found)

    def named(self, name: str) -> DropletInfo:
        """The one droplet of this name.

        Raises:
            NotAtDigitalOcean: none has it. ApiFailed: several have it.
        """
        found = self.all(name=name)
        if not found:
            raise NotAtDigitalOcean(
                f"DigitalOcean: the account has no droplet named {name}. What there is: slipway account droplets"
            )
        if len(found) > 1:
            which = " and ".join(f"{d.id} ({d.public_ip})" for d in found)
            raise ApiFailed(f"DigitalOcean: {len(found)} droplets are named {name}: {which}. Rename or remove one")
        return found[0]

    def create(self, wanted: NewDroplet, within: float = 300.0, tell: Progress = silent) -> DropletInfo:
        """Make a droplet and wait until it is active with an address.

        One of that name that has the same tags is taken for ours: a lost answer, or a killed run, makes no second one.

        Raises:
            ApiFailed: also when a droplet of that name exists that is not ours. ActionUnfinished
        """
        mine = self._mine(wanted) or self._create(wanted)
        return wait_for(
            f"droplet {wanted.name}",
            lambda: self.get(mine.id),
            lambda droplet: droplet.status == "active" and droplet.public_ip,
            within,
            tell=tell,
            state=lambda droplet: droplet.status,
        )

    def _create(self, wanted: NewDroplet) -> DropletInfo:
        for attempt in range(_ATTEMPTS):
            try:
                answer = self._api.send("POST", "/v2/droplets", "droplet:create", wanted.body)
                return self._api.parsed("POST /v2/droplets", lambda a: DropletInfo.parse(a["droplet"]), answer)
            except AnswerLost:
                if mine := appeared(lambda: self._mine(wanted)):
                    return mine
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _mine(self, wanted: NewDroplet) -> DropletInfo | None:
        found = self.all(name=wanted.name)
        if len(found) > 1 or (found and not set(wanted.tags) <= set(found[0].tags)):
            which = ", ".join(f"{d.id} (tags: {', '.join(d.tags) or 'none'})" for d in found)
            raise ApiFailed(
                f"DigitalOcean: a droplet named {wanted.name} is there already: {which}. It was left as it is. "
                "Take another name"
            )
        return found[0] if found else None

    def remove(self, info: DropletInfo, tag: str, within: float = 120.0, tell: Progress = silent) -> bool:
        """Destroy a droplet that still has this name and this tag, and wait until it is gone.

        Returns:
            Whether there was one.

        Raises:
            ApiFailed: it is another one by now; it was left as it is.
        """
        id = info.id
        try:
            now = self.get(id)
            if (now.id, now.name) != (id, info.name) or tag not in now.tags:
                tags = ", ".join(now.tags) or "none"
                raise ApiFailed(
                    f"DigitalOcean: droplet {id} was to be removed as {info.name} with the tag {tag}, and is "
                    f"{now.name} (tags: {tags}). It was left as it is. Look at it: slipway account droplets"
                )
            self._api.send("DELETE", f"/v2/droplets/{id}", "droplet:delete", again=True)
        except NotAtDigitalOcean:
            return False
        wait_for(
            f"droplet {id}",
            lambda: self._is_there(id),
            lambda there: not there,
            within,
            tell=tell,
            state=lambda _: "being removed",
        )
        return True

    def _is_there(self, id: int) -> bool:
        try:
            return bool(self.get(id))
        except NotAtDigitalOcean:
            return False

    def act(
        self, id: int, type: str, within: float, tell: Progress = silent, *, anew: bool = False, **more: str
    ) -> Action:
        """Begin an action of a droplet (`snapshot`, `shutdown`, `power_off`, `power_on` …), and wait for its end.

        One of that type that is under way already is waited for, and not begun twice.

        Args:
            anew: what is under way is somebody else's: it is waited for, and an action of our own begun.

        Raises:
            ActionFailed, ActionUnfinished
        """
        path, what = f"/v2/droplets/{id}/actions", f"{type.replace('_', ' ')} of droplet {id}"
        before = self._under_way(id, type)
        if anew and before:
            self._ended(before, f"another {what}", within, tell)
            before = None
        begun = before or self._begin(path, id, type, more)
        return self.wait(begun, what, within, tell)

    def _begin(self, path: str, id: int, type: str, more: dict[str, str]) -> Action:
        for attempt in range(_ATTEMPTS):
            try:
                answer = self._api.send("POST", path, "droplet:update", {"type": type, **more})
                return self._api.parsed(f"POST {path}", lambda a: Action.parse(a["action"]), answer)
            except AnswerLost:
                if begun := appeared(lambda: self._under_way(id, type)):
                    return begun
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _under_way(self, id: int, type: str) -> Action | None:
        path = f"/v2/droplets/{id}/actions"
        found = self._api.get(path, "droplet:read", per_page=20)
        actions = self._api.parsed(f"GET {path}", lambda a: [Action.parse(item) for item in a["actions"]], found)
        return next((a for a in actions if a.type == type and a.status == "in-progress"), None)

    def wait(self, action: Action, what: str, within: float, tell: Progress = silent) -> Action:
        """Wait for the end of an action.

        Raises:
            ActionFailed, ActionUnfinished
        """
        ended = self._ended(action, what, within, tell)
        if ended.status != "completed":
            raise ActionFailed(f"DigitalOcean: {what} ended {ended.status} (action {action.id}). Look at it in the "
                               "control panel; then run the same command again")  # fmt: skip
        return ended

    def _ended(self, action: Action, what: str, within: float, tell: Progress) -> Action:
        path = f"/v2/actions/{action.id}"

        def read() -> Action:
            found = self._api.get(path, "actions:read")
            return self._api.parsed(f"GET {path}", lambda a: Action.parse(a["action"]), found)

        return wait_for(what, read, lambda a: a.status != "in-progress", within, tell=tell, state=lambda a: a.status)

    def firewalls(self, id: int) -> list[Firewall]:
        """The firewalls that apply to a droplet."""
        found = self._api.pages(f"/v2/droplets/{id}/firewalls", "firewalls", "firewall:read")
        return [self._api.parsed("firewalls", Firewall.parse, item) for item in found]
