"""What all publishers share: making a thing once, and telling what people should know."""

from datetime import UTC, datetime

import pytest

from ghapp.github.answers import (
    GitHubError,
    LimitKind,
    PermissionRefused,
    RateLimited,
    RequestRejected,
    TemporaryFailure,
)
from ghapp.publishers.publisher import (
    NotReadBack,
    PublisherMemory,
    PublisherReport,
    WriteResult,
    make_once,
    read_back,
    same_text,
)

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
FORGETS = PublisherMemory(note=lambda: None)
LOST = TemporaryFailure("POST comments", "no answer")


def fails(error: Exception) -> str:
    raise error


def test_what_is_made_is_not_looked_for() -> None:
    assert make_once(lambda: "it", lambda: fails(AssertionError()), FORGETS) == ("it", True)  # type: ignore[arg-type, return-value]


def test_what_was_made_in_spite_of_a_lost_answer_is_found() -> None:
    assert make_once(lambda: fails(LOST), lambda: ["it", "another"], FORGETS) == ("it", False)


def test_what_is_not_found_after_a_lost_answer_is_for_later() -> None:
    with pytest.raises(TemporaryFailure, match="no answer"):
        make_once(lambda: fails(LOST), list, FORGETS)


def test_what_github_refused_was_not_made() -> None:
    refused = PermissionRefused("POST comments", "pull_requests=write", "")
    with pytest.raises(PermissionRefused):
        make_once(lambda: fails(refused), lambda: ["it"], FORGETS)


@pytest.mark.parametrize(
    ("error", "is_certain"),
    [
        (PermissionRefused("POST comments", None, "no"), True),
        (RateLimited(NOW, LimitKind.SECONDARY, "POST comments"), True),
        (RequestRejected("POST comments", 422, "no"), True),
        (RateLimited(NOW, LimitKind.OWN, "a write"), False),
        (LOST, False),
    ],
)
def test_only_what_certainly_was_not_made_takes_the_note_back(
    error: GitHubError, *, is_certain: bool
) -> None:
    taken: list[int] = []
    memory = PublisherMemory(note=lambda: None, withdraw=lambda: taken.append(1))
    with pytest.raises(type(error)):
        make_once(lambda: fails(error), list, memory)
    assert bool(taken) is is_certain


def test_what_cannot_be_read_back_keeps_its_id() -> None:
    assert read_back(["it"], "comment", "12") == "it"
    with pytest.raises(NotReadBack) as unseen:
        read_back([], "comment", "12")
    assert unseen.value.external_id == "12"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a\nb", "a\r\nb\r\n", True),
        ("  a\n", "a", True),
        (None, "", True),
        (None, " \n", True),
        ("a b", "a  b", False),
        ("a\n\nb", "a\nb", False),
        ("a", None, False),
    ],
)
def test_texts_are_compared_as_github_keeps_them(
    one: str | None, other: str | None, *, same: bool
) -> None:
    assert same_text(one, other) is same_text(other, one) is same


def report(outcome: WriteResult, **members: object) -> PublisherReport:
    return PublisherReport(name="label", outcome=outcome, **members)  # type: ignore[arg-type]


def test_only_what_people_can_mend_is_a_problem() -> None:
    refused = report(WriteResult.NOT_WRITTEN, detail="no permission")
    assert refused.problem == "label: no permission"
    assert report(WriteResult.NOT_WRITTEN, detail="deleted", by_choice=True).problem is None
    different = report(WriteResult.WRITTEN, confirmed=False)
    assert different.problem == "label: written, and read back differently"
    for fine in (report(WriteResult.WRITTEN, confirmed=True), report(WriteResult.UNCHANGED)):
        assert fine.problem is None
