"""What an address asks for: read, said on the page, and kept by its links."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import BadRequest

from ghapp.attribution.model import Verdict
from ghapp.summaries.selection import TimeGrain
from ghapp.web.pages.filters import PageQuery, asked_for, carried, elsewhere, here
from tests.web.pages.figures import parsed
from tests.web.pages.reading import Read
from tests.web.pages.year import documents
from tests.web.place import Place

ORGANIZATION = "/organizations/acme"


SHOP = "/repositories/acme/shop"


def test_a_filter_is_said_and_can_be_taken_out(admin: FlaskClient, place: Place) -> None:
    answer = admin.get(f"{SHOP}/pulls?verdict=no_evidence")
    assert "Remove filter: no evidence" in answer.text
    none = [one for one in documents(place, "acme/shop") if one.verdict is Verdict.NO_EVIDENCE]
    shown = [link for link in Read(answer.text).links if "/pull/" in link]
    assert len(shown) == len(none)
    assert f"{SHOP}/pulls" in Read(answer.text).links


@pytest.mark.parametrize(
    "wrong",
    ["since=yesterday", "grain=hour", "share_from=101", "verdict=guilty", "sort=author"],
)
def test_an_address_that_means_nothing_is_refused_with_what_to_write(
    admin: FlaskClient, wrong: str
) -> None:
    answer = admin.get(f"{ORGANIZATION}?{wrong}", headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert "; give " in answer.text


def test_a_filter_is_said_in_words_and_a_name_as_it_is(admin: FlaskClient) -> None:
    asked = "verdict=not_assisted&agent=claude-code&path=src/my_module"
    page = parsed(admin.get(f"{SHOP}/pulls?{asked}").text)
    (on,) = (one for one in page.all("p") if one.is_a("on"))
    said = [one.attributes["aria-label"] for one in on.all("a")]
    assert said == [
        f"Remove filter: {words}"
        for words in ("with Claude Code", "not assisted", "in src/my_module")
    ]


def test_narrowing_down_keeps_how_a_page_is_looked_at(admin: FlaskClient) -> None:
    asked = "grain=day&board=lines&share_from=10&share_to=90&agent=codex"
    page = admin.get(f"{ORGANIZATION}?{asked}").text
    (form,) = (one for one in parsed(page).all("form") if one.is_a("filters"))
    given = {one.attributes["name"]: one.attributes.get("value") for one in form.all("input")}
    kept = {"grain": "day", "board": "lines", "share_from": "10", "share_to": "90"}
    assert {name: given.get(name) for name in kept} == kept
    names = [one.attributes["name"] for one in form.all("input", "select")]
    assert len(names) == len(set(names))


# --- read and linked, without a page --------------------------------------------------------------

APP = Flask("filters")
APP.add_url_rule("/list/<name>", "list", lambda **_: "")
APP.add_url_rule("/other/<name>", "other", lambda **_: "")
TODAY = date(2026, 5, 20)


@contextmanager
def at(query: str) -> Iterator[PageQuery]:
    """Read an address, and stay at it."""
    with APP.test_request_context(f"/list/shop?{query}"):
        APP.preprocess_request()
        yield asked_for((1,), TODAY)


def test_without_days_a_page_covers_a_year_up_to_the_last_day() -> None:
    for query, since, until in (
        ("", date(2025, 5, 21), TODAY),
        ("until=2026-01-01", date(2025, 1, 2), date(2026, 1, 1)),
        ("since=2026-01-01", date(2026, 1, 1), TODAY),
        ("since=+&until=", date(2025, 5, 21), TODAY),
    ):
        with at(query) as wanted:
            assert (wanted.selection.since, wanted.selection.until) == (since, until)


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("path=/src/app/", "path", "src/app"),
        ("path=///", "path", None),
        ("share_from=50", "share_from", 0.5),
        ("share_to=0", "share_to", 0.0),
        ("author=+ann+", "author", "ann"),
        ("team=", "team", None),
    ],
)
def test_a_filter_is_read(query: str, name: str, value: object) -> None:
    with at(query) as wanted:
        assert getattr(wanted.selection, name) == value


@pytest.mark.parametrize(
    "query", ["share_from=nan", "share_to=-1", "since=2026-02-30", "board=size", "state=open"]
)
def test_what_means_nothing_is_refused_by_its_name(query: str) -> None:
    with pytest.raises(BadRequest) as refused, at(query):
        pytest.fail("it was read")
    name, _, value = query.partition("=")
    assert f"{name} in the address is '{value}'; give " in str(refused.value.description)


def test_a_link_changes_some_of_the_address_and_forgets_the_place_in_a_list() -> None:
    with at("team=a+b&grain=day&after=k&author="):
        assert here(grain="week") == "/list/shop?team=a+b&grain=week"
        assert here(team=None) == "/list/shop?grain=day"
        assert elsewhere("other", name="app") == "/other/app?team=a+b&grain=day&after=k"
        assert list(carried("grain")) == [("team", "a b")]


def test_each_span_is_a_link_and_the_present_one_is_marked() -> None:
    with at("since=2026-04-21&until=2026-05-20&team=a") as wanted:
        spans = {words: (address, is_now) for words, address, is_now in wanted.spans}
    assert [words for words, (_, is_now) in spans.items() if is_now] == ["Last 30 days"]
    assert spans["Last quarter"][0] == "/list/shop?since=2026-01-01&until=2026-03-31&team=a"
    with at("grain=month") as wanted:
        assert [is_now for *_, is_now in wanted.grains] == [False, False, True]


@pytest.mark.parametrize(
    ("query", "shown", "said"),
    [
        ("grain=day", TimeGrain.WEEK, "By week: so many days cannot be read day by day."),
        ("grain=day&since=2026-02-18", TimeGrain.DAY, None),
        ("grain=day&since=2026-02-17", TimeGrain.WEEK, "By week: so many days"),
        ("grain=week&since=2020-01-01", TimeGrain.MONTH, "By month: so many days"),
        ("since=2020-01-01", TimeGrain.MONTH, None),
        ("grain=month", TimeGrain.MONTH, None),
    ],
)
def test_many_days_are_drawn_by_week_or_month_and_it_is_said(
    query: str, shown: TimeGrain, said: str | None
) -> None:
    with at(query) as wanted:
        assert wanted.grain is shown
        assert (wanted.coarser is None) == (said is None)
        assert (wanted.coarser or "").startswith(said or "")


def test_each_filter_is_said_and_leads_to_the_page_without_it() -> None:
    with at("agent=codex&verdict=no_evidence&share_from=5") as wanted:
        assert wanted.filters == [
            ("agent", "with Codex", "/list/shop?verdict=no_evidence&share_from=5"),
            ("verdict", "no evidence", "/list/shop?agent=codex&share_from=5"),
            ("share_from", "share from 5%", "/list/shop?agent=codex&verdict=no_evidence"),
        ]


def test_an_export_asks_for_what_the_page_selects() -> None:
    with at("share_from=50&path=src/&sort=share") as wanted:
        address = urlsplit(wanted.exported("other"))
    assert address.path == "/other/shop"
    assert parse_qs(address.query) == {
        "since": ["2025-05-21"],
        "until": ["2026-05-20"],
        "share_from": ["0.5"],
        "path": ["src"],
    }
