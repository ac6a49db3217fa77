"""Policies by name and from files: what is read, what is refused, what differs."""

from pathlib import Path

import pytest

from ghapp.attribution.policy import CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED
from ghapp.policy.named import PolicyDifference, PolicyError, differences, find, read


def test_built_in_ones_by_name() -> None:
    assert find("claude-code-v1") is CLAUDE_CODE_V1
    assert find("claude-code-v1+moved") is CLAUDE_CODE_V1_MOVED


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("own.toml", 'id = "acme-v1"\nwindow_before_days = 7\nexclude = ["docs/"]\n'),
        ("own.json", '{"id": "acme-v1", "window_before_days": 7, "exclude": ["docs/"]}'),
    ],
)
def test_file(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    policy = find(str(tmp_path / name))
    assert (policy.id, policy.window_before_days, policy.exclude) == ("acme-v1", 7, ("docs/",))
    assert policy.window_after_days == CLAUDE_CODE_V1.window_after_days


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id = ", "TOML"),
        ("window_before_days = 7", "no id"),
        ('id = "acme-v1"\nwindow = 7', "unknown member 'window'"),
        ('id = "acme-v1"\nwindow_before_days = "7"', "window_before_days"),
        ('id = "acme-v1"\nwindow_before_days = -1', "0 to 366"),
        ('id = "acme-v1"\nrewrite_limit = 0.9', "0 to 0.5"),
        ('id = "acme-v1"\nrewrite_limit = nan', "0 to 0.5"),
        ('id = "Acme 1"', "lower-case"),
        ('id = "claude-code-v1"\nrewrite_limit = 0.3', "choose another id"),
    ],
)
def test_refused(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=str(path)) as error:
        read(path)
    assert told in str(error.value)


def test_unknown_name_says_which_there_are() -> None:
    with pytest.raises(PolicyError, match="claude-code-v1"):
        find("claude-code-v0")


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="No such file"):
        find(str(tmp_path / "none.toml"))


def test_differences_name_the_members() -> None:
    assert differences(CLAUDE_CODE_V1, CLAUDE_CODE_V1) == ()
    assert differences(CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED) == (
        PolicyDifference(member="id", before="claude-code-v1", after="claude-code-v1+moved"),
        PolicyDifference(member="moved_blocks", before=False, after=True),
    )
