"""The pages as a browser shows them: nothing grave for axe, no other host, no lost width."""

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import pages_of, signed_in
from tests.web.laws.organizations import make_organization, make_pulls
from tests.web.place import Place

ORGANIZATION, SHOP = "/organizations/acme", "/repositories/acme/shop"
LATE = "since=2026-04-28&until=2026-05-20"
"""Days that have as many with pull requests before them."""
STATES = {
    "sorted": f"{SHOP}/pulls?verdict=assisted&sort=share",
    "changes": f"{ORGANIZATION}/changes?{LATE}",
    "board": f"{ORGANIZATION}/board?quarter=2026-Q2",
    "nothing": f"{ORGANIZATION}?since=2020-01-01&until=2020-01-31",
    "missing": "/repositories/acme/nowhere",
}
"""Pages as no route shows them by itself."""
GRAVE = {"moderate", "serious", "critical"}


COLORS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What a dark scheme can change; all the rest is the same page."""


def faults(page: Page, **only: object) -> list[str]:
    # Off in axe unless asked for: https://www.w3.org/TR/WCAG22/#target-size-minimum
    options = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}, **only}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


@pytest.fixture(scope="module")
def paths(place: Place) -> dict[str, str]:
    """Return the address of every page, by its rule or its state."""
    return pages_of(place) | STATES


@pytest.mark.parametrize(("scheme", "only"), [("light", {}), ("dark", COLORS)])
def test_axe_finds_no_fault_but_small_ones(
    browser: Browser,
    place: Place,
    address: str,
    paths: dict[str, str],
    *,
    scheme: str,
    only: dict[str, object],
) -> None:
    with signed_in(browser, place, address, scheme=scheme) as window:
        page = window.new_page()
        found = {}
        for name, path in paths.items():
            page.goto(address + path)
            found[name] = faults(page, **only)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_a_browser_asks_no_other_host_and_has_no_complaint(
    browser: Browser, place: Place, address: str, paths: dict[str, str]
) -> None:
    with signed_in(browser, place, address) as window:
        page = window.new_page()
        asked, said = set(), []
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        for name, path in paths.items():
            if name != "missing":
                page.goto(address + path)
    assert asked == {urlsplit(address).netloc}
    assert said == []


CUT_OFF = """[...document.querySelectorAll("main .scroll:not(figure *)")]
  .filter((one) => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight)
  .map((one) => one.getAttribute("aria-label"))"""


@pytest.mark.parametrize(("width", "media"), [(390, "screen"), (718, "print")])
def test_a_phone_and_a_sheet_of_paper_show_every_column_and_row(
    browser: Browser,
    place: Place,
    address: str,
    paths: dict[str, str],
    *,
    width: int,
    media: Literal["screen", "print"],
) -> None:
    with signed_in(browser, place, address, width=width) as window:
        page = window.new_page()
        page.emulate_media(media=media)
        hidden = {}
        for name, path in paths.items():
            page.goto(address + path)
            hidden[name] = page.evaluate(CUT_OFF)
    assert {name: tables for name, tables in hidden.items() if tables} == {}


WIDER = """() => {
  const width = document.documentElement.clientWidth
  const held = (one) => one.closest(".scroll, .tabs, pre, svg, .unseen, .skip")
  const out = [...document.querySelectorAll("body *")].filter(
    (one) => !held(one) && one.getBoundingClientRect().right > width + 1)
  const over = document.documentElement.scrollWidth > width
  const outer = out.filter((one) => !out.includes(one.parentElement))
  return over || out.length ? outer.map((one) => one.outerHTML.slice(0, 120)) : null
}"""


def test_no_page_is_wider_than_its_window_whatever_is_named(
    browser: Browser, place: Place, address_of_long_names: str, paths: dict[str, str]
) -> None:
    with signed_in(browser, place, address_of_long_names, width=360) as window:
        page = window.new_page()
        wider = {}
        for name, path in paths.items():
            page.goto(address_of_long_names + path)
            wider[name] = page.evaluate(WIDER)
    assert {name: parts for name, parts in wider.items() if parts is not None} == {}


def test_times_are_the_readers_with_utc_on_hover(
    browser: Browser, place: Place, address: str
) -> None:
    with signed_in(browser, place, address) as window:
        page = window.new_page()
        page.goto(address + f"{SHOP}/pull/9")
        time = page.locator(".head time").first
        utc, shown = time.get_attribute("title") or "", time.inner_text()
    assert utc.endswith(" UTC")
    assert "GMT+2" in shown


def test_a_lead_gets_from_the_organization_to_a_lines_reason_in_four_clicks(
    browser: Browser, place: Place, address: str
) -> None:
    with signed_in(browser, place, address) as window:
        page = window.new_page()
        page.goto(address + ORGANIZATION)
        page.get_by_role("link", name="shop", exact=True).click()
        page.locator("td.title a").first.click()
        page.get_by_role("link", name="Every line of this file, explained").first.click()
        line = page.locator("table.lines tbody tr").nth(1)
        line.locator("a.chip").click()
        reason = urlsplit(page.url).fragment
        assert page.locator(f"#{reason}").inner_text().strip()


QUESTION = re.compile(r"^\| (?P<question>[^|]+\?) \| (?P<clicks>[^|]*)\| \*\*(?P<answer>[^*]+)\*\*")
CODE = re.compile(r"`([^`]+)`")
MOST_CLICKS = 2


def test_each_of_a_leads_ten_questions_is_answered_in_two_clicks(
    browser: Browser, place: Place, address: str
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "pages.md").read_text("utf-8")
    questions = [found for line in text.splitlines() if (found := QUESTION.match(line))]
    assert len(questions) == 10
    # An organization with pull requests on both sides of a quarter's end.
    made = make_organization(place, make_pulls(seed=5, count=150))
    with signed_in(browser, place, address) as window:
        page = window.new_page()
        for one in questions:
            clicks = CODE.findall(one["clicks"])
            assert len(clicks) <= MOST_CLICKS, one["question"]
            page.goto(f"{address}/organizations/{made.account}")
            for link in clicks:
                page.get_by_role("link", name=link, exact=True).click()
            head = page.get_by_role("heading", name=one["answer"], exact=True)
            answer = page.locator("main :is(section, figure)").filter(has=head)
            assert re.search(r"\d", answer.inner_text()), one["question"]
            for export in CODE.findall(one.string[one.end() :]):
                link = answer.get_by_role("link", name=export).get_attribute("href")
                assert (
                    window.request.get(f"{address}{link}")
                    .headers["content-type"]
                    .startswith("text/csv")
                )


PAGES_OF_A_PDF = re.compile(rb"/Type\s*/Page\b")
CROWDED = """() => {
  const body = document.querySelector("table.compared tbody"), row = body.rows[0];
  while (body.rows.length < 10) body.append(row.cloneNode(true));
  for (const one of body.rows) {
    one.cells[0].textContent = "x".repeat(100);
    one.cells[5].textContent = "no difference that can be told from chance (-11.1 to 99.9 points)";
  }
}"""


def test_the_page_for_a_board_is_one_sheet_of_paper(
    browser: Browser, place: Place, address: str
) -> None:
    with signed_in(browser, place, address) as window:
        page = window.new_page()
        page.goto(address + STATES["board"])
        for fill in ("() => null", CROWDED):
            page.evaluate(fill)
            sheet = page.pdf(prefer_css_page_size=True, print_background=True)
            assert len(PAGES_OF_A_PDF.findall(sheet)) == 1


def test_a_bar_leads_to_the_pull_requests_that_it_counts(
    browser: Browser, place: Place, address: str
) -> None:
    with signed_in(browser, place, address) as window:
        page = window.new_page()
        page.goto(f"{address}/organizations/acme?{LATE}")
        bar = page.locator("svg.chart a").first
        said = (bar.text_content() or "").split(": ", 1)[1]
        bar.click()
        count = sum(int(part.split()[0]) for part in said.split(", "))
        assert page.locator("td.title").count() == count


def test_everything_is_reached_by_keyboard(browser: Browser, place: Place, address: str) -> None:
    with signed_in(browser, place, address) as window:
        page = window.new_page()
        page.goto(address + ORGANIZATION)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.closest('main') !== null")
    assert focused
