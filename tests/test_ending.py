"""How work ends: the ending that each error of GitHub's means."""

from datetime import UTC, datetime, timedelta

import pytest

from ghapp.ending import STALE, Ending, NotPermitted, OutOfReach, TryLater, unreached
from ghapp.github import answers
from ghapp.github.answers import GitHubError, GoneForGood, GoneReason, LimitKind, RateLimited
from ghapp.publishers.publisher import NotReadBack, NotSeenYet

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=7)
WHAT = "GET /repos/acme/app/pulls/7"

ENDINGS: dict[GitHubError, Ending] = {
    RateLimited(LATER, LimitKind.PRIMARY, WHAT): TryLater(
        at=LATER, why="", counts=False, whole_installation=True
    ),
    RateLimited(LATER, LimitKind.SECONDARY, WHAT): TryLater(
        at=LATER, why="", counts=False, whole_installation=True
    ),
    # Our own pace holds back what is in the background, not the rest of the installation.
    RateLimited(LATER, LimitKind.OWN, WHAT): TryLater(at=LATER, why="", counts=False),
    NotSeenYet(LATER, "a comment"): TryLater(at=LATER, why="", counts=False),
    answers.TemporaryFailure(WHAT, "status 502"): TryLater(at=NOW + STALE, why="", counts=True),
    NotReadBack("comment", "12"): TryLater(at=NOW + STALE, why="", counts=True),
    answers.NotFound(WHAT): TryLater(at=NOW + STALE, why="", counts=True),
    answers.BadCredentials(WHAT, "Bad credentials"): TryLater(at=NOW + STALE, why="", counts=True),
    answers.PermissionRefused(WHAT, "checks=write", ""): NotPermitted("checks=write", ""),
    answers.PermissionRefused(WHAT, None, "no"): NotPermitted(None, ""),
    **{GoneForGood(why, WHAT): OutOfReach("", why) for why in GoneReason},
}
"""Error → its ending, without the words."""


@pytest.mark.parametrize("error", ENDINGS, ids=repr)
def test_each_error_has_its_ending_and_says_why(error: GitHubError) -> None:
    found = unreached(error, NOW)
    assert type(found) is type(ENDINGS[error])
    for name in found.__struct_fields__:
        wanted = str(error) if name == "why" else getattr(ENDINGS[error], name)
        assert getattr(found, name) == wanted, name


def test_a_request_that_is_wrong_is_our_fault_and_raised() -> None:
    with pytest.raises(answers.RequestRejected):
        unreached(answers.RequestRejected(WHAT, 422, "Validation Failed"), NOW)


def test_no_error_of_github_is_left_out() -> None:
    def below(kind: type[GitHubError]) -> set[type[GitHubError]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    known = {type(error) for error in ENDINGS} | {answers.RequestRejected, GitHubError}
    assert below(GitHubError) == known
