"""Journey 4 on one page: exports a repository's records as a bundle that proves itself.

The bundle holds each repository's whole chain, the documents of a span, the keys and policies
that these name, and a seal over all of it. It holds no evidence and no source text.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import BinaryIO

import msgspec
from sqlalchemy import Connection

from ghapp import __version__
from ghapp.attribution.model import Struct
from ghapp.attribution.policy import POLICIES
from ghapp.keys.signing import RecordSigner
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
from ghapp.records.envelope import Envelope
from ghapp.records.statement import ChainHead, read
from ghapp.store import Repository, SavedAudit, Store


class UnsignedError(Exception):
    """A record has no signature; the message says what to do."""


class ExportSpan(Struct, frozen=True):
    """The time of merge of the pull requests whose documents are exported, both ends included."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at <= self.until)


def export(  # noqa: PLR0913 - what is exported, where to, and who seals it when
    store: Store,
    repositories: Sequence[Repository],
    output: BinaryIO,
    *,
    signer: RecordSigner,
    now: datetime,
    span: ExportSpan = ExportSpan(),  # noqa: B008 - it is frozen
) -> None:
    """Write the records of some repositories as a bundle, in the order of their ids.

    Raises `UnsignedError`, `KeyLost` and `StoreError`.
    """
    ordered = sorted(repositories, key=lambda one: one.id)
    with store.database.write() as connection:
        key = signer.key(connection, now=now)
    with store.database.read() as connection:
        write(_lines(store, ordered, connection, span, now), output, key, now)


def _lines(
    store: Store,
    repositories: Sequence[Repository],
    connection: Connection,
    span: ExportSpan,
    now: datetime,
) -> Iterator[Line]:
    # Records saved during the export belong to the next one: first fix where the chains end.
    heads = {one.id: _head(store, one, connection) for one in repositories}
    yield BundleHeader(
        schema=SCHEMA,
        engine=__version__,
        made_at=now,
        repositories=tuple(
            ExportedRepository(id=one.id, name=one.full_name) for one in repositories
        ),
        since=span.since,
        until=span.until,
    )
    for key in store.records.all_keys():
        shown = BundleKey(
            id=key.id, public=key.public, made_at=key.made_at, retired_at=key.retired_at
        )
        yield KeyLine(key=shown)
    yield from _policies(store, repositories, span)
    for repository in repositories:
        if (head := heads[repository.id]) is not None:
            yield from _chain(store, repository, connection, head, span)
            yield head


def _policies(
    store: Store, repositories: Sequence[Repository], span: ExportSpan
) -> Iterator[PolicyLine]:
    """Yield the policies that the documents name; those not in the store are built in."""
    used = {
        one.policy_digest
        for repository in repositories
        for one in store.audits.all_of(repository.id)
        if one.merged_at in span
    }
    built_in = {
        policy.digest: msgspec.json.encode(policy, order="sorted") for policy in POLICIES.values()
    }
    known = {**built_in, **store.records.policies(used)}
    for digest in sorted(used & known.keys()):
        yield PolicyLine(policy=msgspec.Raw(known[digest]))


def _head(store: Store, repository: Repository, connection: Connection) -> Envelope | None:
    """Return the signed head of a repository's chain; ``None``: it has no records."""
    kept = store.records.head_within(connection, repository.id)
    if kept is not None:
        return msgspec.json.decode(kept, type=Envelope)
    saved = store.audits.all_of(repository.id)
    if saved:
        raise UnsignedError(_advice(repository, saved[0]))
    return None


def _chain(
    store: Store, repository: Repository, connection: Connection, head: Envelope, span: ExportSpan
) -> Iterator[Line]:
    last = read(head.payload).predicate
    for signed in store.records.of_within(connection, repository.id):
        if signed.envelope is None:
            raise UnsignedError(_advice(repository, signed.audit))
        if isinstance(last, ChainHead) and signed.audit.position > last.records:
            break
        if signed.audit.merged_at in span:
            yield DocumentLine(document=signed.document)
        yield msgspec.json.decode(signed.envelope, type=Envelope)


def _advice(repository: Repository, saved: SavedAudit) -> str:
    return (
        f"record {saved.position} of {repository.full_name} has no signature, because it is "
        "older than signing: run ghapp admin sign-records, and the app signs what it finds now"
    )
