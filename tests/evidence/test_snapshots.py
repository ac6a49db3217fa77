"""Contents that show a checkout: of common names only, and long enough to prove something."""

import subprocess

from ghapp.evidence.snapshots import LEAST, blob_id, snapshots

TEXT = "A line of a file that is long enough.\r\n" * 30


def test_an_id_is_gits_own() -> None:
    asked = ["git", "hash-object", "--stdin"]
    told = subprocess.run(asked, input=TEXT.encode(), capture_output=True, check=True).stdout
    assert blob_id(TEXT.encode()) == told.decode().strip()


def test_windows_line_ends_give_two_ids_and_the_same_content_one() -> None:
    found = list(snapshots("/w/README.md", (TEXT, TEXT.replace("\r\n", "\n"))))
    plain = blob_id(TEXT.replace("\r\n", "\n").encode())
    assert [one.blob for one in found] == [blob_id(TEXT.encode()), plain, plain]
    assert {one.path for one in found} == {"/w/README.md"}


def test_a_name_that_is_not_common_needs_no_content() -> None:
    assert list(snapshots("/w/ledger.py", (TEXT,))) == []


def test_what_is_short_or_not_known_proves_nothing() -> None:
    assert list(snapshots("/w/README.md", (None, "", "x" * (LEAST - 1)))) == []
    assert len(list(snapshots("/w/README.md", ("x" * LEAST,)))) == 1
