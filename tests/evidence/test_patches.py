"""Patches as agents write them: headers count, and what is no patch is none."""

import pytest

from ghapp.evidence.patches import patched_files, unified_hunks


def test_the_counts_of_a_header_end_a_hunk() -> None:
    diff = "@@ -1,2 +1,2 @@\n one\n-two\n+three\n trailing text\n@@ -9 +9 @@\n-a\n+b\n"
    assert unified_hunks(diff) == [[" one", "-two", "+three"], ["-a", "+b"]]


def test_lines_that_look_like_headers_inside_a_hunk_are_its_lines() -> None:
    assert unified_hunks("@@ -1 +1 @@\n--- a\n+++ b\n") == [["--- a", "+++ b"]]


def test_an_empty_context_line_may_lack_its_space_and_a_note_is_no_line() -> None:
    diff = "@@ -1,2 +1,3 @@\n\n+new\n last\n\\ No newline at end of file\n"
    assert unified_hunks(diff) == [[" ", "+new", " last"]]


@pytest.mark.parametrize("diff", ["", "text", "--- a\n+++ b\n", "@@ broken @@\n+a"])
def test_without_a_header_there_is_no_hunk(diff: str) -> None:
    assert unified_hunks(diff) == []


def test_each_file_of_a_patch_has_its_kind_path_and_hunks() -> None:
    patch = (
        "*** Begin Patch\n"
        "*** Update File: a.py\n*** Move to: b.py\n@@ def f():\n one\n-two\n+three\n@@\n+four\n"
        "*** Add File: c.py\n+five\n"
        "*** Delete File: d.py\n"
        "*** End Patch\n"
    )
    assert [tuple(file) for file in patched_files(patch)] == [
        ("update", "b.py", [[" one", "-two", "+three"], ["+four"]]),
        ("add", "c.py", [["+five"]]),
        ("delete", "d.py", []),
    ]


@pytest.mark.parametrize("text", ["", "*** Begin Patch\n*** End Patch", "+one\n", "echo done"])
def test_what_is_no_patch_changes_no_file(text: str) -> None:
    assert patched_files(text) == []
