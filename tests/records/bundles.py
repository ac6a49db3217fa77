"""Makes small bundles of records for tests, with keys of their own."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from ghapp.attribution.document import from_document
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.records.bundle import (
    SCHEMA,
    BundleHeader,
    BundleKey,
    DocumentLine,
    ExportedRepository,
    KeyLine,
    Line,
    PolicyLine,
    write,
)
from ghapp.records.chain import ChainLink, digest_of
from ghapp.records.envelope import sealed
from ghapp.records.keys import SigningKey
from ghapp.records.statement import of_head, of_record
from tests.store.records import NOW, document

KEY = SigningKey(b"\x07" * 32)
OTHER_KEY = SigningKey(b"\x08" * 32)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def lines(records: int = 3, key: SigningKey = KEY) -> list[Line]:
    """Return the lines of a bundle of one repository, its seal left out."""
    header = BundleHeader(
        schema=SCHEMA,
        engine="1.0.0",
        made_at=NOW,
        repositories=(ExportedRepository(id=42, name="acme/shop"),),
    )
    policy = PolicyLine(policy=msgspec.Raw(msgspec.json.encode(CLAUDE_CODE_V1, order="sorted")))
    public = BundleKey(id=key.public.id, public=key.public.raw, made_at=NOW)
    found: list[Line] = [header, KeyLine(key=public), policy]
    link: ChainLink | None = None
    for number in range(1, records + 1):
        content = document(pull_request=number)
        link = _link(content, number, link)
        statement = of_record(link, from_document(content), NOW)
        found += [DocumentLine(document=content), sealed(statement.encoded(), key)]
    if link is not None:
        found.append(sealed(of_head(link, NOW).encoded(), key))
    return found


def _link(content: bytes, number: int, before: ChainLink | None) -> ChainLink:
    return ChainLink(
        created_at=int((NOW - EPOCH).total_seconds()) * 1_000_000,
        digest=digest_of(content),
        number=1,
        position=number,
        previous=None if before is None else before.chain,
        pull_request=number,
        repository_id=42,
    )


def bundle(made: Iterable[Line], key: SigningKey = KEY) -> bytes:
    """Return a bundle of some lines, sealed."""
    output = io.BytesIO()
    write(made, output, key, NOW)
    return output.getvalue()
