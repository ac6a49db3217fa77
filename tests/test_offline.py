"""Audits real commits in real repositories."""

from collections.abc import Callable
from datetime import UTC, datetime
from json import dumps
from pathlib import Path

import pytest
from msgspec.structs import replace

from ghapp.attribution.model import Audit, AuditState, Change, FileDiff, Verdict
from ghapp.attribution.policy import CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED
from ghapp.attribution.unified_diff import parse_diff
from ghapp.git.repository import GitError, GitRepository
from ghapp.offline import (
    WHOLE_DIFF,
    MovedLines,
    OfflineTerms,
    audit_commit,
    audit_diff,
    read_evidence,
    wanted_paths,
)
from tests.cases import FIXTURES
from tests.clones import Clone
from tests.transcripts import write_transcript

MERGED = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
LATER = datetime(2026, 6, 1, tzinfo=UTC)
CONTENT = "def monthly_totals(orders):\n    return collect_by_month(orders, key=order_month)\n"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "shop")


@pytest.fixture
def terms(tmp_path: Path) -> Callable[..., OfflineTerms]:
    """Return a maker of terms with evidence of one file, written in the clone."""
    home = tmp_path / "shop"

    def made(
        file: str = "src/totals.py", root: Path = home, roots: tuple[str, ...] = ()
    ) -> OfflineTerms:
        write_transcript(tmp_path / "evidence" / "one.jsonl", str(root / file), CONTENT)
        evidence = (tmp_path / "evidence",)
        return OfflineTerms(evidence=evidence, policy=CLAUDE_CODE_V1, at=LATER, roots=roots)

    return made


def attributed(audit: Audit) -> dict[str, int]:
    return {file.path: file.attributed for file in audit.files}


def test_a_commit_is_compared_with_its_first_parent(
    clone: Clone, terms: Callable[..., OfflineTerms]
) -> None:
    clone.commit({"README.md": "Shop\n"})
    sha = clone.commit({"src/totals.py": CONTENT})
    done = audit_commit(GitRepository(clone.path), "HEAD", terms=terms())
    assert done.problems == ()
    assert attributed(done.audit) == {"src/totals.py": 2}
    assert (done.audit.merge_commit, done.audit.merged_at) == (sha, MERGED)
    assert (done.audit.verdict, done.audit.state) == (Verdict.ASSISTED, AuditState.FINAL)


def test_a_root_commit_is_compared_with_nothing(
    clone: Clone, terms: Callable[..., OfflineTerms]
) -> None:
    clone.commit({"README.md": "Shop of all things\n", "src/totals.py": CONTENT})
    done = audit_commit(GitRepository(clone.path), "HEAD", terms=terms())
    assert attributed(done.audit) == {"README.md": 0, "src/totals.py": 2}


def test_a_merge_is_compared_with_its_first_parent(
    clone: Clone, terms: Callable[..., OfflineTerms]
) -> None:
    clone.commit({"README.md": "Shop\n"})
    clone.git("switch", "-q", "-c", "feature")
    clone.commit({"src/totals.py": CONTENT})
    clone.git("switch", "-q", "main")
    clone.commit({"other.py": "something_else = 1\n"})
    clone.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
    done = audit_commit(GitRepository(clone.path), "HEAD", terms=terms())
    assert attributed(done.audit) == {"src/totals.py": 2}


def test_a_given_base_counts_from_where_the_branch_left_it(
    clone: Clone, terms: Callable[..., OfflineTerms]
) -> None:
    clone.commit({"README.md": "Shop\n"})
    clone.git("switch", "-q", "-c", "feature")
    clone.commit({"src/totals.py": CONTENT})
    clone.commit({"src/more.py": "more_of_the_same = 1\n"})
    clone.git("switch", "-q", "main")
    clone.commit({"unrelated.py": "unrelated = 1\n"})
    done = audit_commit(GitRepository(clone.path), "feature", base="main", terms=terms())
    assert attributed(done.audit) == {"src/more.py": 0, "src/totals.py": 2}


def test_git_attributes_of_the_base_exclude(
    clone: Clone, terms: Callable[..., OfflineTerms]
) -> None:
    clone.commit({".gitattributes": "src/totals.py linguist-generated\n"})
    clone.commit({"src/totals.py": CONTENT, ".gitattributes": ""})
    [_, file] = audit_commit(GitRepository(clone.path), "HEAD", terms=terms()).audit.files
    assert (file.path, file.excluded) == ("src/totals.py", "generated")


def test_the_clone_itself_is_a_likely_checkout(
    clone: Clone, terms: Callable[..., OfflineTerms]
) -> None:
    clone.commit({"README.md": "Shop\n"})
    clone.commit({"README.md": "Shop\n" + CONTENT})
    done = audit_commit(GitRepository(clone.path), "HEAD", terms=terms("README.md"))
    assert attributed(done.audit) == {"README.md": 2}


def test_a_lone_common_name_elsewhere_is_no_checkout(
    clone: Clone, terms: Callable[..., OfflineTerms], tmp_path: Path
) -> None:
    clone.commit({"README.md": "Shop\n"})
    clone.commit({"README.md": "Shop\n" + CONTENT})
    done = audit_commit(
        GitRepository(clone.path), "HEAD", terms=terms("README.md", tmp_path / "other")
    )
    assert done.audit.verdict is Verdict.NO_EVIDENCE


def test_a_worktree_of_the_clone_is_a_likely_checkout(
    clone: Clone, terms: Callable[..., OfflineTerms], tmp_path: Path
) -> None:
    clone.commit({"README.md": "Shop\n"})
    worktree = tmp_path / "beside"
    clone.git("worktree", "add", "-q", "-b", "feature", str(worktree))
    clone.commit({"README.md": "Shop\n" + CONTENT})
    done = audit_commit(GitRepository(clone.path), "HEAD", terms=terms("README.md", worktree))
    assert attributed(done.audit) == {"README.md": 2}


def test_an_unknown_commit_is_named(clone: Clone, terms: Callable[..., OfflineTerms]) -> None:
    clone.commit({"README.md": "Shop\n"})
    with pytest.raises(GitError, match="nonsense"):
        audit_commit(GitRepository(clone.path), "nonsense", terms=terms())


def test_a_diff_that_breaks_off_counts_nothing(terms: Callable[..., OfflineTerms]) -> None:
    text = b"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1,3 @@\n x = 1\n+y = 2\n"
    done = audit_diff(text, name="it.diff", merged_at=MERGED, terms=terms())
    [problem] = done.problems
    assert (problem.source, problem.line) == ("it.diff", 7)
    assert done.audit.inputs.missing == (WHOLE_DIFF,)
    assert not done.audit.inputs.change_complete
    assert (done.audit.files, done.audit.totals.share) == ((), None)
    assert done.audit.verdict is Verdict.NO_EVIDENCE


def test_a_diff_and_its_commit_are_audited_alike(
    clone: Clone, terms: Callable[..., OfflineTerms]
) -> None:
    clone.commit({"README.md": "Shop\n"})
    clone.commit({"src/totals.py": CONTENT})
    text = clone.git("diff", "HEAD^", "HEAD").encode() + b"\n"
    of_diff = audit_diff(text, name="it.diff", merged_at=MERGED, terms=terms()).audit
    of_commit = audit_commit(GitRepository(clone.path), "HEAD", terms=terms()).audit
    assert (of_diff.files, of_diff.inputs) == (of_commit.files, of_commit.inputs)


def test_only_files_named_as_in_the_change_are_worked_out() -> None:
    change = Change(files=(FileDiff(path="src/new.py", previous_path="src/old.py"),))
    wanted = wanted_paths(change, CLAUDE_CODE_V1)
    assert wanted("/home/dev/src/new.py")
    assert wanted(r"C:\shop\old.py")
    assert not wanted("/x/third.py")
    assert wanted_paths(change, CLAUDE_CODE_V1_MOVED)("/x/third.py")


def test_a_commit_whose_parent_this_clone_lacks_counts_nothing(
    clone: Clone, terms: Callable[..., OfflineTerms], tmp_path: Path
) -> None:
    clone.commit({"README.md": "Shop\n"})
    clone.commit({"src/totals.py": CONTENT})
    clone.git("clone", "-q", "--depth=1", f"file://{clone.path}", str(tmp_path / "shallow"))
    done = audit_commit(GitRepository(tmp_path / "shallow"), "HEAD", terms=terms())
    [problem] = done.problems
    assert "shallow" in problem.problem
    assert (done.audit.files, done.audit.totals.share) == ((), None)
    assert done.audit.verdict is Verdict.NO_EVIDENCE


def test_an_author_date_beyond_all_time_is_no_hindrance(
    clone: Clone, terms: Callable[..., OfflineTerms], tmp_path: Path
) -> None:
    """Old tools wrote dates before the epoch so: jelmer/dulwich#567."""
    parent = clone.commit({"README.md": "Shop\n"})
    clone.commit({"src/totals.py": CONTENT})
    tree, who = clone.git("rev-parse", "HEAD^{tree}"), "Dev <dev@example.org>"
    raw = (
        f"tree {tree}\nparent {parent}\nauthor {who} 18446744073709548016 +0100\n"
        f"committer {who} 1779291000 +0000\n\nAdd totals (#17)\n"
    )
    (tmp_path / "raw").write_text(raw)
    sha = clone.git("hash-object", "--literally", "-t", "commit", "-w", str(tmp_path / "raw"))
    done = audit_commit(GitRepository(clone.path), sha, terms=terms())
    assert (attributed(done.audit), done.audit.merged_at) == ({"src/totals.py": 2}, MERGED)


def test_a_committers_date_beyond_all_time_needs_another(
    clone: Clone, terms: Callable[..., OfflineTerms], tmp_path: Path
) -> None:
    clone.commit({"src/totals.py": CONTENT})
    raw = clone.git("cat-file", "commit", "HEAD").replace("> 1779291000", "> 99999999999999999")
    (tmp_path / "raw").write_text(raw + "\n")
    sha = clone.git("hash-object", "--literally", "-t", "commit", "-w", str(tmp_path / "raw"))
    git = GitRepository(clone.path)
    with pytest.raises(GitError, match="--merged-at"):
        audit_commit(git, sha, terms=terms())
    done = audit_commit(git, sha, merged_at=MERGED, terms=terms())
    assert attributed(done.audit) == {"src/totals.py": 2}


def test_notes_that_claim_a_line_twice_count_it_once(clone: Clone) -> None:
    """A squash joins the notes of two agent sessions: git-ai-project/git-ai#2294."""
    clone.commit({"README.md": "Shop\n"})
    sha = clone.commit({"src/totals.py": CONTENT})
    sessions = {f"s_{sign * 14}": f"{number}" for number, sign in enumerate("ab")}
    told = {
        "schema_version": "authorship/3.0.0",
        "prompts": {},
        "sessions": {
            name: {"agent_id": {"tool": "claude", "id": number, "model": "claude-opus-4-8"}}
            for name, number in sessions.items()
        },
    }
    claims = "".join(f"  {name}::t_{name[2:]} 1-2\n" for name in sessions)
    clone.git("notes", "--ref=ai", "add", "-m", f"src/totals.py\n{claims}---\n{dumps(told)}", sha)
    terms = OfflineTerms(evidence=(), policy=CLAUDE_CODE_V1, at=LATER, carried=True)
    done = audit_commit(GitRepository(clone.path), sha, terms=terms)
    assert (done.audit.totals.attributed, done.audit.totals.effective) == (2, 2)


def test_lines_of_a_moved_file_are_named_with_the_edit_they_equal(
    terms: Callable[..., OfflineTerms], tmp_path: Path
) -> None:
    text = "".join(f"+settle_invoice(ledger_{n}, surcharge_{n})\n" for n in range(4))
    content = text.replace("+", "")
    write_transcript(tmp_path / "evidence" / "two.jsonl", "/home/dev/shop/src/old.py", content)
    head = "diff --git a/src/new.py b/src/new.py\nnew file mode 100644\nindex 0000000..6e5be25\n"
    diff = f"{head}--- /dev/null\n+++ b/src/new.py\n@@ -0,0 +1,4 @@\n{text}".encode()
    given = terms(roots=("/home/dev/shop",))
    done = audit_diff(diff, name="x", merged_at=MERGED, terms=given)
    assert done.moved == (MovedLines(path="src/new.py", edited_path="src/old.py", lines=4),)
    assert done.audit.totals.by_reason == {"no_match": 4}
    followed = audit_diff(
        diff, name="x", merged_at=MERGED, terms=replace(given, policy=CLAUDE_CODE_V1_MOVED)
    )
    assert (followed.moved, followed.audit.totals.attributed) == ((), 4)


def test_lines_of_a_file_that_a_command_moved_are_worked_out_where_they_are_now() -> None:
    case = FIXTURES / "audits" / "moved_by_git_mv"
    change = Change(files=parse_diff((case / "change.diff").read_bytes()))
    wanted = wanted_paths(change, CLAUDE_CODE_V1)
    moved = read_evidence([case / "evidence"], wanted)
    assert not wanted("/home/dev/shop/src/orders.py")
    assert [len(edit.lines.hunks) for edit in moved.edits] == [1]
    nothing = read_evidence(
        [FIXTURES / "audits" / "copied_by_cp" / "evidence"], lambda path: "no" in path
    )
    assert [edit.lines.hunks for edit in nothing.edits] == [()]
