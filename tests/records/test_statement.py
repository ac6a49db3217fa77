"""A statement is read exactly as it was written, or not at all."""

from typing import Any

import msgspec
import pytest

from ghapp.attribution.document import from_document
from ghapp.records.chain import ChainLink, digest_of
from ghapp.records.statement import (
    StatementError,
    of_bundle,
    of_head,
    of_record,
    read,
)
from tests.records.test_chain import LINK
from tests.store.records import DAY, NOW, document

AUDIT = from_document(document())
RECORD = of_record(LINK, AUDIT, NOW)
ALL = [RECORD, of_head(LINK, NOW), of_bundle((), "0" * 64, NOW), of_bundle(("a", "b"), "1", NOW)]


@pytest.mark.parametrize("statement", ALL)
def test_a_statement_comes_back_as_it_was(statement: Any) -> None:
    found = read(statement.encoded())
    assert found == statement
    assert type(found.predicate) is type(statement.predicate)


def test_a_record_is_about_its_document_and_its_commit() -> None:
    about, commit = RECORD.subject
    assert about.digest == {"sha256": LINK.digest.removeprefix("sha256:")}
    assert about.name == "acme/shop#17 audit 1"
    assert commit.digest == {"gitCommit": AUDIT.merge_commit}
    assert RECORD.predicate.chain == LINK.chain
    assert RECORD.predicate.name == "record 2 of acme/shop (pull request 17, audit 1)"


def test_a_record_of_an_unnamed_place_names_numbers() -> None:
    unnamed = msgspec.structs.replace(AUDIT, repository=None, merge_commit=None)
    record = of_record(LINK, unnamed, NOW + DAY)
    (about,) = record.subject
    assert about.name == "42#17 audit 1"
    assert record.predicate.name.startswith("record 2 of repository 42 ")
    assert record.predicate.signed_at == NOW + DAY
    assert read(record.encoded()) == record


def test_a_head_names_the_last_link() -> None:
    head = of_head(LINK, NOW)
    assert (head.predicate.records, head.predicate.last) == (LINK.position, LINK.chain)
    (chain,) = head.subject
    assert chain.digest == {"sha256": LINK.chain.removeprefix("sha256:")}


ENCODED = RECORD.encoded()
SIGNED_AT = b'"signed_at":"2026-05-20T15:30:00Z"'


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "cannot be read"),
        (b"null", "cannot be read"),
        (b"{}", "cannot be read"),
        (b'{"predicateType":"urn:other"}', "its type 'urn:other' is not one of urn:ghapp"),
        (b'{"predicateType":"urn:ghapp:bundle:1"}', "cannot be read"),
        (ENCODED + b" ", "canonical form"),
        (ENCODED.replace(b'"state"', b'"more":1,"state"'), "canonical form"),
        (ENCODED.replace(b'"number":1', b'"number":"1"'), "cannot be read"),
        (ENCODED.replace(b'"position":2', b'"position":2e0'), "cannot be read"),
        (ENCODED.replace(b'"verdict":"', b'"verdict":"\xff'), "cannot be read"),
        (b'{"a":' + b"[" * 100_000, "cannot be read"),
        (ENCODED.replace(b'"created_at":', b'"created_at":' + b"9" * 400), "cannot be read"),
        (ENCODED.replace(b'"created_at":', b'"created_at":-'), "cannot be read"),
        (ENCODED.replace(SIGNED_AT, b'"signed_at":"0001-01-01T00:00:00"'), "cannot be read"),
    ],
)
def test_anything_else_is_refused(payload: bytes, problem: str) -> None:
    assert payload != ENCODED
    with pytest.raises(StatementError, match=problem):
        read(payload)


def test_a_statement_is_written_in_order() -> None:
    link = ChainLink(0, digest_of(b""), 1, 1, None, 17, 42)
    members = [*msgspec.json.decode(of_record(link, AUDIT, NOW).encoded())]
    assert members == ["_type", "predicate", "predicateType", "subject"]
