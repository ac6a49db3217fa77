"""In-toto statements about a record, a repository's chain and a bundle. It signs nothing.

docs/records.md describes each predicate.
"""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

import msgspec

from ghapp.attribution.model import Audit, Struct
from ghapp.records.chain import ChainLink

STATEMENT = "https://in-toto.io/Statement/v1"
RECORD = "urn:ghapp:audit-record:1"
HEAD = "urn:ghapp:chain-head:1"
BUNDLE = "urn:ghapp:bundle:1"

PredicateT = TypeVar("PredicateT")


class StatementError(ValueError):
    """A payload is not one of our statements; the message says what it is."""


class StatementSubject(Struct, frozen=True):
    """What a statement is about; ``digest`` maps an algorithm to hexadecimal."""

    name: str
    digest: dict[str, str]


class Statement(
    Struct,
    Generic[PredicateT],
    frozen=True,
    rename={"type": "_type", "predicate_type": "predicateType"},
):
    """An in-toto statement.

    https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
    """

    type: str
    predicate_type: str
    subject: tuple[StatementSubject, ...]
    predicate: PredicateT

    def encoded(self) -> bytes:
        """Return the statement as canonical JSON: sorted members, no spare space."""
        return msgspec.json.encode(self, order="sorted")


class AuditRecord(Struct, frozen=True):
    """One saved audit: its place in the chain, what it was made from, and by which engine."""

    link: ChainLink
    chain: str
    """The link's own digest, which the next record names."""
    repository: str | None
    verdict: str
    state: str
    merged_at: datetime
    engine: str
    measure: str
    policy: str
    """Digests of the policy, the change and the edits, as in the document."""
    diff: str
    evidence: str
    signed_at: Annotated[datetime, msgspec.Meta(tz=True)]
    """Much later than the record: the audit was saved before the app signed records."""

    @property
    def name(self) -> str:
        """The record's name in messages."""
        link = self.link
        of = self.repository or f"repository {link.repository_id}"
        audit = f"pull request {link.pull_request}, audit {link.number}"
        return f"record {link.position} of {of} ({audit})"


class ChainHead(Struct, frozen=True):
    """The length of a repository's chain, so that records removed from its end are noticed."""

    repository_id: int
    records: int
    last: str
    """``chain`` of the last of them."""
    signed_at: datetime


class BundleSeal(Struct, frozen=True):
    """All lines of a bundle before the seal, each by the digest of its bytes."""

    lines: tuple[str, ...]
    """``sha256`` in hexadecimal, the line end left out."""
    made_at: datetime


RecordStatement = Statement[AuditRecord]
HeadStatement = Statement[ChainHead]
SealStatement = Statement[BundleSeal]


def of_record(link: ChainLink, audit: Audit, signed_at: datetime) -> RecordStatement:
    """Return the statement about a saved audit: its document, and the commit that it judges."""
    name = f"{audit.repository or link.repository_id}#{link.pull_request} audit {link.number}"
    subjects = [StatementSubject(name=name, digest={"sha256": link.digest.removeprefix("sha256:")})]
    if audit.merge_commit is not None:
        commit = {"gitCommit": audit.merge_commit}
        subjects.append(StatementSubject(name="merge commit", digest=commit))
    record = AuditRecord(
        link=link,
        chain=link.chain,
        repository=audit.repository,
        verdict=audit.verdict,
        state=audit.state,
        merged_at=audit.merged_at,
        engine=audit.engine,
        measure=audit.measure,
        policy=audit.policy.digest,
        diff=audit.inputs.diff,
        evidence=audit.inputs.evidence,
        signed_at=signed_at,
    )
    return Statement(
        type=STATEMENT, predicate_type=RECORD, subject=tuple(subjects), predicate=record
    )


def of_head(link: ChainLink, signed_at: datetime) -> HeadStatement:
    """Return the statement about a repository's chain that ends with this link."""
    head = ChainHead(
        repository_id=link.repository_id,
        records=link.position,
        last=link.chain,
        signed_at=signed_at,
    )
    digest = {"sha256": link.chain.removeprefix("sha256:")}
    subject = StatementSubject(name=f"chain of repository {link.repository_id}", digest=digest)
    return Statement(type=STATEMENT, predicate_type=HEAD, subject=(subject,), predicate=head)


def of_bundle(lines: tuple[str, ...], digest: str, made_at: datetime) -> SealStatement:
    """Return the statement about a bundle's lines; ``digest`` is over all their bytes."""
    return Statement(
        type=STATEMENT,
        predicate_type=BUNDLE,
        subject=(StatementSubject(name="bundle", digest={"sha256": digest}),),
        predicate=BundleSeal(lines=lines, made_at=made_at),
    )


_KINDS = {RECORD: RecordStatement, HEAD: HeadStatement, BUNDLE: SealStatement}


class _Kind(Struct, frozen=True, rename={"predicate_type": "predicateType"}):
    predicate_type: str


def read(payload: bytes) -> RecordStatement | HeadStatement | SealStatement:
    """Read a statement of one of these kinds. Raises `StatementError`."""
    try:
        kind = msgspec.json.decode(payload, type=_Kind).predicate_type
        if kind not in _KINDS:
            raise StatementError(f"its type {kind!r} is not one of {', '.join(_KINDS)}")
        statement: RecordStatement | HeadStatement | SealStatement
        statement = msgspec.json.decode(payload, type=_KINDS[kind])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StatementError(f"its statement cannot be read: {error}") from error
    if statement.encoded() != payload:
        raise StatementError("its statement is not written in the canonical form")
    return statement
