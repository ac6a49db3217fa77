"""Browsers that are signed in, by the digest of their cookie; and people's sealed tokens."""

from sqlalchemy import select

from ghapp.store import SignedIn, Store
from ghapp.store.logins import new_cookie
from ghapp.store.schema import login
from tests.store.records import DAY, MINUTE, NOW

ANN = SignedIn(id=11, login="Ann", sealed=b"sealed")


def test_a_browser_is_known_by_its_cookie_until_the_end(store: Store) -> None:
    store.logins.begin(ANN, "cookie", NOW + DAY, now=NOW)
    assert store.logins.of_cookie("cookie", now=NOW) == ANN
    assert store.logins.of_cookie("cookie", now=NOW + DAY) is None
    assert store.logins.of_cookie("other", now=NOW) is None
    assert store.logins.of_cookie("half \ud800", now=NOW) is None
    assert store.logins.end("cookie")
    assert not store.logins.end("cookie")
    assert store.logins.of_cookie("cookie", now=NOW) is None


def test_all_browsers_use_the_newest_tokens(store: Store) -> None:
    store.logins.begin(ANN, "first", NOW + DAY, now=NOW)
    renamed = SignedIn(id=11, login="ann-new", sealed=b"newer")
    store.logins.begin(renamed, "second", NOW + DAY, now=NOW + MINUTE)
    for cookie in ("first", "second"):
        assert store.logins.of_cookie(cookie, now=NOW) == renamed
    assert store.logins.person(11) == renamed
    assert store.logins.person(12) is None
    assert store.logins.named("ann") is None


def test_a_login_is_that_of_who_used_it_last(store: Store) -> None:
    taken = SignedIn(id=12, login="ann", sealed=None)
    for minutes, person in enumerate((ANN, taken)):
        store.logins.begin(person, new_cookie(), NOW + DAY, now=NOW + minutes * MINUTE)
    assert store.logins.named("ANN") == taken


def test_older_tokens_never_take_the_place_of_newer_ones(store: Store) -> None:
    store.logins.begin(ANN, "cookie", NOW + DAY, now=NOW)
    assert store.logins.reseal(11, b"sealed", b"newer")
    assert not store.logins.reseal(11, b"sealed", b"late")
    assert not store.logins.reseal(12, b"sealed", b"nobody")
    found = store.logins.person(11)
    assert found is not None
    assert found.sealed == b"newer"


def test_signed_out_everywhere_has_no_tokens(store: Store) -> None:
    other = SignedIn(id=12, login="bob", sealed=b"his")
    for person, cookie in ((ANN, "one"), (ANN, "two"), (other, "three")):
        store.logins.begin(person, cookie, NOW + DAY, now=NOW)
    assert store.logins.end_all(11) == 2
    assert store.logins.person(11) == SignedIn(id=11, login="Ann", sealed=None)
    assert store.logins.of_cookie("one", now=NOW) is None
    assert store.logins.of_cookie("three", now=NOW) == other


def test_what_ended_is_deleted(store: Store) -> None:
    for days in (1, 2):
        store.logins.begin(ANN, f"for {days}", NOW + days * DAY, now=NOW)
    assert store.logins.expire(NOW + DAY) == 1
    assert store.logins.of_cookie("for 2", now=NOW) == ANN


def test_nothing_that_is_kept_signs_anybody_in(sqlite_store: Store) -> None:
    cookie = new_cookie()
    assert len(cookie) > 40
    assert cookie != new_cookie()
    sqlite_store.logins.begin(ANN, cookie, NOW + DAY, now=NOW)
    ((digest,),) = sqlite_store.database.rows(select(login.c.digest))
    assert (len(digest), cookie.encode() in digest) == (32, False)
    assert "sealed" not in repr(ANN)
