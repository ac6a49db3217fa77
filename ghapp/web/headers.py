"""The security headers of every answer."""

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'{more}"
)
"""Nothing inline and nothing from another host; ``more`` is an origin that a form may post to."""
_USUAL_POLICY = CONTENT_SECURITY_POLICY.format(more="")
ONE_YEAR = 31_536_000
"""In seconds."""


def add_headers(app: Flask) -> None:
    """Add the headers to every answer of the application."""
    app.after_request(_harden)


def content_security_policy(form_action: str | None = None) -> str:
    """Return the policy; ``form_action`` is one more origin that the page's form may post to."""
    if form_action is None:
        return _USUAL_POLICY
    return CONTENT_SECURITY_POLICY.format(more=f" {form_action}")


def _harden(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", content_security_policy())
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={ONE_YEAR}")
    return response
