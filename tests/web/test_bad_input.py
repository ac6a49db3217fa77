"""No door answers 500: bad types and edges for every part of every route, described or not.

A plain run tries half of them at each route, in turn, the nightly run all.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from ghapp.github.webhooks import sign
from ghapp.store import NewToken, TokenKind, new_secret
from tests.cases import TOP
from tests.searching import sampled
from tests.web.machine import Machine, machine_of
from tests.web.place import Place

NUMBERS = (0, -1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, 10**30, 1.5, float("1e308"))
TEXTS = (
    *("", " ", "\0", "é", "\udc80", "..", "a" * 5_000, "%00", "-1", "0", str(2**63), str(10**30)),
    *("0001-01-01", "9999-12-31", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2020"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "10000-01-01", "null", "[]", "{}"),
)
EDGES: tuple[Any, ...] = (*NUMBERS, *TEXTS, None, True, [], {}, [None], {"a": None})
PARAMETERS = (
    *("since", "until", "after", "author", "team", "agent", "verdict", "state", "path", "limit"),
    *("share_from", "share_to", "sort", "ascending", "grain", "board", "repositories", "next"),
    *("code", "state", "error", "key", "token", "audit", "number", "base", "of", "compare", "by"),
    *("policy", "replay", "line", "days", "name", "format", "q", "page", "from", "to", "lines"),
)
"""Query parameters that some route reads, and some that none does."""
FEW = ("", "%00", "%ed%b2%80", str(2**63), "-1", "1.5", "9999-12-31", "%5B%5D")
DAYS = ("0001-01-01", "9999-12-31", "2020-13-45", "10000-01-01", "9999-12-31T23:59:59-23:59")
"""Quoted for a query."""
SPANS = ("since", "until", "after")
FIELDS = ("csv", "table", "url", "mail", "secret", "hook", "address", "weekday", "installation")
PARTS = ("headers", "body")
STATIC = {"static"}


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory,
    at_night_on_each: dict[str, str],
    without_limits: None,
) -> Iterator[Place]:
    del without_limits
    secret = "4f0d9a7be21c83556d10"
    made = Place(tmp_path_factory.mktemp("bad"), GHAPP_OPERATOR_TOKEN=secret, **at_night_on_each)
    made.sandbox.allow(made.repositories["app"], "ann", "write")
    yield made
    made.close()


@pytest.fixture(scope="module")
def machine(place: Place) -> Machine:
    return machine_of(place, "ann")


@pytest.fixture(scope="module")
def readers(place: Place) -> list[tuple[FlaskClient, dict[str, str]]]:
    """Return a signed-in browser, a program with a token, and the operator."""
    browser = place.signed_in("admin")
    person = place.store.logins.named("admin")
    assert person is not None
    secret = new_secret(TokenKind.READ)
    new = NewToken(kind=TokenKind.READ, login="admin", user_id=person.id)
    place.store.tokens.issue(new, secret, now=place.clock())
    program = place.browser()
    operator = {"Authorization": "Bearer 4f0d9a7be21c83556d10"}
    return [(browser, {}), (program, {"Authorization": f"Bearer {secret}"}), (program, operator)]


def broken(answer: TestResponse) -> bool:
    """Say whether an answer is the app's fault."""
    answer.get_data()
    return answer.status_code >= 500


def filled(rule: Rule, edge: str | None) -> str | None:
    """Return a path of a route; ``edge`` stands in each of its places. ``None``: it has none."""
    good = {"owner": "acme", "name": "app", "organization": "acme", "number": "17", "audit": "1"}
    path = rule.rule
    for argument in rule.arguments:
        start = path.index(next(part for part in _places(path) if part.endswith(f"{argument}>")))
        end = path.index(">", start) + 1
        value = good.get(argument, "1") if edge is None else edge
        path = path[:start] + value + path[end:]
    return path if edge is None or rule.arguments else None


def _places(path: str) -> Iterator[str]:
    for part in path.split("<")[1:]:
        yield "<" + part.partition(">")[0] + ">"


def _quoted(text: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415 - only here

    return quote(text, safe="", errors="surrogatepass")


def rules(place: Place, method: str) -> list[Rule]:
    return [
        rule
        for rule in place.app.url_map.iter_rules()
        if method in (rule.methods or ()) and rule.endpoint not in STATIC
    ]


def test_no_path_breaks_a_route(
    place: Place, readers: list[tuple[FlaskClient, dict[str, str]]]
) -> None:
    faults = []
    for rule in rules(place, "GET"):
        for edge in FEW[1:]:
            path = filled(rule, edge)
            client, headers = readers[rule.rule.startswith("/api/")]
            if path and broken(client.get(path, headers=headers)):
                faults.append(path[:200])
    assert faults == []


def test_no_query_breaks_a_route(
    place: Place, readers: list[tuple[FlaskClient, dict[str, str]]]
) -> None:
    faults = []
    for turn, rule in enumerate(rules(place, "GET")):
        path = filled(rule, None)
        is_operators = rule.rule.startswith(("/operator", "/metrics"))
        client, headers = readers[2 if is_operators else rule.rule.startswith("/api/")]
        queries = ["&".join(f"{name}={text}" for name in PARAMETERS) for text in FEW]
        queries += [f"{name}={text}" for name, text in zip(cycle(SPANS), DAYS, strict=False)]
        faults += [
            f"{path}?{query[:80]}"
            for query in sampled(queries, 2, turn)
            if broken(client.get(f"{path}?{query}", headers=headers))
        ]
    assert faults == []


def test_no_form_breaks_a_route(
    place: Place, readers: list[tuple[FlaskClient, dict[str, str]]]
) -> None:
    browser, faults = readers[0][0], []
    token = place.form_of(browser)
    for turn, rule in enumerate(rules(place, "POST")):
        if rule.rule.startswith(("/api/", "/webhooks", "/logout", "/login")):
            continue
        path = filled(rule, None)
        for text in sampled(TEXTS, 2, turn):
            form = {**dict.fromkeys((*PARAMETERS, *FIELDS), text), **token}
            data = "&".join(f"{name}={_quoted(value)}" for name, value in form.items())
            kind = "application/x-www-form-urlencoded"
            if broken(browser.post(path, data=data, content_type=kind)):
                faults.append(f"{path}: {text[:40]!r}")
    assert faults == []


# --- JSON ---------------------------------------------------------------------------------------


def changed(value: Any, edges: tuple[Any, ...] = EDGES) -> Iterator[tuple[str, Any]]:
    """Yield copies of a JSON value, each with one part replaced by an edge: place, copy."""
    for place in _leaves(value, ()):
        for edge in edges:
            whole = copy.deepcopy(value)
            inner = whole
            for step in place[:-1]:
                inner = inner[step]
            inner[place[-1]] = edge
            yield f"{'.'.join(map(str, place))} = {str(edge)[:30]!r}", whole


def _leaves(value: Any, at: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = list(enumerate(value))[:1]
    for key, inner in items:
        yield (*at, key)
        yield from _leaves(inner, (*at, key))


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_no_batch_breaks_the_uploads(machine: Machine) -> None:
    batch = msgspec.to_builtins(machine.batch(machine.edit()))
    faults = [where for where, one in changed(batch) if broken(machine.send(encoded(one)))]
    assert faults == []


def test_no_request_to_forget_breaks(machine: Machine) -> None:
    request = {"remotes": ["github.com/acme/app"], "paths": ["a.py"], "edits": ["toolu_1"]}
    bodies = [one for _, one in changed(request)]
    bodies += [{"paths": [f"p{n}" for n in range(6_000)]}, {"edits": ["x"] * 200_000}]
    bodies += [{"remotes": ["github.com/acme/app"] * 6_000}]
    headers = machine.headers
    faults = [
        str(body)[:80]
        for body in bodies
        if broken(machine.http.delete("/api/evidence", data=encoded(body), headers=headers))
    ]
    assert faults == []


def test_no_enrollment_breaks(place: Place) -> None:
    http = place.browser()
    bodies = [{"handle": edge} for edge in EDGES] + [None, [], 1, "x"]
    faults = [
        str(body)[:80]
        for body in bodies
        if broken(http.post("/api/enroll/finish", data=encoded(body)))
    ]
    assert faults == []


EVENTS = {
    *("check_run_rerequested", "check_suite_rerequested", "issue_comment_created"),
    *("installation_created", "installation_repositories_added", "pull_request_closed_merged"),
    *("installation_repositories_removed", "repository_renamed", "check_run_requested_action"),
    "pull_request_closed_time_as_number",
}
"""One of each kind that the app reads."""
FEW_EDGES = (2**63, -1, 1.5, "", "\0", "a" * 5_000, None, [], {}, *TEXTS[14:17], *TEXTS[18:20])
INTERESTING = {
    *("number", "merged_at", "id", "sha", "ref", "full_name", "login", "body", "external_id"),
    *("head_sha", "identifier", "account", "permissions", "private", "archived", "action"),
    *("merge_commit_sha", "pull_requests", "repositories", "repositories_added", "installation"),
    *("repositories_removed", "repository", "pull_request", "sender", "type", "merged"),
}


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_no_signed_delivery_breaks_the_webhook(place: Place, name: str) -> None:
    folder = TOP / "fixtures/webhooks" / name
    event, whole = (json.loads((folder / f"{one}.json").read_text()) for one in PARTS)
    http, secret = place.browser(), place.services.webhook_secrets[0]
    faults = []
    turn = sorted(EVENTS).index(name)
    bodies = list(enumerate(changed(_pruned(whole), FEW_EDGES)))
    for number, (where, body) in sampled(bodies, 2, turn):
        raw = encoded(body)
        given = {
            **_kept(event),
            "X-GitHub-Delivery": f"{name[:30]}-{number}",
            "X-Hub-Signature-256": sign(raw, secret),
            "Content-Type": "application/json",
        }
        if broken(http.post("/webhooks/github", data=raw, headers=given)):
            faults.append(where)
    assert faults == []


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() == "x-github-event"}


def _pruned(value: Any) -> Any:
    """Leave out what the app does not read, so that few deliveries try all of the rest."""
    if isinstance(value, dict):
        nested = ("head", "base", "user", "app", "check_run", "check_suite", "comment", "issue")
        return {
            name: _pruned(inner)
            for name, inner in value.items()
            if name in INTERESTING or name in nested
        }
    return [_pruned(value[0])] if isinstance(value, list) and value else value
