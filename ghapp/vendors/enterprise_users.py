"""Anthropic's Enterprise Analytics API, users: decided edits of Claude Code by person and UTC day.

It names no tokens. A day is there one day later, and moves by a few per cent afterwards; there is
none before 2026.
https://platform.claude.com/docs/en/manage-claude/analytics-api
"""

from datetime import date

from ghapp.attribution.model import Struct
from ghapp.usage.answers import Count
from ghapp.usage.decisions import EditDecision
from ghapp.usage.sources import of_email
from ghapp.vendors.asking import VendorRequests, pages
from ghapp.vendors.claude_code_analytics import AGENT, TOOLS
from ghapp.vendors.nouns import PersonDay, ReportedDay, WhoseName, decisions_of, lines_of
from ghapp.vendors.refusals import WrongAnswer
from ghapp.vendors.vendor import VendorReport

PATH = "/v1/organizations/analytics/users"
MOST = 1000
"""Rows of a page."""


class _User(Struct, frozen=True):
    id: WhoseName
    email_address: WhoseName


class _Lines(Struct, frozen=True):
    added_count: Count


class _Core(Struct, frozen=True):
    lines_of_code: _Lines
    distinct_session_count: Count | None = None


class _Decided(Struct, frozen=True):
    accepted_count: Count
    rejected_count: Count


class _Actions(Struct, frozen=True):
    edit_tool: _Decided
    multi_edit_tool: _Decided
    write_tool: _Decided
    notebook_edit_tool: _Decided


class _ClaudeCode(Struct, frozen=True):
    core_metrics: _Core
    tool_actions: _Actions


class _Row(Struct, frozen=True):
    claude_code_metrics: _ClaudeCode
    user: _User
    last_activity_date: date | None = None


class _Page(Struct, frozen=True):
    data: tuple[_Row, ...]
    next_page: str | None = None
    has_more: bool | None = None


def _page(asking: VendorRequests, day: date, limit: int, cursor: str | None = None) -> _Page:
    query = {"date": day.isoformat(), "limit": limit, "page": cursor}
    return asking.json("GET", PATH, _Page, query=query)


def read(asking: VendorRequests, day: date) -> ReportedDay:
    """Return the day's people; a person who is told twice counts once."""
    people: dict[str, PersonDay] = {}
    for page in pages(lambda cursor: _page(asking, day, MOST, cursor), f"GET {PATH}"):
        for row in page.data:
            if row.last_activity_date not in {None, day}:
                raise WrongAnswer(f"GET {PATH}: it was asked for {day} and tells of another day")
            people[row.user.id] = _person(row, day)
    return ReportedDay(people=tuple(people.values()))


def _person(row: _Row, day: date) -> PersonDay:
    told = row.claude_code_metrics
    decided = {}
    for member, tool in TOOLS.items():
        actions: _Decided = getattr(told.tool_actions, member)
        decided[tool, EditDecision.ACCEPTED] = actions.accepted_count
        decided[tool, EditDecision.REFUSED] = actions.rejected_count
    added = told.core_metrics.lines_of_code.added_count
    return PersonDay(
        identity=of_email(row.user.email_address),
        agent=AGENT,
        rows=decisions_of(AGENT, day, decided) + lines_of(AGENT, day, added),
        agent_sessions=told.core_metrics.distinct_session_count,
    )


REPORT = VendorReport(
    name="users",
    title="Enterprise Analytics API, users",
    read=read,
    try_key=lambda asking, day: _page(asking, day, 1),
    lag=2,
)
