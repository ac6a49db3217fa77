"""A name that exists and is hidden from a reader answers as one that does not exist, everywhere.

Routes are found, not named; where GitHub is in trouble, a plain run samples them. Answers are
compared whole, up to the name, and so is what they cost: the requests to GitHub and the SQL
statements. No time is asserted; ``bench names`` measures it.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from ghapp.store import Installation, NewToken, Repository, SignedIn, TokenKind, new_secret
from tests.searching import sampled
from tests.web.conftest import NOW
from tests.web.laws.costs import Cost, costs
from tests.web.place import Place

HIDDEN = {"organization": "globex", "owner": "acme", "name": "secret"}
UNKNOWN = {"organization": "nobody", "owner": "acme", "name": "absent"}
ANOTHER = {"organization": "nowhere-at-all", "owner": "acme", "name": "another"}
PAIRS = (
    (HIDDEN, UNKNOWN),
    # What another organization has, and the account of a person.
    (
        {"organization": "a-person", "owner": "globex", "name": "vault"},
        {"organization": "b-person", "owner": "nobody", "name": "vault"},
    ),
)
OTHERS = {
    "number": "17",
    "audit": "1",
    "replay": "1",
    "token": "1",
    "vendor": "cursor",
}
NAMES = {"organization", "owner", "name"}
BROWSER_STATES = (
    *("well", "away", "cut off", "limited", "revoked", "no members", "bad question"),
    *("asked before, away", "asked long ago, away", "asked before, revoked"),
    "another asked before",
)
CASES = (
    *(("stranger", state) for state in BROWSER_STATES),
    *(("reader", state) for state in ("well", "away", "no members", "asked before, away")),
    *(("stranger's token", state) for state in ("well", "away", "revoked", "asked before, away")),
    *(("reader's token", state) for state in ("well", "away", "asked before, away")),
    *(("anonymous", state) for state in ("well", "away")),
)
FAULTS: dict[str, dict[str, Any]] = {
    "away": {"kind": "server_error", "status": 503, "times": None},
    "cut off": {"kind": "cut_off_before", "times": None},
    "limited": {"kind": "primary_limit", "times": None},
}
COUNTED = {"Date", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
"""Headers that count requests or tell the time; where there is a limit, `Retry-After` does, too."""


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, at_night_on_each: dict[str, str]
) -> Iterator[Place]:
    """Return a place whose pages are for the signed-in."""
    made = _with_hidden_names(Place(tmp_path_factory.mktemp("names"), **at_night_on_each))
    yield made
    made.close()


@pytest.fixture(scope="module")
def open_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return a place whose public repositories everybody may read."""
    made = _with_hidden_names(Place(tmp_path_factory.mktemp("open"), GHAPP_PUBLIC_PAGES="on"))
    yield made
    made.close()


def _with_hidden_names(made: Place) -> Place:
    """Let the app know another organization's private repository, and a person's account."""
    app = made.installed.app
    vault = made.sandbox.add_repository("globex", "vault", private=True)
    other = made.sandbox.install(app, "globex")
    person = made.sandbox.user("a-person")
    for number, account, kind in (
        (other.id, other.account, "Organization"),
        (other.id + 1, person, "User"),
    ):
        seen = Installation(
            id=number, account=account.login, account_id=account.id, account_type=kind
        )
        made.store.installations.seen(seen, now=NOW)
    seen = Repository(id=vault.id, owner="globex", name="vault", installation_id=other.id)
    made.store.installations.repository_seen(seen, now=NOW)
    return made


def routes(place: Place, more: str = "") -> list[tuple[str, str]]:
    """Return method and rule of every route that has a name in its path; ``more``: with `HEAD`."""
    return sorted(
        (method, rule.rule)
        for rule in place.app.url_map.iter_rules()
        if rule.arguments & NAMES
        for method in (rule.methods or set()) - ({"OPTIONS"} if more else {"OPTIONS", "HEAD"})
    )


def path_of(rule: str, names: dict[str, str]) -> str:
    values = {**OTHERS, **names}
    return re.sub(r"<(?:[^<>:]+:)?(\w+)>", lambda found: values[found[1]], rule)


class Asker:
    """One person at one door: with a browser, or a program with a token."""

    def __init__(self, place: Place, who: str) -> None:
        self.place, self.login = place, who.partition("'")[0]
        self.is_program = who.endswith("token")
        self.enter()

    def enter(self) -> None:
        """Sign in anew: GitHub's tokens end after hours, and a test may have revoked them.

        For a minute after an outage nobody is let in: somebody who is not would see nothing hidden.
        """
        self.place.clock.pass_by(minutes=1.5)
        self.since, self.headers = self.place.clock(), {}
        if self.login == "anonymous":
            self.client = self.place.browser()
            return
        self.client = self.place.sign_in(self.login)
        returned = self.place.returned
        assert self.client.get_cookie("login"), f"{returned.status_code} {returned.text}"
        self.sealed = self._person().sealed
        if self.is_program:
            self.client, self.headers = self.place.browser(), {"Authorization": self._token()}

    def _person(self) -> SignedIn:
        person = self.place.store.logins.named(self.login)
        assert person is not None
        return person

    def forgive(self) -> None:
        """Take back that this person's tokens were revoked: signing in costs more than the rest."""
        self.place.clock.pass_by(minutes=1.5)
        for token in self.place.sandbox.world.user_tokens.values():
            token.revoked = False
        person = self._person()
        self.place.store.logins.reseal(person.id, person.sealed, self.sealed)
        if not self.is_program:
            self.client = self.place.signed_in(self.login)

    def _token(self) -> str:
        secret = new_secret(TokenKind.READ)
        new = NewToken(
            kind=TokenKind.READ,
            login=self.login,
            user_id=self._person().id,
            # The reader's token is for another organization, so it hides what its owner may read.
            installations=(self.place.installed.id + 100,) if self.login == "reader" else None,
        )
        self.place.store.tokens.issue(new, secret, now=self.place.clock())
        return f"Bearer {secret}"

    def ask(self, method: str, path: str, state: str) -> TestResponse:
        """Send a request as this person."""
        question = {"since": "never", "limit": "0"} if state == "bad question" else {}
        data = self.place.form_of(self.client) if method == "POST" else None
        return self.client.open(
            path, method=method, query_string=question, data=data, headers=self.headers
        )


def bring_about(place: Place, state: str, asker: Asker) -> None:
    """Bring GitHub into the second half of a state."""
    last = state.rpartition(", ")[2]
    if last in FAULTS:
        place.sandbox.play(FAULTS[last])
    if last == "revoked":
        place.sandbox.end_user_tokens(asker.login)
    if last == "no members":
        del place.installed.permissions["members"]


def one_answer(
    asker: Asker, state: str, method: str, rule: str, names: dict[str, str]
) -> tuple[TestResponse, Cost]:
    """Ask for one path in a state, when all that was cached before has expired."""
    place, path = asker.place, path_of(rule, names)
    place.clock.pass_by(minutes=1.5)
    if place.clock() - asker.since > timedelta(hours=6):
        asker.enter()
    elif "revoked" in state:
        asker.forgive()
    if state.startswith("another"):
        # What was said of one name must not make another one cheaper.
        asker.ask(method, path_of(rule, ANOTHER), "well").close()
    if state.startswith("asked"):
        asker.ask(method, path, "well").close()
        place.clock.pass_by(minutes=1.5 if "long ago" in state else 0.5)
    bring_about(place, state, asker)
    try:
        with costs(place) as cost:
            answer = asker.ask(method, path, state)
            answer.get_data()
    finally:
        place.sandbox.faults.clear()
        place.installed.permissions["members"] = "read"
    return answer, cost[0]


def shown(answer: TestResponse, names: dict[str, str]) -> tuple[int, dict[str, str], str]:
    """Return status, headers and text, each name replaced by the word for it."""

    def unnamed(text: str) -> str:
        for word, name in names.items():
            text = re.sub(rf"\b{name}\b", f"<{word}>", text)
        return re.sub(r'(name="form_token" value=")[0-9a-f]+', r"\1", text)

    counted = COUNTED | ({"Retry-After"} if "X-RateLimit-Limit" in answer.headers else set())
    headers = {
        name: unnamed(value) for name, value in answer.headers.items() if name not in counted
    }
    return answer.status_code, headers, unnamed(answer.text)


@pytest.mark.parametrize(("who", "state"), CASES)
def test_a_hidden_name_answers_and_costs_what_an_unknown_one_does(
    place: Place, who: str, state: str
) -> None:
    told, asker, is_well = [], Asker(place, who), state == "well"
    begins = CASES.index((who, state))
    asked = routes(place, "HEAD") if is_well else sampled(routes(place), 2, begins)
    for turn, (method, rule) in enumerate(asked, begins):
        for hidden, unknown in PAIRS if is_well else sampled(PAIRS, 2, turn // 2):
            answers = []
            for names in (hidden, unknown):
                answer, cost = one_answer(asker, state, method, rule, names)
                answers.append([*shown(answer, names), cost.github, cost.sql])
                answer.close()
            told += [
                f"{method} {rule}: {hidden} {one}, but {unknown} {other}"
                for one, other in zip(*answers, strict=True)
                if one != other
            ]
    assert not told, "\n".join(told[:3])


@pytest.mark.parametrize("state", ["well", "away"])
@pytest.mark.parametrize("who", ["anonymous", "stranger"])
def test_nor_is_a_hidden_name_known_where_public_pages_are_open(
    open_place: Place, who: str, state: str
) -> None:
    test_a_hidden_name_answers_and_costs_what_an_unknown_one_does(open_place, who, state)


def test_what_may_not_be_read_is_in_nobodys_cache(place: Place) -> None:
    """A proxy or a browser keeps no answer that is for some people only."""
    asker = Asker(place, "admin")
    kept = []
    for method, rule in routes(place):
        if method == "GET":
            answer = asker.ask(method, path_of(rule, {**HIDDEN, "name": "app"}), "well")
            policy = answer.headers.get("Cache-Control", "")
            kept += [] if policy == "no-store" or answer.status_code == 404 else [(rule, policy)]
            answer.close()
    # Documents never change, and a browser asks again whether its person may still read them.
    assert all(policy.startswith(("private", "no-cache")) for _, policy in kept), kept


@pytest.mark.parametrize("value", ["*", "DIGEST"])
def test_a_digest_that_one_knows_does_not_tell_whether_it_is_there(
    place: Place, value: str
) -> None:
    document = "/api/repositories/acme/app/pulls/17/document"
    known = Asker(place, "admin").client.get(document).headers["ETag"]
    headers = {"If-None-Match": known if value == "DIGEST" else value}
    assert Asker(place, "admin").client.get(document, headers=headers).status_code == 304
    stranger = Asker(place, "stranger").client
    assert stranger.get(document, headers=headers).status_code == 404
    unknown = document.replace("app", "absent")
    assert stranger.get(unknown, headers=headers).status_code == 404
