"""The DigitalOceanAccount block: a token of DigitalOcean's API, and the client that uses it."""

from prefect.blocks.core import Block
from pydantic import Field, HttpUrl, SecretStr

from blocks.digitalocean.client import API, DigitalOcean
from blocks.errors import LoginRefused


class DigitalOceanAccount(Block):
    """
    A DigitalOcean account: a personal or team token, with which its API is used.

    docs/DOCR.md says which scopes it needs for what.

    Example:
        ```python
        from blocks import DigitalOceanAccount

        account = DigitalOceanAccount.load("BLOCK_NAME")
        with account.client() as digitalocean:
            print(digitalocean.account().email)
        ```
    """

    _block_type_name = "Slipway DigitalOcean Account"
    _block_type_slug = "slipway-digitalocean-account"
    _logo_url = HttpUrl("https://github.com/digitalocean.png")
    _documentation_url = HttpUrl("https://docs.digitalocean.com/reference/api/create-personal-access-token/")
    _description = "A token of DigitalOcean: droplets, snapshots, registry, and what moves traffic."

    token: SecretStr = Field(title="Token", description="A personal or team access token, with the scopes it needs.")
    api: str = Field(API, title="API", pattern=r"^https?://", description="Base address of the API.")

    def client(self, patience: float = 60.0) -> DigitalOcean:
        """A client of the API, to be used as a context manager.

        Args:
            patience: seconds in which a call that failed is made again.
        """
        return DigitalOcean(self.token.get_secret_value(), self.api, patience)

    def reach(self) -> str:
        """A sentence for the terminal: whose account it is, and in what state.

        Raises:
            Unreachable, TokenRefused, ApiFailed; LoginRefused: the account is locked.
        """
        with self.client(patience=5.0) as client:
            account = client.account()
        whose = f"{account.email}{f', team {account.team}' if account.team else ''}"
        if account.status == "locked":
            raise LoginRefused(
                f"the DigitalOcean account of {whose} is locked: {account.status_message or 'no reason'}. Open the "
                "control panel: nothing can be created or changed until that is settled"
            )
        warned = f"; warning: {account.status_message}" if account.status == "warning" else ""
        return f"DigitalOcean account of {whose}: active, at most {account.droplet_limit} droplets{warned}"
