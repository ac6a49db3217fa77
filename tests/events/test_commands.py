"""Commands in comments: who may give them, and that each is obeyed once."""

from datetime import timedelta

import pytest

from ghapp.events.commands import LOOK_BACK, CommandsHeard, hear
from ghapp.events.dispatch import command_in
from ghapp.github.answers import TemporaryFailure
from ghapp.store import Store, WorkItem, WorkKind, WorkRequest
from tests.github.place import Place

COMMAND = "/attribution audit"


def delivered(place: Place, store: Store) -> WorkItem:
    """Return the work that an event with a command brings now."""
    ids = (place.installation.id, place.repository.id, 1)
    request = WorkRequest.for_pull(WorkKind.COMMAND, *ids, at=place.clock(), why="test")
    store.work.enqueue(request, now=place.clock())
    return next(item for item in store.work.open() if item.kind == WorkKind.COMMAND)


def heard(
    place: Place, store: Store, answered: list[tuple[int, str]] | None = None
) -> CommandsHeard:
    def answer(command: int, state: str) -> None:
        assert answered is not None, "what is merged is audited and not answered"
        answered.append((command, state))

    return hear(delivered(place, store), 1, place.github, store, place.clock(), answer)


def audits(store: Store) -> list[str]:
    return [item.name for item in store.work.open() if item.kind != WorkKind.COMMAND]


@pytest.fixture
def opened(place: Place) -> Place:
    """Give a place with pull request 1, and people of every right."""
    place.merged({"a.py": "x = 1\n"})
    for login, permission in (("ada", "write"), ("boss", "admin"), ("guest", "read")):
        place.sandbox.allow(place.repository, login, permission)
    return place


@pytest.mark.parametrize("author", ["ada", "boss"])
def test_who_may_write_commands(opened: Place, known: Store, author: str) -> None:
    opened.sandbox.add_comment(opened.repository.pulls[1], author, f"{COMMAND}\n\nplease")
    assert heard(opened, known) == CommandsHeard(obeyed=1, refused=0)
    assert audits(known) == [f"audit_again:{opened.repository.id}:1"]


@pytest.mark.parametrize("author", ["guest", "stranger"])
def test_who_may_not_is_refused(opened: Place, known: Store, author: str) -> None:
    opened.sandbox.add_comment(opened.repository.pulls[1], author, COMMAND)
    found = heard(opened, known)
    assert (found, found.is_stale) == (CommandsHeard(obeyed=0, refused=1), False)
    assert audits(known) == []


def test_a_command_at_an_open_pull_request_is_answered_and_not_obeyed(
    place: Place, known: Store
) -> None:
    pull = place.sandbox.open_pull(place.repository, files={"a.py": "x = 1\n"})
    place.sandbox.allow(place.repository, "ada", "write")
    comments = [place.sandbox.add_comment(pull, "ada", COMMAND) for _ in range(2)]
    answered: list[tuple[int, str]] = []
    found = heard(place, known, answered)
    assert (found, found.is_stale) == (CommandsHeard(obeyed=0, refused=0, answered=2), False)
    assert answered == [(comments[-1].id, "open")]
    assert audits(known) == []


def test_a_comment_is_heard_once(opened: Place, known: Store) -> None:
    pull = opened.repository.pulls[1]
    opened.sandbox.add_comment(pull, "ada", COMMAND)
    heard(opened, known)
    again = heard(opened, known)
    assert (again, again.is_stale) == (CommandsHeard(obeyed=0, refused=0), True)
    opened.sandbox.add_comment(pull, "boss", COMMAND)
    assert heard(opened, known).obeyed == 1


def test_several_commands_are_one_audit(opened: Place, known: Store) -> None:
    for author in ("ada", "boss", "guest"):
        opened.sandbox.add_comment(opened.repository.pulls[1], author, COMMAND)
    assert heard(opened, known) == CommandsHeard(obeyed=2, refused=1)
    assert len(audits(known)) == 1


def test_apps_and_bots_do_not_command(opened: Place, known: Store) -> None:
    pull, app = opened.repository.pulls[1], opened.app.app
    own = opened.sandbox.add_comment(pull, "ada", COMMAND)
    own.app = app
    bot = opened.sandbox.add_comment(pull, app.bot.login, COMMAND)
    assert bot.author.kind == "Bot"
    assert heard(opened, known).is_stale


def test_what_is_no_command_is_not_asked_about(opened: Place, known: Store) -> None:
    opened.sandbox.add_comment(opened.repository.pulls[1], "ada", f"I would say\n{COMMAND}")
    assert heard(opened, known).is_stale
    assert opened.sent("GET", "/permission") == []


def test_older_comments_are_not_read(opened: Place, known: Store) -> None:
    pull = opened.repository.pulls[1]
    opened.sandbox.add_comment(pull, "ada", COMMAND)
    opened.clock.now += LOOK_BACK + timedelta(seconds=1)
    assert heard(opened, known).is_stale


def test_what_fails_is_read_again(opened: Place, known: Store) -> None:
    opened.sandbox.add_comment(opened.repository.pulls[1], "ada", COMMAND)
    opened.play("server_error", "*/permission", times=3, status=500)
    with pytest.raises(TemporaryFailure):
        heard(opened, known)
    assert audits(known) == []
    assert heard(opened, known).obeyed == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (COMMAND, "audit"),
        ("  /Attribution  EXPLAIN \r\nwhy?", "explain"),
        ("/attribution", None),
        ("/attribution audit now", None),
        (f"> {COMMAND}", None),
        (f"`{COMMAND}`", None),
        ("", None),
    ],
)
def test_a_command_is_the_first_line(text: str, found: str | None) -> None:
    assert command_in(text) == found
