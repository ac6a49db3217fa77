"""Every answer carries the security headers."""

from flask.testing import FlaskClient


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
