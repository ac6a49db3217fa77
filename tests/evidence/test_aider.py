"""Which commits Aider made by itself."""

import pytest

from ghapp.evidence.aider import made
from tests.evidence.commits import commit

TRAILER = "Fix\n\nCo-authored-by: aider (gpt-4o) <aider@aider.chat>\n"


@pytest.mark.parametrize(
    "changed",
    [
        {"author": "Ann Lee (aider) <ann@example.com>"},
        {"committer": "Ann Lee (aider) <ann@example.com>"},
        {"message": TRAILER},
        {"message": TRAILER.replace("aider@", "noreply@").lower()},
    ],
)
def test_a_name_or_a_trailer_shows_its_own_commit(changed: dict[str, str]) -> None:
    assert made(commit(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"author": "aider <ann@example.com>"},
        {"message": "Use aider (gpt-4o) <aider@aider.chat>"},
        {"message": TRAILER, "parents": 2},
        {"message": TRAILER, "parents": 0},
        {"message": TRAILER, "committer": "GitHub <noreply@github.com>"},
    ],
)
def test_anything_else_is_a_persons(changed: dict[str, object]) -> None:
    assert not made(commit(**changed))
