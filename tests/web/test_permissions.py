"""Who may ask what: every route of the application stands in one table, person by person."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from ghapp.auditing.replay_over_github import start
from ghapp.store import ReplayRequest
from tests.web.conftest import NOW
from tests.web.place import PEOPLE, Place

WHO = ("anonymous", *PEOPLE)
"""anonymous · stranger: signed in, reads nothing · reader of acme/app · member of acme, who reads
acme/app · admin: owner of acme and administrator of its repositories."""

PULL = "/api/repositories/<owner>/<name>/pulls/<int(max=2147483647):number>"
REPLAY = "/repositories/<owner>/<name>/replays/<int(max=9223372036854775807):replay>"
PULL_PAGE = "/repositories/<owner>/<name>/pull/<int(max=2147483647):number>"

MATRIX: dict[str, tuple[int, int, int, int, int]] = {
    # route: the status for each of WHO
    "GET /": (200, 200, 200, 200, 200),
    "GET /static/<path:filename>": (200, 200, 200, 200, 200),
    "GET /healthz": (200, 200, 200, 200, 200),
    "GET /readyz": (200, 200, 200, 200, 200),
    "GET /method": (200, 200, 200, 200, 200),
    # Comments on GitHub link to it, and their readers may have no account here.
    "GET /reasons": (200, 200, 200, 200, 200),
    "GET /schemas/attribution.json": (200, 200, 200, 200, 200),
    # The program itself: machines install it before anybody has signed in.
    "GET /collector": (200, 200, 200, 200, 200),
    "GET /collector/requirements.txt": (200, 200, 200, 200, 200),
    "GET /collector/<name>.whl": (404, 404, 404, 404, 404),
    "GET /records/keys.pem": (200, 200, 200, 200, 200),
    # GitHub's deliveries carry a signature, and nobody's cookie stands in for it.
    "POST /webhooks/github": (401, 401, 401, 401, 401),
    # The operator's password is not anybody's sign-in; without one set there is no such page.
    "GET /operator": (404, 404, 404, 404, 404),
    "POST /operator/retry/<int(max=9223372036854775807):item_id>": (404, 404, 404, 404, 404),
    "POST /operator/again/<int(max=9223372036854775807):repository_id>/<int(max=2147483647):number>": (  # noqa: E501 - a route
        *(404, 404, 404, 404, 404),
    ),
    "GET /metrics": (404, 404, 404, 404, 404),
    "GET /login": (302, 302, 302, 302, 302),
    "GET /login/callback": (400, 400, 400, 400, 400),
    # A machine's upload token is not anybody's sign-in; the first two only begin one.
    "POST /api/enroll": (200, 200, 200, 200, 200),
    "POST /api/enroll/finish": (400, 400, 400, 400, 400),
    "GET /api/enrollment": (401, 401, 401, 401, 401),
    "GET /api/openapi.json": (200, 200, 200, 200, 200),
    "POST /api/evidence": (401, 401, 401, 401, 401),
    "DELETE /api/evidence": (401, 401, 401, 401, 401),
    # Nor is an ingest token, of telemetry or of deployments.
    "POST /api/deployments": (401, 401, 401, 401, 401),
    "POST /api/incidents": (401, 401, 401, 401, 401),
    "POST /v1/metrics": (401, 401, 401, 401, 401),
    "POST /v1/logs": (401, 401, 401, 401, 401),
    "POST /v1/traces": (401, 401, 401, 401, 401),
    "PUT /api/usage": (401, 401, 401, 401, 401),
    "POST /logout": (403, 303, 303, 303, 303),
    "GET /organizations/<organization>": (302, 404, 404, 200, 200),
    "GET /organizations/<organization>/pulls": (302, 404, 404, 200, 200),
    "GET /organizations/<organization>/outcomes": (302, 404, 404, 200, 200),
    "GET /organizations/<organization>/changes": (302, 404, 404, 200, 200),
    "GET /organizations/<organization>/unknown": (302, 404, 404, 200, 200),
    "GET /organizations/<organization>/agents": (302, 404, 404, 200, 200),
    "GET /organizations/<organization>/board": (302, 404, 404, 200, 200),
    "GET /organizations/<organization>/usage": (302, 404, 404, 200, 200),
    "GET /organizations/<organization>/adoption": (302, 404, 404, 200, 200),
    "GET /organizations/<organization>/spend": (302, 404, 404, 200, 200),
    "GET /organizations/<organization>/usage/sources": (302, 404, 404, 403, 200),
    "GET /organizations/<organization>/usage/identities": (302, 404, 404, 403, 200),
    "POST /organizations/<organization>/usage/identities": (403, 404, 404, 403, 404),
    "POST /organizations/<organization>/usage/identities/table": (403, 404, 404, 403, 400),
    "GET /repositories/<owner>/<name>": (302, 404, 200, 200, 200),
    "GET /repositories/<owner>/<name>/pulls": (302, 404, 200, 200, 200),
    "GET /repositories/<owner>/<name>/outcomes": (302, 404, 200, 200, 200),
    "GET /repositories/<owner>/<name>/changes": (302, 404, 200, 200, 200),
    "GET /repositories/<owner>/<name>/unknown": (302, 404, 200, 200, 200),
    "GET /repositories/<owner>/<name>/usage": (302, 404, 200, 200, 200),
    "GET /repositories/<owner>/<name>/spend": (302, 404, 200, 200, 200),
    "GET /repositories/<owner>/<name>/replays": (302, 404, 200, 200, 200),
    "POST /repositories/<owner>/<name>/replays": (403, 404, 403, 403, 303),
    f"GET {REPLAY}": (302, 404, 200, 200, 200),
    f"GET {REPLAY}/documents.jsonl": (302, 404, 200, 200, 200),
    f"GET {REPLAY}/differences.html": (302, 404, 200, 200, 200),
    f"POST {REPLAY}/cancel": (403, 404, 403, 403, 303),
    f"GET {PULL_PAGE}": (302, 404, 200, 200, 200),
    # It names no file, and nobody is told of that who may not read the repository.
    f"GET {PULL_PAGE}/file": (302, 404, 400, 400, 400),
    "GET /settings/tokens": (302, 200, 200, 200, 200),
    "POST /settings/tokens": (403, 400, 400, 400, 400),
    "POST /settings/tokens/<int(max=9223372036854775807):token>/revoke": (403, 404, 404, 404, 404),
    # Everybody signs out for himself; each has signed in anew for this line.
    "POST /settings/sign-out-everywhere": (403, 303, 303, 303, 303),
    "GET /api/viewer": (401, 200, 200, 200, 200),
    "GET /api/viewer/record": (401, 200, 200, 200, 200),
    "GET /api/organizations": (401, 200, 200, 200, 200),
    "GET /api/repositories": (401, 200, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/summary": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/changes": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/usage": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/spend": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/spend.csv": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/spend-changes.csv": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/pull-costs.csv": (401, 404, 200, 200, 200),
    "GET /api/organizations/<organization>/usage": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/adoption": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/adoption.csv": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/segments": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/segments.csv": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/spend": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/spend.csv": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/spend-changes.csv": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/charge-back.csv": (401, 404, 404, 403, 200),
    "GET /api/organizations/<organization>/pull-costs.csv": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/usage/sources": (401, 404, 404, 403, 200),
    "GET /api/organizations/<organization>/usage/identities.csv": (401, 404, 404, 403, 200),
    "GET /api/organizations/<organization>/usage.csv": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/usage-changes.csv": (401, 404, 404, 200, 200),
    "GET /api/repositories/<owner>/<name>/usage.csv": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/usage-changes.csv": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/coverage": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/pulls": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/pulls.csv": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/pulls.jsonl": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/documents.jsonl": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/badge": (401, 404, 403, 403, 200),
    "GET /api/organizations/<organization>/summary": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/outcomes": (401, 404, 404, 200, 200),
    "GET /api/repositories/<owner>/<name>/outcomes": (401, 404, 200, 200, 200),
    "GET /api/organizations/<organization>/dora": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/dora.csv": (401, 404, 404, 200, 200),
    "GET /api/repositories/<owner>/<name>/dora": (401, 404, 200, 200, 200),
    "GET /api/repositories/<owner>/<name>/dora.csv": (401, 404, 200, 200, 200),
    "GET /api/organizations/<organization>/changes": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/users.csv": (401, 404, 404, 200, 200),
    "GET /api/organizations/<organization>/models.csv": (401, 404, 404, 200, 200),
    "GET /api/repositories/<owner>/<name>/models.csv": (401, 404, 200, 200, 200),
    "GET /api/organizations/<organization>/pulls.csv": (401, 404, 404, 200, 200),
    # Without its key a badge is not there; the key is in no cookie.
    "GET /badge/<owner>/<name>.svg": (404, 404, 404, 404, 404),
    "GET /organizations/<organization>/settings": (302, 404, 404, 403, 200),
    "POST /organizations/<organization>/settings/weekly": (403, 404, 404, 403, 400),
    "POST /organizations/<organization>/settings/weekly/stop": (403, 404, 404, 403, 303),
    "POST /organizations/<organization>/settings/tokens": (403, 404, 404, 403, 400),
    "POST /organizations/<organization>/settings/tokens/<int(max=9223372036854775807):token>/revoke": (  # noqa: E501 - a route
        *(403, 404, 404, 403, 404),
    ),
    "POST /organizations/<organization>/settings/deployments": (403, 404, 404, 403, 303),
    "POST /organizations/<organization>/settings/teams": (403, 404, 404, 403, 400),
    "POST /organizations/<organization>/settings/budgets": (403, 404, 404, 403, 400),
    "POST /organizations/<organization>/settings/budgets/remove": (403, 404, 404, 403, 404),
    "POST /organizations/<organization>/settings/vendors": (403, 404, 404, 403, 400),
    "POST /organizations/<organization>/settings/vendors/<vendor>/remove": (
        403,
        404,
        404,
        403,
        404,
    ),
    f"GET {PULL}": (401, 404, 200, 200, 200),
    f"GET {PULL}/document": (401, 404, 200, 200, 200),
    f"GET {PULL}/audits/<int(max=2147483647):audit>/document": (401, 404, 200, 200, 200),
    f"GET {PULL}/cost": (401, 404, 200, 200, 200),
    f"GET {PULL}/lines": (401, 404, 200, 200, 200),
}

VALUES = {
    "filename": "ghapp.css",
    "item_id": "1",
    "repository_id": "42",
    "owner": "acme",
    "name": "app",
    "organization": "acme",
    "number": "17",
    "audit": "1",
    "token": "1",
    "replay": "1",
    "vendor": "cursor",
}
"""What stands in the place of a route's parameters."""


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, at_night_on_each: dict[str, str]
) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("permissions"), **at_night_on_each)
    app = made.store.installations.repository(made.repositories["app"].id)
    assert app is not None
    asked = ReplayRequest(repository_id=app.id, as_of=NOW, asked_by="login:admin")
    start(made.store, app, asked, now=NOW)
    yield made
    made.close()


def routes(place: Place) -> set[str]:
    return {
        f"{method} {rule.rule}"
        for rule in place.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def ask(browser: FlaskClient, place: Place, route: str, **changed: str) -> Any:
    method, _, rule = route.partition(" ")
    values = {**VALUES, **changed}
    path = re.sub(r"<(?:[^<>:]+:)?(\w+)>", lambda found: values[found[1]], rule)
    data = place.form_of(browser) if method == "POST" else None
    return browser.open(path, method=method, data=data)


def test_every_route_stands_in_the_table(place: Place) -> None:
    assert routes(place) == set(MATRIX)


@pytest.mark.parametrize("route", MATRIX)
def test_each_person_gets_what_the_table_says(place: Place, route: str) -> None:
    browsers = [place.signed_in(None if who == "anonymous" else who) for who in WHO]
    with_answers = [ask(browser, place, route) for browser in browsers]
    assert tuple(answer.status_code for answer in with_answers) == MATRIX[route]
    for answer in with_answers:
        answer.close()
    assert {one for one in place.asked_as() if not one.startswith("user:")} == set()


@pytest.mark.parametrize("route", [route for route in MATRIX if "<name>" in route])
def test_a_repository_that_one_may_not_read_is_not_there(place: Place, route: str) -> None:
    for who in ("stranger", "reader", "member"):
        assert ask(place.signed_in(who), place, route, name="secret").status_code == 404
        assert ask(place.signed_in(who), place, route, name="nothing").status_code == 404
