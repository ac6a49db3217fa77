"""Small organizations in a store, drawn at random: what summaries are asked about in tests."""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple
from zlib import crc32

import msgspec
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
from ghapp.store.schema import group_tally, pull_agent, pull_lines, pull_summary, tally, team_member
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.selection import NamesShown, PersonNaming, PullSelection
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


def new_id() -> int:
    """Return the number of a repository that no test has: examples share a store."""
    return next(_ids)


class Audited(Struct, frozen=True):
    """One audit to save: where, what GitHub says of it, what the document says."""

    place: int
    number: int
    about: PullFacts
    document: bytes


class Touched(NamedTuple):
    """A file of a pull request, by lines: of each agent, of nobody, and those that do not count."""

    path: str
    first: int
    more: int
    others: int
    ignored: int


def one_audit(
    place: int,
    number: int,
    touched: Iterable[Touched],
    *,
    author: str | None,
    verdict: Verdict,
    state: AuditState,
    complete: bool,
) -> Audited:
    """Make an audit whose numbers fit together; its day is that of its place and number."""
    day = FIRST + (LAST - FIRST) * (place * 4 + number) / 17
    files, agents = [], dict.fromkeys(AGENTS, 0)
    for one in touched:
        with_agent = verdict is Verdict.ASSISTED
        first, more = (one.first, one.more) if with_agent else (0, 0)
        agents["claude-code"] += first
        agents["codex"] += more
        effective = first + more + one.others
        added = effective + one.ignored
        files.append(FileVerdict(one.path, None, added, effective, first + more, None, ()))
    attributed = sum(agents.values())
    if verdict is Verdict.ASSISTED and not attributed:
        verdict = Verdict.NOT_ASSISTED
    effective = sum(file.effective for file in files)
    is_known = effective and complete and verdict is not Verdict.NO_EVIDENCE
    share = round(attributed / effective, 4) if is_known else None
    made = document(
        merged_at=at_noon(day),
        pull_request=number,
        state=state,
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
    number_of = None if author is None else crc32(author.lower().encode())
    about = PullFacts(title=f"Change {number}", author=author, author_id=number_of)
    return Audited(place, number, about, made)


def every_kind() -> list[Audited]:
    """Return a pull request of each kind: verdicts, states, authors, paths and days all differ."""
    verdicts, states = itertools.cycle(Verdict), itertools.cycle(AuditState)
    return [
        one_audit(
            number // 4,
            number % 4 + 1,
            [
                Touched(PATHS[(number + more) % len(PATHS)], 1 + number % 4, more, 2 + more, more)
                for more in range(1 + number % 3)
            ],
            author=LOGINS[number % len(LOGINS)],
            verdict=next(verdicts),
            state=next(states),
            complete=number % 5 != 1,
        )
        for number in range(16)
    ]


@st.composite
def audits(draw: st.DrawFn) -> Audited:
    """One audit of a few pull requests in four repositories."""
    lines = st.integers(0, 9)
    paths = draw(st.lists(st.sampled_from(PATHS), unique=True, min_size=1))
    return one_audit(
        draw(st.integers(0, 3)),
        draw(st.integers(1, 4)),
        [Touched(path, *draw(st.tuples(lines, lines, lines, lines))) for path in paths],
        author=draw(st.sampled_from(LOGINS)),
        verdict=draw(st.sampled_from(Verdict)),
        state=draw(st.sampled_from(AuditState)),
        complete=draw(st.booleans()),
    )


def organizations(most: int = 14) -> st.SearchStrategy[list[Audited]]:
    """Draw what is audited one after the other; not often little, since that says little."""
    return st.lists(audits(), min_size=most // 2, max_size=most)


CONDITIONS: dict[str, tuple[Any, ...]] = {
    "author": ("ann", "EVE", "nobody"),
    "agent": AGENTS,
    "verdict": tuple(Verdict),
    "state": tuple(AuditState),
    "share_from": (0.0, 0.25),
    "share_to": (0.5, 1.0),
    "path": ("src", "src/web/", "srcs", ".", "none"),
}
"""What can be asked for besides repositories and days."""


def every_question() -> list[dict[str, Any]]:
    """Return every condition once, with and without days, and the spans that differ."""
    middle = FIRST + (LAST - FIRST) / 2
    near, far = FIRST + timedelta(days=9), LAST - timedelta(days=6)
    spans = [
        {},
        {"since": near},
        {"until": far},
        {"since": near, "until": far},
        {"since": middle, "until": middle + timedelta(days=9)},
        {"since": near - timedelta(days=150), "until": far},
        {"since": far, "until": near},
    ]
    each = [{name: value} for name, values in CONDITIONS.items() for value in values]
    some_days = itertools.cycle(({}, {"since": near}, {"until": far}))
    both = [{"agent": "codex", "path": "src"}, {"agent": "codex", "verdict": Verdict.ASSISTED}]
    return [*spans, *(next(some_days) | one for one in each), *both]


@st.composite
def selections(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what is asked for besides repositories; often only days."""
    asked: dict[str, Any] = {
        "since": draw(st.none() | days),
        "until": draw(st.none() | days),
    }
    for name in draw(st.lists(st.sampled_from(sorted(CONDITIONS)), unique=True, max_size=2)):
        asked[name] = draw(st.sampled_from(CONDITIONS[name]))
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
        self.ids = [new_id() for _ in range(4)]
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
