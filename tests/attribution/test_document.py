"""An audit as bytes: in one form, and read back only in this schema."""

import pytest

from ghapp.attribution.attribute import attribute
from ghapp.attribution.document import from_document, to_document
from ghapp.attribution.model import Change, Evidence
from ghapp.attribution.policy import CLAUDE_CODE_V1
from tests.attribution.strategies import LATER, SUBJECT

AUDIT = attribute(SUBJECT, Change(), Evidence(), CLAUDE_CODE_V1, at=LATER)


def test_members_are_sorted_and_nothing_is_left_over() -> None:
    document = to_document(AUDIT)
    assert document.startswith(b'{"base_commit":null,"base_ref":null,"edits":{},"engine":"')
    assert b"\n" not in document
    assert b": " not in document


def test_a_member_of_another_kind_is_named_by_its_path() -> None:
    broken = to_document(AUDIT).replace(b'"effective":0', b'"effective":"0"')
    with pytest.raises(ValueError, match=r"\$\.totals\.effective"):
        from_document(broken)


@pytest.mark.parametrize("broken", [b"", b"{}", b"[]", b"\xff", b"null"])
def test_what_is_no_document_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_document(broken)


def test_declarations_are_null_where_nobody_looked_and_empty_where_none_were() -> None:
    looked = attribute(SUBJECT, Change(), Evidence(declared=()), CLAUDE_CODE_V1, at=LATER)
    assert b'"declared":null' in to_document(AUDIT)
    assert b'"declared":[]' in to_document(looked)
    assert from_document(to_document(looked)) == looked
