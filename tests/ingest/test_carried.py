"""Real repositories that carry evidence: what is found in them, and what an audit makes of it."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ghapp.attribution.model import AgentDeclaration, Audit, Edit, UnreadEvidence, Verdict
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.auditing.replay import ReplayTerms, replay
from ghapp.git.repository import EMPTY_TREES, GitRepository
from ghapp.ingest.artifacts import find_evidence
from ghapp.ingest.carried import (
    CarriedEvidence,
    commits_between,
    lacking,
    read,
    read_between,
    take_inventory,
)
from ghapp.offline import OfflineTerms, audit_commit
from tests.carrying import (
    BRANCH,
    CHECKPOINT,
    CLAUDE_SESSION,
    add_checkpoint,
    add_note,
    note,
    trace,
)
from tests.clones import Clone
from tests.transcripts import write_transcript

LATER = datetime(2026, 6, 1, tzinfo=UTC)
CONTENT = """\
def monthly_totals(orders):
    return collect_by_month(orders, key=order_month)


def refunded_share(orders):
    refunds = sum(order.refund for order in orders)
    return refunds / max(turnover_of(orders), 1)
"""
PATH = "src/totals.py"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "shop")
    made.commit({"README.md": "Shop\n"})
    return made


def terms(*evidence: Path, carried: bool = True) -> OfflineTerms:
    return OfflineTerms(evidence=evidence, policy=CLAUDE_CODE_V1, at=LATER, carried=carried)


def audited(clone: Clone, *evidence: Path, carried: bool = True) -> Audit:
    done = audit_commit(GitRepository(clone.path), "HEAD", terms=terms(*evidence, carried=carried))
    assert done.problems == ()
    return done.audit


def attributed(audit: Audit) -> list[int]:
    return [line.line for file in audit.files for line in file.lines if line.attributed]


def edits(carried: CarriedEvidence) -> list[Edit]:
    return [one for one in carried.found if isinstance(one, Edit)]


def carried_by(clone: Clone) -> CarriedEvidence:
    git = GitRepository(clone.path)
    head = git.commit("HEAD")
    return read_between(git, [*head.parents, EMPTY_TREES[40]][0], head.sha)


# --- each kind ----------------------------------------------------------------------------------


def test_the_lines_of_a_note_are_an_edits_own(clone: Clone) -> None:
    add_note(clone, clone.commit({PATH: CONTENT}), note({PATH: "1-2,5-6"}))
    audit = audited(clone)
    assert attributed(audit) == [1, 2, 5, 6]
    assert audit.totals.by_agent == {"claude-code": 4}
    assert {line.agent_session for line in audit.files[0].lines if line.attributed} == {
        CLAUDE_SESSION
    }


def test_without_the_option_nothing_is_looked_at(clone: Clone, tmp_path: Path) -> None:
    add_note(clone, clone.commit({PATH: CONTENT}), note({PATH: "1-7"}))
    (tmp_path / "none").mkdir()
    audit = audited(clone, tmp_path / "none", carried=False)
    assert (audit.verdict, audit.inputs.declared) == (Verdict.NO_EVIDENCE, None)


def test_the_records_of_a_trace_are_read_where_they_are_kept(clone: Clone) -> None:
    sha = clone.commit({PATH: CONTENT})
    clone.commit({".agent-trace/traces.jsonl": trace(sha, PATH, 1, 2)})
    done = audit_commit(GitRepository(clone.path), "HEAD", base="HEAD~2", terms=terms())
    assert done.problems == ()
    assert done.audit.totals.by_agent == {"cursor": 2}


def test_a_commit_of_aider_is_one_edit(clone: Clone) -> None:
    who = "Co-authored-by: aider (gpt-6) <aider@aider.chat>"
    clone.commit({PATH: CONTENT}, f"feat: totals\n\n{who}")
    audit = audited(clone)
    assert audit.totals.by_agent == {"aider": 5}
    assert [(one.agent, one.commits) for one in audit.inputs.declared or ()] == [("aider", 1)]


def test_a_checkpoint_holds_an_agents_own_transcript(clone: Clone, tmp_path: Path) -> None:
    path = write_transcript(tmp_path / "one.jsonl", f"/home/ann/shop/{PATH}", CONTENT)
    whole = path.read_text()
    cut = whole.index("\n") + 1
    clone.commit({PATH: CONTENT}, f"Add totals\n\nEntire-Checkpoint: {CHECKPOINT}\n")
    parts = {"0/full.jsonl": whole[:cut], "0/full.jsonl.001": whole[cut:], "0/prompt.txt": "…"}
    add_checkpoint(clone, parts)
    expected = [one for one in find_evidence([path]) if isinstance(one, Edit)]
    assert edits(carried_by(clone)) == expected
    assert attributed(audited(clone)) == [1, 2, 5, 6, 7]


def test_a_checkpoint_of_origin_is_found_as_well(clone: Clone, tmp_path: Path) -> None:
    path = write_transcript(tmp_path / "one.jsonl", f"/home/ann/shop/{PATH}", CONTENT)
    clone.commit({PATH: CONTENT}, f"Add totals\n\nEntire-Checkpoint: {CHECKPOINT}\n")
    add_checkpoint(clone, {"0/full.jsonl": path.read_text()})
    clone.git("update-ref", f"refs/remotes/origin/{BRANCH}", BRANCH)
    clone.git("branch", "-q", "-D", BRANCH)
    assert len(edits(carried_by(clone))) == 1


def test_a_newer_checkpoint_has_a_ref_of_its_own(clone: Clone, tmp_path: Path) -> None:
    path = write_transcript(tmp_path / "one.jsonl", f"/home/ann/shop/{PATH}", CONTENT)
    checkpoint = "01KXGTTNGCEACC83QZEJ5YAF0D"
    beside = Clone(tmp_path / "beside")
    beside.commit({"0/full.jsonl": path.read_text()})
    clone.commit({PATH: CONTENT}, f"Add totals\n\nEntire-Checkpoint: {checkpoint}\n")
    clone.git("fetch", "-q", str(beside.path), f"main:refs/entire/checkpoints/0D/{checkpoint}")
    assert len(edits(carried_by(clone))) == 1


def test_trailers_are_counted_and_support_no_line(clone: Clone) -> None:
    clone.commit({PATH: CONTENT}, "Add\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n")
    audit = audited(clone)
    assert audit.inputs.declared == (
        AgentDeclaration(agent="claude-code", commits=1, forms=("co-authored-by",)),
    )
    assert (audit.verdict, audit.totals.attributed) == (Verdict.NO_EVIDENCE, 0)


# --- together -----------------------------------------------------------------------------------


def test_a_note_gives_way_to_the_agent_sessions_own_edits(clone: Clone, tmp_path: Path) -> None:
    add_note(clone, clone.commit({PATH: CONTENT * 2}), note({PATH: "1-7"}))
    path = tmp_path / "evidence" / f"{CLAUDE_SESSION}.jsonl"
    write_transcript(path, str(clone.path / PATH), CONTENT)
    alone = audited(clone, path, carried=False)
    both = audited(clone, path)
    assert alone.totals.attributed == 5
    assert (both.totals, both.inputs.evidence) == (alone.totals, alone.inputs.evidence)


def test_all_commits_of_a_merged_branch_are_looked_at(clone: Clone) -> None:
    clone.git("switch", "-q", "-c", "work")
    add_note(clone, clone.commit({PATH: CONTENT}), note({PATH: "1-2"}))
    add_note(clone, clone.commit({"src/b.py": CONTENT}), note({"src/b.py": "5-6"}))
    clone.git("switch", "-q", "main")
    clone.commit({"src/c.py": "unrelated = price_of_everything(here)\n"})
    clone.git("merge", "-q", "--no-ff", "-m", "Merge pull request #1 from acme/work", "work")
    assert audited(clone).totals.by_agent == {"claude-code": 4}


def test_a_replay_says_the_same(clone: Clone, tmp_path: Path) -> None:
    who = "Co-authored-by: aider (gpt-6) <aider@aider.chat>"
    add_note(clone, clone.commit({PATH: CONTENT}, "Add totals (#1)"), note({PATH: "1-2"}))
    clone.commit({"src/b.py": CONTENT}, f"Add more (#2)\n\n{who}")
    given = ReplayTerms(
        repository_path=clone.path, evidence=(), policy=CLAUDE_CODE_V1, carried=True, at=LATER
    )
    for roots in ((), ("/home/ann/shop",)):
        output = tmp_path / "replay.jsonl"
        replay(
            msgspec.structs.replace(given, roots=roots),
            output,
            now=LATER,
            watch=lambda _: None,
        )
        documents = [
            msgspec.json.decode(line, type=Audit) for line in output.read_bytes().splitlines()
        ]
        assert [one.totals.by_agent for one in documents] == [{"claude-code": 2}, {"aider": 5}]
        declared = [[said.agent for said in one.inputs.declared or ()] for one in documents]
        assert declared == [[], ["aider"]]


# --- what cannot be read ------------------------------------------------------------------------


def test_a_missing_checkpoint_is_named(clone: Clone) -> None:
    clone.commit({PATH: CONTENT}, f"Add totals\n\nEntire-Checkpoint: {CHECKPOINT}\n")
    (unread,) = carried_by(clone).found
    assert isinstance(unread, UnreadEvidence)
    assert (unread.source, "1 checkpoint(s)" in unread.problem) == (BRANCH, True)


def test_a_broken_record_in_many_copies_is_told_once(clone: Clone, tmp_path: Path) -> None:
    path = write_transcript(tmp_path / "one.jsonl", f"/home/ann/shop/{PATH}", CONTENT)
    broken = path.read_text() + '{"type":"assistant","message":\n'
    clone.commit({PATH: CONTENT}, f"Add totals\n\nEntire-Checkpoint: {CHECKPOINT}\n")
    copies = {f"{number}/full.jsonl": broken for number in range(3)}
    add_checkpoint(clone, copies | {"3/full.jsonl": broken.replace("assistant", "user")})
    unread = [one for one in carried_by(clone).found if isinstance(one, UnreadEvidence)]
    assert len(unread) == 2


def test_a_partial_clone_is_told_what_it_lacks(clone: Clone, tmp_path: Path) -> None:
    sha = clone.commit({PATH: CONTENT})
    add_note(clone, sha, note({PATH: "1-2"}))
    clone.git("config", "uploadpack.allowFilter", "true")
    clone.git(
        *("clone", "-q", "--bare", "--filter=blob:none", f"file://{clone.path}"),
        str(tmp_path / "partial"),
    )
    clone.git(
        "-C", str(tmp_path / "partial"), "fetch", "-q", "origin", "+refs/notes/*:refs/notes/*"
    )
    git = GitRepository(tmp_path / "partial")
    inventory = take_inventory(git, commits_between(git, f"{sha}~1", sha))
    there = GitRepository(clone.path)
    wanted = {there.run("rev-parse", f"{sha}:{PATH}").decode().strip()}
    wanted |= set(there.entries(str(there.resolve("refs/notes/ai"))).values())
    assert wanted <= set(lacking(git, inventory))
    (unread,) = read(git, inventory)
    assert isinstance(unread, UnreadEvidence)


def test_what_is_too_large_is_named(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    add_note(clone, clone.commit({PATH: CONTENT}), note({PATH: "1-2"}))
    monkeypatch.setattr("ghapp.ingest.carried.LARGEST_ATTACHMENT", 10)
    (unread,) = carried_by(clone).found
    assert isinstance(unread, UnreadEvidence)
    assert "more than the limit of 10" in unread.problem


def test_a_commit_that_is_not_there_is_named(clone: Clone) -> None:
    (unread,) = read_between(GitRepository(clone.path), "0" * 40, "1" * 40).found
    assert isinstance(unread, UnreadEvidence)
