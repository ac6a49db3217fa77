"""What an address asks for: read, said on the page, and kept by its links."""

import pytest
from flask.testing import FlaskClient

from ghapp.attribution.model import Verdict
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
