"""What holds for every evidence source: it knows its own files, and no broken one stops it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import Edit, UnreadEvidence
from ghapp.evidence.own_lines import NO_LINES
from ghapp.evidence.registry import SOURCES, source_of
from ghapp.evidence.source import EvidenceSource, Found, everything
from tests.evidence.renew import all_cases, inputs
from tests.searching import searched

ARTIFACTS = [
    (SOURCES[case.parent.name], path)
    for case in all_cases()
    for path in inputs(case)
    if path.suffix != ".sql"
]
IDS = [f"{path.parts[-3]}-{path.parts[-2]}" for _, path in ARTIFACTS]


def read(source: EvidenceSource, name: str, text: bytes) -> list[Found]:
    return list(source.read(name, text.splitlines(keepends=True), everything))


def edits(found: list[Found]) -> list[Edit]:
    return [edit for edit in found if isinstance(edit, Edit)]


@pytest.mark.parametrize(("source", "path"), ARTIFACTS, ids=IDS)
def test_each_artifact_is_recognized_by_its_own_source(source: EvidenceSource, path: Path) -> None:
    assert source_of(path.name, path.read_bytes()) is source


@pytest.mark.parametrize(("source", "path"), ARTIFACTS, ids=IDS)
def test_an_edit_that_is_not_wanted_has_no_lines(source: EvidenceSource, path: Path) -> None:
    text = path.read_bytes().splitlines(keepends=True)
    none_of = edits(list(source.read(path.name, text, lambda _: False)))
    assert all(edit.lines == NO_LINES for edit in none_of)
    all_of = edits(list(source.read(path.name, text, everything)))
    assert [(e.id, e.path, e.outcome, e.at) for e in all_of] == [
        (e.id, e.path, e.outcome, e.at) for e in none_of
    ]


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_source_says_whose_edits_it_reads(source: EvidenceSource) -> None:
    paths = [path for one, path in ARTIFACTS if one is source]
    found = [edit for path in paths for edit in edits(read(source, path.name, path.read_bytes()))]
    assert {edit.agent for edit in found} == {source.AGENT}
    assert source.HOMES


@searched(50)
@given(st.sampled_from(list(SOURCES.values())), st.lists(st.binary(max_size=200), max_size=20))
def test_random_bytes_are_named_and_harm_nothing(
    source: EvidenceSource, lines: list[bytes]
) -> None:
    found = list(source.read("t.jsonl", lines, everything))
    assert all(isinstance(one, UnreadEvidence) for one in found)


@searched(50)
@given(st.sampled_from(ARTIFACTS), st.data())
def test_a_cut_or_changed_artifact_never_stops_the_reading(
    artifact: tuple[EvidenceSource, Path], data: st.DataObject
) -> None:
    source, path = artifact
    text = bytearray(path.read_bytes()[: data.draw(st.integers(1, path.stat().st_size))])
    for _ in range(data.draw(st.integers(0, 5))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    found = edits(read(source, path.name, bytes(text)))
    assert len({(one.id, one.at, one.path) for one in found}) == len(found), "each call once"


@pytest.mark.parametrize(("source", "path"), ARTIFACTS, ids=IDS)
def test_no_part_has_to_be_what_it_should_be(source: EvidenceSource, path: Path) -> None:
    lines = path.read_bytes().splitlines()
    for at, line in enumerate(lines if path.suffix == ".jsonl" else [path.read_bytes()]):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        for changed in _each_part_as({}, value):
            other = json.dumps(changed).encode()
            whole = [*lines[:at], other, *lines[at + 1 :]] if path.suffix == ".jsonl" else [other]
            found = edits(list(source.read(path.name, whole, everything)))
            assert len({(one.id, one.at, one.path) for one in found}) == len(found)


def _each_part_as(other: object, value: object) -> Iterator[object]:
    """Yield a JSON value with one of its parts replaced, for each part."""
    yield other
    if isinstance(value, dict):
        for key, part in value.items():
            yield from ({**value, key: changed} for changed in _each_part_as(other, part))
    if isinstance(value, list):
        for at, part in enumerate(value):
            for changed in _each_part_as(other, part):
                yield [*value[:at], changed, *value[at + 1 :]]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@searched(50)
@given(st.sampled_from(ARTIFACTS), st.data())
def test_a_part_of_another_kind_never_stops_the_reading(
    artifact: tuple[EvidenceSource, Path], data: st.DataObject
) -> None:
    source, path = artifact
    lines = path.read_bytes().splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    try:
        value = json.loads(lines[at] if path.suffix == ".jsonl" else path.read_bytes())
    except (ValueError, RecursionError):
        return
    changed = json.dumps(_with_other_part(value, data)).encode()
    lines = [*lines[:at], changed, *lines[at + 1 :]] if path.suffix == ".jsonl" else [changed]
    list(source.read(path.name, lines, everything))


def _with_other_part(value: object, data: st.DataObject) -> object:
    """Replace one part of a JSON value, found by walking down from its top."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 9)):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: _with_other_part(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 9)):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], _with_other_part(value[at], data), *value[at + 1 :]]
    return data.draw(JSON)
