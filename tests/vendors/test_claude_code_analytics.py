"""Claude Code Analytics and the Enterprise API's users: what is kept of people's days."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import NO_TOOL, DecisionDay, TokenDay
from ghapp.usage.sources import IdentityKind
from ghapp.vendors.refusals import RequestRefused, WrongAnswer
from tests.vendors.published import anthropic_problems
from tests.vendors.reading import asking_of, read
from tests.vendors.stand_in import Anthropic, Asked, Enterprise, Reply, served, user_activity

DAY = date(2026, 11, 28)
PATH = "/v1/organizations/usage_report/claude_code"


def row(**changed: Any) -> dict[str, Any]:
    """Return a row as documented, with some members changed."""
    made = Anthropic()
    made.say(DAY, ada=5)
    asked = Asked("GET", PATH, {"starting_at": [str(DAY)]}, {}, {})
    found: dict[str, Any] = made._claude_code(asked).body["data"][0]
    return json.loads(json.dumps(found)) | changed


def told_of(rows: list[Any], kind: type[Anthropic] = Anthropic, report: str = "claude_code") -> Any:
    with served(kind()) as told:
        told.route = lambda _: Reply({"data": rows, "has_more": False})  # type: ignore[method-assign]
        return read(told, report, DAY)


def test_a_person_s_day() -> None:
    (one,) = told_of([row()]).people
    assert (one.identity.kind, one.identity.value) == (IdentityKind.EMAIL, "ada@example.com")
    assert (one.agent, one.agent_sessions) == ("claude-code", 1)
    tokens = [row for row in one.rows if isinstance(row, TokenDay)]
    assert [(row.tokens, row.model, row.answers) for row in tokens] == [
        (
            TokenCounts(input=10, output=5, cache_read=1000, cache_write_unsplit=50),
            "claude-sonnet-5",
            None,
        )
    ]
    decided = [row for row in one.rows if isinstance(row, DecisionDay)]
    assert [(row.tool, row.decision, row.edits, row.lines, row.decided_by) for row in decided] == [
        ("Edit", "accepted", 5, None, None),
        ("Edit", "refused", 1, None, None),
        (NO_TOOL, "accepted", 0, 10, None),
    ]


def test_an_address_is_the_same_in_capitals() -> None:
    actor = {"type": "user_actor", "email_address": "Ada@Example.COM"}
    (one,) = told_of([row(actor=actor)]).people
    assert one.identity.value == "ada@example.com"


def test_an_api_key_is_no_person() -> None:
    actor = {"type": "api_actor", "api_key_name": "ci-review-bot"}
    (one,) = told_of([row(actor=actor)]).people
    assert (one.identity.kind, one.identity.value) == (IdentityKind.API_KEY, "ci-review-bot")


def test_a_row_that_is_told_twice_counts_once_and_another_terminal_s_is_another() -> None:
    found = told_of([row(), row(), row(terminal_type="tmux"), row(customer_type="subscription")])
    assert len(found.people) == 3


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"date": "2031-01-01T00:00:00Z"}, "another day"),
        ({"actor": {"type": "robot"}}, r"\$\.data\[0\]\.actor"),
        ({"actor": {"type": "user_actor", "email_address": "e" * 300}}, "email_address"),
        ({"core_metrics": {"num_sessions": -1, "lines_of_code": {"added": 0}}}, "num_sessions"),
        ({"core_metrics": {"num_sessions": 1, "lines_of_code": {"added": 10**30}}}, "added"),
        ({"model_breakdown": {}}, "model_breakdown"),
        ({"model_breakdown": None}, "model_breakdown"),
    ],
)
def test_what_cannot_be_is_refused_by_its_path(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(WrongAnswer, match=named) as refused:
        told_of([row(**changed)])
    assert "robot" not in str(refused.value)


def test_a_name_of_a_model_that_cannot_be_is_unknown() -> None:
    one = row()
    one["model_breakdown"][0]["model"] = "no model <at all>"
    (person,) = told_of([one]).people
    assert [one.model for one in person.rows if isinstance(one, TokenDay)] == [None]


def test_the_stand_in_refuses_small_pages() -> None:
    with served(Anthropic()) as told, asking_of(told) as asking:
        for limit in (19, 1001):
            query = {"starting_at": str(DAY), "limit": limit}
            with pytest.raises(RequestRefused, match="status 400"):
                asking.json("GET", PATH, dict, query=query)


# --- users of Claude Enterprise -------------------------------------------------------------------


def test_a_user_s_day_has_decisions_and_no_tokens() -> None:
    (one,) = told_of([user_activity("ada", 5, DAY)], Enterprise, "users").people
    assert (one.identity.value, one.agent_sessions) == ("ada@example.com", 1)
    assert [(row.tool, row.edits, row.lines) for row in one.rows] == [
        ("Edit", 5, None),
        ("Edit", 1, None),
        (NO_TOOL, 0, 10),
    ]


def test_a_user_s_day_is_as_published_as_far_as_it_is_read() -> None:
    whole = json.loads(Path(__file__).with_name("anthropic.json").read_text("utf-8"))["users"]
    other = set(whole["required"]) - set(user_activity("ada", 1, DAY))
    # What the app does not read, the stand-in does not make up.
    assert other == {
        "chat_metrics",
        "cowork_metrics",
        "design_metrics",
        "office_metrics",
        "science_metrics",
    }
    problems = anthropic_problems("users", [user_activity("ada", 5, DAY)])
    assert sorted(problems) == sorted(f'"{name}" is a required property' for name in other)


def test_the_stand_in_has_a_user_s_day_two_days_later() -> None:
    with served(Enterprise()) as told, pytest.raises(RequestRefused, match="status 400"):
        read(told, "users", date(2026, 11, 29))
