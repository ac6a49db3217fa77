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
ALWAYS = (
    ("Content-Security-Policy", _USUAL_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
"""On every answer that does not set them itself."""
NOT_STORED = ("Cache-Control", "no-store")
ENCRYPTED_ONLY = ("Strict-Transport-Security", f"max-age={ONE_YEAR}")


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
    # Each look-up in headers goes through all of them, so look once: this is on every answer.
    present = {name.lower() for name in headers.keys()}  # noqa: SIM118 - not a dictionary
    wanted = list(ALWAYS)
    if request.endpoint != "static":
        wanted.append(NOT_STORED)
    if request.is_secure:
        wanted.append(ENCRYPTED_ONLY)
    for name, value in wanted:
        if name.lower() not in present:
            headers.add(name, value)
    return response
