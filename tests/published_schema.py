"""Holds every audit document that a test process makes to the published schema."""

import json
import sys
from pathlib import Path

import jsonschema_rs

from ghapp.attribution import document
from ghapp.attribution.model import Audit

PUBLISHED = Path(__file__).parents[1] / "docs" / "audit.schema.json"

_VALIDATOR = jsonschema_rs.validator_for(json.loads(PUBLISHED.read_text("utf-8")))
_to_document = document.to_document


def to_document(audit: Audit) -> bytes:
    """Return an audit as the product does, or fail the test whose document breaks the schema."""
    made = _to_document(audit)
    _VALIDATOR.validate(json.loads(made))
    return made


def hold_to_schema() -> None:
    """Let every module that has imported the function, and those that will, use the one above."""
    for module in (document, *sys.modules.values()):
        if getattr(module, "to_document", None) is _to_document:
            module.to_document = to_document  # type: ignore[attr-defined]
