"""A GitHub with people of every kind, and the app's web door before it; who signs in where."""

from datetime import datetime, timedelta
from pathlib import Path

import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ghapp.bootstrap import Services
from ghapp.demo.sandbox import Sandbox
from ghapp.github import user_access, user_auth
from ghapp.settings import Settings
from ghapp.store import Installation, Repository, Store
from ghapp.store.logins import new_cookie
from ghapp.web.access import form_token
from ghapp.web.app import create_app
from tests.databases import make_sqlite
from tests.store.records import document
from tests.web.conftest import NOW, RememberingQueue

PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
}
PEOPLE = ("stranger", "reader", "member", "admin")
"""Who can sign in: may read nothing; reads acme/app; is a member and reads it; owns acme."""

PATIENCE = 60
"""Seconds that GitHub's stand-in may take, also where the app waits for it: a machine on which
everything is tested at once is slow, and that is no fault of the app's."""
for module in (user_access, user_auth):
    module.PATIENCE_SECONDS = PATIENCE


def sign_in(sandbox: Sandbox, browser: FlaskClient, login: str, **query: str) -> TestResponse:
    """Go to GitHub and back as this person would, and return what the app answered then."""
    sandbox.sit_down(login)
    away = browser.get("/login", query_string=query)
    back = requests.get(away.headers["Location"], timeout=PATIENCE, allow_redirects=False)
    return browser.get(back.headers["Location"])


class Clock:
    """A clock that a test sets; the stand-in and the app share it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """Return the time that is set."""
        return self.now

    def pass_by(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


class Place:
    """``acme`` with the private repositories app and secret and the public one open.

    Pull request 17 of acme/app has one audit.
    """

    def __init__(self, root: Path, **settings: str) -> None:
        self.clock = Clock()
        self.sandbox = Sandbox(root / "hub", clock=self.clock)
        registered = self.sandbox.register_app(
            permissions=PERMISSIONS, callback_urls=["http://localhost/login/callback"]
        )
        names = ("app", "secret", "open")
        self.repositories = {
            name: self.sandbox.add_repository("acme", name, private=name != "open")
            for name in names
        }
        self.installed = self.sandbox.install(registered.app, "acme")
        self._let_people_in()
        environment = {
            "GHAPP_DATA_DIR": str(root / "data"),
            "GITHUB_APP_ID": str(registered.app.id),
            "GITHUB_PRIVATE_KEY": registered.private_key,
            "GITHUB_WEBHOOK_SECRETS": registered.app.webhook_secret,
            "GITHUB_CLIENT_ID": registered.app.client_id,
            "GITHUB_CLIENT_SECRET": registered.app.client_secret,
            "GITHUB_API_URL": self.sandbox.api_url,
            "GITHUB_WEB_URL": self.sandbox.web_url,
            "REDIS_URL": "unix:///nowhere/valkey.sock",
        }
        read = Settings.from_environment({**environment, **settings})
        self.settings = read
        make_sqlite(f"sqlite:///{root / 'data' / 'ghapp.sqlite3'}")
        self.store = Store.unmigrated(read.database_url)
        self.services = self.another_process()
        self.app = create_app(self.services)
        self._remember()

    def _let_people_in(self) -> None:
        for login in ("reader", "member"):
            self.sandbox.allow(self.repositories["app"], login, "read")
        for repository in self.repositories.values():
            self.sandbox.allow(repository, "admin", "admin")
        self.sandbox.add_member("acme", "member")
        self.sandbox.add_member("acme", "admin", "admin")

    def _remember(self) -> None:
        account = self.installed.account
        heard = Installation(
            id=self.installed.id,
            account="acme",
            account_id=account.id,
            account_type="Organization",
        )
        self.store.installations.seen(heard, now=NOW)
        for name, repository in self.repositories.items():
            seen = Repository(
                id=repository.id,
                owner="acme",
                name=name,
                installation_id=self.installed.id,
                private=repository.private,
            )
            self.store.installations.repository_seen(seen, now=NOW)
        app = self.repositories["app"].id
        self.store.audits.save(app, 17, document(NOW, repository="acme/app"), now=NOW)

    def another_process(self) -> Services:
        """Return services of their own, over the same database and the same Redis."""
        return Services(
            settings=self.settings,
            store=self.store,
            queue=RememberingQueue(),
            clock=self.clock,
            sleep=lambda _: None,
        )

    def close(self) -> None:
        """Stop everything."""
        self.store.close()
        self.sandbox.close()

    # --- people ---------------------------------------------------------------------------------

    def browser(self) -> FlaskClient:
        """Return a browser in which nobody is signed in."""
        return self.app.test_client()

    def sign_in(self, login: str, browser: FlaskClient | None = None, **query: str) -> FlaskClient:
        """Go to GitHub and back as this person would, and return the browser."""
        browser = browser or self.browser()
        self.returned = sign_in(self.sandbox, browser, login, **query)
        return browser

    def signed_in(self, login: str | None) -> FlaskClient:
        """Return a browser of its own for a person, sent to GitHub only the first time."""
        if login is None:
            return self.browser()
        person = self.store.logins.named(login)
        if person is None or person.sealed is None:
            return self.sign_in(login)
        browser, cookie = self.browser(), new_cookie()
        until = self.clock() + timedelta(days=1)
        self.store.logins.begin(person, cookie, until, now=self.clock())
        browser.set_cookie("login", cookie)
        return browser

    def form_of(self, browser: FlaskClient, **fields: str) -> dict[str, str]:
        """Return a form as the app's own pages send it from this browser."""
        cookie = browser.get_cookie("login")
        headers = {"Cookie": f"login={cookie.value}"} if cookie else {}
        with self.app.test_request_context("/", headers=headers):
            return {"form_token": form_token(), **fields}

    def asked_as(self) -> set[str]:
        """Return as whom GitHub was asked so far."""
        return {one.identity for one in self.sandbox.exchanges}
