"""Converts an audit to canonical JSON bytes and back, in every version. It opens no file."""

from datetime import datetime
from typing import Any

import msgspec

from ghapp.attribution.model import (
    AgentDeclaration,
    Audit,
    AuditInputs,
    AuditState,
    AuditTotals,
    FileVerdict,
    Measure,
    PolicyUsed,
    Struct,
    Verdict,
)

SCHEMA = "ghapp/audit/2"
"""What is written. It is read as well as `FIRST_SCHEMA`."""
FIRST_SCHEMA = "ghapp/audit/1"


def to_document(audit: Audit) -> bytes:
    """Return the audit as JSON: UTF-8, sorted members, no extra white space, no line end.

    The same audit gives the same bytes on every machine and Python version.
    """
    return msgspec.json.encode(audit, order="sorted")


def from_document(document: bytes) -> Audit:
    """Parse an audit document of this or an earlier schema.

    An earlier one is read into the present members: what it does not say is ``None``. Raises
    `ValueError`, with the member's path, if it follows no schema.
    """
    schema = msgspec.json.decode(document, type=_Versioned).schema
    if schema == FIRST_SCHEMA:
        return _upgraded(msgspec.json.decode(document, type=_FirstAudit))
    if schema != SCHEMA:
        message = f"audit document has schema {schema!r}; expected {SCHEMA!r} or {FIRST_SCHEMA!r}"
        raise ValueError(message)
    return msgspec.json.decode(document, type=Audit)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the documents that are written."""
    made = msgspec.json.schema(Audit)
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = SCHEMA
    return made


# --- the first schema -----------------------------------------------------------------------


class _Versioned(Struct, frozen=True):
    schema: str


class _FirstInputs(Struct, frozen=True):
    diff: str
    evidence: str
    edits_considered: int
    complete: bool
    """Whether both the change and the evidence were read; the next two tell which was not."""
    missing: tuple[str, ...] = ()
    unread_records: int = 0
    trailers: dict[str, int] | None = None


class _FirstAudit(Struct, frozen=True):
    schema: str
    repository: str | None
    pull_request: int | None
    merge_commit: str | None
    merged_at: datetime
    state: AuditState
    verdict: Verdict
    policy: PolicyUsed
    engine: str
    measure: Measure
    inputs: _FirstInputs
    totals: AuditTotals
    files: tuple[FileVerdict, ...]


def _upgraded(first: _FirstAudit) -> Audit:
    """Return the audit in the present members; the share of ``no_evidence`` becomes unknown."""
    given, declared = first.inputs, first.inputs.trailers
    is_known = first.verdict is not Verdict.NO_EVIDENCE
    members = {name: getattr(first, name) for name in _FirstAudit.__struct_fields__}
    members["inputs"] = AuditInputs(
        diff=given.diff,
        evidence=given.evidence,
        edits_considered=given.edits_considered,
        # A diff that is not one has no names to miss, and no evidence was looked at.
        change_complete=not given.missing and (given.complete or given.unread_records > 0),
        evidence_complete=not given.unread_records,
        missing=given.missing,
        unread_records=given.unread_records,
        declared=None
        if declared is None
        else tuple(AgentDeclaration(agent=one, commits=declared[one]) for one in sorted(declared)),
    )
    if not is_known:
        members["totals"] = msgspec.structs.replace(first.totals, share=None)
    return Audit(**members)
