"""Checks a bundle offline: signatures, chains, seal. It recomputes no audit.

Every problem is reported with its line and, if possible, its record.
"""

import hashlib
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import BinaryIO

import msgspec

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Struct
from ghapp.records.bundle import (
    BundleHeader,
    DocumentLine,
    KeyLine,
    LineError,
    PolicyLine,
    lines_of,
    read_line,
)
from ghapp.records.chain import ChainLink
from ghapp.records.envelope import Envelope, EnvelopeError, opened
from ghapp.records.keys import PublicKey, PublicKeyError
from ghapp.records.statement import (
    AuditRecord,
    BundleSeal,
    ChainHead,
    StatementError,
    of_record,
    read,
)


class BundleProblem(Struct, frozen=True):
    """Something in a bundle that was changed after it was written."""

    line: int
    """From 1; the number of lines + 1: something is missing at the end."""
    problem: str


class BundleCheck(Struct, frozen=True):
    """The result of a check."""

    header: BundleHeader | None
    """``None``: there is no readable header."""
    records: int
    documents: int
    """Records whose document is in the bundle; the others are outside its time span."""
    signed_by: dict[str, int]
    """Key → number of envelopes that it signed."""
    signed_later: int
    """Records that were signed more than `LATER` seconds after they were saved."""
    problems: tuple[BundleProblem, ...]
    """The first problem of each line, by line; empty: the bundle is intact."""


LATER = 60
"""Seconds between a record and its signature; beyond them it counts as signed later."""

Found = Callable[[AuditRecord, bytes], None]
Each = Callable[[AuditRecord], None]


def check(
    path: Path,
    trusted: frozenset[str] = frozenset(),
    *,
    found: Found | None = None,
    each: Each | None = None,
) -> BundleCheck:
    """Check a bundle. ``trusted`` are the ids of the keys that count; empty: all in the bundle.

    It calls ``found`` with each record whose document is there and intact, and ``each`` with each
    record that is signed. Raises `OSError`.
    """
    checking = _Checking(trusted, found, each)
    with path.open("rb") as file:
        checking.read(file)
    return checking.result()


class _Chain:
    """How far the check followed a repository's chain."""

    def __init__(self) -> None:
        self.position = 0
        self.last: str | None = None
        self.is_closed = False


class _Checking:
    """One pass through a bundle."""

    def __init__(self, trusted: frozenset[str], found: Found | None, each: Each | None) -> None:
        self._trusted = trusted
        self._each = each
        self._found = found
        self._at = 0
        self._header: BundleHeader | None = None
        self._keys: dict[str, PublicKey] = {}
        self._policies: set[str] = set()
        self._chains: dict[int, _Chain] = {}
        self._document: tuple[int, DocumentLine] | None = None
        self._lines: list[str] = []
        self._whole = hashlib.sha256()
        self._seal: tuple[int, BundleSeal, str] | None = None
        self._problems: dict[int, str] = {}
        self._signed_by: dict[str, int] = {}
        self.records = self.documents = self.signed_later = 0

    def read(self, file: BinaryIO) -> None:
        """Read all lines, then compare them with the seal."""
        for self._at, (content, has_end) in enumerate(lines_of(file), 1):
            if self._seal is not None:
                self._wrong("it comes after the seal, which must be the last line")
            if not has_end:
                self._wrong("its line end is missing")
            self._take(content)
            self._lines.append(hashlib.sha256(content).hexdigest())
            if self._seal is None:
                self._whole.update(content + b"\n")
        self._document_alone()
        self._end()

    def result(self) -> BundleCheck:
        problems = (
            BundleProblem(line=at, problem=self._problems[at]) for at in sorted(self._problems)
        )
        return BundleCheck(
            header=self._header,
            records=self.records,
            documents=self.documents,
            signed_by=self._signed_by,
            signed_later=self.signed_later,
            problems=tuple(problems),
        )

    def _wrong(self, problem: str, at: int | None = None) -> None:
        """Record what is wrong with a line; only the first problem counts."""
        self._problems.setdefault(self._at if at is None else at, problem)

    # --- line by line -------------------------------------------------------------------------

    def _take(self, content: bytes) -> None:
        try:
            line = read_line(content)
        except LineError as error:
            # It may be the envelope of the document before it: do not blame the document.
            self._document = None
            self._wrong(str(error))
            return
        if not isinstance(line, Envelope):
            self._document_alone()
        match line:
            case BundleHeader():
                self._take_header(line)
            case KeyLine():
                self._take_key(line)
            case PolicyLine():
                self._policies.add(line.digest)
            case DocumentLine():
                self._document = (self._at, line)
            case Envelope():
                self._take_envelope(line)

    def _document_alone(self) -> None:
        if self._document is not None:
            self._wrong("the next line is not the record of this document", self._document[0])
        self._document = None

    def _take_header(self, line: BundleHeader) -> None:
        if self._at != 1:
            self._wrong("the header is not the first line")
        self._header = line

    def _take_key(self, line: KeyLine) -> None:
        try:
            key = PublicKey(line.key.public)
        except PublicKeyError as error:
            self._wrong(str(error))
            return
        if key.id != line.key.id:
            self._wrong(f"the key is {key.id}, but it is named {line.key.id}")
            return
        if not self._trusted or key.id in self._trusted:
            self._keys[key.id] = key

    def _take_envelope(self, line: Envelope) -> None:
        document, self._document = self._document, None
        try:
            payload, key = opened(line, self._keys)
            statement = read(payload)
        except (EnvelopeError, StatementError) as error:
            self._wrong(str(error))
            return
        self._signed_by[key.id] = self._signed_by.get(key.id, 0) + 1
        match statement.predicate:
            case AuditRecord() as record:
                self._take_record(record, document)
            case ChainHead() as head:
                self._take_head(head)
            case BundleSeal() as seal:
                (subject,) = statement.subject
                self._seal = (self._at, seal, subject.digest.get("sha256", ""))

    def _take_record(self, record: AuditRecord, document: tuple[int, DocumentLine] | None) -> None:
        self.records += 1
        link = record.link
        if self._each is not None:
            self._each(record)
        if record.chain != link.chain:
            self._wrong(f"{record.name}: its chain digest does not match its members")
        self._follow(record, link)
        made_at = link.created_at / 1_000_000
        self.signed_later += record.signed_at.timestamp() - made_at > LATER
        if document is not None:
            self._take_document(record, *document)

    def _follow(self, record: AuditRecord, link: ChainLink) -> None:
        """Compare a record with the one before it, and continue from it."""
        chain = self._chains.setdefault(link.repository_id, _Chain())
        if link.position != chain.position + 1:
            self._wrong(
                f"{record.name} is in the place of record {chain.position + 1}: "
                "records are missing or in another order"
            )
        elif link.previous != chain.last:
            self._wrong(f"{record.name} names another record before it than the one in the bundle")
        chain.position, chain.last = link.position, link.chain

    def _take_document(self, record: AuditRecord, at: int, line: DocumentLine) -> None:
        if line.digest != record.link.digest:
            self._wrong(f"{record.name}: the document is not the one that was signed", at)
            return
        try:
            audit = from_document(line.document)
        except (ValueError, msgspec.DecodeError) as error:
            self._wrong(f"{record.name}: its document cannot be read: {error}", at)
            return
        if of_record(record.link, audit, record.signed_at).predicate != record:
            self._wrong(f"{record.name} does not match its document")
            return
        if audit.policy.digest not in self._policies:
            self._wrong(f"{record.name}: its policy {audit.policy.digest} is not in the bundle")
        self.documents += 1
        if self._found is not None:
            self._found(record, line.document)

    def _take_head(self, head: ChainHead) -> None:
        chain = self._chains.setdefault(head.repository_id, _Chain())
        if (head.records, head.last) != (chain.position, chain.last):
            self._wrong(
                f"repository {head.repository_id} has {head.records} records, but the last one "
                f"in the bundle is record {chain.position}"
            )
        chain.is_closed = True

    # --- the end ------------------------------------------------------------------------------

    def _end(self) -> None:
        after = self._at + 1
        for repository_id, chain in self._chains.items():
            if not chain.is_closed:
                self._wrong(f"the end of the chain of repository {repository_id} is missing", after)
        if self._seal is None:
            self._wrong("the seal of the bundle is missing: lines were removed at the end", after)
            return
        at, seal, digest = self._seal
        for line, problem in _changes(seal.lines, self._lines[: at - 1]):
            self._wrong(problem, line)
        if digest != self._whole.hexdigest():
            self._wrong("the seal does not match these bytes", at)
        if self._header is None:
            self._wrong("the header is missing", 1)


def _changes(sealed: tuple[str, ...], found: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that were changed after sealing, and what happened to them."""
    if list(sealed) == found:
        return
    place = {digest: at for at, digest in enumerate(sealed, 1)}
    there = set(found)
    matcher = SequenceMatcher(None, sealed, found, autojunk=False)
    for kind, from_sealed, to_sealed, start, end in matcher.get_opcodes():
        if kind == "equal":
            continue
        for at in range(start, end):
            yield at + 1, _what(found[at], place)
        gone = [sealed[at] for at in range(from_sealed + (end - start), to_sealed)]
        missing = [place[digest] for digest in gone if digest not in there]
        if missing:
            yield start + 1, f"line {missing[0]} of the bundle as it was sealed is missing here"


def _what(digest: str, place: dict[str, int]) -> str:
    if digest in place:
        return f"it was line {place[digest]} when the bundle was sealed"
    return "it is not as it was sealed"
