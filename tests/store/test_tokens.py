"""Access tokens: shown once, checked by digest, revoked at once."""

from datetime import timedelta

from sqlalchemy import select

from ghapp.store import AccessToken, NewToken, Store, TokenKind, new_secret
from ghapp.store.schema import access_token
from tests.store.records import DAY, MINUTE, NOW


def _issued(store: Store, **changed: object) -> tuple[AccessToken, str]:
    values = {"kind": TokenKind.UPLOAD, "login": "Ada", "user_id": 11, "installations": (7,)}
    new = NewToken(**(values | changed))  # type: ignore[arg-type]
    secret = new_secret(new.kind)
    return store.tokens.issue(new, secret, now=NOW), secret


def test_a_secret_opens_its_own_kind_only(store: Store) -> None:
    token, secret = _issued(store)
    found = store.tokens.check(secret, TokenKind.UPLOAD, now=NOW)
    assert found is not None
    assert (found.id, found.login, found.user_id) == (token.id, "Ada", 11)
    assert found.is_valid(NOW)
    assert (found.reaches(7), found.reaches(8)) == (True, False)
    assert store.tokens.check(secret, TokenKind.READ, now=NOW) is None
    assert store.tokens.check(secret + "x", TokenKind.UPLOAD, now=NOW) is None
    assert store.tokens.check("\ud800\0", TokenKind.UPLOAD, now=NOW) is None


def test_no_part_of_a_secret_is_kept(store: Store) -> None:
    _, secret = _issued(store)
    with store.database.read() as connection:
        row = connection.execute(select(access_token)).one()
    assert secret.removeprefix("ghapp_upload_") not in repr(tuple(row))
    assert len(row.digest) == 32


def test_a_revoked_or_expired_token_is_known_and_opens_nothing(store: Store) -> None:
    token, secret = _issued(store)
    assert not store.tokens.revoke(token.id, now=NOW, user_id=12)
    assert store.tokens.revoke(token.id, now=NOW, user_id=11)
    assert not store.tokens.revoke(token.id, now=NOW)
    revoked = store.tokens.check(secret, TokenKind.UPLOAD, now=NOW)
    assert revoked is not None
    assert not revoked.is_valid(NOW)
    _, secret = _issued(store, expires_at=NOW + DAY)
    expired = store.tokens.check(secret, TokenKind.UPLOAD, now=NOW + DAY)
    assert expired is not None
    assert not expired.is_valid(NOW + DAY)
    assert expired.used_at is None


def test_the_last_use_is_kept_to_the_hour(store: Store) -> None:
    _, secret = _issued(store)
    first = store.tokens.check(secret, TokenKind.UPLOAD, now=NOW)
    again = store.tokens.check(secret, TokenKind.UPLOAD, now=NOW + MINUTE)
    later = store.tokens.check(secret, TokenKind.UPLOAD, now=NOW + timedelta(hours=2))
    assert first is not None
    assert again is not None
    assert later is not None
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    assert (first.used_at, again.used_at) == (hour, hour)
    assert later.used_at == hour + timedelta(hours=2)


def test_tokens_are_found_by_person(store: Store) -> None:
    first, _ = _issued(store, label="laptop")
    second, secret = _issued(store, kind=TokenKind.READ, login="ada-new", installations=None)
    _issued(store, login="Bob", user_id=12)
    assert [one.id for one in store.tokens.of_user(11)] == [second.id, first.id]
    assert [one.id for one in store.tokens.of_login("ADA")] == [first.id]
    assert second.reaches(99)
    assert store.tokens.check(secret, TokenKind.READ, now=NOW) is not None
