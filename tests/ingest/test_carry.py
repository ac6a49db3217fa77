"""The app audits pull requests whose repository carries evidence itself: read, kept, said."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, Edit, LineFingerprint, Verdict
from ghapp.demo.sandbox import Fault, FaultKind, HubPull
from ghapp.evidence import git_ai_notes
from ghapp.ingest.artifacts import find_evidence
from ghapp.store import EditSender, Store
from tests.carrying import CHECKPOINT, CLAUDE_SESSION, note, trace
from tests.faults.place import START, Place, running_place
from tests.transcripts import write_transcript

CONTENT = """\
def monthly_totals(orders):
    return collect_by_month(orders, key=order_month)


def refunded_share(orders):
    refunds = sum(order.refund for order in orders)
    return refunds / max(turnover_of(orders), 1)
"""
PATH = "src/totals.py"
COMMITS = "/repos/{owner}/{repo}/pulls/{pull_number}/commits"


@pytest.fixture
def place(tmp_path: Path, sqlite_store: Store, redis_url: str) -> Iterator[Place]:
    with running_place(tmp_path / "place", sqlite_store, redis_url) as made:
        yield made


def opened(
    place: Place, message: str = "Add totals", files: dict[str, str] | None = None
) -> HubPull:
    return place.sandbox.open_pull(
        place.repository, files=files or {PATH: CONTENT}, title=message, author="ann"
    )


def merged(place: Place, pull: HubPull) -> Audit:
    """Squash a pull request, let the app hear of it, and return the audit."""
    place.clock.sleep(1)
    place.sandbox.merge(pull, method="squash")
    place.pulls.append(pull)
    place.sandbox.deliver_closed(pull)
    place.work()
    return latest(place, pull)


def latest(place: Place, pull: HubPull) -> Audit:
    saved = place.store.audits.latest(place.repository.id, pull.number)
    assert saved is not None
    document = place.store.audits.document(saved.id)
    assert document is not None
    place.expect_good_manners()
    return from_document(document)


def _declared(audit: Audit) -> dict[str, int]:
    assert audit.inputs.declared is not None
    return {one.agent: one.commits for one in audit.inputs.declared}


def put(place: Place, ref: str, files: dict[str, str]) -> None:
    """Write a commit with files and no parents on a ref."""
    place.repository.git.write_commit(
        ref,
        files,
        parents=(),
        author=place.sandbox.user("ann").person,
        at=place.clock(),
        message="Keep evidence",
    )


def test_notes_of_the_pull_requests_own_commits_are_read_and_kept(place: Place) -> None:
    pull = opened(place)
    put(place, git_ai_notes.REF, {pull.head_sha: note({PATH: "1-2,5"})})
    audit = merged(place, pull)
    assert audit.totals.by_agent == {"claude-code": 3}
    (edit,) = place.store.evidence.of(place.repository.id, START, place.clock())
    assert (edit.agent_session, edit.actor, edit.path) == (CLAUDE_SESSION, "ann", PATH)
    assert isinstance(edit.lines.hunks[0].own[0], LineFingerprint), "as the settings say"
    assert place.sandbox.visible(pull).label_names == ("claude-code-assisted",)
    place.expect_a_second_run_to_write_nothing()


def test_another_agents_note_gives_its_own_label_and_words(place: Place) -> None:
    pull = opened(place)
    put(place, git_ai_notes.REF, {pull.head_sha: note({PATH: "1-7"}, tool="codex")})
    audit = merged(place, pull)
    seen = place.sandbox.visible(pull)
    assert (audit.verdict, audit.totals.by_agent) == (Verdict.ASSISTED, {"codex": 5})
    assert seen.label_names == ("codex-assisted",)
    (comment,) = seen.comments
    assert "written with Codex" in comment.body
    assert "Anthropic's own metric would count none" in comment.body


def test_a_checkpoint_that_a_commit_names_is_read(place: Place, tmp_path: Path) -> None:
    at = (START - timedelta(hours=1)).isoformat()
    one = write_transcript(tmp_path / "one.jsonl", f"/home/ann/app/{PATH}", CONTENT, at=at)
    folder = f"{CHECKPOINT[:2]}/{CHECKPOINT[2:]}/0"
    put(place, "refs/heads/entire/checkpoints/v1", {f"{folder}/full.jsonl": one.read_text()})
    pull = opened(place, f"Add totals\n\nEntire-Checkpoint: {CHECKPOINT}\n")
    audit = merged(place, pull)
    assert audit.totals.by_agent == {"claude-code": 5}
    assert {line.edit for file in audit.files for line in file.lines if line.attributed} == {
        "toolu_one"
    }


def test_a_carried_transcript_takes_nothing_from_what_a_token_sent(
    place: Place, tmp_path: Path
) -> None:
    """Somebody with write access pushes a colleague's call id, under her name as author."""
    at = START - timedelta(hours=1)
    whole = write_transcript(
        tmp_path / "one.jsonl", f"/home/ann/app/{PATH}", CONTENT, at=at.isoformat()
    )
    (sent,) = (one for one in find_evidence([whole]) if isinstance(one, Edit))
    hers = replace(sent, path=PATH, cwd=None, actor="ann")
    place.store.evidence.add(place.repository.id, [hers], now=START, sender=EditSender(actor_id=11))
    forged = write_transcript(
        tmp_path / "two.jsonl", f"/home/ann/app/{PATH}", "def nothing():\n", at=at.isoformat()
    )
    folder = f"{CHECKPOINT[:2]}/{CHECKPOINT[2:]}"
    put(
        place,
        "refs/heads/entire/checkpoints/v1",
        {f"{folder}/0/full.jsonl": forged.read_text(), f"{folder}/1/full.jsonl": whole.read_text()},
    )
    audit = merged(place, opened(place, f"Add totals\n\nEntire-Checkpoint: {CHECKPOINT}\n"))
    assert audit.totals.by_agent == {"claude-code": 5}
    kept = place.store.evidence.of(place.repository.id, START - timedelta(days=1), START)
    assert hers in kept
    assert len(kept) == 2, "hers, and the forged one beside it; the copy of hers adds nothing"


def test_records_that_the_pull_request_brings_are_read(place: Place) -> None:
    pull = opened(place)
    at = place.clock().isoformat()
    record = trace(pull.head_sha, PATH, 1, 2, timestamp=at)
    place.sandbox.push_to_pull(pull, {".agent-trace/traces.jsonl": record})
    assert merged(place, pull).totals.by_agent == {"cursor": 2}


def test_commits_of_a_fork_do_not_speak_for_themselves(place: Place) -> None:
    fork = place.sandbox.fork(place.repository, "contributor")
    title = "Add totals\n\nCo-authored-by: aider (gpt-6) <aider@aider.chat>\n"
    pull = place.sandbox.open_pull(place.repository, files={PATH: CONTENT}, title=title, fork=fork)
    audit = merged(place, pull)
    assert (audit.totals.attributed, _declared(audit)) == (0, {"aider": 1})
    put(place, git_ai_notes.REF, {pull.head_sha: note({PATH: "1-2"})})
    place.clock.sleep(3600)
    place.again(pull)
    assert latest(place, pull).totals.by_agent == {"claude-code": 2}, "who may write says so"


def test_names_in_commits_are_told_and_count_nothing(place: Place) -> None:
    pull = opened(place, "Add totals\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n")
    audit = merged(place, pull)
    assert _declared(audit) == {"claude-code": 1}
    assert (audit.verdict, audit.totals.attributed) == (Verdict.NO_EVIDENCE, 0)
    (run,) = place.sandbox.visible(pull).check_runs
    assert "Declared: Claude (1 commit and the text). Measured: unknown." in str(run.summary)


def test_where_nothing_is_carried_one_request_is_all(place: Place) -> None:
    first, second = (
        merged(place, opened(place)),
        merged(place, opened(place, "More", {"b.py": "b\n"})),
    )
    assert (first.inputs.change_complete, second.inputs.change_complete) == (True, True)
    asked = [one for one in place.sandbox.exchanges if one.template == COMMITS]
    assert len(asked) == 2
    git = [one for one in place.sandbox.exchanges if ".git/" in one.path]
    assert len(git) <= 2, "refs are listed once an hour"


def test_what_cannot_be_read_is_said_and_stops_no_audit(place: Place) -> None:
    place.agent_wrote()
    place.sandbox.play(Fault(FaultKind.SERVER_ERROR, route=COMMITS, times=None))
    place.sandbox.play(Fault(FaultKind.NOT_FOUND, route="*.git/info/refs", times=None))
    audit = merged(place, opened(place))
    assert (audit.inputs.change_complete, audit.inputs.evidence_complete) == (True, False)
    assert audit.inputs.unread_records == 1


def test_a_list_of_commits_that_fails_is_read_by_git(place: Place) -> None:
    place.sandbox.play(Fault(FaultKind.SERVER_ERROR, route=COMMITS, times=None))
    pull = opened(place)
    put(place, git_ai_notes.REF, {pull.head_sha: note({PATH: "1-2,5"})})
    audit = merged(place, pull)
    assert audit.totals.by_agent == {"claude-code": 3}
    assert audit.inputs.evidence_complete


def beyond_the_list(place: Place) -> HubPull:
    """Open a pull request whose last commit, the one with a note, GitHub does not list."""
    few = dataclasses.replace(place.sandbox.world.limits, pull_commits=2)
    place.sandbox.world.limits = few
    pull = opened(place, files={"a.py": "0\n"})
    for number in range(2):
        place.sandbox.push_to_pull(pull, {"a.py": f"{number + 1}\n"}, author="ann")
    place.sandbox.push_to_pull(pull, {PATH: CONTENT}, author="ann")
    put(place, git_ai_notes.REF, {pull.head_sha: note({PATH: "1-2,5"})})
    return pull


def test_evidence_on_commits_that_github_does_not_list_counts(place: Place) -> None:
    audit = merged(place, beyond_the_list(place))
    assert audit.verdict is Verdict.ASSISTED
    assert audit.totals.by_agent == {"claude-code": 3}
    assert audit.inputs.evidence_complete
    place.expect_a_second_run_to_write_nothing()


def test_commits_beyond_the_list_that_git_cannot_read_are_said(place: Place) -> None:
    place.sandbox.play(Fault(FaultKind.NOT_FOUND, route="*.git/info/refs", times=None))
    audit = merged(place, beyond_the_list(place))
    assert not audit.inputs.evidence_complete


def test_a_checkpoint_that_is_not_there_is_said(place: Place) -> None:
    pull = opened(place, f"Add totals\n\nEntire-Checkpoint: {CHECKPOINT}\n")
    assert merged(place, pull).inputs.unread_records == 1
