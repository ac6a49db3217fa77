"""Converts an audit to canonical JSON bytes and back. It opens no file."""

import msgspec

from ghapp.attribution.model import Audit

SCHEMA = "ghapp/audit/1"


def to_document(audit: Audit) -> bytes:
    """Return the audit as JSON: UTF-8, sorted members, no extra white space, no line end.

    The same audit gives the same bytes on every machine and Python version.
    """
    return msgspec.json.encode(audit, order="sorted")


def from_document(document: bytes) -> Audit:
    """Parse an audit document.

    Raises `ValueError`, with the member's path, if it does not follow this schema.
    """
    audit = msgspec.json.decode(document, type=Audit)
    if audit.schema != SCHEMA:
        message = f"audit document has schema {audit.schema!r}, expected {SCHEMA!r}"
        raise ValueError(message)
    return audit
