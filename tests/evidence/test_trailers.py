"""A message's trailers are what git takes for them."""

import subprocess
from pathlib import Path

import pytest

from ghapp.evidence.trailers import trailers

MESSAGES = [
    "",
    "A: b",
    "Fix: it\nA: b\n",
    "Fix\n\nA: b\n",
    "Fix\n\nprose\nA: b\n",
    "Fix\n\nprose\nA: b\nSigned-off-by: Ann <ann@example.com>\n",
    "Fix\n\na\nb\nc\nSigned-off-by: x\n",
    "Fix\n\na\nb\nc\nd\nSigned-off-by: x\n",
    "Fix\n\n(cherry picked from commit abc)\nA: b\n",
    "Fix\n\nA: b\n  more\n\tagain\nC: d\n",
    "Fix\n\n one\nA: b\n",
    "Fix\n\nprose\n more\nSigned-off-by: x\n y\n",
    "Fix\n\nA: b\n\nC: d\n",
    "Fix\n\nA: b\n\nC: d\nprose here\n",
    "Fix\n \nA: b\n\n\n",
    "Fix\n\nA: b\n# no: comment\nC: d\n",
    "Fix\n\nA b: c\n",
    "Fix\n\nA  : c\nB:\n",
    "Fix\n\n- A: b\n",
    "Fix\r\n\r\nA: b\r\nC: d\r\n",
    "Fix\n\nA: b\n---\nC: d\n",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_git_finds_the_same(message: str, tmp_path: Path) -> None:
    command = ["git", "interpret-trailers", "--parse", "--no-divider"]
    told = subprocess.run(
        command, input=message.encode(), capture_output=True, cwd=tmp_path, check=True
    ).stdout.decode()
    expected = [tuple(part.strip() for part in line.split(":", 1)) for line in told.splitlines()]
    assert list(trailers(message)) == expected


def test_a_links_scheme_is_no_key() -> None:
    """Git's newer rule: https://git-scm.com/docs/git-interpret-trailers (other rules)."""
    assert trailers("Fix\n\nhttps://claude.ai/code\n") == ()
