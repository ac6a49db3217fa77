"""Records that something damaged: no reader stops, and none invents an edit.

``GHAPP_EXAMPLES_FACTOR`` sets how many records are tried (`tests.searching`).
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import Edit, EditResult
from ghapp.evidence import cline, cursor_transcripts, droid, kimi, pi, qwen
from ghapp.evidence.source import EvidenceSource, everything
from tests.cases import cases
from tests.evidence.renew import inputs
from tests.searching import searched

SOURCES: tuple[EvidenceSource, ...] = (cline, cursor_transcripts, droid, kimi, pi, qwen)
IDS = [source.NAME for source in SOURCES]
STRANGE = (None, True, 0, -1, 1e308, "", "x\n", "\ud83d", [], {}, [[]], {"a": {}}, 10**40)


def artifacts(source: EvidenceSource) -> list[Path]:
    return [path for case in cases(f"evidence/{source.NAME}") for path in inputs(case)]


def edits(source: EvidenceSource, name: str, text: bytes) -> list[Edit]:
    found = source.read(name, text.splitlines(keepends=True), everything)
    return [one for one in found if isinstance(one, Edit)]


def asked(found: list[Edit], *outcomes: EditResult) -> set[tuple[str, str]]:
    return {(one.tool, one.path) for one in found if one.outcome in (outcomes or EditResult)}


def own(found: list[Edit]) -> set[str]:
    return {str(line) for one in found for hunk in one.lines.hunks for line in hunk.own}


# --- records lost, doubled, moved or cut -----------------------------------------------------


def records_of(path: Path) -> tuple[list[str], Callable[[list[str]], bytes]]:
    """Return the records of an artifact, and how they are put together again."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return text.splitlines(), lambda records: "\n".join(records).encode() + b"\n"
    whole = json.loads(text)
    messages = whole if isinstance(whole, list) else whole["messages"]

    def put_together(records: list[str]) -> bytes:
        joined = f"[{','.join(records)}]"
        if isinstance(whole, dict):
            joined = json.dumps({**whole, "messages": "HERE"}).replace('"HERE"', joined)
        return joined.encode()

    return [json.dumps(one) for one in messages], put_together


_HOLDS_A_CALL = re.compile('"(?:tool_use|toolCall|functionCall)"')


def damaged(
    records: list[str], draw: Callable[[st.SearchStrategy[Any]], Any], *, calls_stay: bool = False
) -> list[str]:
    """Return records of which some are lost, doubled, moved or cut.

    ``calls_stay``: none is doubled or moved, and none that holds a call is lost.
    """
    records = list(records)
    if calls_stay:
        others = [one for one in records if not _HOLDS_A_CALL.search(one)]
        lost = draw(st.sets(st.sampled_from(others), min_size=1, max_size=4))
        kept = [one[: draw(st.integers(0, 40))] if one in lost else one for one in records]
        return kept if draw(st.booleans()) else [one for one in records if one not in lost]
    for _ in range(draw(st.integers(1, 4))):
        if not records:
            break
        at = draw(st.integers(0, len(records) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                del records[at]
            case 1:
                records.insert(draw(st.integers(0, len(records))), records[at])
            case 2:
                records.insert(draw(st.integers(0, len(records) - 1)), records.pop(at))
            case _:
                records[at] = records[at][: draw(st.integers(0, len(records[at])))]
    return records


@pytest.mark.parametrize("source", SOURCES, ids=IDS)
@searched(40)
@given(data=st.data())
def test_no_edit_counts_that_did_not_count_before(
    source: EvidenceSource, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(artifacts(source)))
    before = edits(source, path.name, path.read_bytes())
    records, put_together = records_of(path)
    # Where an id names several calls, a lost call leaves its result to another one, and nothing
    # that is left tells so.
    is_repeated = any("~" in one.id for one in before)
    left = damaged(records, data.draw, calls_stay=is_repeated)
    after = edits(source, path.name, put_together(left))
    assert are_among(asked(after, EditResult.APPLIED), asked(before, EditResult.APPLIED))
    assert are_among(asked(after), asked(before))


def are_among(found: set[tuple[str, str]], known: set[tuple[str, str]]) -> bool:
    # Without the record that names the directory, a path stays as the agent wrote it.
    return all(
        any(tool == other and whole.endswith(path.lstrip("/")) for other, whole in known)
        for tool, path in found
    )


# --- members with other values --------------------------------------------------------------


def changed(value: object, draw: Callable[[st.SearchStrategy[Any]], Any]) -> object:
    """Return a value with one of its parts, however deep, replaced or left out."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        if not draw(st.integers(0, 5)):
            return {name: one for name, one in value.items() if name != key}
        return {**value, key: changed(value[key], draw)}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], changed(value[at], draw), *value[at + 1 :]]
    return draw(st.sampled_from(STRANGE))


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else ():
        yield from strings(part)
    for part in value if isinstance(value, list) else ():
        yield from strings(part)


@pytest.mark.parametrize("source", SOURCES, ids=IDS)
@searched(40)
@given(data=st.data())
def test_every_own_line_stands_in_the_records(source: EvidenceSource, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(artifacts(source)))
    records, put_together = records_of(path)
    whole = [at for at, record in enumerate(records) if is_json(record)]
    for _ in range(data.draw(st.integers(1, 3)) if whole else 0):
        at = data.draw(st.sampled_from(whole))
        records[at] = json.dumps(changed(json.loads(records[at]), data.draw))
    found = edits(source, path.name, put_together(records))
    told = "\n".join([one for at in whole for one in strings(json.loads(records[at]))] + records)
    assert all(line in told.replace("\ud83d", "\ufffd") for line in own(found))


def is_json(record: str) -> bool:
    try:
        json.loads(record)
    except ValueError:
        return False
    return True
