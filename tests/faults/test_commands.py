"""Commands in comments: from people with write access, never from bots, once each."""

import pytest

from ghapp.demo.sandbox import Fault, FaultKind, HubPull
from ghapp.demo.sandbox.state import HubAccount, HubComment
from tests.faults.place import LAG, WRITTEN, Place

COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
WRITTEN_TEXT = "\n".join(WRITTEN) + "\n"
PERMISSION = "/repos/{owner}/{repo}/collaborators/{username}/permission"


def audited(place: Place) -> HubPull:
    place.agent_wrote()
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work()
    return pull


def audits_again(place: Place, pull: HubPull) -> int:
    items = place.store.work.of(place.repository.id, pull.number)
    return sum(item.kind == "audit_again" for item in items)


def says(place: Place, pull: HubPull, who: str, body: str, right: str = "none") -> HubComment:
    place.sandbox.allow(place.repository, who, right)
    comment = place.sandbox.add_comment(pull, who, body)
    place.sandbox.deliver_comment(pull, comment)
    place.work()
    return comment


@pytest.mark.parametrize("right", ["admin", "write"])
def test_who_may_write_may_command(place: Place, right: str) -> None:
    pull = audited(place)
    says(place, pull, "maria", "/attribution audit\r\n\r\nplease", right)
    assert audits_again(place, pull) == 1
    assert place.open_items() == []
    place.expect_good_manners()


@pytest.mark.parametrize("right", ["read", "none"])
def test_others_may_not(place: Place, right: str) -> None:
    pull = audited(place)
    before = len(place.sandbox.writes())
    says(place, pull, "mallory", "/attribution audit", right)
    assert audits_again(place, pull) == 0
    assert len(place.sandbox.writes()) == before
    place.expect_good_manners()


def test_bots_and_apps_may_not_whatever_their_rights(place: Place) -> None:
    pull = audited(place)
    bot = place.sandbox.world.account("dependabot[bot]", "Bot")
    place.sandbox.allow(place.repository, bot.login, "admin")
    for author, app in ((bot, None), (HubAccount(9_001, "maria"), place.registered.app)):
        comment = place.sandbox.add_comment(pull, author.login, "/attribution audit")
        comment.app = app
        place.sandbox.deliver_comment(pull, comment)
        # Even if the app misread such an event, GitHub's own answer decides.
        says(place, pull, "reader", "/attribution audit", "read")
    assert audits_again(place, pull) == 0


@pytest.mark.parametrize(
    "body",
    ["Looks good", "> /attribution audit", "see /attribution audit", "/attribution delete", ""],
)
def test_what_is_no_command_asks_github_nothing(place: Place, body: str) -> None:
    pull = audited(place)
    before = len(place.sandbox.exchanges)
    says(place, pull, "maria", body, "admin")
    assert len(place.sandbox.exchanges) == before


def test_a_command_is_obeyed_once_however_often_it_is_told(place_on_each: Place) -> None:
    place = place_on_each
    pull = audited(place)
    first = says(place, pull, "maria", "/attribution explain", "write")
    place.sandbox.deliver_comment(pull, first)
    place.work()
    assert audits_again(place, pull) == 1
    says(place, pull, "maria", "/Attribution Audit", "write")
    assert audits_again(place, pull) == 2


def test_a_comment_that_github_does_not_list_yet_is_looked_for_again(place: Place) -> None:
    pull = audited(place)
    place.sandbox.play(Fault(FaultKind.STALE_READ, method="GET", route=COMMENTS))
    says(place, pull, "maria", "/attribution audit", "write")
    assert audits_again(place, pull) == 1


def test_while_the_right_cannot_be_asked_nothing_is_obeyed_and_nothing_forgotten(
    place: Place,
) -> None:
    pull = audited(place)
    place.sandbox.play(
        Fault(FaultKind.SERVER_ERROR, method="GET", route=PERMISSION, status=502, times=3)
    )
    says(place, pull, "maria", "/attribution audit", "write")
    assert audits_again(place, pull) == 1
    place.expect_good_manners()


@pytest.mark.parametrize(
    ("state", "sentence"), [("open", "not merged yet"), ("closed", "closed without a merge")]
)
def test_a_command_at_what_is_not_merged_is_answered_once_and_not_tried(
    place_on_each: Place, state: str, sentence: str
) -> None:
    place = place_on_each
    place.agent_wrote()
    pull = place.sandbox.open_pull(place.repository, files={"src/m0.py": WRITTEN_TEXT})
    if state == "closed":
        place.sandbox.close_pull(pull)
    for _ in range(2):
        says(place, pull, "maria", "/attribution audit", "write")
        assert place.open_items() == []
        assert audits_again(place, pull) == 0
    answers = [one.body for one in place.sandbox.visible(pull).comments if one.app]
    assert [sentence in one for one in answers] == [True, True]
    place.expect_good_manners()


def test_after_an_answer_a_merge_that_nobody_told_of_is_found(place: Place) -> None:
    place.agent_wrote()
    place.chores()
    place.work()
    pull = place.sandbox.open_pull(place.repository, files={"src/m0.py": WRITTEN_TEXT})
    says(place, pull, "maria", "/attribution audit", "write")
    place.sandbox.merge(pull)
    place.chores()
    place.work()
    runs = [run.status for run in place.sandbox.visible(pull).check_runs]
    assert runs == ["completed"]


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        (FaultKind.BAD_GATEWAY_AFTER, 1),
        (FaultKind.BAD_GATEWAY_BEFORE, 1),
        (FaultKind.CUT_OFF_AFTER, 1),
        (FaultKind.SECONDARY_LIMIT, 1),
    ],
)
def test_an_answer_is_made_once_whatever_becomes_of_its_request(
    place: Place, kind: FaultKind, answers: int
) -> None:
    pull = place.sandbox.open_pull(place.repository, files={"src/m0.py": WRITTEN_TEXT})
    place.sandbox.play(Fault(kind, method="POST", route=COMMENTS))
    place.sandbox.play(
        Fault(FaultKind.STALE_READ, method="GET", route=COMMENTS, after=2, times=1, seconds=LAG)
    )
    says(place, pull, "maria", "/attribution audit", "write")
    assert len([one for one in place.sandbox.visible(pull).comments if one.app]) == answers
    assert place.open_items() == []
