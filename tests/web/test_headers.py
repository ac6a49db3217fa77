"""Every answer carries the security headers."""

from flask import Flask, Response
from flask.testing import FlaskClient

from ghapp.web.headers import add_headers, content_security_policy


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/", "/healthz", "/nowhere", "/static/ghapp.css"):
        with client.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Strict-Transport-Security" not in headers
    assert "Strict-Transport-Security" in client.get("/", base_url="https://app.example").headers


def test_only_files_that_never_change_may_be_kept(client: FlaskClient) -> None:
    assert client.get("/").headers["Cache-Control"] == "no-store"
    with client.get("/static/ghapp.css") as answer:
        assert answer.headers["Cache-Control"] != "no-store"


def test_a_route_may_say_something_else_itself() -> None:
    app = Flask("app")
    add_headers(app)
    own = {"Cache-Control": "public, max-age=3600", "X-Frame-Options": "SAMEORIGIN"}
    app.add_url_rule("/", "own", lambda: Response("x", headers=own))
    headers = app.test_client().get("/").headers
    assert {name: headers[name] for name in own} == own
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_form_may_post_to_one_more_origin() -> None:
    assert content_security_policy().endswith("form-action 'self'")
    more = content_security_policy("https://github.com")
    assert more.endswith("form-action 'self' https://github.com")
