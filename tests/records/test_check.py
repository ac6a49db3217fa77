"""A bundle is whole or it is not: any byte, any line, any order."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ghapp.records.bundle import DocumentLine
from ghapp.records.check import BundleCheck, check
from ghapp.records.envelope import sealed
from tests.records.bundles import KEY, OTHER_KEY, bundle, lines
from tests.searching import searched

WHOLE = bundle(lines())
LINES = WHOLE.splitlines(keepends=True)
WORDS = [match.start() for match in re.finditer(rb"[^\W_]+(?=\W)|\n", WHOLE)]
"""Where each member, each value and each line end begins."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundle") / "bundle.jsonl"


def checked(path: Path, content: bytes, *trusted: str) -> BundleCheck:
    path.write_bytes(content)
    return check(path, frozenset(trusted))


def test_a_bundle_as_it_was_made(path: Path) -> None:
    found = checked(path, WHOLE)
    assert found.problems == ()
    assert (found.records, found.documents, found.signed_later) == (3, 3, 0)
    assert found.signed_by == {KEY.public.id: 5}
    assert found.header is not None
    assert found.header.repositories[0].name == "acme/shop"
    assert checked(path, WHOLE, KEY.public.id).problems == ()


def line_of(position: int) -> int:
    return WHOLE.count(b"\n", 0, position) + 1


@searched(75)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
@example(len(WHOLE) - 1, 1)
@example(len(WHOLE) - 2, 1)
@example(0, 255)
@example(WHOLE.index(b"\n"), 2)
@example(WHOLE.index(b'"sig"') + 8, 1)
@example(WHOLE.rindex(b'"sig"') + 8 + 84, 1)
def test_a_changed_byte_is_named_with_its_line(path: Path, position: int, change: int) -> None:
    broken = bytearray(WHOLE)
    broken[position] ^= change
    first = checked(path, bytes(broken)).problems[0]
    assert first.line == line_of(position)
    assert first.problem


def test_a_change_in_every_line_and_member_is_named(path: Path) -> None:
    for position in WORDS:
        broken = bytearray(WHOLE)
        broken[position] ^= 1
        assert checked(path, bytes(broken)).problems[0].line == line_of(position), position


@pytest.mark.parametrize("gone", range(len(LINES)))
def test_a_missing_line_is_named(path: Path, gone: int) -> None:
    found = checked(path, b"".join(LINES[:gone] + LINES[gone + 1 :]))
    told = " ".join(one.problem for one in found.problems)
    expected = {
        1: "not one of the trusted keys",
        8: "repository 42 has 3 records",
        10: "the seal of the bundle",
    }
    assert expected.get(gone, f"line {gone + 1} of the bundle as it was sealed") in told


def test_a_missing_record_is_named_without_the_seal(path: Path) -> None:
    made = lines()
    found = checked(path, bundle(made[:5] + made[7:]))
    assert found.problems[0].problem == (
        "record 3 of acme/shop (pull request 3, audit 1) is in the place of record 2: "
        "records are missing or in another order"
    )


def test_records_in_another_order_are_named(path: Path) -> None:
    made = lines()
    found = checked(path, bundle(made[:3] + made[5:7] + made[3:5] + made[7:]))
    assert "record 2 of acme/shop" in found.problems[0].problem
    moved = [*LINES[:3], *LINES[5:7], *LINES[3:5], *LINES[7:]]
    assert "it was line 6" in checked(path, b"".join(moved)).problems[0].problem


def test_records_cut_off_at_the_end_are_missed(path: Path) -> None:
    made = lines()
    found = checked(path, bundle(made[:7] + made[9:]))
    assert [one.problem for one in found.problems] == [
        "repository 42 has 3 records, but the last one in the bundle is record 2"
    ]
    assert "end of the chain" in checked(path, bundle(made[:9])).problems[0].problem


def test_a_bundle_cut_anywhere_is_no_bundle(path: Path) -> None:
    for end in [*WORDS[::4], len(WHOLE) - 1]:
        assert checked(path, WHOLE[:end]).problems, end


def test_a_document_of_another_record_is_named(path: Path) -> None:
    made = lines()
    made[3], made[5] = made[5], made[3]
    found = checked(path, bundle(made))
    assert [one.line for one in found.problems] == [4, 6]
    assert "record 1 of acme/shop" in found.problems[0].problem


def test_documents_outside_of_a_span_may_be_left_out(path: Path) -> None:
    made = [line for line in lines() if not isinstance(line, DocumentLine)]
    found = checked(path, bundle(made))
    assert found.problems == ()
    assert (found.records, found.documents) == (3, 0)


def test_only_trusted_keys_count(path: Path) -> None:
    forged = bundle(lines(key=OTHER_KEY), OTHER_KEY)
    assert checked(path, forged).problems == ()
    assert "not one of the trusted keys" in checked(path, forged, KEY.public.id).problems[0].problem


def test_a_policy_that_is_not_there_is_named(path: Path) -> None:
    made = lines()
    del made[2]
    assert "its policy sha256:" in checked(path, bundle(made)).problems[0].problem


def test_something_behind_the_seal_is_named(path: Path) -> None:
    assert checked(path, WHOLE + LINES[3]).problems[0].line == len(LINES) + 1


@pytest.mark.parametrize(
    "payload", [b"\xff", b'{"predicateType":"\xff"}', b'{"a":' + b"[" * 100_000, b"null"]
)
def test_whatever_somebody_signed_is_named_with_its_line(path: Path, payload: bytes) -> None:
    made = [*lines(), sealed(payload, KEY)]
    (first, *_) = checked(path, bundle(made)).problems
    assert first.line == len(made)
    assert first.problem.startswith("its statement cannot be read: ")


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"\xff\n", b"[" * 100_000, b"null\n"])
def test_what_is_no_bundle_at_all(path: Path, content: bytes) -> None:
    assert checked(path, content).problems
