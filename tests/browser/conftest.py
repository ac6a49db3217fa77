"""A browser, and the app served to it with some weeks of the demo's data."""

import os
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Route, sync_playwright
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

from ghapp.reports.harmless import LONGEST, visible
from ghapp.web.app import create_app
from tests.browser.chromium import MISSING, OPTIONS, find
from tests.web.pages.year import place_with_a_year
from tests.web.place import Place

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

OPERATOR_TOKEN = "4f0d9a7be21c83556d10"
OF_OPERATOR = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
LONG = 100
"""Characters of a repository's longest name on GitHub, and here of every name."""
VALUES = {"organization": "acme", "owner": "acme", "name": "shop", "number": "9"}
"""What stands in a route's places; any other is 1."""
FORMS = {
    "/settings/tokens": {"label": "for the dashboard", "days": "90"},
    "/organizations/acme/settings/tokens": {"label": "for all", "days": "90"},
    "/organizations/acme/settings/weekly": {"webhook": "https://letters.example/acme"},
    "/organizations/acme/settings/budgets": {
        "of": "team",
        "name": "Payments",
        "dollars": "900",
        "basis": "list",
    },
    "/repositories/acme/shop/replays": {},
}
"""What the admin sends so that pages have rows which the demo's year leaves out, by address."""
QUERIES = {"pages.file": "?path=shop/orders/visit_resolve.py"}
"""What a page cannot do without, by its endpoint."""
NO_PAGES = {"static", "badge.shown", "collector.wheel"}
"""Endpoints of files and pictures."""


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
    admin = made.signed_in("admin")
    for path, fields in FORMS.items():
        answer = admin.post(path, data=made.form_of(admin, **fields))
        assert answer.status_code in {201, 303}, answer.text
    yield made
    made.close()


@pytest.fixture(scope="session")
def address(place: Place) -> Iterator[str]:
    """Yield where the app is served, on this machine only."""
    with _served(place.app) as url:
        yield url


@pytest.fixture(scope="session")
def address_of_long_names(place: Place) -> Iterator[str]:
    """Yield where the same data is served, with 100 characters in each name that is shown."""
    with _served(_with_long_names(place)) as url:
        yield url


@contextmanager
def _served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, _answering_whole(app), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _answering_whole(app: Flask) -> "WSGIApplication":
    """Return the app with its answers closed at once.

    werkzeug's server leaves an answer's file open if the browser resets the connection while the
    server drains it, and a warning of it would fail whichever test runs then.
    """

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        parts, status, headers = run_wsgi_app(app, environ, buffered=True)
        start_response(status, list(headers))
        return parts

    return answer


def _with_long_names(place: Place) -> Flask:
    """Return the app whose templates write long names.

    What others named goes through the filter ``visible``, but for the names that GitHub checks.
    """
    app = create_app(place.services)
    full = [one.full_name for one in place.store.installations.repositories()]
    checked = {name for one in full for name in (one, *one.split("/"))} | {"admin"}

    def longer(name: object) -> object:
        return _long(name) if isinstance(name, str) and name in checked else name

    def shown(text: str, longest: int = LONGEST) -> str:
        return visible(_long(text), longest)

    app.jinja_env.finalize = longer
    app.jinja_env.filters["visible"] = app.jinja_env.filters["agent"] = shown
    return app


def _long(name: str) -> str:
    return name.ljust(LONG, "m")


def pages_of(place: Place) -> dict[str, str]:
    """Return the address of every page of the app by its rule, found by asking each route."""
    browser = place.signed_in("admin")
    headers = {"Accept": "text/html", **OF_OPERATOR}
    found = {}
    for rule in place.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in NO_PAGES:
            continue
        path = re.sub(r"<(?:[^<>:]+:)?(\w+)>", lambda one: VALUES.get(one[1], "1"), rule.rule)
        path += QUERIES.get(rule.endpoint, "")
        answer = browser.get(path, headers=headers)
        is_page = answer.mimetype == "text/html" and not answer.headers.get("Content-Disposition")
        # What takes nothing from its path answers a person here, or only GitHub.
        assert answer.status_code < 400 or not (is_page and rule.arguments), f"{path}: see VALUES"
        if is_page and answer.status_code == 200:
            found[rule.rule] = path
    return found


def _as_operator(route: Route) -> None:
    route.continue_(headers={**route.request.headers, **OF_OPERATOR})


@contextmanager
def signed_in(
    browser: Browser, place: Place, address: str, *, scheme: str = "light", width: int = 1280
) -> Iterator[BrowserContext]:
    """Yield a window of the admin's, who is the operator, too."""
    cookie = place.signed_in("admin").get_cookie("login")
    assert cookie is not None
    window = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="Europe/Berlin",
    )
    # Only there: everywhere else a token in the header would be asked who it is.
    window.route("**/operator", _as_operator)
    window.add_cookies([{"name": "login", "value": cookie.value, "url": address}])
    yield window
    window.close()
