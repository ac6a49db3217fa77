"""A repository at the sandbox with the app installed, and what was asked of it over HTTP."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ghapp.demo.sandbox import Exchange, HubLimits, HubPull, Sandbox
from ghapp.demo.sandbox.git_backend import Content
from ghapp.github.app_auth import AppAuth, AppIdentity
from ghapp.github.client import ClientPauses, GitHub
from tests.openapi.validate import exchange_problems

START = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
PREFIX = "/api/v3"
"""As on an Enterprise Server, so that every request is tried below a path."""

Files = Mapping[str, Content]


class Clock:
    """A clock that a test sets; the sandbox and the app share it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Return the time that is set."""
        return self.now


def assert_good_manners(place: "Place") -> None:
    """Demand that nothing was asked or answered that GitHub's own description does not know."""
    assert place.sandbox.violations == []
    problems = [found for one in place.sandbox.exchanges for found in exchange_problems(one)]
    assert not problems, problems


class Place:
    """One app, one installation, one private repository ``acme/app``; over HTTP on loopback."""

    def __init__(self, root: Path, limits: HubLimits | None = None) -> None:
        self.clock = Clock()
        self.cache = root / "cache"
        self.waits: list[float] = []
        self.sandbox = Sandbox(root / "hub", clock=self.clock, limits=limits, prefix=PREFIX)
        self.app = self.sandbox.register_app()
        self.repository = self.sandbox.add_repository("acme", "app")
        self.installation = self.sandbox.install(self.app.app, "acme")
        self.auth = self.new_auth()
        self.github = self.new_github()

    def close(self) -> None:
        """Stop serving."""
        self.github.close()
        self.sandbox.close()

    @property
    def identity(self) -> AppIdentity:
        """Return who the app is."""
        return AppIdentity(
            app_id=self.app.app.id,
            private_key=self.app.private_key,
            issuer=self.app.app.client_id,
            base_url=self.sandbox.api_url,
        )

    def new_auth(self) -> AppAuth:
        """Return the app as a process that has just started sees itself."""
        return AppAuth(self.identity, clock=self.clock, sleep=self.waits.append)

    def new_github(self) -> GitHub:
        """Return GitHub as a new job gets it; waits are noted and not waited."""
        return GitHub(
            self.auth,
            installation_id=self.installation.id,
            repository_id=self.repository.id,
            pauses=ClientPauses(sleep=self.waits.append, jitter=lambda: 0.0),
        )

    def play(self, kind: str, route: str = "*", method: str = "*", **members: object) -> None:
        """Let something go wrong from now on, on routes of that pattern."""
        self.sandbox.play({"kind": kind, "route": route, "method": method, **members})

    def merged(self, files: Files, *, base: Files | None = None, by: str = "squash") -> HubPull:
        """Make a pull request of ``files`` onto a base that has ``base``, and merge it."""
        if base is not None:
            self.sandbox.commit(self.repository, base)
        pull = self.sandbox.open_pull(self.repository, files=files, title="Add something")
        self.clock.now += timedelta(minutes=1)
        self.sandbox.merge(pull, method=by)
        return pull

    def sent(self, method: str = "*", end: str = "") -> list[Exchange]:
        """Return the requests so far, of one method and with routes that end so."""
        return [
            one
            for one in self.sandbox.exchanges
            if method in {"*", one.method} and (one.template or "").endswith(end)
        ]
