"""Segments from the store: the table of people, several logins of one account, whole months."""

from datetime import date

from ghapp.store import Installation, Repository, Store, UsageOrigin
from ghapp.store.summaries.segments import SegmentQuestions, SegmentSelection
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.periods import DayPeriod
from ghapp.summaries.segments import PeopleSegment, SegmentKind
from ghapp.summaries.selection import PersonNaming
from ghapp.summaries.teams import TeamMember, TeamSource
from ghapp.usage.answers import TokenCounts
from ghapp.usage.counts import OTHERS, UsageSelection
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.store.plain_usage import add
from tests.store.records import NOW, document

PEOPLE = range(1, 13)
SPAN = DayPeriod(date(2026, 3, 1), date(2026, 4, 30))


def test_numbers_by_role_within_a_place_are_those_of_its_people(sqlite_store: Store) -> None:
    store = sqlite_store
    store.installations.seen(Installation(id=1, account="acme"), now=NOW)
    seen = Repository(id=7, owner="acme", name="app", installation_id=1)
    store.installations.repository_seen(seen, now=NOW)
    members = [
        TeamMember(
            f"p{who}",
            team="core",
            role="lead" if who <= 6 else "engineer",
            location="Lisbon" if who != 12 else None,
            since=date(2025, 6, 1) if who <= 6 else None,
        )
        for who in PEOPLE
    ]
    store.teams.replace("acme", TeamSource.CSV, members)
    for who in PEOPLE:
        identity = UsageIdentity(IdentityKind.ACCOUNT, str(who))
        origin = UsageOrigin(1, UsageSource.TRANSCRIPTS, identity, login=f"p{who}", repository_id=7)
        days = (date(2026, 2, 28), date(2026, 3, 2), date(2026, 4, 30))
        tokens = TokenCounts(output=100 + who)
        add(store, origin, [TokenDay("codex", f"s{who}", day, tokens, answers=1) for day in days])
        # The first has merged under a former login of the same account.
        about = PullFacts(author="former" if who == 1 else f"p{who}", author_id=who)
        made = document(pull_request=who, merged_at=NOW.replace(year=2026, month=4, day=who))
        store.audits.save(7, who, made, now=NOW, about=about)
    store.audits.save(
        7,
        50,
        document(pull_request=50, merged_at=NOW.replace(year=2026, month=4, day=20)),
        now=NOW,
        about=PullFacts(author="p1", author_id=1),
    )
    store.usage.settle()
    questions = SegmentQuestions(store.database, PersonNaming())
    asked = SegmentSelection(
        UsageSelection(1, (7,), since=date(2026, 2, 10), until=date(2026, 5, 3)), SegmentKind.ROLE
    )
    table = questions.table(asked)
    assert table.period == SPAN
    assert [(one.name, one.people, one.authors, one.users) for one in table.rows] == [
        ("engineer", 6, 6, 6),
        ("lead", 6, 6, 6),
    ]
    engineer, lead = table.rows
    assert lead.pulls is not None
    assert engineer.pulls is not None
    assert (lead.pulls.pulls, engineer.pulls.pulls) == (7, 6)
    assert lead.tokens is not None
    assert lead.tokens.output == 2 * sum(100 + who for who in range(1, 7))
    tenure = questions.table(SegmentSelection(asked.usage, SegmentKind.TENURE))
    # Of whom no first day is known is in no band.
    assert [one.name for one in tenure.rows] == ["3 to 12 months", OTHERS]
    within = PeopleSegment(SegmentKind.TEAM, "core")
    study = questions.adoption(SegmentSelection(asked.usage, SegmentKind.ROLE, within))
    assert study.until == date(2026, 5, 3)
    assert [(one.name, one.people) for one in study.groups] == [("engineer", 6), ("lead", 6)]
    assert study.groups[0].weeks[-1].share == 0.2  # one of four weeks, in tenths
