"""Reads files of audit documents, one per line: a replay's output or a bundle of records."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from ghapp.attribution.document import SCHEMA, from_document
from ghapp.attribution.model import Audit, Struct
from ghapp.documents.differences import Key, key


class DocumentError(ValueError):
    """A line of a file is not an audit document; the message says where."""


class PlacedDocument(NamedTuple):
    """A document and its place in the file."""

    start: int
    """Bytes before it."""
    audit: Audit


class _Shape(Struct, frozen=True):
    schema: str | None = None


def documents(path: Path) -> Iterator[PlacedDocument]:
    """Yield the documents of a file; it skips the other lines of a bundle of records.

    Raises `DocumentError` and `OSError`.
    """
    with path.open("rb") as file:
        start = 0
        is_bundle = False
        for number, line in enumerate(file, 1):
            schema = _schema(line)
            is_bundle = is_bundle or (number == 1 and (schema or "").startswith("ghapp/bundle/"))
            if schema == SCHEMA or not is_bundle:
                yield PlacedDocument(start, _document(line, path, number))
            start += len(line)


def _schema(line: bytes) -> str | None:
    try:
        return msgspec.json.decode(line, type=_Shape).schema
    except msgspec.DecodeError:
        return None


def _document(line: bytes, path: Path, number: int) -> Audit:
    try:
        return from_document(line)
    except (ValueError, msgspec.DecodeError) as error:
        raise DocumentError(f"{path}:{number}: {error}") from error


class DocumentFile:
    """A file of documents, looked up by pull request; memory holds only their places.

    If a pull request has several documents, the last one counts.
    """

    def __init__(self, path: Path) -> None:
        """Read the file once. Raises `DocumentError` and `OSError`."""
        self._path = path
        self._starts: dict[Key, int] = {key(audit): start for start, audit in documents(path)}

    def keys(self) -> frozenset[Key]:
        """Return the keys of all documents."""
        return frozenset(self._starts)

    def __iter__(self) -> Iterator[Audit]:
        """Yield the documents that count, in the order of the file."""
        for start, audit in documents(self._path):
            if self._starts[key(audit)] == start:
                yield audit

    def of(self, wanted: Key) -> Audit:
        """Return one document."""
        with self._path.open("rb") as file:
            file.seek(self._starts[wanted])
            return from_document(file.readline())
