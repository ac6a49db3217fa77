"""A machine that names a hidden repository hears, and costs, what it does with an unknown one.

The same law as for the names in addresses, for the names in a batch.
"""

import itertools
from collections.abc import Iterator

import msgspec
import pytest
from werkzeug.test import TestResponse

from ghapp.ingest.upload import ASKED_BY_PERSON
from ghapp.store import Installation, Repository
from ghapp.wire import USAGE_SCHEMA, EditBatch, UsageReport
from tests.store.records import DAY
from tests.web.conftest import NOW
from tests.web.laws.costs import Cost, costs
from tests.web.machine import MACHINE, Machine, machine_of
from tests.web.place import Place

AWAY = {"kind": "server_error", "status": 503, "times": None}
STEPS = {
    "never asked": (),
    "asked just now": ("ask",),
    "asked a while ago": ("ask", "wait 7", "work"),
    "asked an hour ago": ("ask", "wait 61", "work"),
    "asked a day ago": ("ask", "wait 1500", "work"),
    "away, never asked": ("work", "away"),
    "away, asked just now": ("ask", "work", "away"),
    "away, asked a while ago": ("ask", "wait 7", "work", "away"),
    "away, asked an hour ago": ("ask", "wait 61", "work", "away"),
    "away, asked a day ago": ("ask", "wait 1500", "work", "away"),
    "the budget is spent": ("spend", "work"),
    "away, the budget is spent": ("spend", "work", "away"),
}
"""What happened before a machine names a repository: ``work`` is a batch of its own repository."""
HIDDEN = {
    "in the same organization": "acme/secret",
    "known by a former name": "acme/secret-before",
    "of another organization": "globex/vault",
}
_people = itertools.count(1)


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, at_night_on_each: dict[str, str]
) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("remotes"), **at_night_on_each)
    store, secret, other = made.store.installations, made.repositories["secret"], made.installed.id
    store.seen(Installation(id=other + 1, account="globex"), now=NOW)
    vault = made.sandbox.add_repository("globex", "vault", private=True)
    seen = Repository(id=vault.id, owner="globex", name="vault", installation_id=other + 1)
    store.repository_seen(seen, now=NOW)
    for name in ("secret-before", "secret"):
        seen = Repository(id=secret.id, owner="acme", name=name, installation_id=other)
        store.repository_seen(seen, now=NOW)
    made.sandbox.rename_repository(secret, "secret-before")
    made.sandbox.rename_repository(secret, "secret")
    yield made
    assert made.sandbox.violations == []
    made.close()


def naming(machine: Machine, *names: str) -> EditBatch:
    host = machine.enrollment.host
    return machine.batch(machine.edit(), remotes=tuple(f"{host}/{name}" for name in names))


def take(place: Place, machine: Machine, step: str, name: str) -> None:
    """Let one step happen."""
    word, _, minutes = step.partition(" ")
    if word == "ask":
        assert machine.send(naming(machine, name)).status_code == 404
    if word == "wait":
        place.clock.pass_by(minutes=int(minutes))
    if word == "work":
        assert machine.send(naming(machine, "acme/app")).status_code == 200
    if word == "spend":
        spent = [f"acme/none-{number}" for number in range(ASKED_BY_PERSON)]
        for part in (spent[:20], spent[20:40], spent[40:]):
            assert machine.send(naming(machine, *part)).status_code == 404
    if word == "away":
        place.sandbox.play(AWAY)


def sent(machine: Machine, door: str, name: str) -> TestResponse:
    """Name a repository at one of the doors that take names in a body."""
    if door == "evidence":
        return machine.send(naming(machine, name))
    report = UsageReport(
        schema=USAGE_SCHEMA,
        client="ghapp/1.0.0",
        machine=MACHINE,
        installation=machine.installation.id,
        remotes=(f"{machine.enrollment.host}/{name}",),
    )
    return machine.http.put("/api/usage", data=msgspec.json.encode(report), headers=machine.headers)


def answered(
    place: Place, steps: tuple[str, ...], name: str, door: str
) -> tuple[int, bytes, str, Cost]:
    """Let a new person take the steps and then name a repository."""
    login = f"person-{next(_people)}"
    place.sandbox.allow(place.repositories["app"], login, "write")
    # Of names, only what this person asks for is known.
    place.store.repository_names.expire(place.clock() + DAY)
    machine = machine_of(place, login)
    for step in steps:
        take(place, machine, step, name)
    try:
        with costs(place) as found:
            answer = sent(machine, door, name)
    finally:
        place.sandbox.faults.clear()
    wait = answer.headers["Retry-After"] if answer.status_code == 503 else ""
    return answer.status_code, answer.data, wait, found[0]


@pytest.mark.parametrize("door", ["evidence", "usage"])
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("state", STEPS)
def test_a_hidden_repository_answers_and_costs_what_an_unknown_one_does(
    place: Place, state: str, hidden: str, door: str
) -> None:
    steps = STEPS[state]
    one = answered(place, steps, HIDDEN[hidden], door)
    other = answered(place, steps, "acme/absent", door)
    assert one[:3] == other[:3]
    assert one[3].github == other[3].github
    assert one[3].sql == other[3].sql
    # What nothing is cached of is answered 503 for every name, and never 404 on a guess.
    is_asked = "asked just now" in state or "a while ago" in state or "spent" in state
    assert one[0] == (503 if state.startswith("away") and not is_asked else 404)


def test_what_its_person_may_write_is_found_with_the_budget_spent(place: Place) -> None:
    login = f"person-{next(_people)}"
    for name in ("app", "open"):
        place.sandbox.allow(place.repositories[name], login, "write")
    machine = machine_of(place, login)
    assert machine.send(naming(machine, "acme/open")).status_code == 200
    take(place, machine, "spend", "")
    place.clock.pass_by(minutes=7)
    for name in ("acme/app", "acme/open"):
        assert machine.send(naming(machine, name)).status_code == 200


def test_repositories_that_one_may_only_read_cost_a_bounded_number_of_requests(
    place: Place,
) -> None:
    names = [f"readable-{number}" for number in range(ASKED_BY_PERSON + 5)]
    for name in names:
        made = place.sandbox.add_repository("acme", name)
        seen = Repository(
            id=made.id, owner="acme", name=name, installation_id=place.installed.id, private=False
        )
        place.store.installations.repository_seen(seen, now=NOW)
    login = f"person-{next(_people)}"
    place.sandbox.allow(place.repositories["app"], login, "write")
    place.store.repository_names.expire(place.clock() + DAY)
    machine = machine_of(place, login)
    before = len(place.sandbox.exchanges)
    statuses = [machine.send(naming(machine, f"acme/{name}")).status_code for name in names]
    assert len(place.sandbox.exchanges) - before <= 2 * ASKED_BY_PERSON + 1
    assert set(statuses[ASKED_BY_PERSON:]) == {404}
