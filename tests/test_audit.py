"""The journey on one page: what an audit saves, enqueues and publishes, and how it can end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from ghapp.attribution.model import Audit, AuditState, Edit, EditHunk, TextLines, Verdict
from ghapp.attribution.policy import CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED
from ghapp.audit import (
    AFTER_THE_WINDOW,
    STALE_LOOKS,
    AuditContext,
    AuditRequest,
    audit_pull_request,
)
from ghapp.demo.sandbox import HubPull
from ghapp.ending import (
    STALE,
    AuditDone,
    AuditPartial,
    Ending,
    NothingToDo,
    NotPermitted,
    OutOfReach,
    TryLater,
)
from ghapp.github.answers import GoneReason, RequestRejected
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import PullRequest
from ghapp.ingest.carried import CarriedEvidence
from ghapp.ingest.keep import keep_edits
from ghapp.keys.comparing import LineComparison
from ghapp.keys.evidence import EvidenceKeys
from ghapp.policy.in_force import PolicyFile
from ghapp.publishers.plan import PublishingPlan
from ghapp.publishers.publisher import WriteResult
from ghapp.publishers.registry import publish
from ghapp.spend.allocation import AllocationState, PullRequestCost
from ghapp.spend.cost import CostBasis, TokenCost
from ghapp.store import Repository, Store, WorkKind
from tests.github.place import START, Place, assert_good_manners

WRITTEN = ("def total(lines):", "    return sum(line.amount for line in lines)")
BY_AGENT = "\n".join((*WRITTEN, ""))
NOTHING = CarriedEvidence(found=(), declared=None)
POLICY = ".github/attribution.yml"


def edit(at: datetime = START, path: str = "a.py") -> Edit:
    """Return an agent's edit that wrote a file."""
    return Edit(
        id=f"toolu_{path}_{at.timestamp():.0f}",
        agent="claude-code",
        agent_session="writing",
        at=at,
        path=path,
        lines=TextLines(hunks=(EditHunk(before=(), own=WRITTEN, after=()),)),
    )


class Desk:
    """Audits the pull requests of one repository, as a job does."""

    def __init__(self, place: Place, store: Store) -> None:
        self.place, self.store = place, store
        self.context = AuditContext(
            organization_policy=lambda _request, _owner: None,
            publish=publish,
            comparison=LineComparison(store, EvidenceKeys(store, b"k" * 32), place.clock),
            git_cache=place.cache,
            carry=self.carry,
            cost=lambda *_: self.cost,
        )
        self.cost: PullRequestCost | None = None

    def carry(
        self, request: AuditRequest, pull: PullRequest, github: GitHub, *, agent_commits: bool
    ) -> CarriedEvidence:
        """Say that the repository carries no evidence."""
        assert agent_commits
        assert (request.number, github.full_name) == (pull.number, pull.repository)
        return NOTHING

    def audit(self, pull: HubPull | int, **changed: int) -> Ending:
        """Audit a pull request now."""
        number = pull if isinstance(pull, int) else pull.number
        request = AuditRequest(
            self.place.installation.id, self.place.repository.id, number, **changed
        )
        return audit_pull_request(
            request,
            self.context,
            github=self.place.new_github(),
            store=self.store,
            now=self.place.clock(),
        )

    def wrote(self, *edits: Edit) -> None:
        """Store the edits of an agent."""
        keep_edits(self.store, self.place.repository.id, list(edits), now=self.place.clock())

    def document(self, pull: HubPull) -> Audit:
        """Return the latest audit of a pull request, as it is stored."""
        saved = self.store.audits.latest(self.place.repository.id, pull.number)
        assert saved is not None
        written = self.store.audits.document(saved.id)
        assert written is not None
        return msgspec.json.decode(written, type=Audit)

    def work(self) -> dict[str, datetime]:
        """Return what is enqueued, by its name."""
        return {item.name: item.due_at for item in self.store.work.open()}


@pytest.fixture
def desk(tmp_path: Path, sqlite_store: Store) -> Iterator[Desk]:
    place = Place(tmp_path)
    yield Desk(place, sqlite_store)
    place.close()
    assert_good_manners(place)


def name(kind: str, desk: Desk, pull: HubPull) -> str:
    return f"{kind}:{desk.place.repository.id}:{pull.number}"


# --- an audit -------------------------------------------------------------------------------------


def test_it_attributes_saves_and_publishes(desk: Desk) -> None:
    desk.wrote(edit())
    pull = desk.place.merged({"a.py": BY_AGENT, "b.py": "x = 1\n"})
    ended = desk.audit(pull)
    assert isinstance(ended, AuditDone)
    assert {one.name: one.outcome for one in ended.published} == dict.fromkeys(
        ("comment", "label", "check_run"), WriteResult.WRITTEN
    )
    audit = desk.document(pull)
    assert (audit.verdict, audit.totals.attributed, audit.totals.added) == (Verdict.ASSISTED, 2, 3)
    assert (audit.repository, audit.pull_request) == ("acme/app", pull.number)
    assert audit.merge_commit == pull.merge_commit_sha
    seen = desk.place.sandbox.visible(pull)
    assert seen.label_names == ("claude-code-assisted",)
    assert len(seen.check_runs) == len(seen.comments) == 1


def test_a_second_run_writes_nothing(desk: Desk) -> None:
    desk.wrote(edit())
    pull = desk.place.merged({"a.py": BY_AGENT})
    first = desk.audit(pull)
    before = len(desk.place.sandbox.writes())
    ended = desk.audit(pull)
    assert isinstance(ended, AuditDone)
    assert isinstance(first, AuditDone)
    assert ended.audit == first.audit
    assert {one.outcome for one in ended.published} == {WriteResult.UNCHANGED}
    assert len(desk.place.sandbox.writes()) == before


def test_a_person_who_asks_again_gets_an_answer_in_the_check_run(desk: Desk) -> None:
    pull = desk.place.merged({"a.py": BY_AGENT})
    desk.audit(pull)
    before = len(desk.place.sandbox.writes())
    ended = desk.audit(pull, asked_again=True)
    assert isinstance(ended, AuditDone)
    written = {one.name for one in ended.published if one.outcome is WriteResult.WRITTEN}
    assert (written, len(desk.place.sandbox.writes())) == ({"check_run"}, before + 1)


def test_a_comment_names_the_cost_only_where_the_policy_says_so(desk: Desk) -> None:
    desk.wrote(edit())
    pull = desk.place.merged({"a.py": BY_AGENT})
    desk.cost = PullRequestCost(
        cost=TokenCost(1_467_135, 9),
        basis=CostBasis.LIST,
        state=AllocationState.OPEN,
        data_through=START.date(),
        agent_sessions=1,
        attributed_lines=4,
        covered_lines=3,
    )
    desk.audit(pull)
    [comment] = desk.place.sandbox.visible(pull).comments
    assert "$" not in comment.body
    written = PolicyFile(
        repository_id=1, repository="acme/.github", text="cost: true\n", as_of=START
    )
    desk.context = msgspec.structs.replace(desk.context, organization_policy=lambda *_: written)
    document = desk.document(pull)
    said = "Cost: about $1.47 at list prices so far, allocated by matched lines (75%"
    desk.audit(pull)
    [comment] = desk.place.sandbox.visible(pull).comments
    assert said in comment.body
    # The same cost writes nothing, another one the same comment; the record knows no money.
    before = len(desk.place.sandbox.writes())
    desk.audit(pull)
    assert len(desk.place.sandbox.writes()) == before
    desk.cost = msgspec.structs.replace(desk.cost, state=AllocationState.FINAL)
    desk.audit(pull)
    [comment] = desk.place.sandbox.visible(pull).comments
    assert said.replace(" so far", "") in comment.body
    assert desk.document(pull) == document
    assert len(desk.store.audits.all_of(desk.place.repository.id, pull.number)) == 1


def test_without_evidence_the_verdict_is_unknown_and_no_comment_is_opened(desk: Desk) -> None:
    pull = desk.place.merged({"a.py": BY_AGENT})
    assert isinstance(desk.audit(pull), AuditDone)
    assert desk.document(pull).verdict is Verdict.NO_EVIDENCE
    assert desk.place.sandbox.visible(pull).comments == ()


def test_it_keeps_installation_and_repository_in_case_an_event_was_lost(desk: Desk) -> None:
    known, place = desk.store.installations, desk.place
    desk.audit(place.merged({"a.py": BY_AGENT}))
    installation = known.installation(place.installation.id)
    repository = known.repository(place.repository.id)
    assert installation is not None
    assert repository is not None
    assert (installation.account, repository.full_name) == ("acme", "acme/app")
    assert repository.installation_id == installation.id


def test_a_new_name_is_kept_and_what_a_pull_request_does_not_say_stays(desk: Desk) -> None:
    known, place = desk.store.installations, desk.place
    old = Repository(id=place.repository.id, owner="acme", name="app", private=True, archived=True)
    known.repository_seen(old, now=START)
    place.sandbox.rename_repository(place.repository, "shop")
    desk.audit(place.merged({"a.py": BY_AGENT}))
    found = known.repository(place.repository.id)
    assert found is not None
    assert (found.full_name, found.private, found.archived) == ("acme/shop", True, True)


def test_the_name_of_a_fork_leads_to_the_repository(desk: Desk) -> None:
    place = desk.place
    fork = place.sandbox.fork(place.repository, "contributor")
    pull = place.sandbox.open_pull(place.repository, files={"a.py": BY_AGENT}, fork=fork)
    place.sandbox.merge(pull)
    desk.audit(pull)
    known = desk.store.repository_names.of(["contributor/app"])
    assert known["contributor/app"].repository_id == place.repository.id


def test_each_saved_audit_is_signed_where_there_is_a_witness(desk: Desk) -> None:
    pull = desk.place.merged({"a.py": BY_AGENT})
    signed: list[int] = []

    def publish_nothing(*_arguments: object, plan: PublishingPlan) -> object:
        del plan
        raise AssertionError("an audit that cannot be signed is not published")

    def witness(*_arguments: object) -> bytes:
        signed.append(1)
        raise RuntimeError("no key")

    desk.context = replace(desk.context, witness=witness, publish=publish_nothing)
    with pytest.raises(RuntimeError, match="no key"):
        desk.audit(pull)
    assert signed == [1]
    assert desk.store.audits.latest(desk.place.repository.id, pull.number) is None


# --- the policy -----------------------------------------------------------------------------------


def test_the_policy_is_that_of_the_base(desk: Desk) -> None:
    base = {POLICY: "window_before_days: 7\nlabel: false\n"}
    desk.wrote(edit())
    pull = desk.place.merged({"a.py": BY_AGENT, POLICY: "window_before_days: 1\n"}, base=base)
    desk.audit(pull)
    assert desk.document(pull).policy.window_before_days == 7
    assert desk.place.sandbox.visible(pull).label_names == ()
    assert pull.merged_at is not None
    kept = desk.store.policy_files.last_good(desk.place.repository.id, pull.merged_at)
    assert kept == base[POLICY]


def test_one_policy_for_all_wins(desk: Desk) -> None:
    desk.context = replace(desk.context, policy=CLAUDE_CODE_V1_MOVED)
    pull = desk.place.merged({"a.py": BY_AGENT}, base={POLICY: "window_before_days: 7\n"})
    desk.audit(pull)
    assert desk.document(pull).policy == CLAUDE_CODE_V1_MOVED.used()


def test_the_organizations_policy_holds_where_there_is_no_own(desk: Desk) -> None:
    asked: list[str] = []

    def organization(request: AuditRequest, owner: str) -> PolicyFile:
        asked.append(owner)
        text = "window_before_days: 3\n"
        at = START
        number = request.repository_id + 1
        return PolicyFile(repository_id=number, repository="acme/.github", text=text, as_of=at)

    desk.context = replace(desk.context, organization_policy=organization)
    pull = desk.place.merged({"a.py": BY_AGENT})
    desk.audit(pull)
    assert (asked, desk.document(pull).policy.window_before_days) == (["acme"], 3)


# --- what follows ---------------------------------------------------------------------------------


def test_while_the_window_is_open_the_final_audit_is_enqueued_for_its_end(desk: Desk) -> None:
    pull = desk.place.merged({"a.py": BY_AGENT})
    assert pull.merged_at is not None
    desk.audit(pull)
    assert desk.document(pull).state is AuditState.PROVISIONAL
    window = timedelta(days=CLAUDE_CODE_V1.window_after_days)
    due = pull.merged_at + window + AFTER_THE_WINDOW
    assert desk.work() == {name(WorkKind.FINALIZE, desk, pull): due}


def test_after_the_window_its_outcome_is_looked_for(desk: Desk) -> None:
    pull = desk.place.merged({"a.py": BY_AGENT})
    desk.place.clock.now += timedelta(days=CLAUDE_CODE_V1.window_after_days) + AFTER_THE_WINDOW
    desk.audit(pull)
    assert desk.document(pull).state is AuditState.FINAL
    assert list(desk.work()) == [name(WorkKind.OUTCOMES, desk, pull)]


def test_evidence_that_arrives_meanwhile_brings_another_audit(desk: Desk) -> None:
    pull = desk.place.merged({"a.py": BY_AGENT})

    class Late(LineComparison):
        """Compares, and only then lets the evidence arrive."""

        def comparable(self, *arguments: object) -> object:  # type: ignore[override]
            found = super().comparable(*arguments)  # type: ignore[arg-type]
            desk.wrote(edit())
            return found

    held = desk.context.comparison
    late = Late(held.store, held.keys, held.clock)
    desk.context = replace(desk.context, comparison=late)
    desk.audit(pull)
    assert desk.document(pull).verdict is Verdict.NO_EVIDENCE
    assert desk.work()[name(WorkKind.AUDIT, desk, pull)] == desk.place.clock()


# --- how it ends ----------------------------------------------------------------------------------


def test_what_github_does_not_show_as_merged(desk: Desk) -> None:
    place = desk.place
    still_open = place.sandbox.open_pull(place.repository, files={"a.py": BY_AGENT})
    closed = place.sandbox.open_pull(place.repository, files={"b.py": BY_AGENT})
    place.sandbox.close_pull(closed)
    later = TryLater(at=place.clock() + STALE, why="", counts=True)
    nothing = NothingToDo(why="")
    for pull, is_merged, tries, wanted in (
        (still_open, False, 1, later),
        # It was closed and reopened.
        (still_open, False, STALE_LOOKS, nothing),
        (still_open, True, 99, later),
        (closed, True, 99, later),
        (closed, False, 1, nothing),
    ):
        ended = desk.audit(pull, is_merged=is_merged, tries=tries)
        assert replace(ended, why="") == wanted  # type: ignore[type-var]
    assert place.sandbox.writes() == []
    assert desk.work() == {}


def test_a_pull_request_that_is_not_there_is_for_later(desk: Desk) -> None:
    ended = desk.audit(99)
    assert isinstance(ended, TryLater)
    assert (ended.at, ended.counts) == (desk.place.clock() + STALE, True)


def test_a_limit_is_waited_out_and_does_not_count(desk: Desk) -> None:
    pull = desk.place.merged({"a.py": BY_AGENT})
    desk.place.play("primary_limit", "*/pulls/*", seconds=90)
    ended = desk.audit(pull)
    assert isinstance(ended, TryLater)
    assert (ended.counts, ended.whole_installation) == (False, True)
    assert ended.at == desk.place.clock() + timedelta(seconds=90)


def test_what_could_not_be_written_for_now_is_for_later_and_the_audit_stays(desk: Desk) -> None:
    pull = desk.place.merged({"a.py": BY_AGENT})
    desk.place.play("bad_gateway_before", "*/check-runs", "POST")
    ended = desk.audit(pull)
    assert isinstance(ended, TryLater)
    assert ended.counts
    assert desk.document(pull).pull_request == pull.number
    done = desk.store.publications.last(desk.place.repository.id, pull.number, "check_run")
    assert done is not None
    assert done.outcome == WriteResult.NOT_WRITTEN


def test_what_may_not_be_written_makes_the_audit_partial(desk: Desk) -> None:
    desk.wrote(edit())
    pull = desk.place.merged({"a.py": BY_AGENT})
    desk.place.installation.permissions["pull_requests"] = "read"
    ended = desk.audit(pull)
    assert isinstance(ended, AuditPartial)
    assert any("pull_requests=write" in one for one in ended.missing)
    assert len(desk.place.sandbox.visible(pull).check_runs) == 1


def test_lines_that_cannot_be_read_make_the_audit_partial(desk: Desk) -> None:
    desk.place.sandbox.world.limits.patch_lines = 5
    desk.place.play("not_found", "*.git/info/refs", times=None)
    pull = desk.place.merged({"a.py": "x\n" * 9, "b.py": BY_AGENT})
    ended = desk.audit(pull)
    assert isinstance(ended, AuditPartial)
    assert any("a.py" in one for one in ended.missing)
    assert not desk.document(pull).inputs.change_complete


def test_without_access_it_is_out_of_reach(desk: Desk) -> None:
    pull = desk.place.merged({"a.py": BY_AGENT})
    desk.place.sandbox.suspend(desk.place.installation)
    ended = desk.audit(pull)
    assert isinstance(ended, OutOfReach)
    assert ended.reason is GoneReason.SUSPENDED


def test_without_the_permission_to_read_a_person_must_grant_it(desk: Desk) -> None:
    pull = desk.place.merged({"a.py": BY_AGENT})
    desk.place.installation.permissions = {"metadata": "read"}
    ended = desk.audit(pull)
    assert isinstance(ended, NotPermitted)
    assert ended.permission == "pull_requests=read"
    assert desk.work() == {}


def test_a_request_that_github_rejects_is_for_later(desk: Desk) -> None:
    pull = desk.place.merged({"a.py": BY_AGENT})

    def rejected(*_arguments: object, plan: PublishingPlan) -> object:
        del plan
        raise RequestRejected("POST /check-runs", 422, "Validation Failed")

    desk.context = replace(desk.context, publish=rejected)
    ended = desk.audit(pull)
    assert isinstance(ended, TryLater)
    assert ended.counts
