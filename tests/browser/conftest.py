"""A browser, and the app served to it with some weeks of the demo's data."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from werkzeug.serving import make_server

from tests.browser.chromium import MISSING, OPTIONS, find
from tests.web.pages.year import place_with_a_year
from tests.web.place import Place

OPERATOR_TOKEN = "4f0d9a7be21c83556d10"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Yield a real browser; where there is none, CI fails and a person is told what is missing."""
    path = find()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Yield the app with the demo's repositories, which the admin may read."""
    made = place_with_a_year(tmp_path_factory, GHAPP_OPERATOR_TOKEN=OPERATOR_TOKEN)
    yield made
    made.close()


@pytest.fixture(scope="session")
def address(place: Place) -> Iterator[str]:
    """Yield where the app is served, on this machine only."""
    server = make_server("127.0.0.1", 0, place.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def signed_in(
    browser: Browser, place: Place, address: str, *, scheme: str = "light", width: int = 1280
) -> Iterator[BrowserContext]:
    """Yield a window of the admin's, in a color scheme and of a width in pixels."""
    cookie = place.signed_in("admin").get_cookie("login")
    assert cookie is not None
    window = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="Europe/Berlin",
    )
    window.add_cookies([{"name": "login", "value": cookie.value, "url": address}])
    yield window
    window.close()
