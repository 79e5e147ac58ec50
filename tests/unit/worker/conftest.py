"""One template for the tests that leave it as it is: it takes seconds to begin."""

from collections.abc import Iterator

import pytest

from tests.support.worker.forks import Forks, forks


@pytest.fixture(scope="package")
def shared_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("template")) as found:
        yield found


@pytest.fixture
def forked(shared_template: Forks, tmp_path) -> Forks:
    """The shared template, with a directory of this test's own."""
    return Forks(shared_template.template, tmp_path)


@pytest.fixture
def own(tmp_path) -> Iterator[Forks]:
    """A template that a test may kill."""
    with forks(tmp_path) as found:
        yield found
