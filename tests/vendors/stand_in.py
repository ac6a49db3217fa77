"""Stand-ins for the vendors of agents: real servers that behave as documented, and misbehave.

A test says how much each person did on a day; every vendor tells it in its own shape. What should
be stored of it, `Expected` counts in the plainest way.
"""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from ghapp.vendors.registry import VENDORS
from ghapp.vendors.vendor import AgentVendor
from tests.receivers import serving

TODAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
FIRST = date(2026, 1, 1)
"""Anthropic's analytics begin here."""
DAY = timedelta(days=1)
KEY = "vendor-key-that-nobody-may-see"
BETA = "analytics-usage-cost-2026-08-24"
SECRET = "words of a vendor that are about people"


@dataclass
class Reply:
    """An answer: its status, headers and body, and how much of the body is really sent."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: float = 1.0

    @property
    def data(self) -> bytes:
        """The body as bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Asked:
    """A request."""

    verb: str
    path: str
    query: dict[str, list[str]]
    body: dict[str, Any]
    headers: Mapping[str, str]

    def one(self, name: str, default: str = "") -> str:
        """Return a query parameter that is given at most once."""
        return self.query.get(name, [default])[0]


@dataclass(frozen=True)
class Expected:
    """What should be stored of a day: by the value of each identity."""

    outputs: dict[str, int]
    accepted: dict[str, int]
    billed: dict[str, int]
    listed: dict[str, int]


class StandIn(ABC):
    """What a vendor tells, how it misbehaves, and what it was asked."""

    vendor = ""
    lag = 1

    def __init__(self) -> None:
        self.days: dict[date, dict[str, int]] = {}
        """Day → person → how much: output tokens, accepted edits, cents."""
        self.asked: list[Asked] = []
        self.page_size = 2
        self.today = TODAY
        self.address = ""
        # How it misbehaves.
        self.limited = 0
        self.retry_after: str | None = "30"
        self.repeats = False
        self.circles = False
        self.forbids = False
        self.status = 200
        self.cut: set[date] = set()
        """Days of whose last page half is sent."""
        self.away_on_page_two: set[date] = set()
        self.changed: set[date] = set()
        """Days on which a number has become a word."""
        self.late: set[date] = set()
        """Days that are not there yet."""
        self.refusing: set[date] = set()

    def say(self, day: date, **people: int) -> None:
        """Tell this of a day from now on."""
        self.days[day] = people

    def answer(self, asked: Asked) -> Reply:
        """Return what the server answers."""
        self.asked.append(asked)
        if self.limited:
            self.limited -= 1
            after = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            return Reply({"error": SECRET}, 429, after)
        if self.status != 200:
            return Reply({"error": SECRET}, self.status, {"Location": f"{self.address}/elsewhere"})
        return self.route(asked)

    @abstractmethod
    def route(self, asked: Asked) -> Reply:
        """Return the answer of a server that is well."""

    @abstractmethod
    def expected(self, day: date) -> Expected:
        """Return what should be stored of a day."""

    def rows(self, rows: list[Any]) -> list[list[Any]]:
        """Return rows in pages, each twice if it repeats pages."""
        pages = [
            rows[start : start + self.page_size] for start in range(0, len(rows), self.page_size)
        ] or [[]]
        return [page for page in pages for _ in range(2)] if self.repeats else pages

    def page(self, day: date, rows: list[Any], number: int) -> tuple[Reply | None, list[Any], bool]:
        """Return a page's fault or rows, and whether there are more."""
        pages = self.rows(rows)
        if number >= 1 and day in self.away_on_page_two:
            return Reply({"error": SECRET}, 503), [], False
        here = pages[min(number, len(pages) - 1)]
        return None, here, self.circles or number + 1 < len(pages)

    def sent(self, day: date, *, more: bool) -> float:
        """Return how much of a page is sent."""
        return 0.5 if day in self.cut and not more else 1.0


# --- Anthropic ------------------------------------------------------------------------------------


class Anthropic(StandIn):
    """``api.anthropic.com``, for an organization of the Console."""

    vendor = "anthropic-console"

    def route(self, asked: Asked) -> Reply:
        """Return the answer of an API that is well."""
        if asked.headers.get("x-api-key") != KEY:
            return Reply({"error": SECRET}, 401)
        if self.forbids:
            return Reply({"error": SECRET}, 403)
        if asked.headers.get("anthropic-version") != "2023-06-01":
            return Reply({"error": "anthropic-version"}, 400)
        routes = {
            "/v1/organizations/usage_report/claude_code": self._claude_code,
            "/v1/organizations/analytics/users": self._users,
            "/v1/organizations/analytics/cost": self._cost,
            "/v1/organizations/analytics/usage": self._usage,
        }
        found = routes.get(asked.path)
        return found(asked) if found else Reply({"error": "no such route"}, 404)

    def _listed(self, asked: Asked, day: date, rows: list[Any], **more: Any) -> Reply:
        number = int(asked.one("page", "p0").removeprefix("p"))
        fault, here, has_more = self.page(day, rows, number)
        if fault:
            return fault
        following = "p0" if self.circles else f"p{number + 1}"
        body = {"data": here, "has_more": has_more, "next_page": following if has_more else None}
        return Reply({**body, **more}, sent=self.sent(day, more=has_more))

    def _said(self, day: date) -> dict[str, int]:
        return {} if day in self.late else self.days.get(day, {})

    def _number(self, day: date, number: int) -> int | str:
        return SECRET if day in self.changed else number

    def _claude_code(self, asked: Asked) -> Reply:
        if not 20 <= int(asked.one("limit", "20")) <= 1000:
            return Reply({"error": "limit"}, 400)
        day = date.fromisoformat(asked.one("starting_at"))
        if day in self.refusing:
            return Reply({"error": SECRET}, 400)
        rows = [
            {
                "date": f"{day}T00:00:00Z",
                "actor": self._old_actor(who),
                "organization_id": "7a6b5c4d-3e2f-4a1b-8c9d-0e1f2a3b4c5d",
                "customer_type": "api",
                "terminal_type": terminal,
                "core_metrics": {
                    "num_sessions": 1,
                    "lines_of_code": {"added": 2 * units, "removed": 1},
                    "commits_by_claude_code": 0,
                    "pull_requests_by_claude_code": 0,
                },
                "tool_actions": {
                    "edit_tool": {"accepted": units, "rejected": 1},
                    "multi_edit_tool": {"accepted": 0, "rejected": 0},
                    "write_tool": {"accepted": 0, "rejected": 0},
                    "notebook_edit_tool": {"accepted": 0, "rejected": 0},
                },
                "model_breakdown": [
                    {
                        "model": "claude-sonnet-5",
                        "tokens": {
                            "input": 10,
                            "output": self._number(day, units),
                            "cache_read": 1000,
                            "cache_creation": 50,
                        },
                        "estimated_cost": {"currency": "USD", "amount": 88},
                    }
                ],
            }
            for who, units in self._said(day).items()
            for terminal in ("vscode", "tmux")
        ]
        return self._listed(asked, day, rows)

    @staticmethod
    def _old_actor(who: str) -> dict[str, str]:
        if who.startswith("key"):
            return {"type": "api_actor", "api_key_name": who}
        return {"type": "user_actor", "email_address": f"{who}@example.com"}

    def _users(self, asked: Asked) -> Reply:
        day = date.fromisoformat(asked.one("date"))
        if not FIRST <= day <= self.today - 2 * DAY or not 1 <= int(asked.one("limit")) <= 1000:
            return Reply({"error": "date"}, 400)
        rows = [user_activity(who, units, day) for who, units in self._said(day).items()]
        if day in self.changed:
            for one in rows:
                one["claude_code_metrics"]["core_metrics"]["distinct_session_count"] = SECRET
        body = self._listed(asked, day, rows)
        if isinstance(body.body, dict):
            body.body.pop("has_more", None)
        return body

    def _bucket(self, asked: Asked) -> tuple[Reply | None, date]:
        """Return what is wrong with a request for a report, and the day that it is about."""
        begin, end = (
            datetime.fromisoformat(asked.one(f"{name}_at")) for name in ("starting", "ending")
        )
        wrong = (
            asked.headers.get("anthropic-beta") != BETA
            or asked.one("time_bucket_width") != "1d"
            or sorted(asked.query["group_by[]"]) != ["actor", "model", "product"]
            or not 1 <= int(asked.one("limit")) <= 1000
            or end - begin > 31 * DAY
            or begin.date() < FIRST
            or self.today - begin.date() > 365 * DAY
            or begin.date() in self.refusing
        )
        return Reply({"error": SECRET}, 400) if wrong else None, begin.date()

    def _item(self, day: date, who: str, product: str, **measured: Any) -> dict[str, Any]:
        return {
            "starting_at": f"{day}T00:00:00Z",
            "ending_at": f"{day + DAY}T00:00:00Z",
            "group": {
                "actor": self._actor(who),
                "model": "claude-sonnet-5",
                "product": product,
                "cost_type": None,
                "token_type": None,
            },
            **measured,
        }

    @staticmethod
    def _actor(who: str) -> dict[str, Any] | None:
        if who == "nobody":
            return None
        if who.startswith("key"):
            return {"type": "api_actor", "api_key_id": who}
        address = f"{who}@example.com"
        known = {"user_id": f"user_{who}", "email_address": address, "name": who.title()}
        return {"type": "user_actor", **known, "deleted": False}

    def _refreshed(self, day: date) -> str:
        at = day if day in self.late else self.today
        return f"{at}T03:10:00Z"

    def _cost(self, asked: Asked) -> Reply:
        wrong, day = self._bucket(asked)
        if wrong:
            return wrong
        rows = [
            self._item(
                day,
                who,
                product,
                cost={
                    "amount": SECRET if day in self.changed else f"{units}.0025",
                    "list_amount": f"{2 * units}.5",
                    "currency": "USD",
                    "requests": units,
                },
            )
            for who, units in self._said(day).items()
            for product in ("claude_code", "messages_api")
        ]
        return self._listed(asked, day, rows, data_refreshed_at=self._refreshed(day))

    def _usage(self, asked: Asked) -> Reply:
        wrong, day = self._bucket(asked)
        if wrong or asked.query.get("products[]") != ["claude_code"]:
            return wrong or Reply({"error": "products"}, 400)
        rows = [
            self._item(
                day,
                who,
                "claude_code",
                usage={
                    "uncached_input_tokens": 10,
                    "output_tokens": self._number(day, units),
                    "cache_read_input_tokens": 1000,
                    "cache_creation": {
                        "ephemeral_5m_input_tokens": 40,
                        "ephemeral_1h_input_tokens": 10,
                    },
                    "requests": 3,
                    "server_tool_use": {"web_search_requests": 0},
                    "total_tokens": 1060 + units,
                },
            )
            for who, units in self._said(day).items()
        ]
        return self._listed(asked, day, rows, data_refreshed_at=self._refreshed(day))

    def named(self, who: str) -> str:
        """Return the value of a person's identity."""
        return who if who.startswith("key") else f"{who}@example.com"

    def expected(self, day: date) -> Expected:
        """Return what should be stored of a day."""
        said = self.days.get(day, {})
        known = {who: units for who, units in said.items() if who != "nobody"}
        return Expected(
            outputs={self.named(who): 2 * units for who, units in known.items()},
            accepted={self.named(who): 2 * units for who, units in known.items()},
            **_money(said, self.named),
        )


class Enterprise(Anthropic):
    """``api.anthropic.com``, for an organization of Claude Enterprise."""

    vendor = "anthropic-enterprise"
    lag = 2

    def expected(self, day: date) -> Expected:
        """Return what should be stored of a day."""
        said = self.days.get(day, {})
        known = {who: units for who, units in said.items() if who != "nobody"}
        return Expected(
            outputs={self.named(who): units for who, units in known.items()},
            accepted={f"{who}@example.com": units for who, units in said.items()},
            **_money(said, self.named),
        )


def _money(said: Mapping[str, int], named: Any) -> dict[str, dict[str, int]]:
    """Two products, at so many cents and a quarter of a hundredth; a cent is 10,000 micros."""
    names = {who: "" if who == "nobody" else named(who) for who in said}
    return {
        "billed": {names[who]: 2 * (units * 10_000 + 25) for who, units in said.items()},
        "listed": {names[who]: 2 * (units * 20_000 + 5_000) for who, units in said.items()},
    }


def user_activity(who: str, units: int, day: date) -> dict[str, Any]:
    """Return one person's row of the Enterprise Analytics API, as far as the app reads it."""
    none = {"accepted_count": 0, "rejected_count": 0}
    return {
        "user": {"type": "user", "id": f"user_{who}", "email_address": f"{who}@example.com"},
        "claude_code_metrics": {
            "core_metrics": {
                "commit_count": 0,
                "pull_request_count": 0,
                "distinct_session_count": 1,
                "artifacts_created_count": 0,
                "lines_of_code": {"added_count": 2 * units, "removed_count": 0},
            },
            "tool_actions": {
                "edit_tool": {"accepted_count": units, "rejected_count": 1},
                "multi_edit_tool": none,
                "write_tool": none,
                "notebook_edit_tool": none,
            },
        },
        "last_activity_date": str(day),
        "web_search_count": 0,
    }


# --- Cursor ---------------------------------------------------------------------------------------


class Cursor(StandIn):
    """``api.cursor.com``."""

    vendor = "cursor"

    def route(self, asked: Asked) -> Reply:
        """Return the answer of an API that is well."""
        wanted = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        if asked.headers.get("Authorization") != wanted:
            return Reply({"error": SECRET}, 401)
        if self.forbids:
            return Reply({"error": SECRET}, 403)
        body = asked.body
        if asked.verb != "POST" or body["endDate"] - body["startDate"] > 30 * 86_400_000:
            return Reply({"error": "at most 30 days"}, 400)
        day = datetime.fromtimestamp(body["startDate"] / 1000, UTC).date()
        if day in self.refusing:
            return Reply({"error": SECRET}, 400)
        said = {} if day in self.late else self.days.get(day, {})
        name, rows = {
            "/teams/filtered-usage-events": ("usageEvents", self._events(day, said)),
            "/teams/daily-usage-data": ("data", self._daily(day, said)),
        }[asked.path]
        fault, here, more = self.page(day, rows, body["page"] - 1)
        if fault:
            return fault
        pagination = {"currentPage": body["page"], "hasNextPage": more, "pageSize": self.page_size}
        answer = {name: here, "pagination": pagination, "totalUsageEventsCount": len(rows)}
        return Reply(answer, sent=self.sent(day, more=more))

    def _events(self, day: date, said: Mapping[str, int]) -> list[Any]:
        return [
            {
                "timestamp": str(_milliseconds(day) + hour * 3_600_000),
                "userEmail": f"{who}@example.com",
                "model": "claude-sonnet-5",
                "kind": "Usage-based" if is_billed else "Included in Business",
                "maxMode": False,
                "requestsCosts": 1.4,
                "isTokenBasedCall": True,
                "isChargeable": is_billed,
                "isHeadless": False,
                "tokenUsage": {
                    "inputTokens": 126,
                    "outputTokens": SECRET if day in self.changed else units,
                    "cacheWriteTokens": 6112,
                    "cacheReadTokens": 11964,
                    "totalCents": 2.31,
                },
                "chargedCents": 2.775,
                "cursorTokenFee": 0.46,
            }
            for who, units in said.items()
            for hour, is_billed in ((9, True), (10, True), (11, False))
        ]

    @staticmethod
    def _daily(day: date, said: Mapping[str, int]) -> list[Any]:
        return [
            {
                "date": _milliseconds(day),
                "day": str(day),
                "userId": f"user_{who}",
                "email": f"{who}@example.com",
                "isActive": True,
                "totalLinesAdded": 1543,
                "acceptedLinesAdded": 1102,
                "totalApplies": units + 1,
                "totalAccepts": units,
                "totalRejects": 1,
                "totalTabsAccepted": 289,
                "composerRequests": 45,
                "chatRequests": 128,
                "agentRequests": 12,
            }
            for who, units in said.items()
        ]

    def expected(self, day: date) -> Expected:
        """Return what should be stored of a day."""
        said = {f"{who}@example.com": units for who, units in self.days.get(day, {}).items()}
        return Expected(
            outputs={who: 3 * units for who, units in said.items()},
            accepted=said,
            # Twice 2.775 cents; the third event is part of the subscription.
            billed=dict.fromkeys(said, 55_500),
            listed=dict.fromkeys(said, 69_300),
        )


def _milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


# --- GitHub Copilot -------------------------------------------------------------------------------


class Copilot(StandIn):
    """``api.github.com`` as far as Copilot's user metrics go, and the host of their files."""

    vendor = "github-copilot"
    report = "/orgs/acme/copilot/metrics/reports/users-1-day"

    def route(self, asked: Asked) -> Reply:
        """Return the answer of an API or a host of files that is well."""
        if asked.path.startswith("/files/"):
            return self._file(asked)
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            return Reply({"message": SECRET}, 401)
        if self.forbids or asked.path != self.report:
            return Reply({"message": SECRET}, 403 if self.forbids else 404)
        day = date.fromisoformat(asked.one("day"))
        if day in self.refusing:
            return Reply({"message": SECRET}, 422)
        return Reply(b"", 204) if self._is_missing(day) else self._links(day)

    def _is_missing(self, day: date) -> bool:
        return day in self.late or day >= self.today

    def _links(self, day: date) -> Reply:
        pages = self.rows(self._lines(day))
        links = [f"{self.address}/files/{day}/{number}" for number in range(len(pages))]
        if self.circles:
            links = [f"{self.address}/files/{day}/{number}" for number in range(5000)]
        return Reply({"download_links": links, "report_day": str(day)})

    def _lines(self, day: date) -> list[Any]:
        return [
            {
                "user_id": _number_of(who),
                "user_login": who,
                "day": str(day),
                "organization_id": "999",
                "user_initiated_interaction_count": 50,
                "code_acceptance_activity_count": 12,
                "loc_added_sum": 88,
                "used_chat": True,
                "used_agent": True,
                "used_cli": True,
                "ai_credits_used": units + 0.5,
                "totals_by_cli": {
                    "session_count": 2,
                    "request_count": 2,
                    "prompt_count": 2,
                    "token_usage": {
                        "output_tokens_sum": SECRET if day in self.changed else units,
                        "prompt_tokens_sum": 3800,
                        "avg_tokens_per_request": 4400.0,
                    },
                },
                "totals_by_ide": [],
            }
            for who, units in self.days.get(day, {}).items()
        ]

    def _file(self, asked: Asked) -> Reply:
        if "Authorization" in asked.headers:
            return Reply(b"a signed link takes no key", 400)
        _, _, named, number = asked.path.split("/")
        day = date.fromisoformat(named)
        fault, here, more = self.page(day, self._lines(day), int(number))
        if fault:
            return fault
        body = "".join(json.dumps(one) + "\n" for one in here).encode()
        return Reply(body, sent=self.sent(day, more=more))

    def expected(self, day: date) -> Expected:
        """Return what should be stored of a day."""
        said = {str(_number_of(who)): units for who, units in self.days.get(day, {}).items()}
        return Expected(
            outputs=said,
            accepted={},
            billed={},
            listed={who: units * 10_000 + 5_000 for who, units in said.items()},
        )


def _number_of(who: str) -> int:
    return sum(ord(letter) * 256**place for place, letter in enumerate(who[:4]))


STAND_INS = (Anthropic, Enterprise, Cursor, Copilot)


# --- the server -----------------------------------------------------------------------------------


@contextmanager
def served(told: StandIn) -> Iterator[StandIn]:
    """Serve a stand-in at an address of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            asked = Asked(self.command, parts.path, parse_qs(parts.query), body, dict(self.headers))
            self._send(told.answer(asked))

        do_POST = do_GET  # noqa: N815 - http.server's name

        def _send(self, reply: Reply) -> None:
            data = reply.data
            self.send_response(reply.status)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(data)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data[: int(len(data) * reply.sent)])

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.address = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield told


def vendor_of(told: StandIn) -> AgentVendor:
    """Return the vendor, at the stand-in's address."""
    return msgspec.structs.replace(VENDORS[told.vendor], address=told.address)
