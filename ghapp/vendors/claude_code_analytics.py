"""Anthropic's Claude Code Analytics API: tokens and decided edits by person and UTC day.

One request is about one day; figures are up to an hour late. It tells what the first-party API
served, not Bedrock, Vertex or Foundry. Its estimated cost is a list price that others tell better,
so it is not read.
https://platform.claude.com/docs/en/manage-claude/claude-code-analytics-api
"""

from collections.abc import Iterator
from datetime import date

from ghapp.attribution.model import Struct
from ghapp.usage.answers import Count, TokenCounts
from ghapp.usage.days import UsageRow
from ghapp.usage.decisions import EditDecision
from ghapp.usage.sources import IdentityKind, UsageIdentity, of_email
from ghapp.vendors.asking import VendorRequests, pages
from ghapp.vendors.nouns import (
    PersonDay,
    ReportedDay,
    ShortText,
    WhoseName,
    decisions_of,
    lines_of,
    tokens_of,
)
from ghapp.vendors.refusals import WrongAnswer
from ghapp.vendors.vendor import VendorReport

PATH = "/v1/organizations/usage_report/claude_code"
AGENT = "claude-code"
MOST, LEAST = 1000, 20
"""Rows of a page."""
TOOLS = {
    "edit_tool": "Edit",
    "multi_edit_tool": "MultiEdit",
    "write_tool": "Write",
    "notebook_edit_tool": "NotebookEdit",
}
"""Member of ``tool_actions`` → the tool's name in transcripts and telemetry."""


class _Person(Struct, frozen=True, tag="user_actor", tag_field="type"):
    email_address: WhoseName


class _Key(Struct, frozen=True, tag="api_actor", tag_field="type"):
    api_key_name: WhoseName


class _Lines(Struct, frozen=True):
    added: Count


class _Core(Struct, frozen=True):
    num_sessions: Count
    lines_of_code: _Lines


class _Decided(Struct, frozen=True):
    accepted: Count = 0
    rejected: Count = 0


class _Actions(Struct, frozen=True):
    edit_tool: _Decided = _Decided()
    multi_edit_tool: _Decided = _Decided()
    write_tool: _Decided = _Decided()
    notebook_edit_tool: _Decided = _Decided()


class _Tokens(Struct, frozen=True):
    input: Count
    output: Count
    cache_read: Count
    cache_creation: Count


class _Model(Struct, frozen=True):
    model: ShortText
    tokens: _Tokens


class _Row(Struct, frozen=True):
    date: str
    actor: _Person | _Key
    core_metrics: _Core
    tool_actions: _Actions
    model_breakdown: tuple[_Model, ...]
    customer_type: ShortText | None = None
    terminal_type: ShortText | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What a repeated row has in common with the first: people have a row each per terminal."""
        return self.actor, self.customer_type, self.terminal_type


class _Page(Struct, frozen=True):
    data: tuple[_Row, ...]
    has_more: bool | None = None
    next_page: str | None = None


def _page(asking: VendorRequests, day: date, limit: int, cursor: str | None = None) -> _Page:
    query = {"starting_at": day.isoformat(), "limit": limit, "page": cursor}
    return asking.json("GET", PATH, _Page, query=query)


def read(asking: VendorRequests, day: date) -> ReportedDay:
    """Return the day's people; a row that is told twice counts once."""
    rows: dict[tuple[object, ...], _Row] = {}
    for page in pages(lambda cursor: _page(asking, day, MOST, cursor), f"GET {PATH}"):
        for row in page.data:
            if row.date[:10] != day.isoformat():
                raise WrongAnswer(f"GET {PATH}: it was asked for {day} and tells of another day")
            rows[row.key] = row
    return ReportedDay(people=tuple(_person(row, day) for row in rows.values()))


def _person(row: _Row, day: date) -> PersonDay:
    return PersonDay(
        identity=_identity(row.actor),
        agent=AGENT,
        rows=tuple(_rows(row, day)),
        agent_sessions=row.core_metrics.num_sessions,
    )


def _identity(actor: _Person | _Key) -> UsageIdentity:
    if isinstance(actor, _Person):
        return of_email(actor.email_address)
    return UsageIdentity(IdentityKind.API_KEY, actor.api_key_name)


def _rows(row: _Row, day: date) -> Iterator[UsageRow]:
    for one in row.model_breakdown:
        told = one.tokens
        counts = TokenCounts(
            input=told.input,
            output=told.output,
            cache_read=told.cache_read,
            cache_write_unsplit=told.cache_creation,
        )
        yield tokens_of(AGENT, day, counts, model=one.model)
    decided = {}
    for member, tool in TOOLS.items():
        actions: _Decided = getattr(row.tool_actions, member)
        decided[tool, EditDecision.ACCEPTED] = actions.accepted
        decided[tool, EditDecision.REFUSED] = actions.rejected
    yield from decisions_of(AGENT, day, decided)
    yield from lines_of(AGENT, day, row.core_metrics.lines_of_code.added)


REPORT = VendorReport(
    name="claude_code",
    title="Claude Code Analytics API",
    read=read,
    try_key=lambda asking, day: _page(asking, day, LEAST),
)
