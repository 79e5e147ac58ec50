"""DigitalOcean's API as typed methods."""

from types import TracebackType

from blocks.digitalocean.droplets import Droplets
from blocks.digitalocean.models import Account
from blocks.digitalocean.networking import Domains, LoadBalancers, ReservedIps
from blocks.digitalocean.registries import Registries
from blocks.digitalocean.snapshots import Snapshots, Tags
from blocks.digitalocean.transport import Transport

API = "https://api.digitalocean.com"


class DigitalOcean:
    """A client of DigitalOcean's API, to be used as a context manager.

    Args:
        token: of the account or team.
        api: base address.
        patience: seconds in which a call that failed is made again.
    """

    def __init__(self, token: str, api: str = API, patience: float = 60.0) -> None:
        self.api = Transport(api, token, patience)
        self.droplets = Droplets(self.api)
        self.snapshots = Snapshots(self.api)
        self.tags = Tags(self.api)
        self.registries = Registries(self.api)
        self.load_balancers = LoadBalancers(self.api)
        self.domains = Domains(self.api)
        self.reserved_ips = ReservedIps(self.api)

    def account(self) -> Account:
        """Whose token it is, and what the account may do."""
        found = self.api.get("/v2/account", "account:read")
        return self.api.parsed("GET /v2/account", lambda a: Account.parse(a["account"]), found)

    def __enter__(self) -> "DigitalOcean":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.api.close()
