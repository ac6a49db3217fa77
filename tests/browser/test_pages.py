"""The pages as a browser shows them: nothing grave for axe, no other host, no lost width."""

from typing import Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import pages_of, signed_in
from tests.web.place import Place

ORGANIZATION, SHOP = "/organizations/acme", "/repositories/acme/shop"
STATES = {
    "sorted": f"{SHOP}/pulls?verdict=assisted&sort=share",
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
