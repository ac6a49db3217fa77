"""The app's identity: its JWT, and tokens that reach one repository and last."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import jwt
import msgspec
import pytest

from ghapp.github.answers import BadCredentials, GoneForGood, GoneReason
from ghapp.github.app_auth import PERMISSIONS, AppAuth, AppIdentity
from ghapp.github.token_cache import MemoryTokens
from tests.github.place import START, Place


class Busy(MemoryTokens):
    """A cache whose lock is always another process's."""

    @contextmanager
    def alone(self, key: str) -> Iterator[bool]:  # noqa: ARG002 (the shape has it)
        """Say no."""
        yield False


def asked_for_tokens(place: Place) -> int:
    return len(place.sent("POST", "/access_tokens"))


def token(place: Place, auth: AppAuth | None = None) -> str:
    auth = auth or place.auth
    return auth.installation_token(place.installation.id, place.repository.id).token


def test_jwt_is_as_github_wants_it(place: Place) -> None:
    key = place.app.app.public_keys[0]
    token = place.auth.app_auth.token
    claims = jwt.decode(token, key, ["RS256"], options={"verify_exp": False})
    issued, now = claims["iat"], int(START.timestamp())
    assert issued == now - 60
    assert claims["exp"] == now + 540
    assert claims["iss"] == place.app.app.client_id


def test_app_knows_itself(place: Place) -> None:
    assert place.auth.app().slug == "attribution-auditor"


def test_token_reaches_one_repository_with_the_least_permissions(place: Place) -> None:
    found = place.auth.installation_token(place.installation.id, place.repository.id)
    sent = json.loads(place.sent("POST", "/access_tokens")[0].request_body)
    assert sent == {"repository_ids": [place.repository.id], "permissions": dict(PERMISSIONS)}
    assert found.full_name == "acme/app"
    assert found.permissions == dict(PERMISSIONS)
    assert len(found.token) > 200
    assert found.token not in repr(found)


def test_token_is_kept_until_five_minutes_before_its_end(place: Place) -> None:
    first = token(place)
    place.clock.now += timedelta(minutes=54, seconds=59)
    assert token(place) == first
    assert asked_for_tokens(place) == 1
    place.clock.now += timedelta(seconds=1)
    assert token(place) != first
    assert asked_for_tokens(place) == 2


def test_a_refused_token_is_forgotten_unless_it_was_renewed_already(place: Place) -> None:
    ids = place.installation.id, place.repository.id
    old = place.auth.installation_token(*ids)
    place.auth.forget(*ids, old)
    new = place.auth.installation_token(*ids)
    assert new.token != old.token
    place.auth.forget(*ids, old)
    assert place.auth.installation_token(*ids).token == new.token


def test_while_another_process_renews_this_one_waits(place: Place) -> None:
    waits: list[float] = []
    auth = AppAuth(place.identity, tokens=Busy(place.clock), clock=place.clock, sleep=waits.append)
    assert token(place, auth)
    assert sum(waits) == pytest.approx(5)


def test_suspended_is_the_end(place: Place) -> None:
    place.sandbox.suspend(place.installation)
    with pytest.raises(GoneForGood) as gone:
        token(place)
    assert gone.value.why is GoneReason.SUSPENDED


def test_uninstalled_is_the_end(place: Place) -> None:
    place.sandbox.uninstall(place.installation)
    with pytest.raises(GoneForGood) as gone:
        token(place)
    assert gone.value.why is GoneReason.UNINSTALLED


def test_a_repository_taken_away_is_the_end(place: Place) -> None:
    place.sandbox.delete_repository(place.repository)
    with pytest.raises(GoneForGood) as gone:
        token(place)
    assert gone.value.why is GoneReason.REMOVED


def test_with_less_granted_the_token_does_less(place: Place) -> None:
    place.installation.permissions = {"checks": "write", "metadata": "read"}
    found = place.auth.installation_token(place.installation.id, place.repository.id)
    assert found.permissions == {"checks": "write", "metadata": "read"}


def test_a_wrong_key_is_refused_with_what_to_do(place: Place) -> None:
    other = place.sandbox.register_app("Another App")
    identity = msgspec.structs.replace(place.identity, private_key=other.private_key)
    with pytest.raises(BadCredentials, match="check app id, private key, clock"):
        AppAuth(identity, clock=place.clock).app()


def test_a_clock_that_is_wrong_is_refused_with_what_to_do(place: Place) -> None:
    auth = place.new_auth()
    auth.clock = lambda: START - timedelta(hours=1)
    with pytest.raises(BadCredentials, match="clock"):
        auth.app()


def test_one_installation_and_one_repository_are_asked_for(place: Place) -> None:
    auth, installed = place.auth, place.installation
    listed = auth.installation(installed.id)
    assert listed is not None
    assert (listed.account, listed.suspended_at) == ("acme", None)
    there = auth.repository(installed.id, place.repository.id)
    assert there is not None
    assert (there.full_name, there.private) == ("acme/app", True)
    elsewhere = place.sandbox.add_repository("globex", "web")
    assert auth.repository(installed.id, elsewhere.id) is None
    place.sandbox.uninstall(installed)
    assert auth.installation(installed.id) is None
    with pytest.raises(GoneForGood):
        auth.repository(installed.id, place.repository.id)


def test_a_key_that_cannot_be_read_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="the app's private key cannot be read"):
        AppAuth(AppIdentity(app_id=1, private_key="no key"))


def test_a_signature_is_ours_alone(place: Place) -> None:
    ours = place.auth.signature("repo=1 pr=2")
    assert ours == place.new_auth().signature("repo=1 pr=2")
    assert ours != place.auth.signature("repo=1 pr=3")
    assert len(ours) == 16


def test_secrets_are_in_no_repr(place: Place) -> None:
    identity = AppIdentity(app_id=1, private_key=place.app.private_key)
    assert "PRIVATE" not in repr(identity)
