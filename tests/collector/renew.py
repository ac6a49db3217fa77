"""Rewrites the expected files of fixtures/collector: ``python -m tests.collector.renew``.

Read what it changed before you keep it: the difference is what leaves developers' machines.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ghapp.collector.events import QueuedEvent, to_edits
from tests.cases import cases
from tests.evidence.renew import shape

AT = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)


def read_case(case: Path) -> list[dict[str, Any]]:
    """Return the edits of a case's event as a person has to see them."""
    payload = (case / "event.json").read_bytes()
    return [shape(edit) for edit in to_edits(QueuedEvent(AT, payload))]


def as_text(found: list[dict[str, Any]]) -> str:
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for one in cases("collector"):
        (one / "expected.json").write_text(as_text(read_case(one)), "utf-8")
