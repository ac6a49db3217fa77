"""What agents cost is shown once, in one meaning, on every surface alike; of few people nowhere.

Several sources tell of the same agent sessions; the amounts are recounted in fractions.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from ghapp.reports.pull_cost import BASIS_WORDS
from ghapp.spend.cost import CostBasis
from ghapp.spend.money import MICROS, for_people, from_dollars
from ghapp.web.pages.spend import BASES
from tests.web.laws.organizations import (
    NUMBERS,
    MadeOrganization,
    administrator,
    make_organization,
    make_pulls,
)
from tests.web.laws.test_usage_once import EVERYBODY, OPERATOR, use
from tests.web.pages.reading import Read
from tests.web.place import Place

CARD = 'name = "half"\n[[discount]]\nprovider = "*"\npercent_off = 50\n'
OUTPUT, CACHE_READ = Fraction(25), Fraction(1, 2)
"""Micro-dollars for a token of `claude-opus-4-5` at list prices."""
Surface = Callable[[Place, MadeOrganization, CostBasis], int | str | None]
"""What a surface tells: micro-dollars, or an amount as people read it; ``None``: nothing."""


@pytest.fixture(params=[False, True], ids=["list prices alone", "a rate card"])
def place(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("money")
    card = folder / "card.toml"
    card.write_text(CARD)
    asked = {"GHAPP_RATE_CARD": str(card)} if request.param else {}
    made = Place(folder, GHAPP_NAMES="people", GHAPP_OPERATOR_TOKEN=OPERATOR, **asked)
    yield made
    made.close()


def expected(logins: Sequence[str], basis: CostBasis) -> int:
    """Return what people's three rows cost, each rounded once, half to even."""
    part = Fraction(1, 2) if basis is CostBasis.CONTRACT else Fraction(1)
    return sum(
        3 * round(part * ((100 + NUMBERS[login]) * OUTPUT + 7 * CACHE_READ)) for login in logins
    )


# --- surfaces -------------------------------------------------------------------------------------


def page(address: str, name: str) -> Surface:
    def read(place: Place, made: MadeOrganization, basis: CostBasis) -> str | None:
        answer = administrator(place).get(made.address(address), query_string={"basis": basis})
        assert answer.status_code == 200, answer.text
        headlines = [words for words in BASES.values() if words in answer.text]
        assert headlines == [BASES[basis]], "one meaning on a page"
        found = Read(answer.text).numbers[name]
        return None if found == "-" else found

    return read


def api(address: str, name: str) -> Surface:
    def read(place: Place, made: MadeOrganization, basis: CostBasis) -> int | None:
        told = administrator(place).get(made.address(address), query_string={"basis": basis}).json
        assert told["basis"] == basis
        cost = told["totals"][name]
        return None if cost is None else int(cost["amount"])

    return read


def table(address: str, by: str | None = None) -> Surface:
    def read(place: Place, made: MadeOrganization, basis: CostBasis) -> int | None:
        answer = administrator(place).get(made.address(address), query_string={"basis": basis})
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert {one["basis"] for one in rows} <= {basis}
        told = [one["dollars"] for one in rows if by in {None, one.get("by")} and one["dollars"]]
        return from_dollars(sum(map(Decimal, told))) if told else None

    return read


def letter(place: Place, made: MadeOrganization, basis: CostBasis) -> str | None:
    installation = place.store.installations.installation(made.installed.id)
    assert installation is not None
    said = place.services.weekly_summaries.preview(installation)
    assert said.count("$") <= 2, "the cost, and what of it is unallocated"
    found = re.search(rf"Cost of agents: (\$[\d.,]+) {BASIS_WORDS[basis]}", said)
    return found and found[1]


def repository_page(place: Place, made: MadeOrganization, basis: CostBasis) -> str | None:
    text = administrator(place).get(made.address("/repositories/<owner>/<name>")).text
    found = re.search(r"Agents cost (\S+)</a> here on these days\. (.*)\.</p>", text)
    assert not found or found[2] == BASES[basis]
    return found and found[1]


def prometheus(name: str) -> Surface:
    def read(place: Place, made: MadeOrganization, basis: CostBasis) -> int | None:
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        text = place.browser().get("/metrics", headers=headers).text
        label = f'basis="{basis}",installation="{made.installed.id}"'
        wanted = rf"^ghapp_spend_{name}_four_weeks\{{{label}\}} (\S+)$"
        found = re.search(wanted, text, re.MULTILINE)
        return int(float(found[1])) if found else None

    return read


ORGANIZATION = "organizations/<organization>"
REPOSITORY = "repositories/<owner>/<name>"
BY_BASIS: dict[str, Surface] = {
    **{
        f"{kind} {one} {name}": surface(f"{door}/{one}/spend", name)
        for one in (ORGANIZATION, REPOSITORY)
        for kind, door, surface, names in (
            ("page", "", page, ("Spent", "Unallocated")),
            ("api", "/api", api, ("cost", "unallocated")),
        )
        for name in names
    },
    **{
        f"csv {one} by {by}": table(f"/api/{one}/spend.csv", by)
        for one in (ORGANIZATION, REPOSITORY)
        for by in ("period", "agents", "models", "teams")
    },
    "csv by repository": table(f"/api/{ORGANIZATION}/spend.csv", "repositories"),
    "charge-back": table(f"/api/{ORGANIZATION}/charge-back.csv"),
    "prometheus": prometheus("microdollars"),
    "prometheus unallocated": prometheus("unallocated_microdollars"),
}
OF_THE_DEFAULT: dict[str, Surface] = {"letter": letter, "repository's page": repository_page}


def told(place: Place, made: MadeOrganization) -> Iterator[tuple[str, CostBasis, int | str | None]]:
    for basis in place.services.settings.estimates:
        for name, surface in BY_BASIS.items():
            yield name, basis, surface(place, made, basis)
    estimate = place.services.settings.estimate
    for name, surface in OF_THE_DEFAULT.items():
        yield name, estimate, surface(place, made, estimate)


def test_what_several_sources_tell_costs_once_and_in_one_meaning(place: Place) -> None:
    made = make_organization(place, make_pulls(seed=4))
    use(place, made, EVERYBODY)
    for name, basis, amount in told(place, made):
        wanted = expected(EVERYBODY, basis)
        assert wanted > MICROS // 100
        assert amount in {wanted, for_people(wanted)}, (name, basis)


def test_of_four_people_no_surface_tells_money(place: Place) -> None:
    made = make_organization(place, make_pulls(seed=4))
    use(place, made, EVERYBODY[:4])
    for name, basis, amount in told(place, made):
        assert amount is None, (name, basis)


def test_of_one_who_makes_nearly_all_no_surface_tells_money(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_organization(place, make_pulls(seed=4))
    monkeypatch.setitem(NUMBERS, EVERYBODY[0], 10**6)
    use(place, made, EVERYBODY)
    for name, basis, amount in told(place, made):
        assert amount is None, (name, basis)


def test_nothing_is_known_by_contract_but_with_a_rate_card(place: Place) -> None:
    made = make_organization(place, make_pulls(seed=4))
    use(place, made, EVERYBODY)
    amount = api(f"/api/{ORGANIZATION}/spend", "cost")
    answer = administrator(place).get(
        made.address(f"/api/{ORGANIZATION}/spend"), query_string={"basis": "contract"}
    )
    known = answer.json["totals"]["cost"]["amount"]
    card = place.services.settings.rate_card
    assert known == (None if card is None else amount(place, made, CostBasis.CONTRACT))
    assert (card is None) == (known is None)
