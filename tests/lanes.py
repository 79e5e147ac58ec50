"""Which tests may run side by side: `pytest -n 4` gives each of its processes one lane after the other."""

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

# What several modules have in common that only one test at a time can use → the modules, or folders of them. Where a
# module is below several, the first holds.
SHARED = {
    "the stack single-service": (
        "tests/lab/records", "tests/lab/secrets", "tests/lab/bad_input/test_record.py",
        "tests/lab/release/test_without_root.py",
    ),
    "the account at DigitalOcean": (
        "tests/lab/cloud", "tests/lab/registry", "tests/lab/docs/test_digitalocean.py", "tests/faults/test_cloud.py",
        "tests/lab/lab_itself/test_digitalocean_registry.py", "tests/lab/lab_itself/test_digitalocean_traffic.py",
    ),
    "the sample stack and the lab's edge": ("tests/lab/release", "tests/browser", "tests/lab/lab_itself/test_edge.py"),
    "the stack bazaar": ("tests/lab/one_droplet",),
    "the stack bad-input": ("tests/lab/bad_input",),
    "the stack corner-shop": (
        "tests/lab/stack/test_compose_features.py", "tests/lab/stack/test_compose_feature_changes.py",
    ),
}  # fmt: skip
# Each case of these has all it needs to itself (a scenario of its process, a stack of its own), so it goes to whichever
# process is free.
FREE = ("tests/faults", "tests/lab/stack/test_differential.py")


def lane(nodeid: str) -> str:
    """The lane of a test: what it shares, else its own name where it is free, else its module."""
    module = nodeid.partition("::")[0]
    places = {module, *map(str, PurePosixPath(module).parents)}
    shared = next((what for what, where in SHARED.items() if places.intersection(where)), None)
    return shared or (nodeid if places.intersection(FREE) else module)


class LaneScheduling(LoadScopeScheduling):
    """Lanes of many tests first, then the single ones, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)
