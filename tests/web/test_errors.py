"""Every refusal and every failure is JSON for a program, and a page for a browser."""

import pytest
import structlog
from flask.testing import FlaskClient

from ghapp.bootstrap import Services
from ghapp.store import DatabaseUnavailable
from ghapp.web.app import create_app
from ghapp.web.errors import problem, told


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


@pytest.mark.parametrize("wanted", ["text/html", "application/json"])
def test_what_failed_on_our_side_is_in_the_log_only(services: Services, wanted: str) -> None:
    app = create_app(services)

    @app.get("/fails")
    def fails() -> None:
        raise ValueError("/home/maria: secret details")

    structlog.reset_defaults()  # so that there is a log
    with structlog.testing.capture_logs() as lines:
        answer = app.test_client().get("/fails", headers={"Accept": wanted})
    assert (answer.status_code, answer.mimetype) == (500, wanted)
    assert "secret details" not in answer.text
    assert [(one["event"], str(one["exc_info"])) for one in lines] == [
        ("request_failed", "/home/maria: secret details")
    ]


def test_an_error_has_members_for_programs_and_a_headline_for_people(services: Services) -> None:
    app = create_app(services)
    with app.test_request_context("/"):
        answer = problem(409, "said <b>", code="busy")
    assert (answer.status_code, answer.get_json()) == (409, {"error": "said <b>", "code": "busy"})
    with app.test_request_context("/", headers={"Accept": "text/html"}):
        page = told(418, "said <b>", "I'm a teapot")
    assert page.status_code == 418
    assert "I&#39;m a teapot" in page.get_data(as_text=True)
    assert "&lt;b&gt;" in page.get_data(as_text=True)
