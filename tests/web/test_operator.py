"""The operator's page and the metrics: for whom they are, what they show, the one button."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from ghapp.bootstrap import Services
from ghapp.store import (
    AgentReport,
    Installation,
    Publication,
    Repository,
    WorkEnd,
    WorkKind,
    WorkRequest,
)
from ghapp.web.app import create_app
from tests.store.records import DAY, document, lease
from tests.web.conftest import NOW
from tests.web.pages.reading import Read

TOKEN = "4f0d9a7be21c83556d10"
AUTH = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def operated(services: Services) -> Services:
    return replace(services, settings=replace(services.settings, operator_token=TOKEN))


@pytest.fixture
def desk(operated: Services) -> FlaskClient:
    return create_app(operated).test_client()


def dead_letter(services: Services) -> int:
    services.store.installations.seen(Installation(id=5, account="acme"), now=NOW)
    request = WorkRequest(
        kind="audit", due_at=NOW, installation_id=5, repository_id=42, pull_request=17
    )
    services.store.work.enqueue(request, now=NOW)
    (item,) = services.store.work.overdue(NOW)
    leased = services.store.work.lease(item.id, NOW, "test", timedelta(seconds=30))
    assert leased is not None
    assert services.store.work.give_up(leased, "given up: <b>502</b>")
    return item.id


@pytest.mark.parametrize("path", ["/operator", "/metrics"])
def test_without_a_token_of_ours_nothing_is_there(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={**AUTH, "Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "<code>GHAPP_OPERATOR_TOKEN</code>" in answer.text
    assert "GHAPP_OPERATOR_TOKEN" in client.get(path, headers=AUTH).json["error"]


@pytest.mark.parametrize("path", ["/operator", "/metrics"])
def test_without_their_token_nobody_gets_in(desk: FlaskClient, path: str) -> None:
    assert desk.get(path).status_code == 401
    assert desk.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert desk.get(path, auth=("operator", TOKEN)).status_code == 200


def test_what_is_stuck_is_shown_and_can_be_tried_again(
    desk: FlaskClient, operated: Services
) -> None:
    number = dead_letter(operated)
    page = desk.get("/operator", headers=AUTH).text
    assert "audit:42:17" in page
    assert "&lt;b&gt;502" in page
    assert desk.post(f"/operator/retry/{number}", headers=AUTH).status_code == 303
    assert operated.store.work.dead_letters() == ()
    assert desk.post(f"/operator/retry/{number}", headers=AUTH).status_code == 404


def test_a_version_whose_edits_nobody_reads_is_named_with_the_day_of_the_last(
    desk: FlaskClient, operated: Services
) -> None:
    assert "No machine has reported an agent" in desk.get("/operator", headers=AUTH).text
    today = NOW.date()
    reports = [
        AgentReport(
            installation_id=5,
            user_id=number,
            login=f"dev{number}",
            machine=f"{number:032x}",
            agent="codex",
            version=version,
            transcripts=2,
            edits=edits,
            seen_on=today,
            last_edit_on=last,
        )
        for number in range(12)
        for version, edits, last in (("0.150.0", 3, today), ("0.151.0", 0, today - 9 * DAY))
    ]
    operated.store.agent_reports.note(reports, now=NOW)
    text = desk.get("/operator", headers=AUTH).text
    last = today - 9 * DAY
    since = f"no edit since {last.day} {last:%B %Y}"
    assert f"Codex 0.151.0: 12 machines sent agent sessions, {since}" in text
    assert "Codex 0.150.0: " not in text


def test_what_the_limit_of_writes_leaves_out_is_shown_with_its_end(
    desk: FlaskClient, operated: Services
) -> None:
    assert "Nothing is left out" in desk.get("/operator", headers=AUTH).text
    store = operated.store
    store.installations.seen(Installation(id=5, account="acme"), now=NOW)
    seen = Repository(id=42, owner="acme", name="shop", installation_id=5)
    store.installations.repository_seen(seen, now=NOW)
    saved = store.audits.save(42, 17, document(), now=NOW)
    out = Publication(publisher="check_run", outcome="left_out", asked_at=NOW)
    store.publications.record(saved, out)
    page = " ".join(desk.get("/operator", headers=AUTH).text.split())
    assert 'check run</td><td class="number">1</td>' in page
    assert "made up for" in page


def test_a_label_that_was_refused_is_shown_with_its_place_and_can_be_tried_again(
    desk: FlaskClient, operated: Services
) -> None:
    store = operated.store
    store.installations.seen(Installation(id=5, account="acme"), now=NOW)
    seen = Repository(id=42, owner="acme", name="shop", installation_id=5)
    store.installations.repository_seen(seen, now=NOW)
    saved = store.audits.save(42, 17, document(), now=NOW)
    why = "GitHub forbids it: <i>pull_requests: write</i>"
    refused = Publication(publisher="label", outcome="not_written", asked_at=NOW, detail=why)
    store.publications.record(saved, refused)
    page = desk.get("/operator", headers=AUTH).text
    assert "acme/shop#17" in page
    assert "&lt;i&gt;pull_requests: write" in page
    other = {**AUTH, "Origin": "https://evil.example"}
    assert desk.post("/operator/again/42/17", headers=other).status_code == 403
    assert desk.post("/operator/again/42/18", headers=AUTH).status_code == 404
    assert store.work.of(42, 17) == ()
    assert desk.post("/operator/again/42/17", headers=AUTH).status_code == 303
    (item,) = store.work.of(42, 17)
    assert (item.kind, item.lane) == ("audit", "rerun")


def test_what_comes_round_is_told_the_refused_first(desk: FlaskClient, operated: Services) -> None:
    store = operated.store
    for number, account in ((5, "acme"), (6, "beta")):
        store.installations.seen(Installation(id=number, account=account), now=NOW)
        outcome = WorkEnd.DONE if number == 5 else WorkEnd.REFUSED
        for kind in (WorkKind.WEEKLY_SUMMARY, WorkKind.TEAMS):
            store.work.enqueue(WorkRequest(kind=kind, due_at=NOW, installation_id=number), now=NOW)
            item = lease(store, now=NOW)
            assert item is not None
            store.work.finish(item, outcome, f"said of {account}", now=NOW)
    next_time = WorkRequest(kind=WorkKind.TEAMS, due_at=NOW + timedelta(days=1), installation_id=6)
    store.work.enqueue(next_time, now=NOW)
    rows = Read(desk.get("/operator", headers=AUTH).text).table("What", "Account")
    today, tomorrow = "2026-05-20 15:30 UTC", "2026-05-21 15:30 UTC"
    assert rows == [
        ["Teams", "beta", today, "refused", "said of beta", tomorrow],
        ["Weekly summary", "beta", today, "refused", "said of beta", ""],
        ["Teams", "acme", today, "done", "said of acme", ""],
        ["Weekly summary", "acme", today, "done", "said of acme", ""],
    ]


def test_another_site_cannot_press_the_button(desk: FlaskClient, operated: Services) -> None:
    number = dead_letter(operated)
    for more in (
        {"Origin": "https://["},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = desk.post(f"/operator/retry/{number}", headers={**AUTH, **more})
        assert answer.status_code == 403
    assert len(operated.store.work.dead_letters()) == 1


def test_the_metrics_say_how_things_are(desk: FlaskClient, operated: Services) -> None:
    dead_letter(operated)
    late = WorkRequest(
        kind="audit",
        due_at=NOW - timedelta(seconds=90),
        installation_id=5,
        repository_id=42,
        pull_request=18,
    )
    operated.store.work.enqueue(late, now=NOW)
    operated.store.installations.park(5, NOW + timedelta(seconds=60), "limit")
    text = desk.get("/metrics", headers=AUTH).text
    assert 'ghapp_work_items_oldest_seconds{installation="5",lane="live"} 90.0' in text
    assert "ghapp_dead_letters 1.0" in text
    assert 'ghapp_installation_parked_seconds{installation="5"} 60.0' in text
