"""The figures that Prometheus reads, and that the dashboard's file asks only for what is there."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from ghapp.bootstrap import Services
from ghapp.store import (
    Delivery,
    DeliveryEnd,
    Installation,
    Publication,
    Store,
    UsageOrigin,
    WorkEnd,
    WorkRequest,
)
from ghapp.store.vendors import ReportKey
from ghapp.usage.amounts import VendorAmount
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from ghapp.web.metrics import render
from tests.cases import TOP
from tests.store.records import document
from tests.web.conftest import NOW, RememberingQueue, door_settings
from tests.web.place import Place

DASHBOARD = TOP / "docs" / "grafana.json"


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = Place(tmp_path_factory.mktemp("metrics"))
    # A second installation without a single repository has figures too.
    place.store.installations.seen(Installation(id=9, account="empty"), now=NOW)
    text = render(place.services).decode()
    place.close()
    return text


def test_what_came_how_it_ended_and_what_was_not_written_is_counted(
    store: Store, tmp_path: Path
) -> None:
    due, now = store.work, NOW - timedelta(minutes=5)
    store.deliveries.accept(
        Delivery(guid="d-1", event="star", received_at=now, outcome=DeliveryEnd.IGNORED)
    )
    for number, end in ((17, WorkEnd.DONE), (18, WorkEnd.PARTIAL), (19, WorkEnd.PARTIAL)):
        request = WorkRequest(kind="audit", due_at=now, installation_id=5, repository_id=42)
        due.enqueue(replace(request, pull_request=number), now=now)
        (item,) = due.overdue(now)
        leased = due.lease(item.id, now, "test", timedelta(minutes=1))
        assert leased is not None
        due.finish(leased, end, now=now)
    saved = store.audits.save(42, 17, document(), now=now)
    for outcome, is_as_it_was_sent in (("written", False), ("not_written", None)):
        row = Publication(
            publisher="label" if is_as_it_was_sent is None else "comment",
            outcome=outcome,
            asked_at=now,
            read_back_at=now,
            read_back_ok=is_as_it_was_sent,
        )
        store.publications.record(saved, row)
    queue = RememberingQueue()
    settings = door_settings(tmp_path)
    services = Services(settings=settings, store=store, queue=queue, clock=lambda: NOW)
    text = render(services).decode()
    assert 'ghapp_deliveries_accepted_day{event="star",outcome="ignored"} 1.0' in text
    assert 'ghapp_work_items_ended_day{kind="audit",outcome="done"} 1.0' in text
    assert 'ghapp_work_items_ended_day{kind="audit",outcome="partial"} 2.0' in text
    assert "ghapp_publications_not_confirmed_day 2.0" in text
    assert "ghapp_redis_up 1.0" in text


def test_shares_are_lines_by_lines(figures: str) -> None:
    mine = re.findall(r'ghapp_lines_four_weeks\{installation="6\d+",lines="(\w+)"\} (\S+)', figures)
    assert dict(mine) == {"effective": "3.0", "attributed": "2.0"}
    assert 'ghapp_pull_requests_four_weeks{installation="9",verdict="no_evidence"} 0.0' in figures


def test_no_repository_and_no_person_is_named(figures: str) -> None:
    assert "acme" not in figures


def test_usage_is_that_of_whole_weeks_and_of_five_people_at_least(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = Place(tmp_path_factory.mktemp("usage"))
    sunday = NOW.date() - timedelta(days=3)
    for person in range(1, 6):
        assert "ghapp_usage_people_four_weeks{" not in render(place.services).decode()
        who = UsageIdentity(IdentityKind.ACCOUNT, str(person))
        origin = UsageOrigin(place.installed.id, UsageSource.TRANSCRIPTS, who, login=f"p{person}")
        days = (sunday - timedelta(days=back) for back in (-1, 0, 27, 28))
        rows = [
            TokenDay("codex", f"{person}-{day}", day, TokenCounts(output=10), answers=1)
            for day in days
        ]
        place.store.usage.replace(origin, rows, [], now=NOW - timedelta(hours=1))
        place.store.usage.settle()
    text, label = render(place.services).decode(), f'installation="{place.installed.id}"'
    assert f"ghapp_usage_people_four_weeks{{{label}}} 5.0" in text
    assert f"ghapp_usage_agent_sessions_four_weeks{{{label}}} 10.0" in text
    assert f'ghapp_usage_tokens_four_weeks{{{label},kind="output"}} 100.0' in text
    assert f"ghapp_usage_edits_four_weeks{{{label}" not in text
    assert f'ghapp_usage_source_age_seconds{{{label},source="transcripts"}} 3600.0' in text
    assert f"ghapp_usage_days_waiting{{{label}}} 0.0" in text
    place.close()


def test_money_of_whole_weeks_is_told_by_basis_and_of_five_people_at_least(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = Place(tmp_path_factory.mktemp("spend"))
    sunday, home = NOW.date() - timedelta(days=3), place.installed.id
    for person in range(1, 6):
        assert "_four_weeks{" not in _spend_of(render(place.services).decode())
        who = UsageIdentity(IdentityKind.ACCOUNT, str(person))
        origin = UsageOrigin(home, UsageSource.TRANSCRIPTS, who, login=f"p{person}")
        rows = [
            TokenDay("codex", "s1", sunday, TokenCounts(output=10), answers=1, model=model)
            for model in ("claude-opus-4-5", "a-model-of-nobody")
        ]
        place.store.usage.replace(origin, rows, [], now=NOW - timedelta(hours=1))
        place.store.usage.settle()
    place.store.vendors.connect(home, "cursor", b"k", ["spend"], by="o", now=NOW)
    text = render(place.services).decode()
    told, label = _spend_of(text), f'basis="list",installation="{home}"'
    assert f"ghapp_spend_microdollars_four_weeks{{{label}}} 1250.0" in told
    assert f"ghapp_spend_unallocated_microdollars_four_weeks{{{label}}} 1250.0" in told
    assert f"ghapp_spend_unpriced_tokens_four_weeks{{{label}}} 50.0" in told
    assert "contract" not in told
    connected = f'installation="{home}",vendor="cursor"'
    assert f"ghapp_vendor_connection_problem{{{connected}}} 0.0" in text
    key = ReportKey(home, "cursor", "spend")
    identities = [UsageIdentity(IdentityKind.EMAIL, f"{n}@example.com") for n in range(5)]
    amounts = [
        VendorAmount(product="", billed=7, list_price=None, currency="EUR", identity=one)
        for one in identities
    ]
    place.store.vendors.replace_day(key, sunday, [], amounts, through=sunday, now=NOW)
    billed = f'currency="EUR",installation="{home}",report="spend",vendor="cursor"'
    assert (
        f"ghapp_spend_billed_micros_four_weeks{{{billed}}} 35.0" in render(place.services).decode()
    )
    place.close()


def _spend_of(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.startswith("ghapp_spend_"))


def test_the_dashboard_asks_for_what_is_there(figures: str) -> None:
    board = json.loads(DASHBOARD.read_text("utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [one["query"]["query"] for one in board["templating"]["list"] if "datasource" in one]
    there = set(re.findall(r"^# TYPE (\w+) gauge$", figures, re.MULTILINE))
    named = {name for expression in asked for name in re.findall(r"ghapp_\w+", expression)}
    assert named
    assert named <= there
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_dashboard_filters_by_labels_that_are_there(figures: str) -> None:
    text = DASHBOARD.read_text("utf-8").replace('\\"', '"')
    for name, filters in re.findall(r"(ghapp_\w+)\{([^}]*)\}", text):
        wanted = set(re.findall(r"(\w+)=", filters))
        samples = re.findall(rf"^{name}\{{(.*)\}} ", figures, re.MULTILINE)
        for sample in samples:
            assert wanted <= set(re.findall(r"(\w+)=", sample))
