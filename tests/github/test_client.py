"""One request: what is repeated, what is not, and what each fault of GitHub's becomes."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from ghapp.attribution.model import Struct
from ghapp.git.names import quoted
from ghapp.github.answers import (
    GitHubError,
    GoneForGood,
    GoneReason,
    LimitKind,
    NotFound,
    PermissionRefused,
    RateLimited,
    RequestRejected,
    TemporaryFailure,
)
from ghapp.github.client import GitHub
from tests.github.place import START, Place


class Pull(Struct, frozen=True):
    """A pull request by its number."""

    number: int


class Comment(Struct, frozen=True):
    """A comment by its text."""

    id: int
    body: str


def read(github: GitHub) -> int:
    return github.get("pulls/1", Pull).number


def write(github: GitHub) -> str:
    return github.post("issues/1/comments", {"body": "hello"}, Comment).body


@pytest.fixture
def opened(place: Place) -> Place:
    """Give a place with one pull request."""
    place.merged({"a.py": "x = 1\n"})
    return place


def test_requests_are_as_github_wants_them(opened: Place) -> None:
    assert read(opened.github) == 1
    headers = opened.sent("GET", "/pulls/{pull_number}")[0].request_headers
    assert headers["x-github-api-version"] == "2022-11-28"
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["user-agent"].startswith("ghapp/")
    assert headers["authorization"].startswith("token ghs_")


def test_headroom_and_counts_are_noted(opened: Place) -> None:
    read(opened.github)
    write(opened.github)
    left = opened.github.headroom
    assert left is not None
    assert left.limit == 5000
    assert 0 < left.remaining < 5000
    assert left.resets_at > START
    assert (opened.github.requests, opened.github.writes) == (2, 1)


def test_the_name_comes_with_the_token(opened: Place) -> None:
    assert opened.github.full_name == "acme/app"
    assert [one.template for one in opened.sandbox.exchanges] == [
        "/app/installations/{installation_id}/access_tokens"
    ]


# --- what is repeated ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bad_gateway_before", "cut_off_before", "server_error"])
def test_a_read_is_tried_three_times(opened: Place, kind: str) -> None:
    opened.play(kind, "*/pulls/{pull_number}", times=2, status=503)
    assert read(opened.github) == 1
    assert len(opened.sent("GET", "/pulls/{pull_number}")) == 3
    assert opened.waits == [0.5, 1.0]


def test_after_three_times_it_is_for_later(opened: Place) -> None:
    opened.play("bad_gateway_before", "*/pulls/{pull_number}", times=None)
    with pytest.raises(TemporaryFailure, match="status 502"):
        read(opened.github)
    assert len(opened.sent("GET", "/pulls/{pull_number}")) == 3


@pytest.mark.parametrize("kind", ["bad_gateway_after", "bad_gateway_before", "cut_off_after"])
def test_a_write_is_sent_once(opened: Place, kind: str) -> None:
    opened.play(kind, "*/comments", "POST", times=None)
    with pytest.raises(TemporaryFailure):
        write(opened.github)
    assert len(opened.sent("POST", "/comments")) == 1


def test_nobody_there_is_for_later(opened: Place) -> None:
    github = opened.github
    read(github)
    opened.sandbox.close()
    with pytest.raises(TemporaryFailure, match="no answer"):
        read(github)


# --- tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [read, write])
def test_a_token_that_ends_in_mid_job_is_renewed_once(
    opened: Place, act: Callable[[GitHub], object]
) -> None:
    read(opened.github)
    for token in opened.sandbox.world.tokens.values():
        token.revoked = True
    assert act(opened.github)
    assert len(opened.sent("POST", "/access_tokens")) == 2


def test_a_fresh_token_that_is_refused_is_for_later(opened: Place) -> None:
    opened.play("token_expired", "*/pulls/{pull_number}", times=2)
    read(opened.github)
    assert len(opened.sent("POST", "/access_tokens")) == 3
    opened.play("token_expired", "*/comments", "POST", times=2)
    with pytest.raises(TemporaryFailure, match="does not accept a fresh token"):
        write(opened.github)
    assert opened.sandbox.writes() == []


def test_old_and_short_tokens_work_too(opened: Place) -> None:
    for value in ("ghs_" + "0" * 36, "ghs_x"):
        known = opened.auth.installation_token(opened.installation.id, opened.repository.id)
        token = opened.sandbox.world.tokens.pop(known.token)
        token.value = value
        opened.sandbox.world.tokens[value] = token
        opened.auth.forget(opened.installation.id, opened.repository.id, known)
        assert read(opened.github) == 1


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("act", [read, write])
def test_primary_limit(opened: Place, status: int, act: Callable[[GitHub], object]) -> None:
    opened.play("primary_limit", "/repos/*", status=status, seconds=90)
    with pytest.raises(RateLimited) as limited:
        act(opened.github)
    assert limited.value.kind is LimitKind.PRIMARY
    assert limited.value.until == START + timedelta(minutes=1, seconds=90)
    assert opened.waits == []


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(("retry_after", "seconds"), [(7, 7), (None, 60)])
def test_secondary_limit(opened: Place, status: int, retry_after: int | None, seconds: int) -> None:
    opened.play("secondary_limit", "/repos/*", status=status, retry_after=retry_after)
    with pytest.raises(RateLimited) as limited:
        write(opened.github)
    assert limited.value.kind is LimitKind.SECONDARY
    assert limited.value.until == START + timedelta(minutes=1, seconds=seconds)
    assert opened.sandbox.writes() == []


# --- lasting errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("suspend", GoneReason.SUSPENDED),
        ("uninstall", GoneReason.UNINSTALLED),
        ("archive", GoneReason.ARCHIVED),
        ("lock", GoneReason.LOCKED),
    ],
)
def test_what_is_gone_says_why(opened: Place, kind: str, why: GoneReason) -> None:
    opened.play(kind, "*/comments", "POST")
    with pytest.raises(GoneForGood) as gone:
        write(opened.github)
    assert gone.value.why is why


def test_a_missing_permission_is_named(opened: Place) -> None:
    opened.installation.permissions.pop("pull_requests")
    with pytest.raises(PermissionRefused) as refused:
        write(opened.github)
    assert refused.value.permission == "pull_requests=write"


def test_missing(place: Place) -> None:
    with pytest.raises(NotFound, match="GET /repos/acme/app/pulls/7: not found"):
        place.github.get("pulls/7", Pull)


def test_rejected_says_why(opened: Place) -> None:
    with pytest.raises(RequestRejected, match="Body cannot be blank") as rejected:
        opened.github.post("issues/1/comments", {"body": ""}, Comment)
    assert rejected.value.status == 422


def test_an_answer_of_another_form_is_for_later(opened: Place) -> None:
    with pytest.raises(TemporaryFailure, match="not as documented"):
        opened.github.get("pulls/1", list[Pull])


# --- names and pages ------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [read, write])
def test_a_renamed_repository_is_found_by_its_id(
    opened: Place, act: Callable[[GitHub], object]
) -> None:
    assert opened.github.full_name == "acme/app"
    opened.sandbox.rename_repository(opened.repository, "application")
    assert act(opened.github)
    assert opened.github.full_name == "acme/application"
    assert len(opened.repository.pulls[1].comments) == (act is write)


def test_a_name_that_is_another_repositorys_now(opened: Place) -> None:
    opened.sandbox.rename_repository(opened.repository, "application")
    opened.sandbox.add_repository("acme", "app")
    assert opened.github.ask_name() == "acme/application"


def test_a_repository_that_was_taken_away(opened: Place) -> None:
    read(opened.github)
    opened.sandbox.delete_repository(opened.repository)
    with pytest.raises(GoneForGood) as gone:
        opened.github.ask_name()
    assert gone.value.why is GoneReason.REMOVED


def test_all_pages_are_read(opened: Place) -> None:
    pull = opened.repository.pulls[1]
    for number in range(250):
        opened.sandbox.add_comment(pull, "ada", f"comment {number}")
    pages = list(opened.github.pages("issues/1/comments", list[Comment]))
    assert [len(page) for page in pages] == [100, 100, 50]
    assert pages[2][49].body == "comment 249"


def test_all_pages_of_a_renamed_repository_are_read(opened: Place) -> None:
    pull = opened.repository.pulls[1]
    for number in range(150):
        opened.sandbox.add_comment(pull, "ada", f"comment {number}")
    assert opened.github.full_name == "acme/app"
    opened.sandbox.rename_repository(opened.repository, "application")
    pages = opened.github.pages("issues/1/comments", list[Comment])
    assert [len(page) for page in pages] == [100, 50]


def test_paths_are_quoted() -> None:
    assert quoted("a b/c#d?.py") == "a%20b/c%23d%3F.py"


def test_every_error_names_the_request(opened: Place) -> None:
    with pytest.raises(GitHubError, match="DELETE /repos/acme/app/issues/comments/9"):
        opened.github.delete("issues/comments/9")
