"""How the API answers: entity tags, and pages of a list that grows meanwhile."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest

from ghapp.web.api.answers import ListPage, answer, cut, listed, tagged

APP = Flask("answers")


def test_who_has_it_already_is_sent_nothing() -> None:
    with APP.test_request_context("/"):
        first = answer({"a": 1})
    assert (first.status_code, first.data) == (200, b'{"a":1}')
    tag = first.headers["ETag"]
    with APP.test_request_context("/", headers={"If-None-Match": tag}):
        assert answer({"a": 1}).status_code == 304
        assert answer({"a": 2}).status_code == 200


def test_a_tag_of_the_callers_own_stands_for_the_bytes() -> None:
    with APP.test_request_context("/", headers={"If-None-Match": '"sha256:x"'}):
        assert tagged(b"{}", "sha256:x").status_code == 304
        assert tagged(b"{}", "sha256:y").headers["ETag"] == '"sha256:y"'


def test_no_cache_gives_one_persons_answer_to_another() -> None:
    with APP.test_request_context("/"):
        headers = answer([]).headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Vary"] == "Authorization, Cookie"


def test_the_next_page_is_asked_as_this_one_was() -> None:
    with APP.test_request_context("/list?path=a%26b&after=old&limit=2"):
        linked = listed(ListPage(items=(1,), after="x/y"))
        last = listed(ListPage(items=(1,)))
    assert linked.headers["Link"] == (
        '<http://localhost/list?path=a%26b&limit=2&after=x%2Fy>; rel="next"'
    )
    assert "Link" not in last.headers


ITEMS = [(str(number), number) for number in range(5)]


@pytest.mark.parametrize(
    ("after", "limit", "page"),
    [
        (None, 5, ListPage(items=(0, 1, 2, 3, 4))),
        (None, 2, ListPage(items=(0, 1), after="1")),
        ("1", 2, ListPage(items=(2, 3), after="3")),
        ("3", 2, ListPage(items=(4,))),
        ("4", 2, ListPage(items=())),
    ],
)
def test_a_list_is_cut_after_a_key(after: str | None, limit: int, page: ListPage) -> None:
    assert cut(ITEMS, after, limit) == page


def test_a_list_is_not_cut_after_a_key_that_it_lacks() -> None:
    with pytest.raises(BadRequest, match="'gone' is not a place in this list"):
        cut(ITEMS, "gone", 2)


@given(count=st.integers(0, 20), limit=st.integers(1, 7), more=st.integers(0, 3))
def test_page_by_page_each_item_comes_once_though_items_are_added(
    count: int, limit: int, more: int
) -> None:
    items = [(str(number), number) for number in range(count)]
    found: list[object] = []
    after: str | None = None
    while True:
        page = cut(items, after, limit)
        found += page.items
        items += [(str(number), number) for number in range(len(items), count + more)]
        after = page.after
        if after is None:
            break
    assert found[:count] == list(range(count))
    assert len(found) == len(set(found))
