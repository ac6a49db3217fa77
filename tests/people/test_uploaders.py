"""Who may send evidence: enrollment of a machine, and what its person may write to by now."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import ghapp.people.uploaders
from ghapp.demo.sandbox import HubRepository
from ghapp.github.device_flow import NotApproved
from ghapp.github.token_cache import MemoryTokens
from ghapp.github.user_access import AccessLevel, GitHubAway, UserAccess
from ghapp.keys.evidence import EvidenceKeys
from ghapp.people.uploaders import AWAY, CODE_LASTS, KEPT, NO_KEPT, EvidenceUploaders
from ghapp.store import AccessToken, Installation, Repository, Store, TokenKind
from ghapp.wire import MachineEnrolled
from tests.github.place import START, Place, assert_good_manners

KEY = b"k" * 32


class Enrollment:
    """Ada, her machine, and the app."""

    def __init__(self, place: Place, store: Store) -> None:
        self.place, self.store = place, store
        self.uploaders = self.with_key(KEY)
        store.installations.seen(Installation(id=place.installation.id, account="acme"), now=START)
        self.know(place.repository)

    def with_key(self, key: bytes) -> EvidenceUploaders:
        """Return the app as it is with an encryption key."""
        place, cache = self.place, MemoryTokens(self.place.clock)
        return EvidenceUploaders(
            store=self.store,
            keys=EvidenceKeys(self.store, KEY),
            access=UserAccess(place.sandbox.api_url, cache, place.clock),
            cache=cache,
            auth=place.auth,
            client_id=place.app.app.client_id,
            web_url=place.sandbox.web_url,
            encryption_key=key,
            clock=place.clock,
        )

    def know(self, hosted: HubRepository) -> None:
        """Let the store know a repository of the installation."""
        owner, number = hosted.owner.login, self.place.installation.id
        seen = Repository(id=hosted.id, owner=owner, name=hosted.name, installation_id=number)
        self.store.installations.repository_seen(seen, now=START)

    def allow(self, permission: str = "write", repository: HubRepository | None = None) -> None:
        """Let Ada do that."""
        self.place.sandbox.allow(repository or self.place.repository, "ada", permission)

    def enroll(self) -> MachineEnrolled:
        """Enroll Ada's machine: begin, type the code, finish."""
        begun = self.uploaders.begin()
        self.place.sandbox.device_flow.approve(begun.user_code, "ada")
        found = self.uploaders.finish(begun.handle)
        assert found is not None
        return found

    def token(self) -> AccessToken:
        """Enroll, and return the token as the store has it."""
        kept = self.store.tokens.check(
            self.enroll().token, TokenKind.UPLOAD, now=self.place.clock()
        )
        assert kept is not None
        return kept

    def level(self, token: AccessToken) -> AccessLevel:
        """Return what a token's person may do in acme/app."""
        return self.uploaders.level(token, self.place.installation.id, self.place.repository.id)

    def forget(self) -> None:
        """Let all that is cached expire."""
        self.place.clock.now += KEPT


@pytest.fixture
def ada(tmp_path: Path, sqlite_store: Store) -> Iterator[Enrollment]:
    place = Place(tmp_path)
    place.installation.permissions["members"] = "read"
    yield Enrollment(place, sqlite_store)
    place.close()
    assert_good_manners(place)


# --- enrollment -----------------------------------------------------------------------------------


def test_a_machine_gets_a_token_the_keys_and_no_token_of_githubs(ada: Enrollment) -> None:
    ada.allow()
    found = ada.enroll()
    number = ada.place.installation.id
    assert (found.enrollment.login, found.enrollment.host) == ("ada", "127.0.0.1")
    (installation,) = found.enrollment.installations
    key = ada.uploaders.keys.present(number, now=START)
    assert (installation.id, installation.account) == (number, "acme")
    assert (installation.key_id, installation.key) == (key.id, key.secret)
    kept = ada.store.tokens.check(found.token, TokenKind.UPLOAD, now=START)
    assert kept is not None
    assert (kept.kind, kept.login) == (TokenKind.UPLOAD, "ada")
    assert kept.repositories == (ada.place.repository.id,)
    assert found.token not in ada.place.sandbox.world.user_tokens


def test_until_the_code_is_typed_there_is_nothing(ada: Enrollment) -> None:
    begun = ada.uploaders.begin()
    assert ada.uploaders.finish(begun.handle) is None


def test_the_handle_hides_githubs_secret(ada: Enrollment) -> None:
    begun = ada.uploaders.begin()
    (secret,) = ada.place.sandbox.device_flow._codes
    assert secret not in begun.handle
    assert secret not in repr(begun)


@pytest.mark.parametrize("handle", ["", "nonsense", "ö"])
def test_a_handle_that_is_not_ours_is_refused(ada: Enrollment, handle: str) -> None:
    with pytest.raises(NotApproved, match="did not begin here"):
        ada.uploaders.finish(handle)


def test_a_handle_of_another_key_or_of_long_ago_is_refused(ada: Enrollment) -> None:
    begun = ada.uploaders.begin()
    with pytest.raises(NotApproved, match="did not begin here"):
        ada.with_key(b"x" * 32).finish(begun.handle)
    ada.place.clock.now += CODE_LASTS + timedelta(seconds=1)
    with pytest.raises(NotApproved, match="too long ago"):
        ada.uploaders.finish(begun.handle)


@pytest.mark.parametrize("permission", ["read", None])
def test_who_may_not_write_anywhere_gets_no_token(ada: Enrollment, permission: str | None) -> None:
    if permission is not None:
        ada.allow(permission)
    with pytest.raises(NotApproved, match=r"ada may not write.*ask an administrator"):
        ada.enroll()


def test_where_the_app_is_suspended_nobody_enrolls(ada: Enrollment) -> None:
    ada.allow()
    ada.store.installations.suspended(ada.place.installation.id, now=START)
    with pytest.raises(NotApproved):
        ada.enroll()


def test_a_token_remembers_a_few_repositories(
    ada: Enrollment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ghapp.people.uploaders, "REMEMBERED", 2)
    ada.allow()
    for number in range(2):
        ada.allow("write", ada.place.sandbox.add_repository("acme", f"r{number}"))
    assert len(ada.token().repositories) == 2


# --- what a token reaches by now ------------------------------------------------------------------


def test_the_app_asks_for_itself_once_what_the_person_told_is_old(ada: Enrollment) -> None:
    ada.allow()
    token = ada.token()
    before = len(ada.place.sent("GET", "/permission"))
    assert ada.level(token) is AccessLevel.WRITE
    assert len(ada.place.sent("GET", "/permission")) == before
    ada.place.repository.collaborators["ada"] = "read"
    ada.forget()
    assert ada.level(token) is AccessLevel.READ
    assert ada.level(token) is AccessLevel.READ
    assert len(ada.place.sent("GET", "/permission")) == before + 1


def test_where_the_token_never_could_write_github_is_asked_once_an_hour(ada: Enrollment) -> None:
    ada.allow()
    token, secret = ada.token(), ada.place.sandbox.add_repository("acme", "secret")

    def levels(number: int) -> AccessLevel:
        return ada.uploaders.level(token, ada.place.installation.id, number)

    nowhere = ada.uploaders.nowhere("acme/nothing")
    before = len(ada.place.sent("GET", "/permission"))
    for _ in range(NO_KEPT // KEPT):
        assert {levels(secret.id), levels(nowhere)} == {AccessLevel.NONE}
        ada.forget()
    assert len(ada.place.sent("GET", "/permission")) == before + 2
    ada.allow("write", secret)
    assert levels(secret.id) is AccessLevel.WRITE


def test_a_login_that_is_somebody_elses_by_now_opens_nothing(ada: Enrollment) -> None:
    ada.allow()
    token = ada.token()
    ada.forget()
    ada.place.sandbox.user("ada").id += 1
    assert ada.level(token) is AccessLevel.NONE


def test_what_is_gone_opens_nothing(ada: Enrollment) -> None:
    ada.allow()
    token = ada.token()
    ada.forget()
    ada.place.sandbox.delete_repository(ada.place.repository)
    assert ada.level(token) is AccessLevel.NONE


def test_while_github_is_away_nobody_is_let_in_on_a_guess(ada: Enrollment) -> None:
    ada.allow()
    token = ada.token()
    ada.forget()
    ada.place.play("bad_gateway_before", "*/permission", times=1)
    with pytest.raises(GitHubAway) as away:
        ada.level(token)
    assert away.value.until == ada.place.clock() + AWAY
    assert ada.level(token) is AccessLevel.WRITE


def test_an_enrollment_names_only_where_the_person_still_may_write(ada: Enrollment) -> None:
    ada.allow()
    shop = ada.place.sandbox.add_repository("acme", "shop")
    ada.allow("write", shop)
    token = ada.token()
    del ada.place.repository.collaborators["ada"]
    ada.forget()
    ada.know(shop)
    assert len(ada.uploaders.enrollment(token).installations) == 1
    del shop.collaborators["ada"]
    ada.forget()
    assert ada.uploaders.enrollment(token).installations == ()


def test_a_repository_of_another_installation_is_no_reason(ada: Enrollment) -> None:
    ada.allow()
    token = ada.token()
    ada.forget()
    moved = Repository(id=ada.place.repository.id, owner="acme", name="app", installation_id=9)
    ada.store.installations.repository_seen(moved, now=START)
    assert ada.uploaders.enrollment(token).installations == ()
