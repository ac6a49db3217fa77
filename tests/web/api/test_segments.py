"""Segments and adoption over the API: routes by identities by segments, at most two at a time.

No answer tells a number of fewer than five people, nor do two that differ in a filter or a day.
"""

import csv
import io
import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from ghapp.store import UsageOrigin
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.segments import SegmentKind
from ghapp.summaries.teams import TeamMember, TeamSource
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.store.records import NOW, document
from tests.web.place import Place

PEOPLE = range(1, 17)
DAYS = 10
WEIGHT = {who: (DAYS + 1) ** (who - 1) for who in PEOPLE}
"""Tokens of each on a day: a digit each, so of any sum it can be said whose it is."""
LAST = NOW.date() - timedelta(days=1)
ROUTES = ("segments", "segments.csv", "adoption", "adoption.csv")


def member(who: int) -> TeamMember:
    return TeamMember(
        f"p{who}",
        team="core" if who <= 9 else "web" if who <= 14 else "tiny",
        role=("lead", "engineer", "engineer")[who % 3],
        since=LAST - timedelta(days=500 if who <= 6 else 900),
        cost_center="4711" if who % 2 else "4712",
        location="Lisbon" if who <= 12 else "Toronto",
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("segments"))
    made.store.teams.replace("acme", TeamSource.CSV, [member(who) for who in PEOPLE])
    app = made.repositories["app"].id
    for who in PEOPLE:
        origin = UsageOrigin(
            made.installed.id,
            UsageSource.TRANSCRIPTS,
            UsageIdentity(IdentityKind.ACCOUNT, str(who)),
            login=f"p{who}",
            repository_id=app,
        )
        days = (LAST - timedelta(days=14 * at + who % 5) for at in range(DAYS) if who % 4 or at > 4)
        rows = [
            TokenDay("claude-code", f"s{who}", day, TokenCounts(output=WEIGHT[who]), answers=1)
            for day in days
        ]
        made.store.usage.replace(origin, rows, [], now=NOW)
        about = PullFacts(author=f"p{who}", author_id=who)
        made.store.audits.save(
            app, who, document(NOW, repository="acme/app", pull_request=who), now=NOW, about=about
        )
    made.store.usage.settle()
    yield made
    made.close()


def ask(place: Place, who: str, route: str, **question: Any) -> Any:
    path = f"/api/organizations/acme/{route}"
    return place.signed_in(who).get(path, query_string=question)


def questions() -> Iterator[dict[str, Any]]:
    yield from ({"by": by.value} for by in SegmentKind)
    for by, kind in itertools.permutations(SegmentKind, 2):
        values = {
            SegmentKind.TENURE: "2 to 5 years",
            SegmentKind.TEAM: "core",
            SegmentKind.ROLE: "engineer",
            SegmentKind.LOCATION: "Lisbon",
            SegmentKind.COST_CENTER: "4711",
        }
        yield {"by": by.value, kind.value: values[kind]}


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from ([(name, one)] if not isinstance(one, dict | list) else leaves(one))
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)


@pytest.mark.parametrize("route", ROUTES)
def test_only_members_read_them_and_two_kinds_at_most(place: Place, route: str) -> None:
    for who, status in (("stranger", 404), ("reader", 404), ("member", 200), ("admin", 200)):
        assert ask(place, who, route).status_code == status
    for wrong in ({"team": "core", "role": "lead"}, {"by": "name"}, {"agent": "codex"}):
        assert ask(place, "admin", route, **wrong).status_code == 400
    assert ask(place, "admin", route, by="role", team="tiny").status_code == 403
    assert ask(place, "admin", route, by="role", team="none").status_code == 403


@pytest.mark.parametrize("who", ["member", "admin"])
def test_no_answer_counts_fewer_than_five_people(place: Place, who: str) -> None:
    answered = 0
    for question, route in itertools.product(questions(), ("segments", "adoption")):
        answer = ask(place, who, route, **question)
        if answer.status_code == 403:
            continue
        assert answer.status_code == 200, answer.text
        answered += 1
        for name, count in leaves(answer.json):
            if name in {"people", "authors", "users"} and count is not None:
                assert not 0 < count < 5, (question, name, count)
        assert not any(f"p{one}" in answer.text for one in PEOPLE)
    assert answered > 10


def sums(place: Place, **question: Any) -> dict[str, int]:
    """Return the output tokens by row; ``""`` is everybody's."""
    answer = ask(place, "admin", "segments", **question)
    if answer.status_code == 403:
        return {}
    rows = [answer.json["total"], *answer.json["rows"]]
    return {one["name"]: one["tokens"]["output"] for one in rows if one["tokens"]}


def test_no_two_answers_differ_by_few_people(place: Place) -> None:
    """They differ in one filter, or in one day."""
    compared = 0
    for question in questions():
        own = sums(place, **question)
        wider = [{"by": question["by"]}]
        spans: list[dict[str, Any]] = [
            {**question, "until": LAST - timedelta(days=days)} for days in (1, LAST.day, 35)
        ]
        for other in (*wider, *spans):
            for name, value in sums(place, **other).items():
                if name not in own or value == own[name]:
                    continue
                compared += 1
                assert people_in(abs(value - own[name])) >= 5, (question, other, name)
    assert compared > 5


def people_in(tokens: int) -> int:
    """Return of how many people a number of tokens is: the digits that are not 0."""
    count = 0
    while tokens:
        tokens, digit = divmod(tokens, DAYS + 1)
        count += digit > 0
    return count


def test_the_csv_has_the_numbers_of_the_answer(place: Place) -> None:
    table = ask(place, "admin", "segments", by="team").json
    rows = [*csv.DictReader(io.StringIO(ask(place, "admin", "segments.csv", by="team").text))]
    assert [one["segment"] for one in rows] == [
        *(one["name"] for one in table["rows"]),
        "(everybody)",
    ]
    for row, one in zip(rows, (*table["rows"], table["total"]), strict=True):
        assert row["users"] == ("" if one["users"] is None else str(one["users"]))
        assert row["output"] == (str(one["tokens"]["output"]) if one["tokens"] else "")
    study = ask(place, "admin", "adoption", by="team").json
    weeks = [*csv.DictReader(io.StringIO(ask(place, "admin", "adoption.csv", by="team").text))]
    told = [(one["name"], week["week"]) for one in study["groups"] for week in one["weeks"]]
    assert [(one["segment"], one["week"]) for one in weeks] == told
    assert date.fromisoformat(study["until"]).isoweekday() == 7
