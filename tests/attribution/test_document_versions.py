"""Documents of every schema are read, and what is written follows the published JSON Schema."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from ghapp.attribution.document import FIRST_SCHEMA, SCHEMA, from_document, schema, to_document
from ghapp.attribution.model import AgentDeclaration
from tests import published_schema
from tests.cases import FIXTURES, TOP, cases, names

PUBLISHED = TOP / "docs" / "audit.schema.json"
RENEW = "renew it: python -m tests.attribution.renew_schema"


def first(document: bytes, **inputs: Any) -> bytes:
    """Return a document as the first schema had it."""
    read = json.loads(document)
    given = read["inputs"]
    for name in ("base_ref", "base_commit", "head_commit", "edits"):
        del read[name]
    for name in ("change_complete", "evidence_complete", "declared", "passed_over"):
        del given[name]
    for name in ("by_model", "range"):
        del read["totals"][name]
    given |= {"complete": True, "missing": [], "unread_records": 0, **inputs}
    return json.dumps({**read, "schema": FIRST_SCHEMA}).encode()


@pytest.fixture
def document() -> bytes:
    return (FIXTURES / "reports" / "several_agents" / "audit.json").read_bytes()


def test_the_published_schema_is_that_of_the_program() -> None:
    assert json.loads(PUBLISHED.read_text("utf-8")) == json.loads(json.dumps(schema())), RENEW


@pytest.mark.parametrize("case", cases("reports"), ids=names(cases("reports")))
def test_a_written_document_follows_the_published_schema(case: Path) -> None:
    written = to_document(from_document((case / "audit.json").read_bytes()))
    validator = jsonschema_rs.validator_for(json.loads(PUBLISHED.read_text("utf-8")))
    assert [error.message for error in validator.iter_errors(json.loads(written))] == []
    assert json.loads(written)["schema"] == SCHEMA


def test_the_annotated_document_is_one() -> None:
    page = (PUBLISHED.parent / "audit-document.md").read_text("utf-8")
    block = re.search(r"```jsonc\n(.*?)```", page, re.DOTALL)
    assert block is not None
    bare = re.sub(r"\s+// .*", "", block[1]).encode()
    audit = from_document(bare)
    assert to_document(audit) == json.dumps(json.loads(bare), separators=(",", ":")).encode()
    assert audit.verdict == "assisted"


def test_a_test_that_makes_a_document_against_the_schema_fails(document: bytes) -> None:
    broken = msgspec.structs.replace(from_document(document), pull_request="seventeen")
    with pytest.raises(jsonschema_rs.ValidationError):
        published_schema.to_document(broken)


def test_a_document_that_breaks_the_schema_is_found() -> None:
    validator = jsonschema_rs.validator_for(json.loads(PUBLISHED.read_text("utf-8")))
    assert list(validator.iter_errors({"schema": SCHEMA, "verdict": "guilty"}))


@pytest.mark.parametrize(
    ("inputs", "change", "evidence"),
    [
        ({}, True, True),
        ({"complete": False, "missing": ["big.txt"]}, False, True),
        ({"complete": False, "unread_records": 2}, True, False),
        ({"complete": False, "missing": ["a"], "unread_records": 1}, False, False),
        ({"complete": False}, False, True),
    ],
)
def test_the_first_schema_s_one_fact_is_read_as_two(
    document: bytes, inputs: dict[str, Any], *, change: bool, evidence: bool
) -> None:
    found = from_document(first(document, **inputs)).inputs
    assert (found.change_complete, found.evidence_complete) == (change, evidence)


def test_what_the_first_schema_does_not_say_is_unknown(document: bytes) -> None:
    found = from_document(first(document))
    assert (found.base_ref, found.edits, found.totals.by_model, found.totals.range) == (None,) * 4
    assert (found.inputs.declared, found.inputs.passed_over) == (None, None)
    declared = from_document(first(document, trailers={"codex": 2, "claude-code": 1}))
    assert declared.inputs.declared == (
        AgentDeclaration(agent="claude-code", commits=1),
        AgentDeclaration(agent="codex", commits=2),
    )


def test_the_first_schema_s_zero_without_evidence_is_unknown(document: bytes) -> None:
    old = json.loads(first(document))
    old["verdict"], old["totals"]["share"] = "no_evidence", 0.0
    assert from_document(json.dumps(old).encode()).totals.share is None


@pytest.mark.parametrize("name", ["ghapp/audit/3", "other", ""])
def test_another_schema_is_refused_by_name(document: bytes, name: str) -> None:
    other = json.dumps({**json.loads(document), "schema": name}).encode()
    with pytest.raises(ValueError, match=f"has schema {name!r}"):
        from_document(other)
