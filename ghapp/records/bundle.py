"""A bundle of records as JSON lines, written and read. It judges nothing.

A line is a header, a public key, a policy, an audit document exactly as saved, or an envelope.
The envelope that signs a document is the next line; the last line seals all lines before it.
docs/records.md describes the format for other programs.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, TypeAlias

import msgspec

from ghapp.attribution.document import SCHEMA as DOCUMENT
from ghapp.attribution.model import Struct
from ghapp.records.chain import digest_of
from ghapp.records.envelope import Envelope, sealed
from ghapp.records.keys import SigningKey
from ghapp.records.statement import of_bundle

SCHEMA = "ghapp/bundle/1"


class LineError(ValueError):
    """A line does not belong in a bundle; the message says why."""


class ExportedRepository(Struct, frozen=True):
    """A repository in a bundle."""

    id: int
    name: str
    """``owner/name`` when the bundle was made."""


class BundleHeader(Struct, frozen=True):
    """The description of a bundle, for people; the seal covers it, too."""

    schema: str
    engine: str
    """Version of the program that wrote the bundle."""
    made_at: datetime
    repositories: tuple[ExportedRepository, ...]
    since: datetime | None = None
    """Documents of pull requests merged then or later; ``None``: no limit."""
    until: datetime | None = None


class BundleKey(Struct, frozen=True):
    """The public key of a signing key; bytes are base64 in JSON."""

    id: str
    public: bytes
    made_at: datetime
    retired_at: datetime | None = None
    """``None``: in use."""


class KeyLine(Struct, frozen=True):
    """The line of a key."""

    key: BundleKey


class PolicyLine(Struct, frozen=True):
    """The line of a policy; its digest is over the bytes of the object."""

    policy: msgspec.Raw

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest, as documents name the policy."""
        return digest_of(bytes(self.policy))


class DocumentLine(Struct, frozen=True):
    """The line of an audit document, byte for byte."""

    document: bytes

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of the line without its end."""
        return digest_of(self.document)


Line: TypeAlias = BundleHeader | KeyLine | PolicyLine | DocumentLine | Envelope

_ENCODER = msgspec.json.Encoder(order="sorted")


def encoded(line: Line) -> bytes:
    """Return a line's bytes, without its end."""
    return line.document if isinstance(line, DocumentLine) else _ENCODER.encode(line)


def write(lines: Iterable[Line], output: BinaryIO, key: SigningKey, made_at: datetime) -> None:
    """Write lines, and then the seal over all of them."""
    digests: list[str] = []
    whole = hashlib.sha256()
    for line in lines:
        content = encoded(line)
        digests.append(hashlib.sha256(content).hexdigest())
        whole.update(content + b"\n")
        output.write(content + b"\n")
    statement = of_bundle(tuple(digests), whole.hexdigest(), made_at)
    output.write(sealed(statement.encoded(), key).encoded() + b"\n")


class _Shape(Struct, frozen=True):
    """The members that distinguish the kinds of lines."""

    schema: str | None = None
    key: msgspec.Raw = msgspec.Raw()
    policy: msgspec.Raw = msgspec.Raw()
    payload: msgspec.Raw = msgspec.Raw()


_SHAPE = msgspec.json.Decoder(_Shape)
_KINDS: dict[str, type[BundleHeader | KeyLine | PolicyLine | Envelope]] = {
    "key": KeyLine,
    "policy": PolicyLine,
    "payload": Envelope,
}


def read_line(content: bytes) -> Line:
    """Read one line without its end. Raises `LineError`."""
    try:
        shape = _SHAPE.decode(content)
        if shape.schema == DOCUMENT:
            return DocumentLine(document=content)
        line = msgspec.json.decode(content, type=_kind(shape))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LineError(f"it cannot be read: {error}") from error
    if encoded(line) != content:
        raise LineError("it is not written in the canonical form")
    return line


def _kind(shape: _Shape) -> type[BundleHeader | KeyLine | PolicyLine | Envelope]:
    # Only a header has the member "schema": a policy line and an envelope do not.
    if shape.schema == SCHEMA:
        return BundleHeader
    for member, kind in _KINDS.items():
        if bytes(getattr(shape, member)):
            return kind
    raise LineError(f"it is not a header, key, policy, document or envelope of {SCHEMA}")


def lines_of(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield each line without its end, and whether it has one."""
    for line in file:
        yield line.removesuffix(b"\n"), line.endswith(b"\n")
