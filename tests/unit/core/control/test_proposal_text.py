"""Proposals in the text of a compose file: lines are added, and everything else stays byte by byte."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.control.beginning.proposal import Proposal, propose
from flows.core.control.beginning.services import written_services
from flows.core.control.beginning.text import with_proposals
from flows.core.errors import BrokenStack
from flows.core.stack.compose_files import documents_of
from tests.support.generated.stacks import stacks
from tests.support.hostile.extent import generated

pytestmark = pytest.mark.unit
A = {"a": Proposal("a", {"port": 80, "health": "/up"}, ("# ask",))}
BLOCK = "x-slipway:\n{0}  port: 80\n{0}  health: /up\n{0}  # ask\n"


def block(indent: str) -> str:
    return indent + BLOCK.format(indent)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("services:\n  a:\n    image: x # c\n\n# d\nname: y\n",
         f"services:\n  a:\n    image: x # c\n{block('    ')}\n# d\nname: y\n"),
        ("services:\n    a:\n        image: x", f"services:\n    a:\n        image: x\n{block('        ')[:-1]}"),
        ("services:\r\n  a:\r\n    image: x\r\n",
         "services:\r\n  a:\r\n    image: x\r\n" + block("    ").replace("\n", "\r\n")),
        ("services:\n a:\n  command: |\n   x\n\n b: {image: y}\n",
         f"services:\n a:\n  command: |\n   x\n\n{block('  ')} b: {{image: y}}\n"),
        ("services:\n a:\n  command: |+\n   x\n\n\n", f"services:\n a:\n  command: |+\n   x\n\n\n{block('  ')}"),
        ("services:\n a:\n  command: >-\n   x", f"services:\n a:\n  command: >-\n   x\n{block('  ')[:-1]}"),
        ("services: {a: {image: x}}\n", 'services: {a: {image: x, "x-slipway": {"port": 80, "health": "/up"}}}\n'),
        ('{"services": {"a": {"image": "x",\n}}}',
         '{"services": {"a": {"image": "x",\n"x-slipway": {"port": 80, "health": "/up"}}}}'),
        ("x-e: &e {K: v}\nservices:\n a:\n  environment: *e # c\n",
         f"x-e: &e {{K: v}}\nservices:\n a:\n  environment: *e # c\n{block('  ')}"),
        ("services:\n a:\n  image: x\n  environment:\n  # c\nvolumes: {a: {}}\n",
         f"services:\n a:\n  image: x\n  environment:\n{block('  ')}  # c\nvolumes: {{a: {{}}}}\n"),
        ("volumes:\n a:\n  driver: local\nservices:\n a:\n  image:\tx\t# tab\n",
         f"volumes:\n a:\n  driver: local\nservices:\n a:\n  image:\tx\t# tab\n{block('  ')}"),
        ("services:\n a: &a\n  image: x\n b:\n  <<: *a\n  image: y\n",
         f"services:\n a: &a\n  image: x\n{block('  ')} b:\n  <<: *a\n  image: y\n  x-slipway: {{}}\n"),
        ("\ufeffservices:\n a:\n  image: \"x\n   y\"\n", f"\ufeffservices:\n a:\n  image: \"x\n   y\"\n{block('  ')}"),
        ("name: y\n---\nservices:\n a:\n  image: x\n...\n",
         f"name: y\n---\nservices:\n a:\n  image: x\n{block('  ')}...\n"),
    ],
)  # fmt: skip
def test_it_stands_at_the_end_of_its_service_in_the_style_of_the_file(before, after):
    edited = with_proposals(before, A)
    assert edited.content == after
    assert edited.placed == ("a",)
    assert not edited.unplaced


@pytest.mark.parametrize(
    "text",
    [
        "x-a: &a {image: x}\nservices:\n a: *a\n",
        "services:\n a: &a\n  image: x\n b: *a\n",
        "services:\n b:\n  image: x\n",
        "services:\n a:\n",
        "services:\n a: &a\n  image: x\nx-b: *a\n",
    ],
)
def test_where_another_would_change_with_it_the_text_stays_and_the_proposal_is_handed_back(text):
    edited = with_proposals(text, A)
    assert edited.content == text
    assert edited.unplaced == (A["a"],)


def test_one_that_has_no_place_does_not_keep_the_others_out():
    two = {**A, "c": Proposal("c", {"data": "home"})}
    edited = with_proposals("services:\n a: &a\n  image: x\n b: *a\n c:\n  image: y\n", two)
    assert edited.placed == ("c",)
    assert edited.unplaced == (A["a"],)
    assert edited.content.endswith("  image: y\n  x-slipway:\n    data: home\n")


@generated()
@given(stacks(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_of_any_stack_only_lines_are_added_and_they_mean_the_proposals(stack, end, ended):
    for text in stack.files.values():
        content = text.replace("\n", end) if ended else text.rstrip("\n").replace("\n", end)
        try:
            before = documents_of("f", content)
        except BrokenStack:
            continue
        specs = written_services(("/f",), {"/f": content}).specs
        proposals = propose(specs) or {name: Proposal(name, {"port": 80}) for name in specs}
        edited = with_proposals(content, proposals)
        assert set(edited.placed) | {one.service for one in edited.unplaced} == set(proposals)
        lines = difflib.ndiff(content.splitlines(), edited.content.splitlines())
        assert not [line for line in lines if line.startswith("- ") and "{" not in line]
        after = documents_of("f", edited.content)
        for old, new in zip(before, after, strict=True):
            for name, spec in (new.get("services") or {}).items():
                if name in edited.placed:
                    assert spec.pop("x-slipway") == proposals[name].as_written()
                elif isinstance(spec, dict) and "x-slipway" not in (old["services"][name] or {}):
                    assert spec.pop("x-slipway", {}) == {}
            assert old == new
