"""The policy file as it was on the base before each merge, from a real history."""

from pathlib import Path

from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.git.repository import GitRepository
from ghapp.policy.at_merge import BasePolicies
from tests.histories import History, Step

FILE = ".github/attribution.yml"


def test_each_merge_has_the_policy_of_its_base(tmp_path: Path) -> None:
    history = History(tmp_path / "made")
    texts = (None, "rewrite_limit: 0.1\n", "rewrite_limit: soon\n", "window_before_days: 7\n")
    commits = []
    for text in texts:
        history.do(Step(write={"a.py": f"{text}\n", **({FILE: text} if text else {})}))
        commits.append(history.git("rev-parse", "HEAD"))
    held = BasePolicies(GitRepository(history.path)).of([None, *commits])
    assert [one.policy.rewrite_limit for one in held] == [0.2, 0.2, 0.1, 0.1, 0.2]
    assert [one.policy.window_before_days for one in held] == [21, 21, 21, 21, 7]
    assert held[0].policy == held[1].policy == CLAUDE_CODE_V1
    assert [one.problem is None for one in held] == [True, True, True, False, True]
    assert "line 1" in str(held[3].problem)


def test_a_file_that_was_never_good_leaves_the_default(tmp_path: Path) -> None:
    history = History(tmp_path / "made")
    history.do(Step(write={FILE: "unknown: member\n"}))
    commit = history.git("rev-parse", "HEAD")
    (held,) = BasePolicies(GitRepository(history.path)).of([commit])
    assert held.policy == CLAUDE_CODE_V1
    assert "unknown member" in str(held.problem)


def test_a_folder_of_that_name_is_no_file(tmp_path: Path) -> None:
    history = History(tmp_path / "made")
    history.do(Step(write={f"{FILE}/a": "x\n"}))
    (held,) = BasePolicies(GitRepository(history.path)).of([history.git("rev-parse", "HEAD")])
    assert (held.policy, held.problem) == (CLAUDE_CODE_V1, None)
