"""A stand-in with one app, one repository, and a client over plain HTTP."""

import http.server
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import requests

from ghapp.demo.sandbox import HubLimits, Sandbox
from ghapp.demo.sandbox.tokens import keys_of

START = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
ALL_PERMISSIONS = {"contents": "read", "pull_requests": "write", "checks": "write"}


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@dataclass
class Received:
    """One webhook as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> str:
        """Return event and action."""
        action = json.loads(self.body).get("action")
        name = self.headers["x-github-event"]
        return f"{name}.{action}" if action else name


@dataclass
class Receiver:
    """A tiny web server that keeps its requests and answers with ``status``."""

    status: int = 202
    received: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start serving on a free port of the loopback."""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(headers, body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
                """Log nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the address that takes webhooks."""
        return f"http://127.0.0.1:{self._server.server_port}/webhook"

    @property
    def events(self) -> list[str]:
        """Return the received webhooks, in order."""
        return [one.event for one in self.received]

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Hub:
    """A stand-in with ``acme/app``, an app installed on it, and a merged pull request."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.clock = Clock()
        self.receiver = Receiver()
        self.sandbox = Sandbox(root / "hub", clock=self.clock, **settings)
        self.registered = self.sandbox.register_app(webhook_url=self.receiver.url)
        self.app = self.registered.app
        self.repository = self.sandbox.add_repository(
            "acme", "app", files={"a.py": "x = 1\n", "docs/old.md": "one\ntwo\nthree\n"}
        )
        self.installation = self.sandbox.install(self.app, "acme")
        self.pull = self.sandbox.open_pull(
            self.repository, files={"b.py": "y = 2\n", "a.py": "x = 1\nz = 3\n"}, title="Add y"
        )
        self.sandbox.merge(self.pull, method="squash")

    def close(self) -> None:
        """Stop both servers."""
        self.sandbox.settle()
        self.sandbox.close()
        self.receiver.close()

    # --- requests ------------------------------------------------------------------------------

    def jwt(self, **claims: object) -> str:
        """Return the app's JWT; ``claims`` replace the usual ones."""
        now = int(self.clock().timestamp())
        usual = {"iat": now - 60, "exp": now + 300, "iss": self.app.client_id}
        return jwt.encode({**usual, **claims}, keys_of(self.app.id).key, algorithm="RS256")

    def token(self, **wanted: Any) -> str:
        """Return an installation token, narrowed as requested."""
        path = f"/app/installations/{self.installation.id}/access_tokens"
        answer = self.ask("POST", path, wanted, token=self.jwt())
        return str(answer.json()["token"])

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request as the app's installation, or with another token."""
        sent = {"Authorization": f"Bearer {token if token is not None else self.own_token}"}
        return requests.request(
            method,
            self.sandbox.api_url + path,
            json=body,
            headers={**sent, **(headers or {})},
            timeout=60,
            allow_redirects=False,
        )

    @property
    def own_token(self) -> str:
        """Return one token for the whole test."""
        if not hasattr(self, "_token"):
            self._token = self.token(permissions=ALL_PERMISSIONS)
        return self._token

    def repo(self, method: str, path: str = "", body: Any = None, **more: Any) -> requests.Response:
        """Send one request below the repository."""
        return self.ask(method, f"/repos/acme/app{path}", body, **more)


def small_limits(**limits: int) -> HubLimits:
    """Return GitHub's limits, some of them lowered."""
    return HubLimits(**limits)
