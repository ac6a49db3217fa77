"""Edits as fingerprints, in groups that fit into one request."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import Edit, EditHunk, TextLines
from ghapp.collector import batches
from ghapp.collector.addressing import EvidenceDestination
from ghapp.wire import EditBatch, SentEdit
from tests.collector.test_account import ACME, made
from tests.searching import searched
from tests.store.records import edit

PRINTS = LineFingerprinter(bytes(32))
SHOP = EvidenceDestination(7, ("github.com/acme/shop",))
_LINES = st.lists(st.text(max_size=60), max_size=4).map(tuple)


@given(
    own=_LINES,
    before=_LINES,
    removed=_LINES,
    path=st.text(min_size=1, max_size=30),
    name=st.text(min_size=1, max_size=30),
)
@searched(30)
def test_an_edit_never_takes_more_bytes_than_was_reckoned(
    own: tuple[str, ...], before: tuple[str, ...], removed: tuple[str, ...], path: str, name: str
) -> None:
    lines = TextLines(hunks=(EditHunk(before=before, own=own, after=()),), removed=removed)
    one = msgspec.structs.replace(edit(name), path=path, lines=lines)
    sent = msgspec.json.encode(batches.to_sent(one, PRINTS))
    assert len(sent) <= batches.most_bytes(one) + batches.ENVELOPE // 100


def test_dense_lines_stay_within_what_was_reckoned() -> None:
    # Every character a token of its own, and as many as a line may have.
    one = edit("a", *["(" * 200] * 500)
    assert len(msgspec.json.encode(batches.to_sent(one, PRINTS))) <= batches.most_bytes(one)


def test_no_line_leaves_as_text() -> None:
    one = edit("a", "the_secret = quetzal()")
    sent = msgspec.json.encode(batches.to_sent(one, PRINTS))
    assert b"quetzal" not in sent
    assert msgspec.json.decode(sent, type=SentEdit).lines == PRINTS.lines(one.lines)  # type: ignore[arg-type]


def test_a_batch_is_full_by_number_or_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    edits = [edit(str(number), "one = 1") for number in range(7)]
    assert list(batches.batches(edits)) == [edits]
    monkeypatch.setattr(batches, "MOST_EDITS", 3)
    assert list(batches.batches(edits)) == [edits[:3], edits[3:6], edits[6:]]
    room = batches.ENVELOPE + 2 * batches.most_bytes(edits[0])
    monkeypatch.setattr(batches, "MOST_BYTES", room)
    assert [len(one) for one in batches.batches(edits)] == [2, 2, 2, 1]


def test_an_edit_that_is_too_large_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = edit("a", "one = 1"), edit("b", *["two = 2"] * 99)
    monkeypatch.setattr(batches, "MOST_BYTES", batches.ENVELOPE + batches.most_bytes(small) + 1)
    assert list(batches.batches([small, large, small])) == [[small], [large], [small]]
    assert list(batches.batches([])) == []


@pytest.mark.parametrize(
    ("changed", "fits"),
    [
        ({}, True),
        ({"id": "x" * 255}, True),
        ({"id": "x" * 256}, False),
        ({"id": ""}, False),
        ({"agent_session": "x" * 256}, False),
        ({"tool": ""}, False),
        ({"path": "x" * 4_096}, True),
        ({"path": "x" * 4_097}, False),
    ],
)
def test_names_are_within_the_wires_limits(changed: dict[str, str], *, fits: bool) -> None:
    one: Edit = msgspec.structs.replace(edit("a"), **{"tool": "Write", **changed})
    assert batches.fits(one) is fits


def test_half_a_surrogate_pair_can_be_sent() -> None:
    one = msgspec.structs.replace(edit("a\ud83d", "x = '\ud800'"), path="src/\udfff.py")
    sent = batches.to_sent(one, PRINTS)
    assert (sent.id, sent.path) == ("a\ufffd", "src/\ufffd.py")
    assert msgspec.json.decode(msgspec.json.encode(sent), type=SentEdit) == sent


def test_a_batch_names_machine_key_and_remotes_as_the_wire_demands() -> None:
    sent = batches.to_sent(edit("a", "one = 1"), PRINTS)
    batch = batches.to_batch(made(ACME), SHOP, [sent])
    assert msgspec.json.decode(msgspec.json.encode(batch), type=EditBatch) == batch
    assert (batch.installation, batch.key_id, batch.machine) == (7, "7-1", "0" * 32)
    assert batch.remotes == SHOP.remotes
    empty = batches.to_batch(made(ACME), EvidenceDestination(7, ()), [])
    assert (empty.edits, empty.remotes) == ((), ())
