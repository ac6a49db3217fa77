"""The messages between machine and app: what fits, what does not, and what cannot be in them."""

from typing import Any

import msgspec
import pytest

from ghapp import wire
from ghapp.attribution.model import Struct
from ghapp.wire import EditBatch, SentEdit

EDIT: dict[str, Any] = {
    "id": "toolu_1",
    "agent": "claude-code",
    "agent_session": "s1",
    "at": "2026-05-20T15:30:00Z",
    "path": "src/a.py",
    "outcome": "applied",
    "tool": "Write",
    "lines": [[], []],
}
BATCH: dict[str, Any] = {
    "schema": wire.SCHEMA,
    "client": "ghapp/1.0.0",
    "machine": "0" * 32,
    "installation": 7,
    "key_id": "7-1",
    "remotes": ["github.com/acme/shop"],
    "edits": [EDIT],
}


def decoded(value: dict[str, Any]) -> EditBatch:
    return msgspec.json.decode(msgspec.json.encode(value), type=EditBatch)


def test_a_batch_is_read_as_it_was_written() -> None:
    batch = decoded(BATCH)
    assert decoded(msgspec.to_builtins(batch)) == batch
    assert isinstance(batch.edits[0], SentEdit)


@pytest.mark.parametrize(
    "changed",
    [
        {"machine": "0" * 31},
        {"machine": "Ann's laptop".rjust(32, "0")},
        {"client": ""},
        {"key_id": "x" * 256},
        {"installation": "7"},
        {"remotes": ["github.com/acme/shop"] * 21},
        {"remotes": [""]},
        {"edits": [EDIT] * (wire.MOST_EDITS + 1)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_batch_beyond_its_bounds_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded({**BATCH, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"id": ""},
        {"id": "x" * 256},
        {"agent": "Claude Code"},
        {"agent": "-claude"},
        {"agent": "x" * 40},
        {"at": "2026-05-20T15:30:00"},
        {"path": ""},
        {"path": "x" * 4_097},
        {"outcome": "perhaps"},
        {"lines": "def total():"},
        {"lines": [[[[], ["def total():"], []]], []]},
        {"lines": [[], ["return 1"]]},
    ],
    ids=str,
)
def test_an_edit_beyond_its_bounds_or_with_text_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded({**BATCH, "edits": [{**EDIT, **changed}]})


def test_the_largest_names_are_taken() -> None:
    largest = {**EDIT, "id": "x" * 255, "agent": "a" + "b" * 38, "path": "x" * 4_096}
    assert len(decoded({**BATCH, "edits": [largest] * wire.MOST_EDITS}).edits) == wire.MOST_EDITS


def test_what_a_newer_program_adds_is_passed_over() -> None:
    newer = {**BATCH, "mood": "good", "edits": [{**EDIT, "prompt": "please"}]}
    assert decoded(newer) == decoded(BATCH)


def test_a_batch_without_edits_needs_no_remotes() -> None:
    batch = decoded({name: BATCH[name] for name in BATCH if name not in {"remotes", "edits"}})
    assert (batch.remotes, batch.edits) == ((), ())


def test_messages_do_not_change_once_they_are_made() -> None:
    messages = [
        one
        for one in vars(wire).values()
        if isinstance(one, type) and issubclass(one, Struct) and one.__module__ == wire.__name__
    ]
    assert len(messages) >= 12
    assert {one.__name__ for one in messages if not one.__struct_config__.frozen} == set()
