"""Writes the audit document's JSON Schema: ``python -m tests.attribution.renew_schema``."""

import json

from ghapp.attribution.document import schema
from tests.cases import TOP

if __name__ == "__main__":
    text = json.dumps(schema(), indent=1, ensure_ascii=False)
    (TOP / "docs" / "audit.schema.json").write_text(f"{text}\n", "utf-8")
