"""Copilot: links that are GitHub's, files line by line, accounts of GitHub, credits as a price."""

import json
from datetime import date
from typing import Any

import pytest

from ghapp.usage.answers import TokenCounts
from ghapp.usage.sources import IdentityKind
from ghapp.vendors.copilot import _check_link
from ghapp.vendors.refusals import WrongAnswer
from tests.vendors.published import github_problems
from tests.vendors.reading import read
from tests.vendors.stand_in import Asked, Copilot, Reply, served

DAY = date(2026, 11, 28)
API = "https://api.github.com"


def person(**changed: Any) -> dict[str, Any]:
    """Return a line as documented, with some members changed."""
    return {"user_id": 1001, "user_login": "ada-example", "day": str(DAY)} | changed


def told(*lines: Any, file: bytes | None = None, **links: Any) -> Any:
    with served(Copilot()) as stand_in:
        body = file if file is not None else b"\n".join(json.dumps(one).encode() for one in lines)

        def route(asked: Asked) -> Reply:
            if asked.path == "/files/1":
                assert "Authorization" not in asked.headers
                return Reply(body)
            here = [f"{stand_in.address}/files/1"]
            return Reply({"download_links": here, "report_day": str(DAY), **links})

        stand_in.route = route  # type: ignore[method-assign]
        return read(stand_in, "users", DAY)


def test_the_stand_in_answers_as_published() -> None:
    with served(Copilot()) as stand_in:
        stand_in.say(DAY, ada=5, bob=3)
        whole, seen = stand_in.route, list[str]()

        def kept(asked: Asked) -> Reply:
            reply = whole(asked)
            if not asked.path.startswith("/files/"):
                seen.append(asked.path)
                assert github_problems(asked, reply) == []
            return reply

        stand_in.route = kept  # type: ignore[method-assign]
        read(stand_in, "users", DAY)
        assert len(seen) == 1
    asked = Asked("GET", "/x", {"day": ["someday"]}, {}, {})
    assert github_problems(asked, Reply({"download_links": []})) != []


def test_a_person_is_an_account_of_github() -> None:
    spent = {"output_tokens_sum": 5000, "prompt_tokens_sum": 3800}
    cli = {"session_count": 2, "request_count": 7, "token_usage": spent}
    found = told(person(used_cli=True, totals_by_cli=cli, ai_credits_used=12.5))
    (one,) = found.people
    assert (one.identity.kind, one.identity.value) == (IdentityKind.ACCOUNT, "1001")
    assert (one.login, one.agent, one.agent_sessions) == ("ada-example", "copilot", 2)
    (row,) = one.rows
    assert (row.tokens, row.answers) == (TokenCounts(input=3800, output=5000), 7)
    (money,) = found.amounts
    assert (money.billed, money.list_price, money.login) == (None, 125_000, "ada-example")


def test_completions_alone_are_no_use_of_an_agent() -> None:
    found = told(person(code_acceptance_activity_count=3), person(user_id=2, used_chat=True))
    assert [len(one.rows) for one in found.people] == [0, 1]
    assert found.amounts == ()


def test_a_person_on_two_lines_counts_once_and_empty_lines_not() -> None:
    line = json.dumps(person(ai_credits_used=1)).encode()
    found = told(file=b"\n".join([line, b"", line, b""]))
    assert len(found.people) == len(found.amounts) == 1


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (person(day="2031-01-01"), "another day"),
        (person(user_id="ada"), "line 1: .*user_id"),
        (person(user_id=10**40), "line 1: .*user_id"),
        (person(user_id=0), "line 1: .*user_id"),
        (person(user_login=""), "line 1: .*user_login"),
        (person(ai_credits_used="NaN"), "ai_credits_used"),
        (person(ai_credits_used=-0.5), "ai_credits_used"),
        (person(totals_by_cli={"session_count": 1}), "request_count"),
        ("no object", "line 1"),
    ],
)
def test_what_cannot_be_is_refused(line: Any, named: str) -> None:
    with pytest.raises(WrongAnswer, match=named):
        told(line)


def test_a_file_that_ends_in_a_line_is_half_an_answer() -> None:
    whole = json.dumps(person()).encode()
    with pytest.raises(WrongAnswer, match="line 2: not as documented"):
        told(file=whole + b"\n" + whole[:20])


def test_a_report_of_another_day_is_refused() -> None:
    with pytest.raises(WrongAnswer, match="report_day"):
        told(person(), report_day="2026-11-27")


@pytest.mark.parametrize(
    "link",
    [
        "https://copilot-reports-production-ab12.b01.azurefd.net/1?sig=x",
        "https://usagereportsprod01.blob.core.windows.net/1",
        "https://objects.githubusercontent.com/1",
        "https://copilot-reports.github.com/1",
        f"{API}/files/1",
    ],
)
def test_github_s_files_are_read(link: str) -> None:
    _check_link(link, API)


@pytest.mark.parametrize(
    "link",
    [
        "http://objects.githubusercontent.com/1",
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/1",
        "https://evil.example/objects.githubusercontent.com",
        "https://objects.githubusercontent.com@evil.example/1",
        "https://objects.githubusercontent.com:8443/1",
        "https://copilot-reports-x.b01.azurefd.net.evil.example/1",
        "file:///etc/passwd",
        "https://[::1/1",
        "https://api.github.com:99999/1",
        "",
    ],
)
def test_no_other_host_is_called(link: str) -> None:
    with pytest.raises(WrongAnswer, match="download_links"):
        _check_link(link, API)
    with pytest.raises(WrongAnswer, match="download_links"):
        told(person(), download_links=[link])
