"""Addresses that comments link to: a route of the app's own answers each."""

from flask import Flask
from msgspec.structs import replace

from ghapp.reports.addresses import page_links
from ghapp.web.app import BLUEPRINTS
from tests.reports.renew import CASES, PUBLIC_URL, read

AUDIT = read(CASES / "provisional")


def test_each_address_is_a_route_of_the_app() -> None:
    app = Flask(__name__)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    links = page_links(PUBLIC_URL, AUDIT)
    routes = app.url_map.bind("auditor.example.com")
    assert routes.match(links.reasons.removeprefix(PUBLIC_URL))[0] == "pages.reasons"
    found, names = routes.match(str(links.pull_request).removeprefix(PUBLIC_URL))
    assert found == "pages.pull_request"
    assert names == {"owner": "acme", "name": "app", "number": 17}


def test_an_audit_of_no_pull_request_or_of_no_real_name_has_no_page() -> None:
    for changed in ({"pull_request": None}, {"repository": None}, {"repository": "acme/a b)"}):
        assert page_links(PUBLIC_URL, replace(AUDIT, **changed)).pull_request is None
