"""A read token: it reads what its person reads, where it was made for, until it ends."""

from typing import Any

import msgspec
from flask.testing import FlaskClient

from ghapp.store import NewToken, TokenKind, new_secret
from tests.store.records import NOW
from tests.web.api.audited import PULL
from tests.web.place import Place


def bearer(place: Place, login: str, **changed: Any) -> tuple[FlaskClient, dict[str, str]]:
    """Return a program that shows a read token of this person's."""
    place.signed_in(login)
    person = place.store.logins.named(login)
    assert person is not None
    secret = new_secret(TokenKind.READ)
    values = {"kind": TokenKind.READ, "login": login, "user_id": person.id, **changed}
    place.store.tokens.issue(msgspec.convert(values, NewToken), secret, now=NOW)
    return place.browser(), {"Authorization": f"Bearer {secret}"}


def test_a_token_reads_what_its_person_reads(place: Place) -> None:
    program, headers = bearer(place, "reader")
    assert program.get(PULL, headers=headers).status_code == 200
    assert program.get("/api/repositories/acme/secret", headers=headers).status_code == 404
    shown = program.get("/api/viewer", headers=headers).json
    assert shown is not None
    assert (shown["login"], shown["installations"]) == ("reader", None)


def test_a_token_reads_only_what_it_was_made_for(place: Place) -> None:
    program, headers = bearer(place, "admin", installations=(1,))
    assert program.get(PULL, headers=headers).status_code == 404
    assert program.get("/api/repositories", headers=headers).json == []
    program, headers = bearer(place, "admin", installations=(place.installed.id,))
    assert program.get(PULL, headers=headers).status_code == 200


def test_a_token_of_another_kind_reads_nothing(place: Place) -> None:
    program, headers = bearer(place, "reader", kind="upload")
    refused = program.get(PULL, headers=headers)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_ends_with_its_time_by_hand_and_with_the_sign_in(place: Place) -> None:
    program, headers = bearer(place, "reader", expires_at=NOW)
    assert program.get(PULL, headers=headers).status_code == 401
    program, headers = bearer(place, "member")
    assert program.get(PULL, headers=headers).status_code == 200
    person = place.store.logins.named("member")
    assert person is not None
    place.store.logins.end_all(person.id)
    refused = program.get(PULL, headers=headers)
    assert refused.status_code == 401
    assert "sign in again" in refused.text
    place.sign_in("member")
    assert program.get(PULL, headers=headers).status_code == 200
    for token in place.store.tokens.of_user(person.id):
        place.store.tokens.revoke(token.id, now=NOW)
    assert program.get(PULL, headers=headers).status_code == 401


def test_a_token_is_no_cookie(place: Place) -> None:
    program, headers = bearer(place, "reader")
    assert program.post("/logout", headers=headers).status_code == 403
