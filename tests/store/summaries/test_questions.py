"""Every number of the summaries equals a slow count over the audit documents themselves."""

import itertools
import statistics
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ghapp.attribution.model import (
    AuditInputs,
    AuditState,
    AuditTotals,
    Edit,
    FileVerdict,
    Struct,
    Verdict,
)
from ghapp.store import Repository, Store
from ghapp.store.erasures import ErasedBy
from ghapp.store.evidence import ErasureScope
from ghapp.store.schema import (
    group_tally,
    pull_agent,
    pull_lines,
    pull_summary,
    tally,
    team_member,
)
from ghapp.store.summaries import activity
from ghapp.store.summaries.conditions import TeamMembers
from ghapp.store.summaries.groups import first as leaders
from ghapp.store.summaries.groups import fold_teams, quiet_rule
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.store.summaries.tally import day_number, dissolve, rebuild
from ghapp.summaries.counts import (
    AdoptionDay,
    OrganizationSummary,
    OutcomeMeasure,
    PullCounts,
    PullFacts,
    PullOutcome,
    QuietReason,
)
from ghapp.summaries.intervals import proportion
from ghapp.summaries.selection import (
    ListSlice,
    NamesShown,
    NotShown,
    PersonNaming,
    PullOrder,
    PullSelection,
    RankBy,
    TimeGrain,
)
from tests.store.records import NOW, document, edit
from tests.store.summaries.slow_summaries import Slow, at_noon

FIRST, LAST = date(2026, 1, 20), date(2026, 4, 10)
PEOPLE = PersonNaming(names=NamesShown.PEOPLE)
TEAMS = PersonNaming(names=NamesShown.TEAMS)
PATHS = (
    "README.md",
    "src/app.py",
    "src/web/page.ts",
    "src/web/old/page.ts",
    "Src/x.go",
    "srcs/a.py",
)
LOGINS = ("Ann", "bob", "carl", "dora", "Eve", "fay", "gus", "dependabot[bot]", None)
MEMBERS = {login.lower(): "core" for login in LOGINS[:6] if login} | {"gus": "small"}
AGENTS = ("claude-code", "codex")

_ids = itertools.count(1000, 10)
days = st.dates(FIRST, LAST)
relaxed = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Audited(Struct, frozen=True):
    """One audit to save: where, what GitHub says of it, what the document says."""

    place: int
    number: int
    about: PullFacts
    document: bytes


@st.composite
def audits(draw: st.DrawFn) -> Audited:
    """One audit of a few pull requests in four repositories; its numbers fit together."""
    place, number = draw(st.integers(0, 3)), draw(st.integers(1, 4))
    day = FIRST + (LAST - FIRST) * (place * 4 + number) / 17
    verdict = draw(st.sampled_from(Verdict))
    lines = st.integers(0, 9)
    files, agents = [], dict.fromkeys(AGENTS, 0)
    for path in draw(st.lists(st.sampled_from(PATHS), unique=True, min_size=1)):
        first, more, others = draw(st.tuples(lines, lines, lines))
        if verdict is not Verdict.ASSISTED:
            first, more = 0, 0
        agents["claude-code"] += first
        agents["codex"] += more
        effective = first + more + others
        files.append(
            FileVerdict(path, None, effective + draw(lines), effective, first + more, None, ())
        )
    attributed = sum(agents.values())
    if verdict is Verdict.ASSISTED and not attributed:
        verdict = Verdict.NOT_ASSISTED
    complete = draw(st.booleans())
    effective = sum(file.effective for file in files)
    share = round(attributed / effective, 4) if effective and complete else None
    made = document(
        merged_at=at_noon(day),
        pull_request=number,
        state=draw(st.sampled_from(AuditState)),
        verdict=verdict,
        inputs=AuditInputs(diff="d", evidence="e", edits_considered=2, change_complete=complete),
        totals=AuditTotals(
            added=sum(file.added for file in files),
            effective=effective,
            attributed=attributed,
            share=share,
            by_reason={},
            by_agent=agents,
        ),
        files=tuple(files),
    )
    about = PullFacts(title=f"Change {number}", author=draw(st.sampled_from(LOGINS)), author_id=7)
    return Audited(place, number, about, made)


@st.composite
def selections(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what is asked for besides repositories; often only days."""
    asked: dict[str, Any] = {
        "since": draw(st.none() | days),
        "until": draw(st.none() | days),
    }
    more: dict[str, st.SearchStrategy[Any]] = {
        "author": st.sampled_from(["ann", "EVE", "nobody"]),
        "agent": st.sampled_from(AGENTS),
        "verdict": st.sampled_from(Verdict),
        "state": st.sampled_from(AuditState),
        "share_from": st.sampled_from([0.0, 0.25]),
        "share_to": st.sampled_from([0.5, 1.0]),
        "path": st.sampled_from(["src", "src/web/", "srcs", ".", "none"]),
    }
    for name in draw(st.lists(st.sampled_from(sorted(more)), unique=True, max_size=2)):
        asked[name] = draw(more[name])
    return asked


def edits_of(repository_id: int) -> st.SearchStrategy[list[Edit]]:
    return st.lists(
        st.builds(
            lambda number, day, login, agent, run: edit(
                f"{repository_id}:{number}",
                at=at_noon(day),
                actor=login,
                agent=agent,
                agent_session=run,
            ),
            st.integers(0, 9),
            days,
            st.sampled_from(["Ann", "ann", "bob", None]),
            st.sampled_from(AGENTS),
            st.sampled_from(["s1", "s2"]),
        ),
        max_size=12,
        unique_by=lambda one: one.id,
    )


class World:
    """Four new repositories in the store, with the audits of an example.

    The first has no installation, the others are a group: of the first three together the last
    one has to be taken off again.
    """

    def __init__(self, store: Store, saved: list[Audited]) -> None:
        self.store = store
        self.ids = [next(_ids) for _ in range(4)]
        self.abouts: dict[tuple[int, int], PullFacts] = {}
        self.edits: dict[int, list[Edit]] = defaultdict(list)
        for one in self.ids:
            home = None if one == self.ids[0] else self.ids[1]
            seen = Repository(id=one, owner="acme", name=f"r{one}", installation_id=home)
            store.installations.repository_seen(seen, now=NOW)
        for audited in saved:
            self.save(audited)

    def save(self, audited: Audited) -> None:
        """Keep one more audit."""
        repository_id = self.ids[audited.place]
        self.store.audits.save(
            repository_id, audited.number, audited.document, now=NOW, about=audited.about
        )
        before = self.abouts.get((repository_id, audited.number))
        about = audited.about
        if before is not None and before.author is None:
            # Whom GitHub does not name any more, or who was erased, stays unnamed.
            about = msgspec.structs.replace(about, author=None, author_id=None)
        self.abouts[repository_id, audited.number] = about

    def slow(self) -> Slow:
        """Return what counts slowly."""
        return Slow(self.store, self.abouts, MEMBERS, self.edits)


def be_teams(store: Store) -> None:
    """Put everybody into his team."""
    with store.database.write() as connection:
        connection.execute(
            store.database.insert(team_member).on_conflict_do_nothing(),
            [
                {
                    "account_lower": "acme",
                    "source": "csv",
                    "login_lower": login,
                    "login": login,
                    "team": team,
                }
                for login, team in MEMBERS.items()
            ],
        )


@relaxed
@given(st.lists(audits(), max_size=14), st.lists(selections(), min_size=1, max_size=3))
def test_every_number_is_equal_to_a_slow_count(
    store: Store, saved: list[Audited], asked: list[dict[str, Any]]
) -> None:
    be_teams(store)
    world = World(store, saved)
    slow, quick = world.slow(), SummaryQuestions(store.database, PEOPLE)
    for one in asked:
        selection = PullSelection(tuple(world.ids[:3]), **one)
        assert quick.totals(selection) == slow.totals(selection)
        assert quick.people(selection) == slow.people(selection, PEOPLE)
        for grain in TimeGrain:
            page = quick.repository(selection, grain)
            assert (page.totals, page.series) == (
                slow.totals(selection),
                slow.series(selection, grain),
            )
        assert page.agents == slow.agents(selection)
        assert page.directories == slow.directories(selection)
        assert page.languages == slow.languages(selection)
        whole = quick.organization(selection, TimeGrain.WEEK, today=LAST)
        assert (whole.totals, whole.series) == (
            slow.totals(selection),
            slow.series(selection, TimeGrain.WEEK),
        )
        assert (whole.agents, whole.languages) == (page.agents, page.languages)
        assert whole.repositories == slow.repositories(selection)
        assert whole.teams == slow.team_rows(selection)


@relaxed
@given(
    st.lists(audits(), max_size=14),
    selections(),
    st.builds(ListSlice, st.sampled_from(PullOrder), st.booleans(), limit=st.just(3)),
)
def test_a_list_is_whole_and_sorted_page_by_page(
    store: Store, saved: list[Audited], asked: dict[str, Any], listing: ListSlice
) -> None:
    be_teams(store)
    world = World(store, saved)
    selection = PullSelection(tuple(world.ids), **asked)
    quick = SummaryQuestions(store.database, PEOPLE)
    found, after = [], None
    while True:
        page = quick.pulls(selection, msgspec.structs.replace(listing, after=after))
        found += page.rows
        after = page.after
        if after is None:
            break
    slow = world.slow()
    expected = slow.listed(selection, listing.order, ascending=listing.ascending)
    assert [(row.repository_id, row.pull_request) for row in found] == expected
    pulls = {(pull.repository_id, pull.number): pull for pull in slow.pulls}
    for row in found:
        pull = pulls[row.repository_id, row.pull_request]
        audit, totals = pull.audit, pull.audit.totals
        assert (row.title, row.author) == (pull.about.title, pull.about.author)
        assert (row.merged_at, row.verdict, row.state) == (
            audit.merged_at,
            audit.verdict,
            audit.state,
        )
        assert (row.added, row.effective, row.attributed, row.share, row.complete) == (
            totals.added,
            totals.effective,
            totals.attributed,
            totals.share,
            audit.inputs.change_complete,
        )
        assert row.agents == {agent: lines for agent, lines in totals.by_agent.items() if lines}
        assert row.team == ("core" if MEMBERS.get((row.author or "").lower()) == "core" else None)


def test_a_long_list_over_many_repositories_tells_every_agent(store: Store) -> None:
    ids = [next(_ids) for _ in range(600)]
    found = [{"repository_id": one, "pull_request": 7, "merged_at": NOW} for one in ids]
    said = {"audit_number": 1, "verdict": "assisted", "state": "final", "complete": True}
    lines = {"added": 5, "effective": 4, "attributed": 3}
    agents = [{**one, "agent": "codex", "attributed": 3} for one in found]
    with store.database.write() as connection:
        connection.execute(store.database.insert(pull_agent), agents)
        connection.execute(
            store.database.insert(pull_summary), [{**one, **said, **lines} for one in found]
        )
    page = SummaryQuestions(store.database, TEAMS).pulls(
        PullSelection(tuple(ids)), ListSlice(limit=600)
    )
    assert [row.agents for row in page.rows] == [{"codex": 3}] * len(ids)


def kept(store: Store, repository_id: int) -> list[list[tuple[Any, ...]]]:
    """Return all rows of a repository's summaries, sorted."""
    with store.database.read() as connection:
        return [
            sorted(
                map(tuple, connection.execute(select(table).where(table.c[0] == repository_id))),
                key=repr,
            )
            for table in (pull_summary, pull_agent, pull_lines, tally)
        ]


def group_rows(store: Store, group_id: int) -> list[tuple[Any, ...]]:
    """Return all tallies of a group, sorted."""
    query = select(group_tally).where(group_tally.c.group_id == group_id)
    with store.database.read() as connection:
        return sorted(map(tuple, connection.execute(query)))


@relaxed
@given(st.lists(audits(), max_size=20))
def test_what_is_kept_step_by_step_is_what_the_documents_say(
    store: Store, saved: list[Audited]
) -> None:
    world = World(store, saved)
    of_group = group_rows(store, world.ids[1])
    for repository_id in world.ids:
        step_by_step = kept(store, repository_id)
        count = rebuild(store.database, repository_id)
        assert kept(store, repository_id) == step_by_step
        assert group_rows(store, world.ids[1]) == of_group
        assert count == len(step_by_step[0])


@relaxed
@given(st.lists(audits(), max_size=14))
def test_groups_that_were_dissolved_come_again_as_they_were(
    store: Store, saved: list[Audited]
) -> None:
    world = World(store, saved)
    of_group, ours = group_rows(store, world.ids[1]), PullSelection(tuple(world.ids[:3]))
    quick = SummaryQuestions(store.database, PEOPLE)
    totals, names = quick.totals(ours), quick.people(ours)
    dissolve(store.database)
    assert not group_rows(store, world.ids[1])
    assert (quick.totals(ours), quick.people(ours)) == (totals, names)
    for repository_id in world.ids:
        rebuild(store.database, repository_id)
    assert group_rows(store, world.ids[1]) == of_group
    assert (quick.totals(ours), quick.people(ours)) == (totals, names)


def test_a_group_counts_every_day_week_and_month_of_its_members(store: Store) -> None:
    world = World(store, [])
    for number, place in enumerate((1, 2, 2, 3), 1):
        made = document(
            pull_request=number,
            files=(FileVerdict("src/a.py", None, 9, 5, 3, None, ()),),
            totals=AuditTotals(9, 5, 3, 0.6, {}, {"claude-code": 3}),
        )
        world.save(Audited(place, number, PullFacts(author="Ann"), made))
    rows = {row[1:5]: row[5] for row in group_rows(store, world.ids[1])}
    grains = {(dimension, grain) for dimension, grain, _, _ in rows}
    assert grains == set(itertools.product(("all", "agent", "author", "language"), TimeGrain))
    assert set(rows.values()) == {4}


def adoption(store: Store, selection: PullSelection) -> tuple[AdoptionDay, ...]:
    """Return the adoption that an organization's page shows: 13 weeks, longer than any example."""
    quick = SummaryQuestions(store.database, TEAMS)
    return quick.organization(selection, TimeGrain.DAY, today=LAST).adoption


@relaxed
@given(st.data())
def test_adoption_is_equal_to_a_slow_count_over_the_edits(
    store: Store, data: st.DataObject
) -> None:
    world = World(store, data.draw(st.lists(audits(), max_size=6)))
    for repository_id in world.ids[:2]:
        for _ in range(2):
            # The second time some edits come again as better copies, on other days.
            edits = data.draw(edits_of(repository_id))
            store.evidence.add(repository_id, edits, now=NOW)
        start, end = at_noon(FIRST) - timedelta(1), at_noon(LAST) + timedelta(1)
        world.edits[repository_id] = list(store.evidence.of(repository_id, start, end))
    asked = PullSelection(
        tuple(world.ids),
        since=data.draw(st.none() | days),
        until=data.draw(st.none() | days),
        agent=data.draw(st.none() | st.sampled_from(AGENTS)),
    )
    before = adoption(store, asked)
    assert before == world.slow().adoption(asked)
    for repository_id in world.ids:
        activity.rebuild(store.database, repository_id)
    assert adoption(store, asked) == before


def test_erasure_takes_a_persons_name_from_the_summaries(store: Store) -> None:
    about = PullFacts(title="One", author="Ann", author_id=1)
    store.audits.save(42, 17, document(), now=NOW, about=about)
    store.evidence.add(42, [edit("e1", actor="Ann"), edit("e2", actor="bob")], now=NOW)
    quick, ours = SummaryQuestions(store.database, PEOPLE), PullSelection((42,))

    def whole() -> OrganizationSummary:
        return quick.organization(ours, TimeGrain.DAY, today=NOW.date())

    assert [row.name for row in quick.people(ours)] == ["Ann"]
    assert whole().adoption[0].developers == 2
    everything = ErasureScope(login="ANN")
    assert store.evidence.erase(everything, ErasedBy.DEVELOPER, now=NOW) == 1
    assert [row.name for row in quick.people(ours)] == ["Ann"]
    assert whole().adoption[0].developers == 1
    store.evidence.erase(everything, ErasedBy.ADMINISTRATOR, now=NOW)
    assert [row.name for row in quick.people(ours)] == ["(unknown)"]
    assert quick.pulls(ours, ListSlice()).rows[0].author is None
    assert whole().adoption[0].developers == 1
    assert quick.totals(ours).pulls == 1
    store.audits.save(42, 17, document(state=AuditState.FINAL), now=NOW, about=about)
    assert [row.name for row in quick.people(ours)] == ["(unknown)"]
    assert quick.pulls(ours, ListSlice()).rows[0].title == "One"


def test_evidence_that_is_too_old_leaves_the_adoption_as_it_was(store: Store) -> None:
    store.evidence.add(42, [edit("e1", actor="Ann")], now=NOW)
    quick = SummaryQuestions(store.database, TEAMS)
    today = NOW.date()
    before = quick.organization(PullSelection((42,)), TimeGrain.DAY, today=today).adoption
    assert before
    assert store.evidence.expire(NOW + timedelta(1)) == 1
    after = quick.organization(PullSelection((42,)), TimeGrain.DAY, today=today).adoption
    assert after == before


def test_what_github_says_is_noted_without_a_new_audit(store: Store) -> None:
    store.audits.save(42, 17, document(), now=NOW)
    store.audits.save(42, 17, document(), now=NOW, about=PullFacts(title="Two", author="Ann"))
    store.audits.save(42, 17, document(state=AuditState.FINAL), now=NOW)
    (row,) = SummaryQuestions(store.database, PEOPLE).pulls(PullSelection((42,)), ListSlice()).rows
    assert (row.title, row.author, row.audit_number, row.state) == (
        "Two",
        "Ann",
        2,
        AuditState.FINAL,
    )


def test_a_place_of_another_list_is_refused(sqlite_store: Store) -> None:
    for number in (1, 2):
        sqlite_store.audits.save(42, number, document(pull_request=number), now=NOW)
    quick, ours = SummaryQuestions(sqlite_store.database, PEOPLE), PullSelection((42,))
    after = quick.pulls(ours, ListSlice(limit=1)).after
    assert after is not None
    for wrong in (
        ListSlice(PullOrder.SHARE, after=after),
        ListSlice(after="no place"),
        ListSlice(after=""),
    ):
        with pytest.raises(ValueError, match="begin again"):
            quick.pulls(ours, wrong)


# --- who is named ---------------------------------------------------------------------------------


def by_authors(store: Store, authors: dict[str, int]) -> PullSelection:
    """Keep some pull requests of each author, one line attributed in each."""
    store.installations.repository_seen(Repository(id=42, owner="Acme", name="shop"), now=NOW)
    number = itertools.count(1)
    for author, count in authors.items():
        for one in itertools.islice(number, count):
            store.audits.save(
                42, one, document(pull_request=one), now=NOW, about=PullFacts(author=author)
            )
    return PullSelection((42,))


def test_where_teams_are_shown_nothing_is_said_of_one_person(sqlite_store: Store) -> None:
    be_teams(sqlite_store)
    ours = by_authors(sqlite_store, {"Ann": 1, "bob": 2, "carl": 1, "dora": 1, "Eve": 1})
    quick = SummaryQuestions(sqlite_store.database, TEAMS)
    assert [(row.name, row.people) for row in quick.people(ours)] == [("core", 5)]
    (row, *_) = quick.pulls(ours, ListSlice()).rows
    assert (row.author, row.team) == (None, "core")
    asked = PullSelection((42,), author="ann")
    for ask in (quick.totals, quick.people, lambda one: quick.pulls(one, ListSlice())):
        with pytest.raises(NotShown, match="people are not named"):
            ask(asked)


def test_pseudonyms_are_stable_and_in_no_list_of_pull_requests(sqlite_store: Store) -> None:
    ours = by_authors(sqlite_store, {"Ann": 2, "bob": 1})
    naming = PersonNaming(names=NamesShown.PSEUDONYMS, key=b"k" * 32)
    quick = SummaryQuestions(sqlite_store.database, naming)
    (first, second) = leaders(quick.people(ours), RankBy.PULLS, 10)
    assert (first.name, second.name) == (naming.of("ann"), naming.of("BOB"))
    assert first.name.startswith("person-")
    assert naming.of("Ann") != PersonNaming(names=NamesShown.PSEUDONYMS, key=b"x").of("Ann")
    assert {row.author for row in quick.pulls(ours, ListSlice()).rows} == {None}
    with pytest.raises(NotShown):
        quick.totals(PullSelection((42,), author="ann"))


def test_a_team_of_four_is_not_broken_out_in_any_way(store: Store) -> None:
    be_teams(store)
    ours = by_authors(store, {"Ann": 1, "bob": 1, "carl": 1, "dora": 1})
    quick = SummaryQuestions(store.database, TEAMS)
    page = quick.organization(ours, TimeGrain.DAY, today=LAST)
    assert [(row.team, row.people) for row in page.teams] == [(None, 4)]
    team = PullSelection((42,), team="core")
    for ask in (
        quick.totals,
        quick.people,
        quick.outcomes,
        lambda one: quick.repository(one, TimeGrain.DAY),
        lambda one: quick.organization(one, TimeGrain.DAY, today=LAST),
        lambda one: quick.trends(one, (42,)),
        lambda one: quick.pulls(one, ListSlice()),
    ):
        with pytest.raises(NotShown, match="fewer than 5"):
            ask(team)
    by_authors(store, {"Eve": 1})
    assert quick.totals(PullSelection((42,), team="nobody's")) == PullCounts()


@given(st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.sampled_from(["x", "y", "z", None])))
def test_a_group_that_is_told_apart_has_five_people(members: dict[str, str | None]) -> None:
    teams = TeamMembers({login: team for login, team in members.items() if team})
    authors = {login: PullCounts(pulls=1) for login in members}
    rows = fold_teams(authors, teams)
    assert sum(row.counts.pulls for row in rows) == len(members)
    assert all(row.people >= 5 for row in rows if row.team)
    # The rest must not give away a few people by what is missing in it.
    assert len(rows) == 1 or all(row.people >= 5 for row in rows)


def test_who_begins_later_is_in_no_team_yet(sqlite_store: Store) -> None:
    ours = by_authors(sqlite_store, dict.fromkeys("abcdef", 1))
    row = {"account_lower": "acme", "source": "csv", "team": "core"}
    rows = [{**row, "login": one, "login_lower": one, "since": day_number(LAST)} for one in "abcde"]
    with sqlite_store.database.write() as connection:
        connection.execute(sqlite_store.database.insert(team_member), rows)
    quick = SummaryQuestions(sqlite_store.database, TEAMS)
    until = msgspec.structs.replace(ours, until=date(2026, 3, 1))
    assert quick.organization(until, TimeGrain.DAY, today=LAST).teams == ()
    assert {row.team for row in quick.pulls(ours, ListSlice()).rows} == {"core", None}


# --- quiet spots ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "before", "rule"),
    [
        (PullCounts(pulls=9, no_evidence=9), PullCounts(), None),
        (
            PullCounts(pulls=10, no_evidence=10),
            PullCounts(pulls=90, assisted=80),
            QuietReason.NO_EVIDENCE,
        ),
        (PullCounts(pulls=10, no_evidence=9), PullCounts(pulls=90), QuietReason.NEVER_STARTED),
        (PullCounts(pulls=10, assisted=1), PullCounts(pulls=90), None),
        (PullCounts(pulls=100, assisted=24), PullCounts(pulls=100, assisted=50), QuietReason.FELL),
        (PullCounts(pulls=100, assisted=25), PullCounts(pulls=100, assisted=50), None),
        (PullCounts(pulls=100, assisted=5), PullCounts(pulls=100, assisted=14), None),
        (PullCounts(pulls=100, assisted=5), PullCounts(pulls=9, assisted=9), None),
    ],
)
def test_a_quiet_spot_follows_its_rule(
    now: PullCounts, before: PullCounts, rule: QuietReason | None
) -> None:
    assert quiet_rule(now, before) is rule


def test_a_repository_whose_adoption_fell_is_a_quiet_spot(store: Store) -> None:
    be_teams(store)
    today = NOW.date()
    store.installations.repository_seen(Repository(id=42, owner="acme", name="shop"), now=NOW)
    logins = [login for login in LOGINS[:6] if login]
    for number in range(1, 41):
        fell = number > 20
        merged_at = NOW - timedelta(days=27 if fell else 31 + number)
        verdict = Verdict.NOT_ASSISTED if fell else Verdict.ASSISTED
        made = document(merged_at=merged_at, pull_request=number, verdict=verdict)
        store.audits.save(42, number, made, now=NOW, about=PullFacts(author=logins[number % 6]))
    quick = SummaryQuestions(store.database, TEAMS)
    spots = quick.organization(PullSelection((42, 43)), TimeGrain.DAY, today=today).quiet
    assert [(spot.name, spot.rule, spot.now.pulls, spot.before.pulls) for spot in spots] == [
        ("core", QuietReason.FELL, 20, 20),
        ("acme/shop", QuietReason.FELL, 20, 20),
    ]


# --- whole pages ----------------------------------------------------------------------------------


def test_a_page_has_the_largest_the_leaders_and_the_latest_days(store: Store) -> None:
    be_teams(store)
    ours = by_authors(store, {"Ann": 1, "bob": 2, "carl": 1, "dora": 1, "Eve": 1})
    store.evidence.add(42, [edit("e1", actor="Ann")], now=NOW)
    quick, today = SummaryQuestions(store.database, TEAMS), NOW.date()
    page = quick.repository(ours, TimeGrain.WEEK)
    assert page.largest == quick.pulls(ours, ListSlice(PullOrder.EFFECTIVE, limit=10)).rows
    whole = quick.organization(ours, TimeGrain.MONTH, today=today)
    assert whole.totals == page.totals == quick.totals(ours)
    people = quick.people(ours)
    assert whole.leaderboard_pulls == leaders(people, RankBy.PULLS, 10)
    assert whole.leaderboard_lines == leaders(people, RankBy.LINES, 10)
    (active,) = whole.adoption
    assert (active.day, active.pulls_per_developer) == (today, 6)
    later = quick.organization(ours, TimeGrain.MONTH, today=today + timedelta(days=91))
    assert later.adoption == ()
    assert later.series == whole.series


# --- outcomes -------------------------------------------------------------------------------------


def an_outcome(**changed: Any) -> PullOutcome:
    values = {
        "collected_at": NOW,
        "first_commit_at": NOW - timedelta(hours=10),
        "opened_at": NOW - timedelta(hours=6),
        "first_review_at": NOW - timedelta(hours=4),
        "review_rounds": 1,
        "review_comments": 2,
        "changed_lines": 30,
        "attributed_lines": 2,
        "other_lines": 1,
    } | changed
    return PullOutcome(**values)


def test_outcomes_stand_beside_each_other(store: Store) -> None:
    verdicts = [Verdict.ASSISTED] * 3 + [Verdict.NOT_ASSISTED] * 2 + [Verdict.NO_EVIDENCE]
    kept_outcomes: dict[int, PullOutcome] = {}
    for number, verdict in enumerate(verdicts, 1):
        store.audits.save(42, number, document(pull_request=number, verdict=verdict), now=NOW)
        kept_outcomes[number] = an_outcome(
            first_commit_at=NOW - timedelta(hours=number),
            first_review_at=None if number == 1 else NOW,
            review_comments=number,
            reverted=None if number == 3 else number == 2,
            attributed_after_30=None if number == 3 else 2 - number % 2,
            others_after_30=None if number == 3 else 1,
        )
        store.outcomes.keep(42, number, an_outcome())
        store.outcomes.keep(42, number, kept_outcomes[number])
        assert store.outcomes.of(42, number) == kept_outcomes[number]
    quick = SummaryQuestions(store.database, PEOPLE)
    found = quick.outcomes(PullSelection((42,)))
    assert (found.collected, found.pulls) == (5, 5)
    by_name = {one.measured: (one.assisted, one.others) for one in found.comparisons}
    assert set(by_name) == set(OutcomeMeasure)
    assisted, others = [kept_outcomes[n] for n in (1, 2, 3)], [kept_outcomes[n] for n in (4, 5)]
    hours = [(NOW - one.first_commit_at).total_seconds() / 3600 for one in assisted]  # type: ignore[operator]
    assert by_name[OutcomeMeasure.HOURS_TO_MERGE][0].value == statistics.median(hours)
    assert by_name[OutcomeMeasure.HOURS_TO_REVIEW][0].count == 2
    assert by_name[OutcomeMeasure.REVIEW_COMMENTS][1].value == statistics.median(
        one.review_comments for one in others
    )
    assert by_name[OutcomeMeasure.REVERTED][0] == proportion(1, 2)
    assert by_name[OutcomeMeasure.FIXED_UP][0].value is None
    known = [one for one in (*assisted, *others) if one.attributed_after_30 is not None]
    survived = by_name[OutcomeMeasure.SURVIVED_30]
    assert survived[0].count == sum(one.attributed_lines for one in known)
    assert survived[0].value == sum(one.attributed_after_30 or 0 for one in known) / 8
    assert survived[1].value == 1.0
    with pytest.raises(NotShown, match="one person"):
        quick.outcomes(PullSelection((42,), author="ann"))
