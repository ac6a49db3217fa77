"""Every refusal and every failure is JSON for a program, and a page for a browser."""

from flask.testing import FlaskClient

from ghapp.bootstrap import Services
from ghapp.store import DatabaseUnavailable
from ghapp.web.app import create_app


def test_errors_are_json_and_say_what_is_wrong(client: FlaskClient) -> None:
    missing, wrong = client.get("/nowhere"), client.get("/webhooks/github")
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert missing.json is not None
    assert missing.json["error"]
    assert "POST" in wrong.headers["Allow"]


def test_a_browser_is_told_on_a_page_what_a_program_is_told_in_json(client: FlaskClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = client.get("/nowhere", headers=browser)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "Page not found" in page.text
    for path in ("/api/nowhere", "/webhooks/nowhere"):
        assert client.get(path, headers=browser).mimetype == "application/json"


def test_a_database_that_is_away_is_no_fault_of_the_page(services: Services) -> None:
    app = create_app(services)

    @app.get("/away")
    def away() -> None:
        raise DatabaseUnavailable("postgresql://host: secret details")

    answer = app.test_client().get("/away")
    assert answer.status_code == 503
    assert "secret details" not in answer.text
