"""What several sources tell of the same agent sessions is shown once, on every surface alike.

Taking a source away changes the source, and no number. Of fewer than five people nothing is told.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from flask.testing import FlaskClient

from ghapp.store import UsageOrigin
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import DecisionDay, TokenDay, UsageRow
from ghapp.usage.decisions import DecidedBy, EditDecision
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from ghapp.web.api.usage_exports import UsageBy
from tests.store.plain_usage import add
from tests.web.conftest import NOW
from tests.web.laws.organizations import (
    NUMBERS,
    MadeOrganization,
    administrator,
    make_organization,
    make_pulls,
)
from tests.web.pages.figures import figures
from tests.web.place import Place

OPERATOR = "a-token-of-thirty-two-characters"
SUNDAY = NOW.date() - timedelta(days=3)
"""Last day of the week that the letter tells, and of the weeks of Prometheus."""


class Told(NamedTuple):
    """What a surface tells; ``None``: it does not tell that."""

    people: int | None = None
    agent_sessions: int | None = None
    output: int | None = None
    lines: int | None = None


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(
        tmp_path_factory.mktemp("once"), GHAPP_NAMES="people", GHAPP_OPERATOR_TOKEN=OPERATOR
    )
    yield made
    made.close()


def rows(login: str) -> list[UsageRow]:
    """Return a person's two days with two agent sessions, one of them on both days."""
    found: list[UsageRow] = []
    for back, name in ((0, "s1"), (1, "s1"), (1, "s2")):
        head: dict[str, Any] = {
            "agent": "claude-code",
            "agent_session": f"{login}-{name}",
            "day": SUNDAY - timedelta(days=back),
        }
        tokens = TokenCounts(output=100 + NUMBERS[login], cache_read=7)
        found.append(TokenDay(**head, tokens=tokens, answers=1, model="claude-opus-4-5"))
        found.append(
            DecisionDay(
                **head,
                tool="Edit",
                language="Python",
                decision=EditDecision.ACCEPTED,
                decided_by=DecidedBy.PERSON,
                edits=1,
                lines=NUMBERS[login],
            )
        )
    return found


def use(place: Place, made: MadeOrganization, logins: Sequence[str]) -> None:
    """Let a machine and both signals of telemetry tell the same of everybody."""
    home = place.store.installations.find(f"{made.account}/r0")
    assert home is not None
    for login in logins:
        for source in UsageSource:
            origin = UsageOrigin(
                made.installed.id,
                source,
                UsageIdentity(IdentityKind.ACCOUNT, str(NUMBERS[login])),
                login=login,
                repository_id=home.id,
            )
            add(place.store, origin, rows(login))
    place.store.usage.settle(place.services.prices)


def expected(logins: Sequence[str]) -> Told:
    return Told(
        people=len(logins),
        agent_sessions=2 * len(logins),
        output=sum(3 * (100 + NUMBERS[login]) for login in logins),
        lines=sum(3 * NUMBERS[login] for login in logins),
    )


# --- surfaces -------------------------------------------------------------------------------------

Surface = Callable[[Place, MadeOrganization, FlaskClient], Told]


def whole(text: str) -> int | None:
    return None if text == "-" else int(text.replace(",", ""))


def page(address: str) -> Surface:
    def read(_: Place, made: MadeOrganization, browser: FlaskClient) -> Told:
        answer = browser.get(made.address(address))
        assert answer.status_code == 200, answer.text
        shown = {one[-2]: one[-1] for one in figures(answer.text) if len(one) >= 2}
        names = ("People", "Agent sessions", "Lines accepted", "Output tokens")
        first = dict[str, str]()
        for *_, name, value in (one for one in figures(answer.text) if len(one) >= 2):
            if name in names:
                first.setdefault(name, value)
        assert shown
        people, sessions, lines, output = (whole(first[name]) for name in names)
        return Told(people, sessions, output, lines)

    return read


def api(address: str) -> Surface:
    def read(_: Place, made: MadeOrganization, browser: FlaskClient) -> Told:
        totals = browser.get(made.address(address)).json["totals"]
        tokens, edits = totals["tokens"] or {}, totals["edits"] or {}
        return Told(
            totals["people"],
            totals["agent_sessions"],
            tokens.get("output"),
            edits.get("lines_accepted"),
        )

    return read


def export(address: str, by: UsageBy) -> Surface:
    def read(_: Place, made: MadeOrganization, browser: FlaskClient) -> Told:
        answer = browser.get(made.address(address), query_string={"by": by.value})
        found = list(csv.DictReader(io.StringIO(answer.text)))

        def added(name: str) -> int | None:
            known = [int(one[name]) for one in found if one[name]]
            return sum(known) if known else None

        # Different people and agent sessions do not add up over days, but they do in one week.
        is_once = by not in {UsageBy.DAY, UsageBy.MODEL, UsageBy.LANGUAGE}
        counts = (added("people"), added("agent_sessions")) if is_once else (None, None)
        output = None if by is UsageBy.LANGUAGE else added("output")
        lines = None if by is UsageBy.MODEL else added("lines_accepted")
        return Told(*counts, output, lines)

    return read


def letter(place: Place, made: MadeOrganization, _: FlaskClient) -> Told:
    summaries = place.services.weekly_summaries
    installation = place.store.installations.installation(made.installed.id)
    assert installation is not None
    found = re.search(
        r"Use of agents: ([\d,]+) people, ([\d,]+) agent sessions, ([\d,]+) output tokens, "
        r"([\d,]+) lines accepted\.",
        summaries.preview(installation),
    )
    return Told() if found is None else Told(*map(whole, found.groups()))


def prometheus(place: Place, made: MadeOrganization, _: FlaskClient) -> Told:
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    text = place.browser().get("/metrics", headers=headers).text

    def value(name: str, more: str = "") -> int | None:
        label = f'installation="{made.installed.id}"{more}'
        found = re.search(
            rf"^ghapp_usage_{name}_four_weeks\{{{label}\}} (\S+)$", text, re.MULTILINE
        )
        return int(float(found[1])) if found else None

    return Told(
        value("people"),
        value("agent_sessions"),
        value("tokens", ',kind="output"'),
        value("lines_accepted"),
    )


ORGANIZATION = "organizations/<organization>/usage"
REPOSITORY = "repositories/<owner>/<name>/usage"
SURFACES: dict[str, Surface] = {
    **{f"page {one}": page(f"/{one}") for one in (ORGANIZATION, REPOSITORY)},
    **{f"api {one}": api(f"/api/{one}") for one in (ORGANIZATION, REPOSITORY)},
    **{
        f"csv {one} by {by}": export(f"/api/{one}.csv", by)
        for one in (ORGANIZATION, REPOSITORY)
        for by in UsageBy
    },
    "letter": letter,
    "prometheus": prometheus,
}
EVERYBODY = [*NUMBERS]


def differing(place: Place, made: MadeOrganization, wanted: Told) -> dict[str, Told]:
    browser = administrator(place)
    found = {name: surface(place, made, browser) for name, surface in SURFACES.items()}
    return {
        name: told
        for name, told in found.items()
        if any(one not in {None, other} for one, other in zip(told, wanted, strict=True))
        or told == Told()
    }


def test_what_three_sources_tell_is_shown_once_everywhere(place: Place) -> None:
    made = make_organization(place, make_pulls(seed=4))
    use(place, made, EVERYBODY)
    wanted = expected(EVERYBODY)
    assert differing(place, made, wanted) == {}
    for gone in (UsageSource.TRANSCRIPTS, UsageSource.EVENTS):
        place.store.usage.remove(made.installed.id, gone)
        place.store.usage.settle()
        assert differing(place, made, wanted) == {}
        shown = administrator(place).get(made.address(f"/api/{ORGANIZATION}")).json["sources"]
        assert gone.name.lower() not in {one["source"] for one in shown}


def test_each_row_of_the_leaderboard_is_that_of_its_person(place: Place) -> None:
    made = make_organization(place, make_pulls(seed=4))
    use(place, made, EVERYBODY)
    browser = administrator(place)
    summary = browser.get(made.address("/api/organizations/<organization>/summary")).json
    text = browser.get(made.address("/organizations/<organization>")).text
    shown = {one[1:]: one for one in figures(text) if one[0] == "Leaderboard"}
    named = [one for one in summary["leaderboard_pulls"] if one["name"] in NUMBERS]
    assert len(named) >= 8
    for row in named:
        own = expected([row["name"]])
        usage = row["usage"]
        assert (usage["agent_sessions"], usage["output_tokens"], usage["lines_accepted"]) == own[1:]
        assert (usage["accept_rate_from"], usage["accept_rate_to"]) == (1.0, 1.0)
        for head, value in (
            ("Agent sessions", f"{own.agent_sessions:,}"),
            ("Output tokens", f"{own.output:,}"),
            ("Lines accepted", f"{own.lines:,}"),
            ("Accept rate", "100%"),
        ):
            assert (row["name"], head, value) in shown
    answer = browser.get(made.address("/api/organizations/<organization>/users.csv"))
    exported = {one["User"]: one for one in csv.DictReader(io.StringIO(answer.text))}
    everybody = exported.keys() & NUMBERS.keys()
    assert len(everybody) >= 8
    for login in everybody:
        row, own = exported[login], expected([login])
        counts = row["Agent sessions"], row["Output tokens"], row["Lines accepted"]
        assert counts == tuple(map(str, own[1:]))
        assert int(row["Tokens"]) == (own.output or 0) + 3 * 7


def test_of_four_people_no_surface_tells_tokens_or_lines(place: Place) -> None:
    made = make_organization(place, make_pulls(seed=4))
    use(place, made, EVERYBODY[:4])
    browser = administrator(place)
    for name, surface in SURFACES.items():
        if "person" not in name:  # that one is about persons, whom the organization has named
            told = surface(place, made, browser)
            assert (told.output, told.lines) == (None, None), name
    for surface in (letter, prometheus):
        assert surface(place, made, browser) == Told()


@pytest.mark.parametrize("names", ["teams", "pseudonyms"])
def test_where_people_are_not_named_no_usage_is_a_persons(
    tmp_path_factory: pytest.TempPathFactory, names: str
) -> None:
    place = Place(tmp_path_factory.mktemp("unnamed"), GHAPP_NAMES=names)
    try:
        made = make_organization(place, make_pulls(seed=4))
        # Of the first team everybody, of the other one four people.
        use(place, made, EVERYBODY[:9])
        answer = administrator(place).get(
            made.address("/api/organizations/<organization>/users.csv")
        )
        found = list(csv.DictReader(io.StringIO(answer.text)))
        used = {one["Team"]: one["Output tokens"] for one in found if "Team" in one}
        by_person = made.address(f"/api/{ORGANIZATION}.csv?by=person")
        assert administrator(place).get(by_person).status_code == 403
        if names == "pseudonyms":
            assert {one["Tokens"] for one in found} == {""}
        else:
            # The rest has four people, so the only team that could be shown joins it.
            assert set(used.values()) == {""}
    finally:
        place.close()
