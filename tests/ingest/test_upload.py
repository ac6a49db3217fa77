"""A batch is checked, finds its repository, and is stored whole or not at all.

GitHub is asked on paper here: what it would say is what a test sets. tests/web sends real batches
through the web door, to the stand-in.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import EditHunk, EditLines, LineFingerprint
from ghapp.collector.batches import to_sent
from ghapp.github.app_auth import NamedRepository
from ghapp.github.user_access import AccessLevel
from ghapp.ingest.upload import (
    AHEAD,
    ASK_AGAIN,
    ASKED_BY_INSTALLATION,
    ASKED_BY_PERSON,
    UploadIntake,
    UploadRefused,
)
from ghapp.keys.evidence import EvidenceKeys
from ghapp.people.unknown_names import nowhere
from ghapp.store import (
    AccessToken,
    Installation,
    NameReason,
    NewToken,
    Repository,
    Store,
    TokenKind,
)
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import DecisionDay, TokenDay
from ghapp.usage.decisions import EditDecision
from ghapp.wire import (
    SCHEMA,
    USAGE_SCHEMA,
    EditBatch,
    ForgetRequest,
    SeenAgent,
    SentEdit,
    UsageReport,
)
from tests.store.records import NOW, edit

KEY, SECRET = bytes(range(32)), "ghapp_upload_0123456789abcdef"
SHOP = "github.com/acme/shop"


class GitHubOnPaper:
    """What GitHub would say: who may do what, and which repository a name leads to."""

    host = "github.com"

    def __init__(self) -> None:
        self.levels: dict[int, AccessLevel] = {42: AccessLevel.WRITE}
        self.asked_levels: list[int] = []
        self.names: dict[str, NamedRepository] = {}
        self.asked: list[str] = []
        self.now = NOW

    def level(self, _: AccessToken, __: int, repository_id: int) -> AccessLevel:
        """Answer as `EvidenceUploaders` does, which caches nothing here."""
        self.asked_levels.append(repository_id)
        return self.levels.get(repository_id, AccessLevel.NONE)

    def known_level(self, _: AccessToken, __: int) -> AccessLevel | None:
        """Have no level cached."""
        return None

    def nowhere(self, name: str) -> int:
        """Return an id that nobody has."""
        return nowhere(KEY, name)

    def named(self, _: int, name: str, known: int | None = None) -> NamedRepository | None:
        """Answer as `AppAuth` does."""
        self.asked.append(name)
        found = self.names.get(name)
        return None if found is None or found.id == known else found

    def clock(self) -> datetime:
        """Return the time that a test sets."""
        return self.now


@pytest.fixture
def github() -> GitHubOnPaper:
    return GitHubOnPaper()


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """Return a store that knows acme/shop of one installation, and another account's repository."""
    for number, account, repository, name in ((1, "acme", 42, "shop"), (2, "globex", 43, "site")):
        sqlite_store.installations.seen(Installation(id=number, account=account), now=NOW)
        seen = Repository(id=repository, owner=account, name=name, installation_id=number)
        sqlite_store.installations.repository_seen(seen, now=NOW)
    return sqlite_store


@pytest.fixture
def keys(store: Store) -> EvidenceKeys:
    return EvidenceKeys(store, KEY)


@pytest.fixture
def intake(store: Store, keys: EvidenceKeys, github: GitHubOnPaper) -> UploadIntake:
    return UploadIntake(store, keys, github, github)  # type: ignore[arg-type]  # on paper


@pytest.fixture
def ann(store: Store) -> AccessToken:
    """Return Ann's token for the installation on acme."""
    made = NewToken(kind=TokenKind.UPLOAD, login="ann", user_id=11, installations=(1,))
    store.tokens.issue(made, SECRET, now=NOW)
    found = store.tokens.check(SECRET, TokenKind.UPLOAD, now=NOW)
    assert found is not None
    return found


@pytest.fixture
def batch(keys: EvidenceKeys) -> EditBatch:
    """Return a batch of one edit of acme/shop."""
    present = keys.present(1, now=NOW)
    return EditBatch(
        schema=SCHEMA,
        client="ghapp/1.0.0",
        machine="0" * 32,
        installation=1,
        key_id=present.id,
        remotes=(SHOP,),
        edits=(to_sent(edit("a", "one = 1"), LineFingerprinter(present.secret)),),
    )


def kept(store: Store, repository_id: int = 42) -> list[str]:
    return [one.id for one in store.evidence.of(repository_id, NOW, NOW)]


def test_a_batch_is_stored_once_as_its_persons(
    intake: UploadIntake, store: Store, ann: AccessToken, batch: EditBatch
) -> None:
    first, second = (intake.take(batch, ann, now=NOW) for _ in range(2))
    assert (first.stored, first.already_known) == (1, 0)
    assert (second.stored, second.already_known) == (0, 1)
    (one,) = store.evidence.of(42, NOW, NOW)
    assert (one.id, one.actor, one.path) == ("a", "ann", "src/app.py")
    (week,) = store.coverage.weeks(42, NOW, NOW)
    assert (week.developers, week.edits) == (("ann",), 1)


def test_version_and_model_are_kept_and_an_old_machine_sends_neither(
    intake: UploadIntake, store: Store, ann: AccessToken, batch: EditBatch
) -> None:
    old = msgspec.json.decode(msgspec.json.encode(batch), type=dict)
    del old["agents"]
    for name in ("agent_version", "model"):
        assert old["edits"][0].pop(name) is None
    intake.take(msgspec.convert(old, EditBatch), ann, now=NOW)
    (one,) = store.evidence.of(42, NOW, NOW)
    assert (one.agent_version, one.model) == (None, None)
    told = {"agent_version": "2.1.101", "model": "claude-opus-4-5"}
    intake.take(replace(batch, edits=(replace(batch.edits[0], **told),)), ann, now=NOW)
    (one,) = store.evidence.of(42, NOW, NOW)
    assert (one.agent_version, one.model) == ("2.1.101", "claude-opus-4-5")
    intake.take(batch, ann, now=NOW)
    (one,) = store.evidence.of(42, NOW, NOW)
    assert one.model == "claude-opus-4-5"


def test_what_a_machine_saw_of_agents_is_kept_and_forgotten_with_its_person(
    intake: UploadIntake, store: Store, ann: AccessToken, batch: EditBatch
) -> None:
    tomorrow = (NOW + timedelta(days=1)).date()
    codex = SeenAgent(
        agent="codex",
        version="0.151.0",
        transcripts=2,
        edits=0,
        seen_on=tomorrow,
        last_edit_on=None,
    )
    intake.take(replace(batch, remotes=(), edits=(), agents=(codex, codex)), ann, now=NOW)
    (one,) = store.agent_reports.seen(NOW)
    assert (one.version, one.machines, one.edits, one.seen_on) == ("0.151.0", 1, 0, NOW.date())
    intake.forget(ForgetRequest(), ann, now=NOW)
    assert store.agent_reports.seen(NOW) == ()


def usage_report() -> UsageReport:
    """Return a report of one agent session's day in acme/shop."""
    head = {"agent": "codex", "agent_session": "s1", "day": NOW.date()}
    decided = {"decision": EditDecision.ACCEPTED, "decided_by": None, "language": "Python"}
    return UsageReport(
        schema=USAGE_SCHEMA,
        client="ghapp/1.0.0",
        machine="0" * 32,
        installation=1,
        remotes=(SHOP,),
        tokens=(TokenDay(**head, tokens=TokenCounts(output=850), answers=1),),
        decisions=(DecisionDay(**head, **decided, tool="apply_patch", edits=2, lines=9),),
    )


def test_usage_is_stored_once_as_its_persons(
    intake: UploadIntake, store: Store, ann: AccessToken
) -> None:
    report = usage_report()
    assert [intake.take_usage(report, ann, now=NOW).days for _ in range(2)] == [2, 2]
    found = store.usage.rows(1)
    assert [one.row for one in found] == [*report.tokens, *report.decisions]
    assert {(one.person, one.repository_id) for one in found} == {(11, 42)}
    for request in (
        ForgetRequest(remotes=(SHOP,), paths=("src/app.py",)),
        ForgetRequest(edits=("a",)),
        ForgetRequest(remotes=("github.com/ann/x",)),
    ):
        intake.forget(request, ann, now=NOW)
        assert len(store.usage.rows(1)) == 2
    intake.forget(ForgetRequest(remotes=(SHOP,)), ann, now=NOW)
    assert store.usage.rows(1) == ()
    intake.take_usage(report, ann, now=NOW)
    intake.forget(ForgetRequest(), ann, now=NOW)
    assert store.usage.rows(1) == ()


def test_usage_in_a_fork_and_its_parent_counts_once(
    intake: UploadIntake, store: Store, ann: AccessToken, github: GitHubOnPaper
) -> None:
    mine = Repository(id=44, owner="acme", name="mine", installation_id=1)
    store.installations.repository_seen(mine, now=NOW)
    github.levels[44] = AccessLevel.WRITE
    both = replace(usage_report(), remotes=("github.com/acme/mine", SHOP))
    assert intake.take_usage(both, ann, now=NOW).repository == 44
    assert {one.repository_id for one in store.usage.rows(1)} == {44}


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"schema": "ghapp/usage/9"}, (422, "schema")),
        ({"installation": 2}, (403, "installation")),
        ({"remotes": ("github.com/acme/none",)}, (404, "remotes")),
        ({"day": NOW.date() + timedelta(days=2)}, (422, "tokens[0].day")),
        ({"day": NOW.date() - timedelta(days=401)}, (422, "tokens[0].day")),
    ],
)
def test_usage_that_does_not_fit_is_refused_and_nothing_kept(
    intake: UploadIntake,
    store: Store,
    ann: AccessToken,
    changed: dict[str, Any],
    refusal: tuple[int, str],
) -> None:
    report = usage_report()
    if "day" in changed:
        changed = {"tokens": (replace(report.tokens[0], **changed),)}
    with pytest.raises(UploadRefused) as refused:
        intake.take_usage(replace(report, **changed), ann, now=NOW)
    assert (refused.value.status, refused.value.field) == refusal
    assert store.usage.rows(1) == ()


def changed_edit(batch: EditBatch, **changed: object) -> EditBatch:
    return replace(batch, edits=(batch.edits[0], replace(batch.edits[0], **changed)))


def with_line(line: bytes, tokens: bytes) -> EditLines[LineFingerprint]:
    own = (LineFingerprint(line=line, tokens=tokens),)
    return EditLines(hunks=(EditHunk(before=(), own=own, after=()),))


@pytest.mark.parametrize(
    ("changed", "status", "code", "field"),
    [
        ({"schema": "ghapp/evidence/9"}, 422, None, "schema"),
        ({"installation": 2}, 403, "other_installation", "installation"),
        ({"installation": 9}, 403, "other_installation", "installation"),
        ({"remotes": ()}, 422, None, "remotes"),
        ({"key_id": "1-0"}, 409, "stale_key", "key_id"),
    ],
)
def test_a_batch_that_is_not_for_us_is_refused(
    *,
    intake: UploadIntake,
    store: Store,
    ann: AccessToken,
    batch: EditBatch,
    changed: dict[str, object],
    status: int,
    code: str | None,
    field: str,
) -> None:
    with pytest.raises(UploadRefused) as refused:
        intake.take(replace(batch, **changed), ann, now=NOW)
    assert (refused.value.status, refused.value.code, refused.value.field) == (status, code, field)
    assert kept(store) == []


@pytest.mark.parametrize(
    ("changed", "member"),
    [
        ({"at": NOW + AHEAD + timedelta(seconds=1)}, "at"),
        ({"path": "/home/ann/shop/a.py"}, "path"),
        ({"path": "~/a.py"}, "path"),
        ({"path": "src/../../a.py"}, "path"),
        ({"lines": with_line(b"7 bytes", b"")}, "lines"),
        ({"lines": with_line(b"8 bytes!", b"no record")}, "lines"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_one_wrong_edit_is_named_and_none_is_stored(
    *,
    intake: UploadIntake,
    store: Store,
    ann: AccessToken,
    batch: EditBatch,
    changed: dict[str, object],
    member: str,
) -> None:
    with pytest.raises(UploadRefused) as refused:
        intake.take(changed_edit(batch, **changed), ann, now=NOW)
    assert (refused.value.status, refused.value.field) == (422, f"edits[1].{member}")
    assert kept(store) == []


def test_edits_just_within_the_bounds_are_stored(
    intake: UploadIntake, store: Store, ann: AccessToken, batch: EditBatch
) -> None:
    edge: SentEdit = replace(batch.edits[0], at=NOW + AHEAD, path="src/..a/b..py")
    assert intake.take(replace(batch, edits=(edge,)), ann, now=NOW).stored == 1
    (one,) = store.evidence.of(42, NOW, NOW + AHEAD)
    assert one.path == "src/..a/b..py"


@pytest.mark.parametrize(
    ("level", "status", "code"),
    [
        (AccessLevel.READ, 403, "may_not_write"),
        # As if the repository did not exist: who may not see it does not learn of it.
        (AccessLevel.NONE, 404, "unknown_repository"),
    ],
)
def test_who_may_not_write_sends_nothing(
    *,
    intake: UploadIntake,
    github: GitHubOnPaper,
    ann: AccessToken,
    batch: EditBatch,
    level: AccessLevel,
    status: int,
    code: str,
) -> None:
    github.levels[42] = level
    with pytest.raises(UploadRefused) as refused:
        intake.take(batch, ann, now=NOW)
    assert (refused.value.status, refused.value.code) == (status, code)


def test_a_former_name_or_a_fork_leads_to_its_repository(
    intake: UploadIntake,
    store: Store,
    github: GitHubOnPaper,
    ann: AccessToken,
    batch: EditBatch,
) -> None:
    told = b'{"id": 99, "parent": {"id": 42}, "source": {"id": 42}}'
    github.names["ann/shop"] = msgspec.json.decode(told, type=NamedRepository)
    fork = replace(batch, remotes=("github.com/ann/shop", "gitlab.com/ann/shop"))
    assert intake.take(fork, ann, now=NOW).stored == 1
    assert kept(store) == ["a"]
    intake.take(fork, ann, now=NOW + timedelta(days=9))
    assert github.asked == ["ann/shop"], "what was found stands"


def test_a_name_that_github_does_not_know_is_asked_for_again_after_a_day(
    intake: UploadIntake, github: GitHubOnPaper, ann: AccessToken, batch: EditBatch
) -> None:
    unknown = replace(batch, remotes=("github.com/ann/none",))
    for wait in (timedelta(0), ASK_AGAIN - timedelta(seconds=1), ASK_AGAIN):
        github.now = NOW + wait
        with pytest.raises(UploadRefused, match="installed on none"):
            intake.take(unknown, ann, now=NOW)
    assert github.asked == ["ann/none"] * 2


def sends_unknown(
    intake: UploadIntake, token: AccessToken, batch: EditBatch, names: Iterable[str]
) -> None:
    for name in names:
        remotes = (f"github.com/{name}",)
        with pytest.raises(UploadRefused, match="installed on none"):
            intake.take(replace(batch, remotes=remotes), token, now=NOW)


def test_one_persons_unknown_names_cost_a_bounded_number_of_requests(
    intake: UploadIntake, github: GitHubOnPaper, ann: AccessToken, batch: EditBatch
) -> None:
    sends_unknown(intake, ann, batch, [f"ann/none-{n}" for n in range(2 * ASKED_BY_PERSON)])
    assert len(github.asked) == ASKED_BY_PERSON
    bob = replace(ann, user_id=12)
    sends_unknown(intake, bob, batch, ["bob/none"])
    assert github.asked[-1] == "bob/none"
    github.now += ASK_AGAIN
    sends_unknown(intake, ann, batch, ["ann/other"])
    assert github.asked[-1] == "ann/other"


def test_all_persons_together_cost_an_installation_a_bounded_number(
    intake: UploadIntake, github: GitHubOnPaper, ann: AccessToken, batch: EditBatch
) -> None:
    for person in range(2 + ASKED_BY_INSTALLATION // ASKED_BY_PERSON):
        someone = replace(ann, user_id=100 + person)
        names = [f"p{person}/none-{n}" for n in range(ASKED_BY_PERSON)]
        sends_unknown(intake, someone, batch, names)
    assert len(github.asked) == ASKED_BY_INSTALLATION


def test_what_one_installation_was_told_counts_for_no_other(
    *,
    intake: UploadIntake,
    store: Store,
    keys: EvidenceKeys,
    github: GitHubOnPaper,
    ann: AccessToken,
    batch: EditBatch,
) -> None:
    stranger = replace(ann, user_id=99, installations=(2,))
    other = replace(batch, installation=2, key_id=keys.present(2, now=NOW).id)
    sends_unknown(intake, stranger, other, ["ann/shop"])
    told = b'{"id": 99, "parent": {"id": 43}, "source": {"id": 42}}'
    github.names["ann/shop"] = msgspec.json.decode(told, type=NamedRepository)
    fork = replace(batch, remotes=("github.com/ann/shop",))
    assert intake.take(fork, ann, now=NOW).stored == 1
    store.repository_names.note("ann/shop", NameReason.FORK, now=NOW, repository_id=43)
    assert intake.take(fork, ann, now=NOW).already_known == 1


@pytest.mark.parametrize(
    "remote",
    [
        "github.com/x/../../installation/repositories",
        "github.com/x/..",
        "github.com/x/y?z",
        "github.com/x/y/z",
        "github.com/x/%2e%2e",
        "github.com/acme/shop#",
    ],
)
def test_a_remote_that_cannot_be_a_name_is_never_asked_for(
    intake: UploadIntake, github: GitHubOnPaper, ann: AccessToken, batch: EditBatch, remote: str
) -> None:
    with pytest.raises(UploadRefused, match="installed on none"):
        intake.take(replace(batch, remotes=(remote,)), ann, now=NOW)
    assert github.asked == []


def test_another_accounts_repository_gets_nothing(
    intake: UploadIntake, store: Store, github: GitHubOnPaper, ann: AccessToken, batch: EditBatch
) -> None:
    github.levels[43] = AccessLevel.ADMIN
    with pytest.raises(UploadRefused, match="installed on none"):
        intake.take(replace(batch, remotes=("github.com/globex/site",)), ann, now=NOW)
    intake.take(replace(batch, remotes=("github.com/globex/site", SHOP)), ann, now=NOW)
    assert (kept(store), kept(store, 43)) == (["a"], [])


def test_a_batch_without_edits_says_that_a_machine_is_there(
    intake: UploadIntake, store: Store, ann: AccessToken, batch: EditBatch
) -> None:
    assert intake.take(replace(batch, edits=(), remotes=(), key_id="old"), ann, now=NOW).stored == 0
    intake.take(replace(batch, edits=()), ann, now=NOW)
    (week,) = store.coverage.weeks(42, NOW, NOW)
    assert (week.developers, week.edits) == (("ann",), 0)


def test_what_a_person_sent_is_erased_as_far_as_they_say_and_no_others(
    intake: UploadIntake, store: Store, github: GitHubOnPaper, ann: AccessToken, batch: EditBatch
) -> None:
    second = replace(batch.edits[0], id="b", path="docs/b.md")
    third = replace(batch.edits[0], id="c", path="src/c.py")
    intake.take(replace(batch, edits=(*batch.edits, second, third)), ann, now=NOW)
    store.evidence.add(42, [edit("bobs", actor="bob")], now=NOW)
    docs = ForgetRequest(remotes=(SHOP,), paths=("docs/b.md",))
    assert intake.forget(docs, ann, now=NOW).edits == 1
    assert intake.forget(ForgetRequest(edits=("c", "bobs")), ann, now=NOW).edits == 1
    assert intake.forget(ForgetRequest(remotes=("github.com/ann/x",)), ann, now=NOW).edits == 0
    assert sorted(kept(store)) == ["a", "bobs"]
    assert intake.forget(ForgetRequest(), ann, now=NOW).edits == 1
    assert kept(store) == ["bobs"]
    assert store.coverage.weeks(42, NOW, NOW) == ()
    assert {one.what for one in store.access_log.of()} == {"erasure"}
    assert github.asked == [], "GitHub need not know what is forgotten"
