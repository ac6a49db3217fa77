"""The comment: one, ours, edited in place, and left deleted."""

from ghapp.demo.sandbox import HubComment
from ghapp.publishers.comment import marker
from tests.publishers.desired import COMMENT, Publisher, desired, of


def ours(publisher: Publisher) -> list[HubComment]:
    return [
        comment
        for comment in publisher.place.sandbox.visible(publisher.hosted).comments
        if comment.app is not None
    ]


def test_a_new_text_is_written_into_the_same_comment(publisher: Publisher) -> None:
    publisher.publish()
    (before,) = ours(publisher)
    done = publisher.publish(desired(comment="### All of it\n"))
    (after,) = ours(publisher)
    assert after.id == before.id
    assert after.body.startswith("### All of it")
    assert of(done, "comment").confirmed


def test_a_comment_that_a_person_deleted_stays_deleted(publisher: Publisher) -> None:
    publisher.publish()
    publisher.place.sandbox.delete_comment(publisher.hosted, ours(publisher)[0])
    publisher.time_passes()
    for _ in range(2):
        done = of(publisher.publish(desired(comment="new")), "comment")
        assert done.outcome.value == "not_written"
        assert done.by_choice
        assert done.problem is None
        assert done.external_id is not None
    assert ours(publisher) == []


def test_duplicates_of_ours_are_deleted_and_the_oldest_stays(publisher: Publisher) -> None:
    publisher.publish()
    (oldest,) = ours(publisher)
    github = publisher.place.new_github()
    for _ in range(2):
        github.post(f"issues/{publisher.hosted.number}/comments", {"body": oldest.body}, object)
    done = publisher.publish()
    assert of(done, "comment").detail == "2 duplicates deleted"
    assert [comment.id for comment in ours(publisher)] == [oldest.id]


def test_a_persons_quotation_of_ours_is_left_alone(publisher: Publisher) -> None:
    line = marker(publisher.place.github, publisher.hosted.number)
    publisher.place.sandbox.add_comment(publisher.hosted, "ada", f"> {COMMENT}\n{line}")
    publisher.publish()
    assert len(publisher.comments) == 2
    assert publisher.comments[0].startswith("> ")


def test_a_marker_of_another_pull_request_is_not_this_ones(publisher: Publisher) -> None:
    line = marker(publisher.place.github, publisher.hosted.number + 1)
    path = f"issues/{publisher.hosted.number}/comments"
    publisher.place.github.post(path, {"body": f"text\n{line}"}, object)
    publisher.publish()
    assert len(ours(publisher)) == 2


def test_a_comment_behind_a_hundred_others_is_found(publisher: Publisher) -> None:
    for number in range(120):
        publisher.place.sandbox.add_comment(publisher.hosted, "ada", f"comment {number}")
    publisher.publish()
    publisher.forget()
    publisher.publish()
    assert len(ours(publisher)) == 1


def test_a_stale_list_makes_no_second_comment(publisher: Publisher) -> None:
    publisher.publish()
    publisher.place.play("stale_read", "*/issues/{issue_number}/comments", "GET", times=None)
    assert of(publisher.publish(), "comment").outcome.value == "unchanged"
    assert len(ours(publisher)) == 1


def test_without_evidence_a_standing_comment_is_kept_up_to_date(publisher: Publisher) -> None:
    publisher.publish()
    publisher.publish(desired(comment="### No evidence\n", opens_comment=False))
    assert ours(publisher)[0].body.startswith("### No evidence")


def test_where_no_comment_is_wanted_a_standing_one_is_left(publisher: Publisher) -> None:
    publisher.publish()
    done = publisher.publish(desired(comment=None))
    assert of(done, "comment").outcome.value == "unchanged"
    assert of(done, "comment").external_id == str(ours(publisher)[0].id)


def test_the_marker_is_numbers_and_a_signature(publisher: Publisher) -> None:
    publisher.publish()
    last = publisher.comments[0].strip().splitlines()[-1]
    assert last.startswith(
        f"<!-- attribution-auditor:v1 repo={publisher.place.repository.id} "
        f"pr={publisher.hosted.number} sig="
    )
