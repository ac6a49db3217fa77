"""Each number on each page is what a slow count over the audit documents gives, and none is new."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import Enum
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from ghapp.attribution.document import from_document, to_document
from ghapp.attribution.model import (
    AuditInputs,
    AuditTotals,
    Edit,
    FileVerdict,
    LineVerdict,
    Verdict,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.demo.cast import PLACES, TEAMS, USER_IDS
from ghapp.demo.year import SEED, merged
from ghapp.store import ListedPull, PullState, ReplayRequest, Store, WorkKind, WorkRequest
from ghapp.store.coverage import monday
from ghapp.store.schema import deployed_commit, deployment, incident
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.selection import NamesShown, PersonNaming, PullSelection, RankBy, TimeGrain
from ghapp.web.app import create_app
from tests.store.plain_usage import counting
from tests.store.records import DAY, document
from tests.store.summaries.slow_summaries import Pull, Slow
from tests.web.conftest import NOW
from tests.web.pages import recounted, recounted_periods
from tests.web.pages.figures import Figure, figures, is_figure, parsed
from tests.web.pages.reading import Read
from tests.web.pages.recounted import Known, Replayed
from tests.web.pages.year import DAYS
from tests.web.place import Place

SHOP = "/repositories/acme/shop"
ACME = "/organizations/acme"
Page = Callable[[Known, PullSelection], Iterable[Figure]]


@pytest.fixture(scope="module")
def database(at_night_on_each: dict[str, str]) -> dict[str, str]:
    """Count on SQLite: tests/store/summaries holds each number to both databases."""
    return at_night_on_each


@pytest.fixture(scope="module")
def known(place: Place) -> Known:
    """Return what the pages are made from, as the demo put it in: no summary is asked for it."""
    store = place.store
    names = {one.id: one.full_name for one in store.installations.repositories()}
    ids = {name: one for one, name in names.items()}
    abouts = {(ids["acme/app"], 17): PullFacts()}
    edits: dict[int, list[Edit]] = defaultdict(list)
    for one in PLACES:
        random = Random(f"{SEED} {one.name}")  # noqa: S311 - the demo's own chances once more
        for pull in merged(one, NOW, random, DAYS):
            about = PullFacts(title=pull.title, author=pull.author, author_id=1)
            abouts[ids[one.name], pull.number] = about
            edits[ids[one.name]] += pull.edits
    abouts |= odd_ones(place)
    outcomes = {key: found for key in abouts if (found := store.outcomes.of(*key)) is not None}
    return Known(
        slow=Slow(store, abouts, {who: team.name for team in TEAMS for who in team.people}, edits),
        names=dict(sorted(names.items())),
        outcomes=outcomes,
        reported=set(reports(edits.values())),
        today=NOW.date(),
        usage=tuple(counting(store.usage.rows(place.installed.id))),
        accounts=USER_IDS,
        teams={who: team.name for team in TEAMS for who in team.people},
        deployments=deployments(store),
        incidents=[
            (one.repository_id, one.opened_at, one.resolved_at)
            for one in store.database.rows(select(incident))
        ],
    )


def deployments(store: Store) -> list[tuple[int, datetime, frozenset[str]]]:
    """Return the rows of deployments as they are, each with its commits."""
    commits: dict[tuple[int, str], set[str]] = defaultdict(set)
    for row in store.database.rows(select(deployed_commit)):
        commits[row.repository_id, row.external_id].add(row.sha)
    return [
        (
            one.repository_id,
            one.succeeded_at,
            frozenset(commits[one.repository_id, one.external_id]),
        )
        for one in store.database.rows(select(deployment))
    ]


def reports(edits: Iterable[list[Edit]]) -> Iterator[tuple[str, datetime]]:
    """Yield whose machine reported when: in the demo those that made edits, then and lately."""
    for edit in (edit for of_repository in edits for edit in of_repository):
        login = edit.actor or ""
        yield from ((login, week) for week in (monday(edit.at), monday(NOW - DAY * 7), monday(NOW)))


def odd_ones(place: Place) -> dict[tuple[int, int], PullFacts]:
    """Add what the demo has none of: half a change, many directories, a very long file."""
    secret = place.repositories["secret"].id
    files = tuple(
        FileVerdict(f"part{number}/a.py", None, 9, 8, number % 3, None, ()) for number in range(15)
    )
    totals = AuditTotals(
        added=135,
        effective=120,
        attributed=15,
        share=0.125,
        by_reason={"run": 15, "no_match": 105, "trivial_line": 15},
        by_agent={"claude-code": 12, "codex": 3},
    )
    inputs = AuditInputs(
        diff="sha256:d", evidence="sha256:e", edits_considered=1, change_complete=True
    )
    half = msgspec.structs.replace(inputs, change_complete=False, missing=("assets/big.txt",))
    unknown = msgspec.structs.replace(totals, share=None)
    nothing = msgspec.structs.replace(
        totals, added=3, effective=0, attributed=0, share=None, by_reason={}, by_agent={}
    )
    long = long_file()
    lines = msgspec.structs.replace(
        totals,
        added=long.added,
        effective=long.effective,
        attributed=long.attributed,
        share=round(long.attributed / long.effective, 4),
        by_reason=Counter(line.reason for line in long.lines),
        by_agent={"codex": long.attributed},
    )
    about = PullFacts(title="Odd", author="bob", author_id=1)
    made = {
        1: document(NOW, files=files, totals=totals, inputs=inputs),
        2: document(NOW, files=files, totals=unknown, inputs=half, verdict=Verdict.NOT_ASSISTED),
        3: document(NOW, files=(), totals=nothing, verdict=Verdict.NOT_ASSISTED),
        4: document(NOW, files=(long,), totals=lines, inputs=inputs),
    }
    for number, text in made.items():
        place.store.audits.save(secret, number, text, now=NOW, about=about)
    return {(secret, number): about for number in made}


def long_file() -> FileVerdict:
    """Return a file of so many lines that its page folds them."""
    of_run = {"reason": "run", "attributed": True, "agent": "codex", "edit": "call_1"}
    lines = tuple(
        LineVerdict(number, "no_match")
        if number % 7 == 0
        else LineVerdict(number, difference=number % 5 / 40, edited_at=NOW, **of_run)
        for number in range(1, 1001)
    )
    attributed = sum(line.attributed for line in lines)
    return FileVerdict("long.py", None, len(lines), len(lines), attributed, None, lines)


@pytest.fixture(scope="module")
def shop(known: Known) -> int:
    """Return the repository's number."""
    return next(one for one, name in known.names.items() if name == "acme/shop")


def expect(browser: FlaskClient, path: str, wanted: Iterable[Figure]) -> None:
    """Demand that a page shows these figures and no other number."""
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    found, expected = Counter(figures(answer.text)), Counter(filter(is_figure, wanted))
    assert expected
    wrong = sorted((found - expected).elements()), sorted((expected - found).elements())
    assert wrong == ([], []), f"{path}: on the page and not expected, or expected and not there"


DAYS_OF_APRIL = {"since": date(2026, 4, 8), "until": date(2026, 4, 29)}
ASKED: tuple[dict[str, Any], ...] = (
    {},
    DAYS_OF_APRIL,
    {"agent": "codex"},
    {"team": "Web"},
    {"path": "shop"},
    {"verdict": Verdict.ASSISTED, **DAYS_OF_APRIL},
)
"""Filters of an address; between them they go through all tables that are kept."""


def address(page: str, /, **asked: Any) -> str:
    values = {name: one.value if isinstance(one, Enum) else one for name, one in asked.items()}
    return f"{page}?{urlencode(values)}"


def query_of(link: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(link).query)


def test_each_repository(admin: FlaskClient, known: Known) -> None:
    for one, name in known.names.items():
        if known.slow.totals(known.asked(one)).pulls:
            wanted = recounted.repository(known, known.asked(one), TimeGrain.WEEK)
            expect(admin, f"/repositories/{name}", wanted)


@pytest.mark.parametrize("asked", ASKED, ids=lambda one: "-".join(one) or "all")
@pytest.mark.parametrize("grain", [TimeGrain.DAY, TimeGrain.MONTH])
def test_a_repository_as_it_is_asked_for(
    admin: FlaskClient, known: Known, shop: int, asked: dict[str, Any], grain: TimeGrain
) -> None:
    # More days than a quarter has are not drawn day by day.
    drawn = TimeGrain.WEEK if grain is TimeGrain.DAY and "since" not in asked else grain
    wanted = recounted.repository(known, known.asked(shop, **asked), drawn)
    expect(admin, address(SHOP, grain=grain, **asked), wanted)


def test_a_directory_leads_to_what_is_in_it(admin: FlaskClient) -> None:
    page = Read(admin.get(address(SHOP, path="shop")).text)
    names = {row[0] for row in page.table("Directory", "Lines with")}
    assert names == {"shop/orders", "shop/payments"}
    asked = {query["path"][0]: link for link in page.links if "path" in (query := query_of(link))}
    for name in names:
        rows = Read(admin.get(asked[name]).text).table("Directory", "Lines with")
        assert [row[0] for row in rows] == [name]


@pytest.mark.parametrize("by", RankBy)
@pytest.mark.parametrize("asked", ASKED, ids=lambda one: "-".join(one) or "all")
def test_an_organization(
    admin: FlaskClient, known: Known, asked: dict[str, Any], by: RankBy
) -> None:
    wanted = recounted.organization(known, known.asked(**asked), TimeGrain.MONTH, by)
    expect(admin, address(ACME, grain=TimeGrain.MONTH, board=by, **asked), wanted)


@pytest.mark.parametrize("names", [NamesShown.PEOPLE, NamesShown.PSEUDONYMS])
@pytest.mark.parametrize("by", RankBy)
def test_an_organization_whose_people_are_named(
    admin: FlaskClient, place: Place, known: Known, names: NamesShown, by: RankBy
) -> None:
    settings = replace(place.settings, names=names)
    services = replace(place.services, settings=settings)
    browser = create_app(services).test_client()
    cookie = admin.get_cookie("login")
    assert cookie is not None
    browser.set_cookie("login", cookie.value)
    naming = PersonNaming(names=names, key=settings.encryption_key)
    named = msgspec.structs.replace(known, naming=naming)
    wanted = recounted.organization(named, known.asked(), TimeGrain.WEEK, by)
    expect(browser, address(ACME, board=by), wanted)


@pytest.mark.parametrize("page", [recounted.pulls, recounted.outcomes])
@pytest.mark.parametrize("asked", ASKED, ids=lambda one: "-".join(one) or "all")
def test_lists_and_outcomes(
    admin: FlaskClient, known: Known, shop: int, asked: dict[str, Any], page: Page
) -> None:
    name = page.__name__
    expect(admin, address(f"{SHOP}/{name}", **asked), page(known, known.asked(shop, **asked)))
    expect(admin, address(f"{ACME}/{name}", **asked), page(known, known.asked(**asked)))


@pytest.mark.parametrize("more", [{}, {"team": "Web"}, {"agent": "codex"}, {"path": "shop"}])
def test_changes(admin: FlaskClient, known: Known, shop: int, more: dict[str, str]) -> None:
    asked = {"since": date(2026, 4, 24), "until": date(2026, 5, 13), **more}
    before = date(2026, 4, 4), date(2026, 4, 23)
    wanted = recounted_periods.changes(known, known.asked(**asked), before)
    expect(admin, address(f"{ACME}/changes", **asked), wanted)
    wanted = recounted_periods.changes(known, known.asked(shop, **asked), before)
    expect(admin, address(f"{SHOP}/changes", **asked), wanted)


def test_changes_with_nothing_before(admin: FlaskClient, known: Known) -> None:
    asked = {"since": date(2026, 4, 3), "until": date(2026, 5, 13)}
    before = date(2026, 2, 21), date(2026, 4, 2)
    wanted = recounted_periods.changes(known, known.asked(**asked), before)
    expect(admin, address(f"{ACME}/changes", **asked), wanted)


@pytest.mark.parametrize("asked", [{}, {"team": "Web", **DAYS_OF_APRIL}])
def test_what_is_not_known(admin: FlaskClient, known: Known, asked: dict[str, Any]) -> None:
    wanted = recounted_periods.unknown(known, known.asked(**asked))
    expect(admin, address(f"{ACME}/unknown", **asked), wanted)


def test_agents_compared(admin: FlaskClient, known: Known) -> None:
    expect(admin, f"{ACME}/agents", recounted_periods.agents(known, known.asked()))


def test_the_page_for_a_board(admin: FlaskClient, known: Known) -> None:
    quarter = {"since": date(2026, 4, 1), "until": date(2026, 6, 30)}
    before = date(2026, 1, 1), date(2026, 3, 31)
    wanted = recounted_periods.board(known, known.asked(**quarter), before)
    expect(admin, f"{ACME}/board?quarter=2026-Q2", wanted)


KINDS: dict[str, Callable[[Pull], object]] = {
    "most lines with": lambda pull: pull.audit.totals.attributed,
    "final": lambda pull: (pull.audit.state == "final", pull.audit.totals.attributed),
    "nothing known": lambda pull: pull.audit.verdict is Verdict.NO_EVIDENCE,
    "a file left out": lambda pull: any(file.excluded for file in pull.audit.files),
    "several agents": lambda pull: len(pull.audit.totals.by_agent),
    "not read whole": lambda pull: bool(pull.audit.inputs.missing),
    "a long file": lambda pull: max((len(file.lines) for file in pull.audit.files), default=0),
    "nothing to count": lambda pull: pull.audit.totals.effective == 0,
}
"""Of each kind the pull request that is it most."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_pull_request(admin: FlaskClient, place: Place, known: Known, kind: str) -> None:
    pull = max(known.slow.pulls, key=KINDS[kind])  # type: ignore[arg-type,type-var]
    audits = place.store.audits.all_of(pull.repository_id, pull.number)
    path = f"/repositories/{known.names[pull.repository_id]}/pull/{pull.number}"
    wanted = [*recounted.pull_request(pull, audits), *recounted.cost_of(known, pull)]
    expect(admin, path, wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_of_a_pull_request(
    admin: FlaskClient, place: Place, known: Known, kind: str
) -> None:
    pull = max(known.slow.pulls, key=KINDS[kind])  # type: ignore[arg-type,type-var]
    saved = place.store.audits.latest(pull.repository_id, pull.number)
    assert saved is not None
    name = known.names[pull.repository_id]
    for file in pull.audit.files:
        path = f"/repositories/{name}/pull/{pull.number}/file?{urlencode({'path': file.path})}"
        expect(admin, path, recounted.one_file(pull, name, saved, file))


def test_replays(admin: FlaskClient, place: Place, known: Known, shop: int) -> None:
    pulls = [one for one in known.slow.pulls if one.repository_id == shop][:6]
    under_way = replayed(place, shop, pulls)
    page = "/repositories/acme/shop/replays"
    expect(admin, page, recounted.replays([under_way]))
    expect(admin, f"{page}/{under_way.replay.id}", recounted.one_replay(under_way))
    store = place.store.replays
    assert store.cancel(under_way.replay.id, now=NOW)
    cancelled = store.one(under_way.replay.id)
    assert cancelled is not None
    over = msgspec.structs.replace(under_way, replay=cancelled)
    expect(admin, f"{page}/{cancelled.id}", recounted.one_replay(over))


def replayed(place: Place, repository_id: int, pulls: list[Pull]) -> Replayed:
    """Replay pull requests as far as the last: one is not read whole, one fails, one waits."""
    store = place.store.replays
    asked = ReplayRequest(
        repository_id=repository_id,
        as_of=NOW,
        asked_by="login:admin",
        policy=CLAUDE_CODE_V1,
        since=NOW - timedelta(days=DAYS),
        until=NOW,
    )
    begun = store.start(asked, WorkRequest(kind=WorkKind.REPLAY, due_at=NOW), now=NOW)
    found = [
        ListedPull(one.number, one.audit.merged_at, base_sha="b", head_sha="h", merge_commit="m")
        for one in pulls
    ]
    assert store.page(begun, found, [], is_last=True, now=NOW)
    half, fails, _, *whole = pulls
    missing = msgspec.structs.replace(
        half.audit.inputs, change_complete=False, missing=("big.txt",)
    )
    audits = [one.audit for one in whole]
    audits.append(msgspec.structs.replace(half.audit, inputs=missing))
    for audit in audits:
        state = PullState.INCOMPLETE if audit.inputs.missing else PullState.DONE
        why = ", ".join(audit.inputs.missing) or None
        kept, number = to_document(audit), audit.pull_request or 0
        store.settle(begun.id, number, state, document=kept, why=why, now=NOW)
    store.settle(begun.id, fails.number, PullState.FAILED, why="gone: 404", now=NOW)
    listed = store.one(begun.id)
    assert listed is not None
    documents = tuple(map(from_document, store.documents(begun.id)))
    return Replayed(listed, documents, failed={fails.number: "gone: 404"}, waiting=1)


def test_the_weekly_summary(admin: FlaskClient, known: Known) -> None:
    page = parsed(admin.get(f"{ACME}/settings").text)
    (shown,) = page.all("pre")
    lines = Counter(line for line in shown.lines if line)
    assert lines == Counter(recounted.letter(known, "acme"))


def test_the_front_page(admin: FlaskClient, known: Known) -> None:
    count = f"{len(known.names)} repositories"
    expect(admin, "/", [("acme", count)])
