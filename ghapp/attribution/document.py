"""An audit as canonical JSON bytes, and back. It neither reads nor writes a file."""

import msgspec

from ghapp.attribution.model import Audit

SCHEMA = "ghapp/audit/1"


def to_document(audit: Audit) -> bytes:
    """Return the audit as JSON: UTF-8, sorted members, no spare space, no line end.

    The same audit gives the same bytes on every machine and in every version of Python.
    """
    return msgspec.json.encode(audit, order="sorted")


def from_document(document: bytes) -> Audit:
    """Read an audit document.

    Raises `ValueError` with the member's path where it is no document of this schema.
    """
    audit = msgspec.json.decode(document, type=Audit)
    if audit.schema != SCHEMA:
        message = f"audit document has schema {audit.schema!r}, expected {SCHEMA!r}"
        raise ValueError(message)
    return audit
