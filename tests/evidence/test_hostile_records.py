"""Mutated records: no reader stops, and none says what no record holds.

``GHAPP_EXAMPLES_FACTOR`` sets how many are tried (`tests.searching`).
"""

import json
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import Edit
from ghapp.evidence import antigravity, codex, copilot, gemini_cli, opencode
from ghapp.evidence.json_records import whole_records
from ghapp.evidence.source import EvidenceSource, everything
from tests.evidence.renew import all_cases, artifact, inputs
from tests.searching import searched

SOURCES: tuple[EvidenceSource, ...] = (antigravity, codex, copilot, gemini_cli, opencode)
PIECES = 6
"""Most pieces of one own line: a replacement joins a file's text and the agent's."""
HALVES = re.compile("[\ud800-\udfff]")
"""Halves of surrogate pairs, which readers replace."""
OTHERS: tuple[object, ...] = (
    *(None, True, 0, -1, 1e300, "", "REDACTED", "a\0b", "\ud800", "/", "..", "file://%", {}, []),
    *({"text": "a"}, ["a"], "*** Begin Patch\n*** Add File: x\n", "@@ -1,9 +1,9 @@\n+a", "{}"),
)

ARTIFACTS: dict[str, list[tuple[str, list[bytes]]]] = {}


def artifacts(source: str) -> list[tuple[str, list[bytes]]]:
    """Return the names and records of a source's cases."""
    if source not in ARTIFACTS:
        paths = [
            path for case in all_cases() if case.parent.name == source for path in inputs(case)
        ]
        ARTIFACTS[source] = [artifact(path) for path in paths]
    return ARTIFACTS[source]


@pytest.mark.parametrize("source", SOURCES, ids=[source.NAME for source in SOURCES])
@searched(20)
@given(st.integers(0, 2**32))
def test_a_mutated_artifact_gives_no_line_that_its_records_do_not_hold(
    source: EvidenceSource, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  (nothing secret)
    name, records = chance.choice(artifacts(source.NAME))
    mutated = mutate(records, chance, is_document=Path(name).suffix == ".json")
    found = [one for one in source.read(name, mutated, everything) if isinstance(one, Edit)]
    own = {line for edit in found for hunk in edit.lines.hunks for line in hunk.own}
    held = "\0".join(texts(b"\n".join(mutated) if name.endswith(".json") else mutated))
    assert [line for line in own if not is_made_of(line, held)] == []


# --- mutating -------------------------------------------------------------------------------------


def mutate(records: list[bytes], chance: random.Random, *, is_document: bool) -> list[bytes]:
    """Return records with one to four changes to their values, their bytes or their order."""
    mutated = [b"".join(records)] if is_document else list(records)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutated))
        kind = chance.randrange(8)
        if kind == 0:
            mutated[at] = mutated[at][: chance.randrange(len(mutated[at]) + 1)]
        elif kind == 1 and mutated[at]:
            changed = bytearray(mutated[at])
            changed[chance.randrange(len(changed))] = chance.randrange(256)
            mutated[at] = bytes(changed)
        elif kind == 2:
            mutated.insert(chance.randrange(len(mutated) + 1), mutated[at])
        elif kind == 3:
            other = chance.randrange(len(mutated))
            mutated[at], mutated[other] = mutated[other], mutated[at]
        else:
            mutated[at] = with_another_value(mutated[at], chance)
    return mutated


def with_another_value(record: bytes, chance: random.Random) -> bytes:
    """Return a record with one of its values replaced, removed or taken from another place."""
    try:
        value = json.loads(record)
    except (ValueError, RecursionError):
        return record
    places = list(walked(value))
    if not places:
        return record
    holder, key = chance.choice(places)
    if isinstance(holder, dict) and chance.random() < 0.2:
        del holder[key]
    else:
        source, other = chance.choice(places)
        taken = source[other] if chance.random() < 0.4 else chance.choice(OTHERS)
        holder[key] = json.loads(json.dumps(taken))
    return json.dumps(value).encode() + b"\n"


def walked(value: object) -> Iterator[tuple[object, object]]:
    """Yield each place in a value: what holds it, and its key there."""
    parts: list[tuple[object, object]] = []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    for key, part in parts:
        yield value, key
        yield from walked(part)


# --- judging --------------------------------------------------------------------------------------


def texts(records: list[bytes] | bytes) -> Iterator[str]:
    """Yield each text in some records, also the texts of JSON within a text."""
    for record in [records] if isinstance(records, bytes) else records:
        yield record.decode(errors="replace")
        for whole in [record, *whole_records(record, lambda _: True)[0]]:
            with suppress(ValueError, RecursionError):
                yield from texts_of(json.loads(whole))


def texts_of(value: object) -> Iterator[str]:
    """Yield each text in a JSON value."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from texts_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts_of(part)
    elif isinstance(value, str):
        yield HALVES.sub("\ufffd", value)
        if value[:1] in ("{", "[", '"'):
            yield from texts([value.encode(errors="replace")])


def is_made_of(line: str, held: str) -> bool:
    """Return whether a line is a few pieces of what the records hold, one after the other."""
    at = 0
    for _ in range(PIECES):
        end = len(line)
        while end > at and line[at:end] not in held:
            end -= 1
        if end == len(line):
            return True
        at = end
    return False
