"""The lines of a bundle: written in one way only, told apart, sealed as they are."""

import hashlib
import io
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ghapp.records.bundle import (
    BundleHeader,
    DocumentLine,
    KeyLine,
    LineError,
    PolicyLine,
    encoded,
    lines_of,
    read_line,
    write,
)
from ghapp.records.chain import digest_of
from ghapp.records.envelope import Envelope, opened
from ghapp.records.statement import BundleSeal, read
from tests.records.bundles import KEY, lines
from tests.store.records import NOW, document

HEADER, KEY_LINE, POLICY, DOCUMENT, ENVELOPE, *_ = lines()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (HEADER, BundleHeader),
        (KEY_LINE, KeyLine),
        (POLICY, PolicyLine),
        (DOCUMENT, DocumentLine),
        (ENVELOPE, Envelope),
    ],
)
def test_every_kind_of_line_comes_back(line: Any, kind: type[Any]) -> None:
    found = read_line(encoded(line))
    assert type(found) is kind
    assert encoded(found) == encoded(line)


def test_a_document_stays_as_it_was_saved_byte_for_byte() -> None:
    spaced = document().replace(b":", b" : ")
    found = read_line(spaced)
    assert isinstance(found, DocumentLine)
    assert (found.document, found.digest) == (spaced, digest_of(spaced))


def test_a_policys_digest_is_that_of_its_object() -> None:
    assert isinstance(POLICY, PolicyLine)
    content = encoded(POLICY).removeprefix(b'{"policy":').removesuffix(b"}")
    assert POLICY.digest == digest_of(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"schema":"other"}',
        b'{"schema":"ghapp/bundle/1"}',
        b'{"payload":1}',
        b'{"key":{"id":"a","public":"%","made_at":"2026-05-20T15:30:00Z"}}',
        b"[" * 100_000,
    ],
)
def test_other_lines_are_refused(content: bytes) -> None:
    with pytest.raises(LineError, match=r"^it (cannot be read|is not)"):
        read_line(content)


@pytest.mark.parametrize("line", [HEADER, KEY_LINE, ENVELOPE])
def test_a_line_is_written_in_one_way_only(line: Any) -> None:
    content = encoded(line)
    more = content[:-1] + b',"zz":1}'
    for other in (content + b" ", content.replace(b":", b": ", 1), more):
        with pytest.raises(LineError, match="canonical"):
            read_line(other)


def test_the_seal_is_over_every_line_before_it() -> None:
    output = io.BytesIO()
    write([HEADER, KEY_LINE], output, KEY, NOW + timedelta(1))
    *before, last = output.getvalue().splitlines(keepends=True)
    seal = msgspec.json.decode(last, type=Envelope)
    payload, _ = opened(seal, {KEY.public.id: KEY.public})
    statement = read(payload)
    assert statement.predicate == BundleSeal(
        lines=tuple(hashlib.sha256(line[:-1]).hexdigest() for line in before),
        made_at=NOW + timedelta(1),
    )
    (whole,) = statement.subject
    assert whole.digest == {"sha256": hashlib.sha256(b"".join(before)).hexdigest()}


def test_a_line_without_an_end_is_told() -> None:
    assert [*lines_of(io.BytesIO(b"a\r\n\nb"))] == [(b"a\r", True), (b"", True), (b"b", False)]
    assert [*lines_of(io.BytesIO())] == []
