"""What a person may see, asked with that person's own token, and for how long it is believed."""

from datetime import timedelta

import pytest

from ghapp.github.answers import BadCredentials
from ghapp.github.token_cache import MemoryTokens
from ghapp.github.user_access import (
    KEPT,
    NO_KEPT,
    QUIET,
    AccessLevel,
    GitHubAway,
    MembersHidden,
    UserAccess,
)
from tests.github.place import Place

SECOND = timedelta(seconds=1)


class Person:
    """Ada with her token, and the app that asks with it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.token = place.sandbox.user_token("ada")
        self.id = place.sandbox.user("ada").id
        self.cache = MemoryTokens(place.clock)
        self.access = self.new_access()

    def new_access(self) -> UserAccess:
        """Return another process of the app, with the same cache."""
        return UserAccess(self.place.sandbox.api_url, self.cache, self.place.clock)

    def level(self) -> AccessLevel:
        """Ask what she may do in acme/app."""
        return self.access.repository(self.id, self.token, self.place.repository.id)

    def allowed(self, permission: str) -> None:
        """Let her do that in acme/app."""
        self.place.sandbox.allow(self.place.repository, "ada", permission)

    def asked(self) -> int:
        """Count the requests so far."""
        return len(self.place.sandbox.exchanges)


@pytest.fixture
def ada(place: Place) -> Person:
    return Person(place)


def test_levels_are_in_order() -> None:
    none, read, write, admin = AccessLevel
    assert admin.reaches(write)
    assert write.reaches(write)
    assert not read.reaches(write)
    assert not none.reaches(read)


def test_a_token_says_who_it_is_and_is_asked_each_time(ada: Person) -> None:
    for _ in range(2):
        found = ada.access.person(ada.token)
        assert (found.id, found.login) == (ada.id, "ada")
    assert ada.asked() == 2


@pytest.mark.parametrize("level", [AccessLevel.READ, AccessLevel.WRITE, AccessLevel.ADMIN])
def test_what_a_person_may_do_in_a_repository(ada: Person, level: AccessLevel) -> None:
    ada.allowed(level.value)
    assert ada.level() is level


def test_a_yes_is_believed_for_five_minutes(ada: Person) -> None:
    ada.allowed("write")
    ada.level()
    ada.place.repository.collaborators.clear()
    ada.place.clock.now += KEPT - SECOND
    assert ada.level() is AccessLevel.WRITE
    assert ada.asked() == 1
    ada.place.clock.now += SECOND
    assert ada.level() is AccessLevel.NONE


def test_a_no_is_believed_for_one_minute(ada: Person) -> None:
    assert ada.level() is AccessLevel.NONE
    ada.allowed("read")
    ada.place.clock.now += NO_KEPT - SECOND
    assert ada.level() is AccessLevel.NONE
    ada.place.clock.now += SECOND
    assert ada.level() is AccessLevel.READ


def test_one_persons_answer_is_not_anothers(ada: Person) -> None:
    ada.allowed("write")
    ada.level()
    bob, token = ada.place.sandbox.user("bob").id, ada.place.sandbox.user_token("bob")
    assert ada.access.repository(bob, token, ada.place.repository.id) is AccessLevel.NONE


def test_a_token_that_ended_is_told_and_nothing_is_kept(ada: Person) -> None:
    ada.allowed("read")
    ada.place.sandbox.end_user_tokens("ada")
    with pytest.raises(BadCredentials):
        ada.level()
    token = ada.place.sandbox.user_token("ada")
    assert ada.access.repository(ada.id, token, ada.place.repository.id) is AccessLevel.READ


# --- organizations --------------------------------------------------------------------------------


def member(ada: Person) -> AccessLevel:
    return ada.access.organization(ada.id, ada.token, "acme")


@pytest.mark.parametrize(
    ("role", "level"),
    [
        ("admin", AccessLevel.ADMIN),
        ("member", AccessLevel.READ),
        ("pending", AccessLevel.NONE),
        (None, AccessLevel.NONE),
    ],
)
def test_a_members_level(ada: Person, role: str | None, level: AccessLevel) -> None:
    ada.place.installation.permissions["members"] = "read"
    if role is not None:
        ada.place.sandbox.add_member("acme", "ada", role)
    assert member(ada) is level


def test_where_members_are_hidden_nobody_counts_for_a_minute(ada: Person) -> None:
    ada.place.sandbox.add_member("acme", "ada")
    token = ada.place.sandbox.world.user_tokens[ada.token]
    token.app = ada.place.app.app
    with pytest.raises(MembersHidden):
        member(ada)
    ada.place.installation.permissions["members"] = "read"
    with pytest.raises(MembersHidden):
        member(ada)
    ada.place.clock.now += NO_KEPT
    assert member(ada) is AccessLevel.READ


# --- lists ----------------------------------------------------------------------------------------


def test_the_app_and_the_person_together_reach_what_both_reach(ada: Person) -> None:
    sandbox, place = ada.place.sandbox, ada.place
    sandbox.world.user_tokens[ada.token].app = place.app.app
    shop, secret = (sandbox.add_repository("acme", name) for name in ("shop", "secret"))
    elsewhere = sandbox.add_repository("other", "app")
    for repository, permission in ((shop, "read"), (elsewhere, "admin")):
        sandbox.allow(repository, "ada", permission)
    ada.allowed("write")
    number = place.installation.id
    assert ada.access.installations(ada.id, ada.token) == {number}
    assert ada.access.readable(ada.id, ada.token, number) == {place.repository.id, shop.id}
    assert ada.access.writable(ada.token, number) == (place.repository.id,)
    assert secret.id not in ada.access.readable(ada.id, ada.token, number)


def test_of_an_installation_that_is_not_there_nothing_is_readable(ada: Person) -> None:
    assert ada.access.readable(ada.id, ada.token, 1) == frozenset()
    assert ada.access.writable(ada.token, 1) == ()


def test_lists_are_kept_a_minute_but_not_what_may_be_written(ada: Person) -> None:
    number = ada.place.installation.id
    assert ada.access.readable(ada.id, ada.token, number) == frozenset()
    ada.allowed("write")
    assert ada.access.readable(ada.id, ada.token, number) == frozenset()
    assert ada.access.writable(ada.token, number) == (ada.place.repository.id,)
    ada.place.clock.now += NO_KEPT
    assert ada.access.readable(ada.id, ada.token, number) == {ada.place.repository.id}


# --- files ----------------------------------------------------------------------------------------


def text(ada: Person, path: str, commit: str = "main") -> str | None:
    return ada.access.text(ada.token, "acme/app", path, commit)


def test_a_text_is_read_if_the_person_may_and_it_is_one(ada: Person) -> None:
    files = {"a b#?.py": "x = 'ä'\n", "pic": b"\xff\0\1", "large": "x" * 1_000_001, "d/e.py": "e\n"}
    ada.place.sandbox.commit(ada.place.repository, files)
    assert text(ada, "a b#?.py") is None
    ada.allowed("read")
    assert text(ada, "a b#?.py") == "x = 'ä'\n"
    assert text(ada, "d/e.py") == "e\n"
    assert [text(ada, path) for path in ("pic", "large", "none")] == [None] * 3
    assert text(ada, "a b#?.py", "no such commit") is None


# --- GitHub away ----------------------------------------------------------------------------------


def test_while_github_does_not_answer_nobody_is_let_in_and_it_is_not_asked(ada: Person) -> None:
    ada.allowed("read")
    ada.place.play("bad_gateway_before", "/repositories/*", times=None)
    ada.place.play("bad_gateway_before", "/repos/*", times=None)
    with pytest.raises(GitHubAway) as away:
        ada.level()
    assert away.value.until == ada.place.clock() + QUIET
    asked = ada.asked()
    with pytest.raises(GitHubAway, match="a moment ago"):
        ada.level()
    assert ada.asked() == asked
    ada.place.sandbox.faults.clear()
    ada.place.clock.now += QUIET
    assert ada.level() is AccessLevel.READ


def test_what_is_known_is_answered_while_github_is_away(ada: Person) -> None:
    ada.allowed("read")
    ada.level()
    ada.place.sandbox.close()
    assert ada.new_access().repository(ada.id, ada.token, ada.place.repository.id) is (
        AccessLevel.READ
    )
    with pytest.raises(GitHubAway):
        ada.access.person(ada.token)


def test_a_limit_says_when_to_ask_again(ada: Person) -> None:
    ada.place.play("primary_limit", "/user", seconds=90)
    with pytest.raises(GitHubAway) as away:
        ada.access.person(ada.token)
    assert away.value.until == ada.place.clock() + timedelta(seconds=90)
    assert ada.access.person(ada.token).login == "ada"
