"""The doors for deployments and incidents: an organization's own token, its own repositories."""

from collections.abc import Iterator
from typing import Any

import pytest

from ghapp.store import NOBODY, NewToken, Repository, TokenKind, new_secret
from tests.store.records import DAY
from tests.web.conftest import NOW
from tests.web.place import Place

GOOD = {
    "/api/deployments": {
        "repository": "acme/app",
        "id": "run-1",
        "revision": "a" * 40,
        "result": "success",
        "finished_at": "2026-05-20T15:30:00Z",
    },
    "/api/incidents": {
        "repository": "acme/app",
        "id": "PD-1",
        "opened_at": "2026-05-20T16:30:00+02:00",
        "resolved_at": "2026-05-20T18:30:00Z",
    },
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("deployments"))
    elsewhere = Repository(id=9_999, owner="other", name="app", installation_id=9_999)
    made.store.installations.repository_seen(elsewhere, now=NOW)
    yield made
    made.close()


def token(place: Place, **changed: Any) -> str:
    values = {
        "kind": TokenKind.INGEST,
        "login": "admin",
        "user_id": NOBODY,
        "installations": (place.installed.id,),
        "expires_at": NOW + 90 * DAY,
    } | changed
    secret = new_secret(values["kind"])
    place.store.tokens.issue(NewToken(**values), secret, now=NOW)
    return secret


def post(place: Place, path: str, secret: str, **changed: Any) -> tuple[int, Any]:
    body = {name: value for name, value in (GOOD[path] | changed).items() if value is not None}
    headers = {"Authorization": f"Bearer {secret}"}
    answer = place.browser().post(path, json=body, headers=headers)
    return answer.status_code, answer.json


def test_what_is_sent_is_on_the_page_and_in_the_api(place: Place) -> None:
    secret = token(place)
    for path in GOOD:
        assert post(place, path, secret) == (204, None)
        assert post(place, path, secret) == (204, None)
    (item,) = (one for one in place.store.work.open() if one.kind == "deployments")
    assert item.repository_id == place.repositories["app"].id
    admin = place.signed_in("admin")
    for where in ("organizations/acme", "repositories/acme/app"):
        found = admin.get(f"/api/{where}/dora?since=2026-05-20&until=2026-05-20").json
        assert (found["deployments"], found["incidents"], found["open_incidents"]) == (1, 1, 0)
        assert (found["failure_rate"]["value"], found["restored"]["value"]) == (0.0, 4.0)
        table = admin.get(f"/api/{where}/dora.csv").text.splitlines()
        assert table[0] == "metric,value,low,high,based_on"
        assert "time_to_restore_hours,4.0,,,1" in table
        page = admin.get(f"/{where}/outcomes").text
        assert "1 deployment to production on 1 day" in page
        assert "of whole repositories only" in admin.get(f"/{where}/outcomes?agent=codex").text


@pytest.mark.parametrize("path", GOOD)
def test_who_may_not_send_is_told_so_and_nothing_else(place: Place, path: str) -> None:
    assert post(place, path, "ghapp_ingest_made_up")[0] == 401
    assert post(place, path, token(place, kind=TokenKind.READ, user_id=7))[0] == 401
    assert post(place, path, token(place, expires_at=NOW))[0] == 401
    assert post(place, path, token(place, user_id=7))[0] == 403
    good = token(place)
    there = post(place, path, good, repository="other/app")
    assert there[0] == 404
    assert there == post(place, path, good, repository="other/no-such-name")


@pytest.mark.parametrize(
    ("path", "changed", "said"),
    [
        ("/api/deployments", {"finished_at": "2026-05-20T15:30:00"}, "timezone"),
        ("/api/deployments", {"finished_at": "0001-01-01T00:00:00Z"}, "before 2000"),
        ("/api/deployments", {"result": "maybe"}, "maybe"),
        ("/api/deployments", {"revision": ""}, "length"),
        ("/api/deployments", {"sha": "a"}, "unknown field `sha`"),
        ("/api/incidents", {"resolved_at": "2026-05-20T10:00:00Z"}, "before opened_at"),
        ("/api/incidents", {"opened_at": None}, "opened_at"),
    ],
)
def test_what_does_not_fit_is_named(
    place: Place, path: str, changed: dict[str, Any], said: str
) -> None:
    status, told = post(place, path, token(place), **changed)
    assert (status, said in told["error"]) == (422, True), told


def test_an_owner_chooses_workflows_and_labels(place: Place) -> None:
    admin, page = place.signed_in("admin"), "/organizations/acme/settings"
    form = place.form_of(admin, workflows="Deploy\n\n Ship \n", labels="sev1")
    assert admin.post(f"{page}/deployments", data=form).status_code == 303
    chosen = place.store.deployments.choice(place.installed.id)
    assert (chosen.workflows, chosen.labels) == (("Deploy", "Ship"), ("sev1",))
    assert "Deploy\nShip</textarea>" in admin.get(page).text
    wrong = place.form_of(admin, workflows="x" * 101, labels="")
    assert admin.post(f"{page}/deployments", data=wrong).status_code == 400
