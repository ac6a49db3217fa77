"""How work ends: the ending that each error of GitHub's means."""

from datetime import UTC, datetime, timedelta

import pytest

from ghapp.ending import (
    STALE,
    WITHOUT_ACCESS,
    Ending,
    NotPermitted,
    OutOfReach,
    TryLater,
    unreached,
)
from ghapp.github import answers
from ghapp.github.answers import GitHubError, GoneForGood, GoneReason, LimitKind, RateLimited
from ghapp.publishers.publisher import NotReadBack, NotSeenYet

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=7)
WHAT = "GET /repos/acme/app/pulls/7"

AGAIN = TryLater(at=NOW + STALE, why="", counts=True)

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
    answers.TemporaryFailure(WHAT, "status 502"): AGAIN,
    NotReadBack("comment", "12"): AGAIN,
    answers.NotFound(WHAT): AGAIN,
    answers.BadCredentials(WHAT, "Bad credentials"): AGAIN,
    answers.PermissionRefused(WHAT, "checks=write", ""): NotPermitted("checks=write", ""),
    answers.PermissionRefused(WHAT, None, "no"): NotPermitted(None, ""),
    answers.AccessRefused(WHAT, "an IP allow list"): AGAIN,
    answers.RequestRejected(WHAT, 422, "the diff takes too long"): AGAIN,
    **{
        GoneForGood(why, WHAT): OutOfReach("", why) if why in WITHOUT_ACCESS else AGAIN
        for why in GoneReason
    },
}
"""Error → its ending, without the words."""


@pytest.mark.parametrize("error", ENDINGS, ids=repr)
def test_each_error_has_its_ending_and_says_why(error: GitHubError) -> None:
    found = unreached(error, NOW)
    assert type(found) is type(ENDINGS[error])
    for name in found.__struct_fields__:
        wanted = str(error) if name == "why" else getattr(ENDINGS[error], name)
        assert getattr(found, name) == wanted, name


def test_operators_are_told_github_s_request_and_where_to_sign_on() -> None:
    refused = answers.AccessRefused(WHAT, "SAML enforcement")
    refused.request_id = "C0:FFEE"
    refused.sign_on_url = "https://github.com/orgs/acme/sso"
    found = unreached(refused, NOW)
    assert "C0:FFEE" in found.why
    assert "https://github.com/orgs/acme/sso" in found.why
    assert "C0:FFEE" not in str(refused)


def test_no_error_of_github_is_left_out() -> None:
    def below(kind: type[GitHubError]) -> set[type[GitHubError]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    known = {type(error) for error in ENDINGS} | {GitHubError}
    assert below(GitHubError) == known
