"""The blocks as Prefect stores and shows them: slugs and fields that must not change, and Prefect's own standard."""

import importlib

import pytest
from prefect.blocks.core import Block
from prefect.testing.standard_test_suites import BlockStandardTestSuite
from pydantic import HttpUrl

import blocks

pytestmark = pytest.mark.unit
LOGIN = (
    "username", "password", "pull_username", "pull_password", "registry_url", "reauth", "namespace", "layout",
    "repository", "ca_certificate",
)  # fmt: skip
SWITCH = ("url", "probe_path")
DIGITALOCEAN_SWITCH = (*SWITCH, "account", "droplets")

# Saved blocks are found by these slugs and read by these fields: a new name would lose what users have saved.
STORED = {
    "CaddySwitch": (
        "slipway-caddy-switch",
        (*SWITCH, "host", "directory", "way", "admin", "admin_id", "upstreams", "probe_at", "authority"),
    ),
    "ContainerRegistry": ("slipway-container-registry", LOGIN),
    "DigitalOceanAccount": ("slipway-digitalocean-account", ("token", "api")),
    "DnsSwitch": (
        "slipway-dns-switch",
        (*DIGITALOCEAN_SWITCH, "domain", "record", "ttl", "low_ttl", "name_servers"),
    ),
    "DocrRegistry": ("slipway-docr-registry", (*LOGIN, "account", "registry_name", "lifetime")),
    "Droplet": ("slipway-droplet", ("host", "port", "user", "private_key", "host_key", "directory")),
    "Langfuse": ("slipway-langfuse", ("url", "public_key", "secret_key")),
    "LoadBalancerSwitch": ("slipway-load-balancer-switch", (*DIGITALOCEAN_SWITCH, "balancer")),
    "Prometheus": ("slipway-prometheus", ("url", "username", "password")),
    "ReservedIpSwitch": ("slipway-reserved-ip-switch", (*DIGITALOCEAN_SWITCH, "ip")),
    "SigningKey": ("slipway-signing-key", ("public_key", "private_key", "password", "kms")),
    "StackEnvironment": ("slipway-stack-environment", ("variables", "files")),
    "TrustedKeys": ("slipway-trusted-keys", ("keys",)),
}


def test_every_block_is_in_the_table_and_the_interface_of_switches_alone_is_not():
    assert set(STORED) == set(blocks.__all__) - {"TrafficSwitch"}


@pytest.mark.parametrize("name", STORED)
def test_slugs_and_fields_are_those_that_are_stored(name):
    slug, fields = STORED[name]
    block = getattr(blocks, name)
    assert block.get_block_type_slug() == slug
    assert set(block.model_fields) == set(fields)


@pytest.mark.parametrize("name", STORED)
def test_what_prefect_shows_of_a_block_is_complete(name):
    block = getattr(blocks, name)
    assert block._block_type_name.startswith("Slipway ")
    module = importlib.import_module(block.__module__)
    assert (module.__doc__ or "").startswith(f"The {name} block: ")
    own = [field for field in block.model_fields if field in block.__annotations__]
    assert [field for field in own if not block.model_fields[field].title] == []


class TestPrefectStandard(BlockStandardTestSuite):
    """What Prefect asks of the blocks of its own integrations."""

    @pytest.fixture(params=STORED)
    def block(self, request) -> type[Block]:
        return getattr(blocks, request.param)

    def test_has_a_documentation_url(self, block):
        assert isinstance(block._documentation_url, HttpUrl)

    def test_has_a_valid_image(self, block):
        """Its address only: a unit test fetches nothing."""
        assert HttpUrl(str(block._logo_url)).scheme == "https"
