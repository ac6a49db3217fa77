"""Labels: ours are added and taken away again, people's are never touched."""

import json

from ghapp.publishers.label import COLOR, MOST_DESCRIPTION, description
from tests.publishers.desired import LABEL, Publisher, desired, of


def labels(*names: str) -> object:
    return {name: name.removesuffix("-assisted") for name in names}


def test_people_s_labels_stay(publisher: Publisher) -> None:
    publisher.place.sandbox.add_label(publisher.hosted, "bug")
    publisher.publish()
    publisher.publish(desired(labels=labels()))
    assert publisher.labels == ("bug",)


def test_every_agent_has_its_label(publisher: Publisher) -> None:
    publisher.publish(desired(labels=labels(LABEL, "codex-assisted")))
    assert set(publisher.labels) == {LABEL, "codex-assisted"}
    assert len(publisher.place.sent("POST", "/issues/{issue_number}/labels")) == 1
    publisher.publish(desired(labels=labels("codex-assisted")))
    assert publisher.labels == ("codex-assisted",)


def test_ours_is_taken_away_when_the_audit_changes(publisher: Publisher) -> None:
    publisher.publish()
    done = of(publisher.publish(desired(labels=labels())), "label")
    assert publisher.labels == ()
    assert done.detail == f"removed {LABEL}"
    assert done.confirmed
    assert "label" not in publisher.known


def test_one_that_a_person_put_is_not_taken_away(publisher: Publisher) -> None:
    publisher.place.sandbox.add_label(publisher.hosted, LABEL)
    publisher.publish()
    publisher.publish(desired(labels=labels()))
    assert publisher.labels == (LABEL,)


def test_one_that_a_person_took_away_already_is_no_error(publisher: Publisher) -> None:
    publisher.publish()
    publisher.place.sandbox.remove_label(publisher.hosted, LABEL)
    assert of(publisher.publish(desired(labels=labels())), "label").outcome.value == "unchanged"


def test_it_stays_ours_over_an_answer_that_was_lost(publisher: Publisher) -> None:
    publisher.place.play("bad_gateway_after", "*/issues/{issue_number}/labels", "POST")
    publisher.publish()
    publisher.publish(desired(labels=labels()))
    assert publisher.labels == ()


def test_letter_case_makes_no_difference(publisher: Publisher) -> None:
    publisher.place.sandbox.add_label(publisher.hosted, LABEL.title())
    assert of(publisher.publish(), "label").outcome.value == "unchanged"


def test_a_new_label_is_defined_with_color_and_words(publisher: Publisher) -> None:
    publisher.publish()
    defined = publisher.place.repository.labels[LABEL]
    assert (defined.color, defined.description) == (COLOR, description("claude-code"))
    sent = publisher.place.sent("POST", "/issues/{issue_number}/labels")[0]
    assert json.loads(sent.request_body) == {"labels": [LABEL]}


def test_a_defined_label_keeps_what_people_made_of_it(publisher: Publisher) -> None:
    kept = publisher.place.sandbox.add_label(publisher.hosted, LABEL)
    publisher.place.sandbox.remove_label(publisher.hosted, LABEL)
    publisher.publish()
    assert publisher.labels == (LABEL,)
    assert publisher.place.repository.labels[LABEL].color == kept.color != COLOR


def test_one_that_a_person_took_off_stays_off(publisher: Publisher) -> None:
    publisher.publish()
    publisher.place.sandbox.remove_label(publisher.hosted, LABEL)
    for _ in range(2):
        done = of(publisher.publish(), "label")
        assert publisher.labels == ()
        assert (done.outcome.value, done.detail) == ("unchanged", f"taken off {LABEL}")
    # Another agent's label is another matter.
    publisher.publish(desired(labels=labels(LABEL, "codex-assisted")))
    assert publisher.labels == ("codex-assisted",)


def test_one_that_the_owner_renamed_is_followed(publisher: Publisher) -> None:
    publisher.publish()
    known = publisher.place.repository.labels
    label = known.pop(LABEL)
    label.name = "AI wrote some"
    known["ai wrote some"] = label
    assert of(publisher.publish(), "label").outcome.value == "unchanged"
    other = publisher.another()
    assert of(other.publish(), "label").confirmed
    assert other.labels == ("AI wrote some",)
    assert [*known] == ["ai wrote some"]
    publisher.publish(desired(labels=labels()))
    assert publisher.labels == ()


def test_one_that_was_deleted_from_the_repository_is_not_defined_again(
    publisher: Publisher,
) -> None:
    publisher.publish()
    del publisher.place.repository.labels[LABEL]
    other = publisher.another()
    done = of(other.publish(), "label")
    assert (other.labels, done.detail) == ((), f"deleted {LABEL}")
    assert publisher.place.repository.labels == {}


def test_descriptions_fit() -> None:
    assert description("claude-code") == "Some added lines were written in Claude Code sessions"
    # https://docs.github.com/en/rest/issues/labels: "Must be 100 characters or fewer."
    assert len(description("x" * 200)) == MOST_DESCRIPTION == 100
