"""Who may send requests: JWTs, installation tokens, permissions, scope."""

from datetime import timedelta

import jwt
import pytest

from ghapp.demo.sandbox.tokens import KeyPair
from tests.demo.sandbox.hub import START, Hub

NOW = int(START.timestamp())


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": NOW + 700}, "too far in the future"),
        ({"exp": NOW - 1}, "'Expiration time' claim ('exp') must be a numeric value"),
        ({"iat": NOW + 60}, "'Issued at' claim ('iat') must be an Integer"),
    ],
)
def test_a_jwt_with_wrong_times_is_refused(
    hub: Hub, claims: dict[str, object], message: str
) -> None:
    answer = hub.ask("GET", "/app", token=hub.jwt(**claims))
    assert answer.status_code == 401
    assert message in answer.json()["message"]


def test_a_jwt_of_another_key_is_refused(hub: Hub) -> None:
    claims = {"iat": NOW, "exp": NOW + 60, "iss": hub.app.client_id}
    forged = jwt.encode(claims, KeyPair().private, algorithm="RS256")
    assert hub.ask("GET", "/app", token=forged).status_code == 401
    assert hub.ask("GET", "/app", token=hub.jwt(iss="1")).status_code == 404


def test_the_app_id_is_an_issuer_too(hub: Hub) -> None:
    assert hub.ask("GET", "/app", token=hub.jwt(iss=str(hub.app.id))).status_code == 200


def test_a_token_has_the_new_form_and_ends(hub: Hub) -> None:
    token = hub.token()
    assert token.startswith(f"ghs_{hub.app.id}_")
    assert 450 < len(token) < 600
    assert hub.repo("GET", token=token).status_code == 200
    hub.clock.now = START + timedelta(hours=1)
    assert hub.repo("GET", token=token).status_code == 401


def test_a_token_is_narrowed(hub: Hub) -> None:
    other = hub.sandbox.add_repository("acme", "other")
    token = hub.token(repository_ids=[hub.repository.id], permissions={"contents": "read"})
    assert hub.repo("GET", "/contents/a.py", token=token).status_code == 200
    assert hub.ask("GET", f"/repositories/{other.id}", token=token).status_code == 404
    refused = hub.repo("GET", "/pulls", token=token)
    assert refused.status_code == 403
    assert refused.json()["message"] == "Resource not accessible by integration"
    assert refused.headers["X-Accepted-GitHub-Permissions"] == "pull_requests=read"
    listed = hub.ask("GET", "/installation/repositories", token=token).json()
    assert [one["name"] for one in listed["repositories"]] == ["app"]


@pytest.mark.parametrize(
    "wanted", [{"permissions": {"contents": "write"}}, {"repositories": ["nothing"]}]
)
def test_more_than_there_is_cannot_be_had(hub: Hub, wanted: dict[str, object]) -> None:
    path = f"/app/installations/{hub.installation.id}/access_tokens"
    assert hub.ask("POST", path, wanted, token=hub.jwt()).status_code == 422


def test_a_jwt_does_not_open_a_repository_nor_a_token_the_app(hub: Hub) -> None:
    assert hub.repo("GET", "/pulls", token=hub.jwt()).status_code == 403
    assert hub.ask("GET", "/app").status_code == 401
    assert hub.repo("GET", token="").status_code == 404


def test_suspended_and_uninstalled_are_told_apart(hub: Hub) -> None:
    path = f"/app/installations/{hub.installation.id}/access_tokens"
    hub.sandbox.suspend(hub.installation)
    suspended = hub.ask("POST", path, token=hub.jwt())
    assert suspended.status_code == 403
    assert suspended.json()["message"] == "This installation has been suspended"
    hub.sandbox.uninstall(hub.installation)
    assert hub.ask("POST", path, token=hub.jwt()).status_code == 404


def test_a_lowered_permission_counts_at_once(hub: Hub) -> None:
    token = hub.token()
    hub.installation.permissions["checks"] = "read"
    body = {"name": "attribution", "head_sha": hub.pull.head_sha}
    assert hub.repo("POST", "/check-runs", body, token=token).status_code == 403


def test_an_archived_repository_is_read_only(hub: Hub) -> None:
    hub.sandbox.archive(hub.repository)
    assert hub.repo("GET", "/pulls/1").status_code == 200
    refused = hub.repo("POST", "/issues/1/comments", {"body": "x"})
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        "Repository was archived so is read-only.",
    )


def test_the_budget_ends(hub: Hub) -> None:
    hub.repo("GET")
    hub.sandbox.spend(hub.installation.id, 4_998)
    assert hub.repo("GET").headers["X-RateLimit-Remaining"] == "0"
    over = hub.repo("GET")
    assert over.status_code == 403
    assert over.headers["X-RateLimit-Reset"] == str(NOW + 3600)
    hub.clock.now += timedelta(minutes=59, seconds=59)
    assert hub.ask("GET", "/rate_limit").json()["rate"]["remaining"] == 0
