"""Whatever is sent to a parser, it ends with a value or with an error of a kind that is known."""

import pytest
from hypothesis import given

from tests.support.hostile.attacked import Attacked
from tests.support.hostile.changes import Change, changes
from tests.support.hostile.extent import generated
from tests.support.hostile.of_droplets import OF_DROPLETS
from tests.support.hostile.of_files import OF_FILES
from tests.support.hostile.of_images import OF_IMAGES
from tests.support.hostile.of_providers import OF_PROVIDERS

pytestmark = pytest.mark.unit

KINDS = {"droplets": OF_DROPLETS, "files": OF_FILES, "images": OF_IMAGES, "providers": OF_PROVIDERS}


@pytest.mark.parametrize("attacked", [one for kind in KINDS.values() for one in kind], ids=lambda one: one.name)
def test_the_good_answer_is_read(attacked: Attacked) -> None:
    assert attacked.reads(attacked.answer(Change())) is not attacked.error


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")  # `re`, of patterns in .slipwayignore
@pytest.mark.parametrize("kind", KINDS)
@generated()
@given(change=changes)
def test_no_answer_ends_in_an_error_of_an_unknown_kind(kind: str, change: Change) -> None:
    for attacked in KINDS[kind]:
        answer = attacked.answer(change)
        try:
            attacked.reads(answer)
        except Exception as error:
            pytest.fail(f"{attacked.name}: {type(error).__name__}: {str(error)[:200]}: given {str(answer)[:500]!r}")
