"""Query parameters: read once, with their defaults, and refused where they mean nothing."""

from datetime import date
from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import BadRequest

from ghapp.attribution.model import Verdict
from ghapp.summaries.selection import ListSlice, PullOrder, TimeGrain
from ghapp.web.api.questions import (
    FilterParameters,
    LineParameters,
    ListParameters,
    NoParameters,
    PageParameters,
    SummaryParameters,
    UserParameters,
    read,
)

APP = Flask("questions")


def asked(kind: Any, query: str) -> Any:
    with APP.test_request_context(f"/?{query}"):
        return read(kind)


@pytest.mark.parametrize(
    ("kind", "query", "said"),
    [
        (NoParameters, "x=1", "x"),
        (PageParameters, "limit=0", "limit"),
        (PageParameters, "limit=201", "limit"),
        (PageParameters, "limit=ten", "limit"),
        (PageParameters, "after=", "after"),
        (PageParameters, "after=a&after=b", "after is in the address 2 times"),
        (FilterParameters, "since=2026-02-30", "since"),
        (FilterParameters, "share_from=1.01", "share_from"),
        (FilterParameters, "share_to=nan", "share_to"),
        (FilterParameters, "verdict=Assisted", "verdict"),
        (SummaryParameters, "grain=hour", "grain"),
        (LineParameters, "attributed=perhaps", "attributed"),
        (LineParameters, f"audit={2**31}", "audit"),
    ],
)
def test_what_means_nothing_is_refused_by_its_name(kind: Any, query: str, said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        asked(kind, query)
    assert said in str(refused.value.description)


def test_without_parameters_there_are_defaults() -> None:
    assert asked(PageParameters, "") == PageParameters(after=None, limit=50)
    assert asked(SummaryParameters, "").grain is TimeGrain.WEEK
    assert asked(ListParameters, "").listing == ListSlice(order=PullOrder.MERGED, limit=50)
    assert asked(LineParameters, "limit=2000").limit == 2000


def test_filters_select_within_the_repositories_that_one_may_read() -> None:
    query = "since=2026-05-01&author=ann&verdict=assisted&share_from=0.5"
    found = asked(FilterParameters, query).of((1, 2))
    assert (found.repository_ids, found.since, found.until) == ((1, 2), date(2026, 5, 1), None)
    assert (found.author, found.verdict, found.share_from) == ("ann", Verdict.ASSISTED, 0.5)


def test_users_are_counted_with_claude_code_unless_asked_otherwise() -> None:
    queries = ("", "counting=codex", "counting=any&team=web")
    found = [asked(UserParameters, query).of((1,)) for query in queries]
    assert [one.counting for one in found] == ["claude-code", "codex", None]
    assert [one.team for one in found] == [None, None, "web"]


def test_a_list_is_ordered_as_it_is_asked_for() -> None:
    found = asked(ListParameters, "sort=share&ascending=true&after=k&limit=7").listing
    assert found == ListSlice(order=PullOrder.SHARE, ascending=True, after="k", limit=7)
