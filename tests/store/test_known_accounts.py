"""Which account a login is: by the best that the app has heard, and nobody by guess."""

from datetime import timedelta

from ghapp.store import NewToken, Store, TokenKind, UsageOrigin, new_secret
from ghapp.store.logins import SignedIn, new_cookie
from ghapp.summaries.counts import PullFacts
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.store.plain_usage import add
from tests.store.records import NOW, document


def wrote(store: Store, number: int, login: str, account: int, kind: str | None = None) -> None:
    about = PullFacts(author=login, author_id=account, author_type=kind)
    store.audits.save(42, number, document(pull_request=number), now=NOW, about=about)


def known(store: Store, *logins: str) -> dict[str, tuple[int, str]]:
    found = store.known_accounts.named(logins)
    return {login: (one.id, one.login) for login, one in found.items()}


def test_who_signed_in_last_has_a_login_before_all_others(store: Store) -> None:
    wrote(store, 1, "Ann", 1)
    assert known(store, "ANN", "nobody") == {"ann": (1, "ann")}
    who = UsageIdentity(IdentityKind.ACCOUNT, "2")
    add(store, UsageOrigin(7, UsageSource.TRANSCRIPTS, who, login="Ann"), [])
    assert known(store, "ann") == {"ann": (2, "Ann")}
    new = NewToken(kind=TokenKind.UPLOAD, login="ANn", user_id=3)
    store.tokens.issue(new, new_secret(TokenKind.UPLOAD), now=NOW)
    assert known(store, "ann") == {"ann": (3, "ANn")}
    for number, days in ((4, 1), (5, 0)):
        at = NOW + timedelta(days=days)
        person = SignedIn(id=number, login="aNN", sealed=b"x")
        store.logins.begin(person, new_cookie(), at + timedelta(days=9), now=at)
    assert known(store, "ann") == {"ann": (4, "aNN")}


def test_a_bot_is_nobody(store: Store) -> None:
    wrote(store, 1, "copilot", 1, "Bot")
    wrote(store, 2, "bob", 2, "User")
    assert known(store, "copilot", "bob") == {"bob": (2, "bob")}


def test_many_logins_are_looked_up_at_once(sqlite_store: Store) -> None:
    wrote(sqlite_store, 1, "bob", 2)
    many = [f"p{number}" for number in range(3_000)]
    assert known(sqlite_store, *many, "bob") == {"bob": (2, "bob")}
