"""Numbers in the messages that forges and people write."""

import pytest

from ghapp.git.titles import CommitWords, number_in


@pytest.mark.parametrize(
    ("title", "merged", "squashed"),
    [
        ("Merge pull request #12 from acme/totals", 12, None),
        ("Merge pull request #12 in SHOP/shop from totals to main", 12, None),
        ("Merge pull request 12 from totals into main", 12, None),
        ("Merge pull request 'Add totals' (#12) from totals into main", 12, None),
        ("Merge pull request !12 from totals", 12, None),
        ("Merge #12", 12, None),
        ("Merge #12 #13", None, None),
        ("Auto merge of #12 - ann:totals, r=ben", 12, None),
        ("Rollup merge of #12 - ann:totals, r=ben", 12, None),
        ("Merge remote-tracking branch 'origin/pr/12'", 12, None),
        ("Merge branch 'pull/12/head' of github.com:acme/shop", 12, None),
        ("Merge branch 'pr-12' into main", 12, None),
        ("Merge branch 'april/12' into main", None, None),
        ("Merge branch 'fix-12'", None, None),
        ("Merged PR 12: Add totals", 12, 12),
        ("Merged in totals (pull request #12)", 12, 12),
        ("Pull request #12: Add totals", 12, 12),
        ("!12 Add totals", 12, 12),
        ("Add totals (#12)", 12, 12),
        ("Add totals (!12)", 12, 12),
        ('Reland "Add totals (#12)" (#13) (#14)', 14, 14),
        ('Revert "Add totals (#12)"', None, None),
        ('Revert "Merged PR 12: Add totals"', None, None),
        ("Fix #12", None, None),
        ("Add totals (#0)", None, None),
    ],
)
def test_title(title: str, merged: int | None, squashed: int | None) -> None:
    words = CommitWords(title, "")
    assert (number_in(words, is_merge=True), number_in(words, is_merge=False)) == (merged, squashed)


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("See merge request acme/shop!12\n", 12),
        ("See merge request !12\n", 12),
        ("See merge request acme/shop!11\nSee merge request acme/shop!12\n", 12),
        ("See merge request acme/shop!12\n(cherry picked from commit 79370ba)\n", None),
        ("", None),
    ],
)
def test_merge_request_in_a_body(body: str, number: int | None) -> None:
    assert number_in(CommitWords("Merge branch 'x' into 'main'", body), is_merge=True) == number
