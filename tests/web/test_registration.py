"""The manifest flow's parts: what GitHub's form is given, and what its answer becomes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ghapp.demo.sandbox import Sandbox
from ghapp.demo.sandbox.state import PendingManifest
from ghapp.github.transport import check_base_url
from ghapp.settings import Settings
from ghapp.web.registration import (
    LONGEST_NAME,
    RegistrationError,
    app_file,
    convert,
    form_address,
    manifest,
    read_app_file,
    to_settings,
)

APP = {"name": "Auditor", "default_permissions": {"contents": "read"}, "default_events": ["push"]}
PUBLIC = "https://auditor.example"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("github")) as started:
        yield started


def made(**changed: str) -> dict[str, object]:
    given = {"name": "Auditor", "public_url": PUBLIC, "redirect_url": f"{PUBLIC}/back", **changed}
    found: dict[str, object] = json.loads(manifest(APP, **given))
    return found


def test_the_apps_own_file_is_there_and_whole() -> None:
    assert read_app_file(app_file())["default_events"]


def test_a_file_that_lacks_something_says_what(tmp_path: Path) -> None:
    path = tmp_path / "app.yml"
    path.write_text("name: Auditor\n")
    with pytest.raises(RegistrationError, match="lacks default_events, default_permissions"):
        read_app_file(path)


def test_addresses_are_below_the_public_one_and_the_app_is_private_unless_it_says_so() -> None:
    found = made(public_url=f"{PUBLIC}/")
    assert found["hook_attributes"] == {"url": f"{PUBLIC}/webhooks/github", "active": True}
    assert found["callback_urls"] == [f"{PUBLIC}/login/callback"]
    assert (found["public"], found["description"]) == (False, "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"public_url": "auditor.example"},
        {"public_url": ""},
        {"public_url": "http://auditor.example"},
        {"public_url": "https://auditor.example/audits"},
        {"public_url": "https://ann:word@auditor.example"},
        {"public_url": "https://auditor.example?x=1"},
        {"public_url": "http://127.0.0.1:8080"},
        {"public_url": "https://localhost"},
        {"public_url": "https://[::1]:8443"},
        {"name": ""},
    ],
)
def test_a_name_or_an_address_that_cannot_work_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(RegistrationError):
        made(**wrong)


def test_a_name_may_be_as_long_as_github_allows() -> None:
    assert made(name="x" * LONGEST_NAME)
    with pytest.raises(RegistrationError, match="35 characters"):
        made(name="x" * (LONGEST_NAME + 1))


@pytest.mark.parametrize(
    ("organization", "path"),
    [(None, ""), ("acme", "organizations/acme/"), ("a/../b", "organizations/a%2F..%2Fb/")],
)
def test_the_form_goes_to_who_will_own_the_app(organization: str | None, path: str) -> None:
    address = form_address("https://github.com/", organization, "a&b=c")
    assert address == f"https://github.com/{path}settings/apps/new?state=a%26b%3Dc"


def test_a_code_becomes_credentials_once_that_are_settings(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    waiting = PendingManifest(made(), sandbox.organization("acme"), sandbox.world.now())
    sandbox.world.manifests["code-1"] = waiting
    found = convert(sandbox.api_url, "code-1")
    for secret in (found.client_secret, found.webhook_secret):
        assert secret
    given = {"GHAPP_DATA_DIR": str(tmp_path), **to_settings(found, f"{PUBLIC}/")}
    settings = Settings.from_environment(given)
    assert settings.app is not None
    assert (settings.app.app_id, settings.public_url) == (found.id, PUBLIC)
    with pytest.raises(RegistrationError, match="a code works once"):
        convert(sandbox.api_url, "code-1")


def test_where_nobody_answers_the_person_is_told_to_try_again() -> None:
    with pytest.raises(RegistrationError, match=r"did not answer .* try again"):
        convert("http://127.0.0.1:1", "code")


def test_a_code_is_sent_to_no_unsafe_address() -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - as the check itself raises it
        check_base_url("http://github.example")
    with pytest.raises(type(refused.value)):
        convert("http://github.example", "code")
