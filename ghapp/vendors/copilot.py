"""GitHub Copilot's user metrics: tokens of the CLI and AI credits by person and day.

GitHub answers with links to files of one JSON object a line; the links are signed, expire, and get
no key. Agents' edits are not among the suggestions and acceptances that a report counts, and its
lines hold completions, so neither is read. Prompt tokens hold what came from a cache: the report
does not tell them apart. AI credits are a measure of use at the list price, not the bill.
https://docs.github.com/en/rest/copilot/copilot-usage-metrics
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from ghapp.attribution.model import Struct
from ghapp.git.names import segment
from ghapp.usage.amounts import VendorAmount
from ghapp.usage.answers import Count, TokenCounts
from ghapp.usage.sources import IdentityKind, UsageIdentity
from ghapp.vendors.asking import VendorRequests, check_rows, decoded
from ghapp.vendors.nouns import (
    Money,
    PersonDay,
    ReportedDay,
    WhoseName,
    micros,
    tokens_of,
)
from ghapp.vendors.refusals import NotThereYet, RequestRefused, WrongAnswer
from ghapp.vendors.vendor import AgentVendor, VendorReport

AGENT = "copilot"
CREDITS = "ai_credits"
MOST_LINKS = 100
AccountNumber = Annotated[int, Meta(ge=1, le=2**63 - 1)]
FILE = "the report's file"

# copilot-reports-production-ab12.b01.azurefd.net, objects.githubusercontent.com
_HOST = re.compile(
    r"(?:copilot-reports-[\w-]{1,80}\.b01\.azurefd\.net"
    r"|usagereports\w{1,60}\.blob\.core\.windows\.net"
    r"|[\w-]{1,60}\.github\.com|[\w-]{1,60}\.githubusercontent\.com)"
)
"""Hosts of the files, so that an answer cannot make the app call any other.
https://docs.github.com/en/copilot/reference/copilot-allowlist-reference"""


class _Links(Struct, frozen=True):
    download_links: tuple[str, ...]
    report_day: date


class _TokenUsage(Struct, frozen=True):
    prompt_tokens_sum: Count
    output_tokens_sum: Count


class _Cli(Struct, frozen=True):
    session_count: Count
    request_count: Count
    token_usage: _TokenUsage | None = None


class _Row(Struct, frozen=True):
    day: date
    user_id: AccountNumber
    user_login: WhoseName
    used_chat: bool = False
    used_agent: bool = False
    used_cli: bool = False
    totals_by_cli: _Cli | None = None
    ai_credits_used: Money | None = None


def _links(asking: VendorRequests, day: date) -> _Links:
    path = f"/orgs/{segment(asking.access.account)}/copilot/metrics/reports/users-1-day"
    try:
        return asking.json("GET", path, _Links, query={"day": day.isoformat()})
    except RequestRefused as refused:
        if not str(refused).endswith("status 404"):
            raise
        raise NotThereYet(f"GET {path}: there is no report") from None


def read(asking: VendorRequests, day: date) -> ReportedDay:
    """Return the day's people; a person who is told twice counts once."""
    links = _links(asking, day)
    if links.report_day != day:
        raise WrongAnswer(f"report_day: it was asked for {day} and tells of another day")
    if len(links.download_links) > MOST_LINKS:
        raise WrongAnswer(f"download_links: more than {MOST_LINKS}")
    people: dict[int, _Row] = {}
    count = 0
    for link in dict.fromkeys(links.download_links):
        _check_link(link, asking.access.address)
        for row in _rows(asking.unsigned(link, FILE)):
            count += 1
            check_rows(count, FILE)
            if row.day != day:
                raise WrongAnswer(f"{FILE}: it was asked for {day} and tells of another day")
            people[row.user_id] = row
    return ReportedDay(
        people=tuple(_person(row) for row in people.values()),
        amounts=tuple(_credits(people.values())),
    )


def _check_link(link: str, address: str) -> None:
    """Raise `WrongAnswer` unless a link leads to GitHub's files, or to where GitHub's API is."""
    try:
        parts = urlsplit(link)
        is_theirs = parts.scheme == "https" and parts.port in {None, 443}
    except ValueError:
        raise WrongAnswer("download_links: one is no address") from None
    asked = urlsplit(address)
    is_beside = (parts.scheme, parts.netloc) == (asked.scheme, asked.netloc)
    if not is_beside and not (is_theirs and _HOST.fullmatch(parts.netloc)):
        raise WrongAnswer(f"download_links: {parts.hostname} is none of GitHub's hosts")


def _rows(file: bytes) -> Iterator[_Row]:
    for number, line in enumerate(file.splitlines(), 1):
        if line.strip():
            yield decoded(line, _Row, f"{FILE}, line {number}")


def _person(row: _Row) -> PersonDay:
    cli = row.totals_by_cli
    spent = cli.token_usage if cli else None
    is_active = row.used_agent or row.used_chat or row.used_cli or cli is not None
    counts = (
        TokenCounts(input=spent.prompt_tokens_sum, output=spent.output_tokens_sum)
        if spent
        else TokenCounts()
    )
    answers = cli.request_count if cli and spent else None
    tokens = tokens_of(AGENT, row.day, counts, model=None, answers=answers)
    return PersonDay(
        identity=_identity(row),
        login=row.user_login,
        agent=AGENT,
        # Completions alone are no use of an agent.
        rows=(tokens,) if is_active else (),
        agent_sessions=cli.session_count if cli else None,
    )


def _identity(row: _Row) -> UsageIdentity:
    return UsageIdentity(IdentityKind.ACCOUNT, str(row.user_id))


def _credits(rows: Iterable[_Row]) -> Iterator[VendorAmount]:
    for row in rows:
        if row.ai_credits_used is not None:
            yield VendorAmount(
                product=CREDITS,
                billed=None,
                # A credit is a cent.
                list_price=micros(row.ai_credits_used, "ai_credits_used"),
                identity=_identity(row),
                login=row.user_login,
                agent=AGENT,
            )


def _headers(key: str) -> Mapping[str, str]:
    return {
        "Authorization": f"Bearer {key}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }


VENDOR = AgentVendor(
    name="github-copilot",
    title="GitHub Copilot",
    key_is="a fine-grained token of an organization owner with the permission Organization "
    "Copilot metrics (read), made in GitHub's developer settings",
    address="",
    headers=_headers,
    reports=(
        VendorReport(
            name="users",
            title="Copilot user metrics",
            read=read,
            try_key=_links,
        ),
    ),
)
