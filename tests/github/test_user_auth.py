"""Sign-in in a browser: the address to open, and the tokens for what comes back."""

from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from ghapp.github.answers import TemporaryFailure
from ghapp.github.user_auth import SignIn, SignInRefused, StartedSignIn, UserTokens
from tests.github.place import START, Place

BACK = "http://127.0.0.1:9/login/callback"


@pytest.fixture
def sign_in(place: Place) -> SignIn:
    app = place.app.app
    app.callback_urls.append(BACK)
    place.sandbox.sit_down("ada")
    return SignIn(app.client_id, app.client_secret, place.sandbox.web_url)


def code_of(begun: StartedSignIn) -> str:
    """Go to GitHub as the browser does, and return the code that it brings back."""
    away = requests.get(begun.address, timeout=60, allow_redirects=False)
    back = dict(parse_qsl(urlsplit(away.headers["Location"]).query))
    assert begun.is_answered_by(back["state"])
    return back["code"]


def signed_in(sign_in: SignIn) -> UserTokens:
    begun = sign_in.start(BACK)
    return sign_in.redeem(code_of(begun), begun.verifier, BACK, now=START)


def test_the_address_carries_state_and_challenge_and_no_secret(
    place: Place, sign_in: SignIn
) -> None:
    begun = sign_in.start(BACK)
    assert begun.address.startswith(f"{place.sandbox.web_url}/login/oauth/authorize?")
    query = parse_qs(urlsplit(begun.address).query)
    assert query["state"] == [begun.state]
    assert query["redirect_uri"] == [BACK]
    assert query["code_challenge_method"] == ["S256"]
    assert begun.verifier not in begun.address
    assert place.app.app.client_secret not in begun.address


def test_no_two_sign_ins_are_alike(sign_in: SignIn) -> None:
    one, other = sign_in.start(BACK), sign_in.start(BACK)
    assert one.state != other.state
    assert one.verifier != other.verifier
    assert not one.is_answered_by(other.state)
    assert not one.is_answered_by("")
    assert not one.is_answered_by("ö")


def test_a_code_gives_tokens_once(place: Place, sign_in: SignIn) -> None:
    begun = sign_in.start(BACK)
    code = code_of(begun)
    found = sign_in.redeem(code, begun.verifier, BACK, now=START)
    assert place.sandbox.world.user_tokens[found.access_token].account.login == "ada"
    assert found.access_until is not None
    assert (found.access_until - START).total_seconds() == 8 * 3600
    assert found.refresh_token is not None
    assert found.access_token not in repr(found)
    assert found.refresh_token not in repr(found)
    with pytest.raises(SignInRefused, match="bad_verification_code"):
        sign_in.redeem(code, begun.verifier, BACK, now=START)


def test_a_code_without_its_verifier_gives_nothing(sign_in: SignIn) -> None:
    begun, other = sign_in.start(BACK), sign_in.start(BACK)
    with pytest.raises(SignInRefused):
        sign_in.redeem(code_of(begun), other.verifier, BACK, now=START)


def test_new_tokens_end_the_old_ones(place: Place, sign_in: SignIn) -> None:
    old = signed_in(sign_in)
    assert old.refresh_token is not None
    new = sign_in.refresh(old.refresh_token, now=START)
    assert new.access_token != old.access_token
    assert place.sandbox.world.user_tokens[old.access_token].revoked
    with pytest.raises(SignInRefused, match="bad_refresh_token"):
        sign_in.refresh(old.refresh_token, now=START)


def test_a_wrong_secret_is_refused(place: Place, sign_in: SignIn) -> None:
    begun = sign_in.start(BACK)
    other = SignIn(place.app.app.client_id, "other", place.sandbox.web_url)
    with pytest.raises(SignInRefused, match="incorrect_client_credentials"):
        other.redeem(code_of(begun), begun.verifier, BACK, now=START)


def test_no_answer_is_for_later(place: Place, sign_in: SignIn) -> None:
    place.sandbox.close()
    with pytest.raises(TemporaryFailure, match="no usable answer"):
        sign_in.refresh("any", now=START)


def test_an_address_that_is_not_safe_is_refused() -> None:
    with pytest.raises(ValueError, match="https"):
        SignIn("client", "secret", "http://git.example")
