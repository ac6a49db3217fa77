"""The set-up page: who may enter, what GitHub is asked, and what is kept of its answer."""

import html
import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ghapp.demo.sandbox import Sandbox
from ghapp.demo.sandbox.state import PendingManifest
from ghapp.settings import Settings, write_credentials
from ghapp.web.registration import NewCredentials, app_file, read_app_file, to_settings
from ghapp.web.setup import SetUp, create_setup_app

TOKEN = "printed at the start"
PUBLIC = "https://auditor.example"
FORM = {"name": "Our Auditor", "public_url": PUBLIC, "organization": "acme"}
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "github") as started:
        yield started


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture
def client(sandbox: Sandbox, data: Path) -> FlaskClient:
    def keep(credentials: NewCredentials, public_url: str) -> None:
        write_credentials(data, to_settings(credentials, public_url))

    setup = SetUp(
        app_file=app_file(),
        api_url=sandbox.api_url,
        web_url=sandbox.web_url,
        public_url=None,
        token=TOKEN,
    )
    return create_setup_app(setup, keep).test_client()


def sent_to_github(page: TestResponse) -> tuple[str, dict[str, object]]:
    """Return the state and the manifest that the page's form takes to GitHub."""
    action = re.search(r'<form method="post" action="([^"]+)"', page.text)
    manifest = re.search(r'name="manifest" value="([^"]+)"', page.text)
    assert action is not None
    assert manifest is not None
    parts = urlsplit(html.unescape(action[1]))
    assert parts.path == "/organizations/acme/settings/apps/new"
    return parse_qs(parts.query)["state"][0], json.loads(html.unescape(manifest[1]))


def code_for(sandbox: Sandbox, manifest: dict[str, object]) -> str:
    """Play the person who presses GitHub's button."""
    owner = sandbox.organization("acme")
    sandbox.world.manifests["code-1"] = PendingManifest(manifest, owner, sandbox.world.now())
    return "code-1"


def test_an_app_is_registered_and_its_credentials_kept(
    client: FlaskClient, sandbox: Sandbox, data: Path
) -> None:
    assert client.get("/").status_code == 200
    page = client.post("/setup", data=FORM)
    assert sandbox.web_url in page.headers["Content-Security-Policy"]
    state, manifest = sent_to_github(page)
    code = code_for(sandbox, manifest)
    done = client.get("/setup/callback", query_string={"code": code, "state": state})
    assert done.status_code == 200
    assert "/installations/new" in done.text

    kept = data / "credentials.env"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    settings = Settings.from_environment({"GHAPP_DATA_DIR": str(data)})
    (app,) = sandbox.world.apps.values()
    assert settings.app is not None
    assert settings.app.app_id == app.id
    assert settings.app.webhook_secrets == (app.webhook_secret,)
    assert settings.public_url == PUBLIC
    assert app.webhook_url == f"{PUBLIC}/webhooks/github"


def test_the_manifest_asks_for_what_app_yml_says(client: FlaskClient) -> None:
    _, manifest = sent_to_github(client.post("/setup", data=FORM))
    described = read_app_file(app_file())
    assert manifest["default_permissions"] == described["default_permissions"]
    assert manifest["default_events"] == described["default_events"]
    assert manifest["public"] is False
    assert manifest["redirect_url"] == "http://localhost/setup/callback"


@pytest.mark.parametrize("state", ["", "1.2.3.4", "tampered"])
def test_a_registration_that_was_not_started_here_is_refused(
    client: FlaskClient, sandbox: Sandbox, data: Path, state: str
) -> None:
    good, manifest = sent_to_github(client.post("/setup", data=FORM))
    code = code_for(sandbox, manifest)
    wrong = good[:-1] + ("0" if good[-1] != "0" else "1") if state == "tampered" else state
    answer = client.get("/setup/callback", query_string={"code": code, "state": wrong})
    assert answer.status_code == 400
    assert not (data / "credentials.env").exists()


def test_another_browser_cannot_end_what_this_one_began(
    client: FlaskClient, sandbox: Sandbox, data: Path
) -> None:
    state, manifest = sent_to_github(client.post("/setup", data=FORM))
    other = client.application.test_client()
    query = {"code": code_for(sandbox, manifest), "state": state}
    assert other.get("/setup/callback", query_string=query).status_code == 400
    assert not (data / "credentials.env").exists()


def test_a_code_that_github_does_not_know_is_said(client: FlaskClient) -> None:
    state, _ = sent_to_github(client.post("/setup", data=FORM))
    answer = client.get("/setup/callback", query_string={"code": "used", "state": state})
    assert answer.status_code == 502
    assert "once, for an hour" in answer.text


def test_only_this_machine_or_the_token_opens_it(client: FlaskClient) -> None:
    assert client.get("/", environ_base=ELSEWHERE).status_code == 403
    assert client.get("/?token=guessed", environ_base=ELSEWHERE).status_code == 403
    assert client.get(f"/?token={TOKEN}", environ_base=ELSEWHERE).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Host": "rebound.example"}, {"X-Forwarded-For": "127.0.0.1"}],
    ids=["host", "proxy"],
)
def test_a_name_or_a_proxy_does_not_make_it_this_machine(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    assert client.get("/", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"public_url": "auditor.example"}, "is not an address"),
        ({"public_url": "http://auditor.example"}, "is not encrypted"),
        ({"public_url": f"{PUBLIC}/audits"}, "has a path"),
        ({"public_url": "http://127.0.0.1:8080"}, "own, where GitHub"),
        ({"name": ""}, "The name has 0 characters"),
        ({"name": "x" * 35}, "The name has 35 characters"),
        ({"organization": "acme/../x"}, "give its login"),
    ],
)
def test_a_form_that_cannot_work_comes_back_and_says_why(
    client: FlaskClient, change: dict[str, str], said: str
) -> None:
    page = client.post("/setup", data={**FORM, **change})
    assert (page.status_code, page.mimetype) == (400, "text/html")
    assert said in html.unescape(page.text)
    # What was right need not be typed again, and nothing of it can be sent to GitHub.
    assert 'value="Our Auditor"' in page.text or "name" in change
    assert 'name="manifest"' not in page.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html"])
def test_an_empty_form_is_answered_with_a_page(client: FlaskClient, accept: str) -> None:
    page = client.post("/setup", data={}, headers={"Accept": accept})
    assert (page.status_code, page.mimetype) == (400, "text/html")
    assert "The public address is empty" in page.text


def test_what_the_page_takes_is_what_the_settings_take(client: FlaskClient, data: Path) -> None:
    for public in (PUBLIC, f"{PUBLIC}/", f" {PUBLIC}:8443 "):
        _, manifest = sent_to_github(client.post("/setup", data={**FORM, "public_url": public}))
        given = {"GHAPP_DATA_DIR": str(data), "GHAPP_PUBLIC_URL": str(manifest["url"])}
        read = Settings.from_environment(given, app_required=False)
        assert read.public_url == manifest["url"] == public.strip().rstrip("/")


def test_github_takes_what_app_yml_asks_for(client: FlaskClient, sandbox: Sandbox) -> None:
    page = client.post("/setup", data=FORM)
    state, manifest = sent_to_github(page)
    address = f"{sandbox.web_url}/organizations/acme/settings/apps/new?state={state}"
    sent = {"manifest": json.dumps(manifest)}
    answer = requests.post(address, data=sent, timeout=60, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    assert sandbox.violations == []


@pytest.mark.parametrize("token", ["é", "\0", "%ED%B2%80", "a" * 5_000])
def test_a_token_of_any_letters_is_a_wrong_one(client: FlaskClient, token: str) -> None:
    assert client.get(f"/?token={token}", environ_base=ELSEWHERE).status_code == 403
    client.set_cookie("setup", "é.é.é", domain="localhost")
    assert client.get("/", environ_base=ELSEWHERE).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1234"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({}, 200),
    ],
)
def test_a_form_of_another_site_registers_nothing(
    client: FlaskClient, headers: dict[str, str], status: int
) -> None:
    assert client.post("/setup", data=FORM, headers=headers).status_code == status
    with_token = client.post("/setup", data={**FORM, "token": TOKEN}, headers=headers)
    assert with_token.status_code == 200
