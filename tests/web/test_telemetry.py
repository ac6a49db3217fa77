"""Telemetry at the web door: stored once, by precedence, by whose token it is; and what is refused.

Requests are those of tests/otlp/sent.py; the exporters of the real OpenTelemetry SDK send, too.
"""

import gzip
import itertools
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import structlog
import structlog.testing
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from sqlalchemy import func, select
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from ghapp.otlp.bodies import MOST_BYTES, MediaType
from ghapp.otlp.frames import varint_bytes
from ghapp.otlp.nouns import MOST_POINTS, SECOND
from ghapp.store import (
    NOBODY,
    Installation,
    NewToken,
    Repository,
    StoredUsage,
    TokenKind,
    UsageOrigin,
    new_secret,
)
from ghapp.store.schema import metadata, token_sum
from ghapp.summaries.selection import TimeGrain
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import NO_TOOL, UNNAMED_SESSION, DecisionDay, TokenDay
from ghapp.usage.decisions import EditDecision
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from ghapp.web import limits
from ghapp.web.app import create_app
from tests.otlp.sent import (
    AGENT_SESSION,
    AT,
    CLAUDE,
    CLAUDE_SCOPE,
    CUMULATIVE,
    NOW,
    Request,
    encoded,
    logs,
    metric,
    metrics,
    point,
    record,
)
from tests.web.place import Place

MAIL = {"user.email": "ada@example.com"}
numbers = itertools.count(1_000)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, on_database: dict[str, str]) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("telemetry"), **on_database)
    made.clock.now = NOW
    yield made
    made.close()


class Organization:
    """An organization of its own, and a sender with one of its tokens."""

    def __init__(self, place: Place) -> None:
        self.place, self.id = place, next(numbers)
        self.store = place.store
        self.http = place.app.test_client()
        self.account = f"org-{self.id}"
        self.store.installations.seen(Installation(id=self.id, account=self.account), now=NOW)
        self.secret = self.token()

    def token(self, *, kind: TokenKind = TokenKind.INGEST, user_id: int = NOBODY) -> str:
        """Return the secret of a new token."""
        secret = new_secret(kind)
        new = NewToken(kind=kind, login="ada", user_id=user_id, installations=(self.id,))
        self.store.tokens.issue(new, secret, now=NOW)
        return secret

    def restart(self) -> None:
        """Go on with another process, which remembers nothing."""
        self.http = create_app(self.place.another_process()).test_client()

    def post(
        self,
        request: Request | bytes,
        media: MediaType = MediaType.PROTOBUF,
        path: str = "",
        **headers: str,
    ) -> TestResponse:
        """Send a request, or any bytes."""
        is_logs = isinstance(request, dict) and "resourceLogs" in request
        body = request if isinstance(request, bytes) else encoded(request, media)
        told = {"Authorization": f"Bearer {self.secret}", "Content-Type": media.value, **headers}
        return self.http.post(
            path or f"/v1/{'logs' if is_logs else 'metrics'}", data=body, headers=told
        )

    def send(self, request: Request, media: MediaType = MediaType.PROTOBUF) -> Any:
        """Send a request that is taken; return the answer in JSON's words."""
        answer = self.post(request, media)
        assert answer.status_code == 200, answer.data
        return answer.json if media is MediaType.JSON else answer.data

    @property
    def rows(self) -> list[StoredUsage]:
        """The rows that are stored."""
        return list(self.store.usage.rows(self.id))

    @property
    def output(self) -> int:
        """Output tokens in all rows."""
        return sum(one.row.tokens.output for one in self.rows if isinstance(one.row, TokenDay))

    def counted(self) -> int:
        """Return the output tokens that count."""
        self.store.usage.settle()
        columns = token_sum.c
        query = select(func.sum(columns.output)).where(
            columns.installation_id == self.id, columns.grain == TimeGrain.DAY.value
        )
        return int(self.store.database.value(query) or 0)

    def names(self) -> list[tuple[str, str, str | None]]:
        """Return who was named, and as which account each counts."""
        found = self.store.usage.identities(self.id)
        return [(one.kind.value, one.value, one.login) for one in found]


@pytest.fixture
def org(place: Place) -> Organization:
    return Organization(place)


def tokens(output: float = 850, **more: Any) -> Request:
    about = MAIL | more.pop("about", {})
    return metrics(metric([point(output, about=about, **more)]))


def answer(request_id: str | None = "req_1", output: int = 310, **more: object) -> Request:
    about = MAIL | {"input_tokens": 12, "output_tokens": output, "model": "claude-opus-5"} | more
    named = {} if request_id is None else {"request_id": request_id}
    return record("api_request", about | named)


# --- what is stored -------------------------------------------------------------------------------


@pytest.mark.parametrize("media", MediaType)
def test_points_and_events_are_rows_when_they_are_answered(
    org: Organization, media: MediaType
) -> None:
    empty = {} if media is MediaType.JSON else b""
    assert org.send(tokens(850), media) == empty
    assert org.send(logs(answer(output=310)), media) == empty
    by_points, by_event = sorted(org.rows, key=lambda one: -one.source)
    assert by_points.row == TokenDay(
        agent="claude-code",
        agent_session=AGENT_SESSION,
        day=NOW.date(),
        tokens=TokenCounts(output=850),
        answers=None,
        model="claude-opus-5",
        agent_version="2.1.274",
    )
    assert isinstance(by_event.row, TokenDay)
    assert (by_event.source, by_event.row.answers) == (UsageSource.EVENTS, 1)
    assert by_event.row.tokens.output == 310
    came = org.store.arrivals.came(org.id, NOW.date(), NOW.date())
    assert [(one.source, one.agent, one.requests, one.kept) for one in came] == [
        (UsageSource.EVENTS, "claude-code", 1, 1),
        (UsageSource.METRICS, "claude-code", 1, 1),
    ]


def test_lines_and_agent_sessions_are_rows_of_their_own(org: Organization) -> None:
    about = MAIL | {"type": "added"}
    org.send(
        metrics(
            metric([point(42, about=about)], "claude_code.lines_of_code.count"),
            metric([point(1, about=MAIL)], "claude_code.session.count"),
        )
    )
    started, lines = (one.row for one in org.rows)
    assert isinstance(started, TokenDay)
    assert (started.tokens, started.answers) == (TokenCounts(), None)
    assert isinstance(lines, DecisionDay)
    assert (lines.tool, lines.decision, lines.edits) == (NO_TOOL, EditDecision.ACCEPTED, 0)
    assert lines.lines == 42


def test_a_source_that_names_no_agent_session_has_rows_without_one(org: Organization) -> None:
    org.secret = org.token(user_id=11)
    codex = metric(
        [
            {
                "attributes": [{"key": "token_type", "value": {"stringValue": "output"}}],
                "startTimeUnixNano": str(AT - SECOND),
                "timeUnixNano": str(AT),
                "count": "1",
                "sum": 70,
                "bucketCounts": ["1"],
            }
        ],
        "codex.turn.token_usage",
        kind="histogram",
    )
    org.send(metrics(codex, resource={"service.name": "codex_cli_rs"}, scope="codex"))
    (one,) = org.rows
    assert (one.row.agent, one.row.agent_session) == ("codex", UNNAMED_SESSION)
    assert org.counted() == 70


def test_a_repository_is_known_only_if_it_is_of_the_tokens_organization(
    org: Organization, place: Place
) -> None:
    mine = Repository(id=org.id, owner=org.account, name="app", installation_id=org.id)
    place.store.installations.repository_seen(mine, now=NOW)
    host = urlsplit(place.settings.web_url).hostname
    for address in (f"{host}/{org.account}/app", f"{host}/acme/app", f"{host}/no/thing", "a.b/c/d"):
        org.send(tokens(1, about={"vcs.repository.url.full": f"https://{address}"}))
    found = {one.repository_id: one.row.tokens.output for one in org.rows}  # type: ignore[union-attr]  # tokens
    assert found == {org.id: 1, None: 3}


# --- once -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("media", MediaType)
def test_the_same_body_counts_once_also_after_a_restart(
    org: Organization, media: MediaType
) -> None:
    for request in (tokens(850), logs(answer(None, 310))):
        org.send(request, media)
        org.send(request, media)
        org.restart()
        org.send(request, media)
    assert org.output == 850 + 310


def test_an_event_that_comes_again_in_another_request_counts_once(org: Organization) -> None:
    org.send(logs(answer("req_1", 100), answer("req_1", 100), answer("req_2", 10)))
    org.restart()
    org.send(logs(answer("req_2", 10), answer("req_3", 1)))
    assert org.output == 111


def test_equal_points_in_other_requests_are_other_points(org: Organization) -> None:
    org.send(metrics(metric([point(5, about=MAIL)])))
    org.send(metrics(metric([point(5, about=MAIL)]), resource=CLAUDE | {"host.arch": "arm64"}))
    assert org.output == 10


def test_a_cumulative_series_goes_on_after_a_restart(org: Organization) -> None:
    start = AT - 600 * SECOND
    for at, (began, value) in enumerate(
        [(start, 1000), (start, 1700), (start, 1700), (AT - 60 * SECOND, 250)]
    ):
        one = point(
            value,
            about=MAIL,
            startTimeUnixNano=str(began),
            timeUnixNano=str(AT - (50 - at) * SECOND),
        )
        org.send(metrics(metric([one], temporality=CUMULATIVE)))
        org.restart()
    assert org.output == 1950


def test_what_a_series_counted_before_the_first_day_is_not_counted(org: Organization) -> None:
    yesterday = str(AT - 24 * 3600 * SECOND)
    for value in (1000, 1100):
        one = point(value, about=MAIL, startTimeUnixNano=yesterday, timeUnixNano=str(AT + value))
        org.send(metrics(metric([one], temporality=CUMULATIVE)))
    assert org.output == 100


def test_two_peoples_series_of_one_name_are_two(org: Organization) -> None:
    start = str(AT - 60 * SECOND)
    for user_id, values in ((11, (100, 150)), (12, (40, 60))):
        org.secret = org.token(user_id=user_id)
        for at, value in enumerate(values):
            one = point(value, startTimeUnixNano=start, timeUnixNano=str(AT + at))
            org.send(metrics(metric([one], temporality=CUMULATIVE)))
    assert org.output == 150 + 60


def test_of_transcripts_events_and_metrics_one_counts(org: Organization) -> None:
    org.secret = org.token(user_id=11)
    org.send(tokens(7))
    assert org.counted() == 7
    org.send(logs(answer(output=8)))
    assert org.counted() == 8
    account = UsageIdentity(IdentityKind.ACCOUNT, "11")
    sent = UsageOrigin(org.id, UsageSource.TRANSCRIPTS, account, login="ada")
    own = TokenDay(
        agent="claude-code",
        agent_session=AGENT_SESSION,
        day=NOW.date(),
        tokens=TokenCounts(output=9),
        answers=1,
    )
    org.store.usage.replace(sent, [own], [], now=NOW)
    assert org.counted() == 9
    assert len(org.rows) == 3
    for source, left in ((UsageSource.TRANSCRIPTS, 8), (UsageSource.EVENTS, 7)):
        org.store.usage.remove(org.id, source)
        assert org.counted() == left


# --- who ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"user.email": "Ada@Example.com", "enduser.id": "a"}, ("email", "ada@example.com")),
        ({"user.account_uuid": "u-1", "user.id": "m-1"}, ("account_uuid", "u-1")),
        ({"enduser.id": "ada", "user.id": "m-1"}, ("end_user", "ada")),
        # A claimed login is a name like any other: it is not taken for the account.
        ({"github.login": "admin"}, ("end_user", "admin")),
        ({"user.id": "m-1"}, ("tool_installation", "m-1")),
    ],
)
def test_claims_are_names_and_never_accounts(
    org: Organization, claims: dict[str, str], named: tuple[str, str]
) -> None:
    org.send(metrics(metric([point(5, about=claims)])))
    assert org.names() == [(*named, None)]


def test_a_token_of_a_person_is_that_persons_whatever_is_claimed(org: Organization) -> None:
    org.secret = org.token(user_id=11)
    org.send(tokens(5, about={"github.login": "admin"}))
    org.send(logs(answer()))
    assert org.names() == [("account", "11", "ada")]


def test_who_names_nobody_is_told_so(org: Organization) -> None:
    sent = metrics(metric([point(5), point(6, about=MAIL)]))
    told = org.send(sent, MediaType.JSON)["partialSuccess"]
    assert told["rejectedDataPoints"] == "1"
    assert "name nobody" in told["errorMessage"]
    unnamed = record("api_request", {"input_tokens": 1, "output_tokens": 5, "model": "m"})
    told = org.send(logs(unnamed), MediaType.JSON)["partialSuccess"]
    assert told["rejectedLogRecords"] == "1"
    assert org.output == 6
    why = org.store.arrivals.refused(org.id, NOW.date(), NOW.date())
    assert {(one.source, one.reason, one.count) for one in why} == {
        (UsageSource.METRICS, "nobody", 1),
        (UsageSource.EVENTS, "nobody", 1),
    }


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/logs", "/v1/traces"])
def test_only_a_valid_ingest_token_is_taken(org: Organization, path: str) -> None:
    good = org.secret
    assert org.post(b"", path=path).status_code == 200
    for kind in (TokenKind.UPLOAD, TokenKind.READ):
        org.secret = org.token(kind=kind, user_id=11)
        assert org.post(b"", path=path).status_code == 401
    for wrong in ("ghapp_ingest_made_up", "", "\udcff"):
        org.secret = wrong.encode("utf-8", "surrogateescape").decode("latin-1")
        assert org.post(b"", path=path).status_code == 401
    org.secret = good
    (token,) = (one for one in org.store.tokens.ingest_of(org.id) if one.user_id == NOBODY)
    assert not org.store.tokens.revoke(token.id, now=NOW, ingest_of=org.id + 1)
    assert org.store.tokens.revoke(token.id, now=NOW, ingest_of=org.id)
    refused = org.post(b"", MediaType.JSON, path)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert refused.json is not None
    assert refused.json["code"] == 16


@pytest.mark.parametrize("end", ["the token", "the installation"])
def test_a_process_that_remembers_a_token_hears_when_its_sender_ends(
    org: Organization, end: str
) -> None:
    org.send(tokens(5))
    if end == "the token":
        (token,) = org.store.tokens.ingest_of(org.id)
        org.store.tokens.revoke(token.id, now=NOW)
    else:
        org.store.installations.suspended(org.id, now=NOW)
    tries = [
        *(org.post(tokens(one)) for one in (5, 6)),
        org.post(logs(answer())),
        org.post(b"\xff"),
        org.post(b"", path="/v1/traces"),
        org.post(b"", **{"Content-Type": "text/plain"}),
    ]
    assert [one.status_code for one in tries] == [401] * 6
    assert org.output == 5
    assert org.store.arrivals.refused(org.id, NOW.date(), NOW.date()) == ()


def test_a_token_ends_with_its_time_and_with_its_installation(
    org: Organization, place: Place
) -> None:
    secret = new_secret(TokenKind.INGEST)
    until = NOW + timedelta(hours=1)
    new = NewToken(
        kind=TokenKind.INGEST,
        login="ada",
        user_id=NOBODY,
        installations=(org.id,),
        expires_at=until,
    )
    org.store.tokens.issue(new, secret, now=NOW)
    org.secret = secret
    assert org.post(tokens()).status_code == 200
    place.clock.now = until
    try:
        assert org.post(tokens(6)).status_code == 401
    finally:
        place.clock.now = NOW
    org.store.installations.removed(org.id, now=NOW)
    assert org.post(tokens(7)).status_code == 401
    assert org.output == 850


def test_what_one_organization_sends_is_in_no_other(org: Organization, place: Place) -> None:
    other = Organization(place)
    org.send(tokens(5))
    other.send(tokens(5))
    other.send(logs(answer()))
    org.send(logs(answer()))
    assert (org.output, other.output) == (315, 315)


# --- what is refused ------------------------------------------------------------------------------

DAMAGED = gzip.compress(b"x" * 10_000, mtime=0)
MANY = metrics(metric([point(1, about=MAIL)] * (MOST_POINTS + 1)))
WIDE = MAIL | {f"attribute.{number}": "x" * 80_000 for number in range(124)}
PACKED = {"Content-Encoding": "gzip"}

WHOLE: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "no protobuf": (400, b"\xff\xff\xff", {}),
    "no gzip": (400, b"plain", PACKED),
    "gzip that ends too early": (400, DAMAGED[:-20], PACKED),
    "unknown encoding": (415, b"", {"Content-Encoding": "br"}),
    "unknown type": (415, b"", {"Content-Type": "text/plain"}),
    "no type": (415, b"", {"Content-Type": ""}),
    "too large as sent": (413, b"\0" * (MOST_BYTES + 1), {}),
    "too large unpacked": (413, gzip.compress(b"\0" * (MOST_BYTES + 1), mtime=0), PACKED),
    "too many points": (413, encoded(MANY, MediaType.PROTOBUF), {}),
    "two million points": (413, b"", PACKED),
    "not JSON": (400, b"{", {"Content-Type": "application/json"}),
}


def two_million() -> bytes:
    """Return two million empty points in few bytes."""

    def message(number: int, payload: bytes) -> bytes:
        return varint_bytes(number << 3 | 2) + varint_bytes(len(payload)) + payload

    data = b"\x0a\x00" * 2_000_000
    named = message(1, b"claude_code.token.usage") + message(7, data)
    return gzip.compress(message(1, message(2, message(2, named))))


@pytest.mark.parametrize("what", WHOLE)
def test_what_cannot_be_read_is_refused_whole(org: Organization, what: str) -> None:
    status, body, headers = WHOLE[what]
    body = two_million() if what == "two million points" else body
    assert org.post(body, **headers).status_code == status
    assert org.rows == []
    org.send(tokens(5))
    assert org.output == 5


POINTS: dict[str, tuple[str, dict[str, Any]]] = {
    "no number": ("not_a_number", {"number": "NaN"}),
    "infinite": ("not_a_number", {"number": "Infinity"}),
    "negative": ("negative", {"number": -5}),
    "half a token": ("fractional", {"number": 0.5}),
    "before agents existed": (
        "wrong_time",
        {"number": 5, "startTimeUnixNano": "1", "timeUnixNano": "2"},
    ),
    "in two days": ("wrong_time", {"number": 5, "timeUnixNano": str(AT + 48 * 3600 * SECOND)}),
    "at the end of time": ("wrong_time", {"number": 5, "timeUnixNano": str(2**64 - 1)}),
    "too many attributes": (
        "too_many_attributes",
        {"number": 5, "about": {f"a{number}": number for number in range(200)}},
    ),
}


@pytest.mark.parametrize("media", MediaType)
@pytest.mark.parametrize("what", POINTS)
def test_a_wrong_point_is_refused_and_the_rest_is_kept(
    org: Organization, what: str, media: MediaType
) -> None:
    reason, changed = POINTS[what]
    about = MAIL | changed.get("about", {})
    wrong = point(**{**changed, "about": about})
    answered = org.post(metrics(metric([point(5, about=MAIL), wrong])), media)
    assert answered.status_code == 200
    assert b"1 data points were refused" in answered.data
    assert org.output == 5
    (why,) = org.store.arrivals.refused(org.id, NOW.date(), NOW.date())
    assert (why.reason, why.count) == (reason, 1)


@pytest.mark.parametrize(
    ("reason", "wrong"),
    [
        ("unknown_metric", metric([point(5, about=MAIL)], "shop.orders")),
        ("wrong_temporality", metric([point(5, about=MAIL)], temporality=0)),
        ("not_monotonic", metric([point(5, about=MAIL)], isMonotonic=False)),
        ("wrong_kind", metric([point(5, about=MAIL)], kind="gauge")),
    ],
)
def test_a_wrong_metric_is_refused(org: Organization, reason: str, wrong: Request) -> None:
    org.send(metrics(wrong, metric([point(5, about=MAIL)])))
    assert org.output == 5
    (why,) = org.store.arrivals.refused(org.id, NOW.date(), NOW.date())
    assert why.reason == reason


def test_a_counter_that_runs_back_in_time_is_refused(org: Organization) -> None:
    for at, value in ((AT, 100), (AT - 30 * SECOND, 90)):
        one = point(
            value,
            about=MAIL,
            startTimeUnixNano=str(AT - 60 * SECOND),
            timeUnixNano=str(at),
        )
        org.send(metrics(metric([one], temporality=CUMULATIVE)))
    assert org.output == 100
    (why,) = org.store.arrivals.refused(org.id, NOW.date(), NOW.date())
    assert why.reason == "out_of_order"


def test_ten_megabytes_of_attributes_are_dropped_unread(org: Organization) -> None:
    org.send(metrics(metric([point(5, about=WIDE)])))
    assert org.output == 5


def test_traces_are_answered_and_dropped(org: Organization) -> None:
    assert org.post(b"\x0a\x02hi", path="/v1/traces").data == b""
    assert org.post(b'{"resourceSpans": []}', MediaType.JSON, "/v1/traces").json == {}
    assert org.post(b"plain", path="/v1/traces", **PACKED).status_code == 400


def test_who_sends_too_often_is_told_when_to_send_again(
    org: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_TELEMETRY", 2)
    for value in (1, 2):
        org.send(tokens(value))
    refused = org.post(tokens(3), MediaType.JSON)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json is not None
    assert refused.json["code"] == 8
    org.place.clock.now += timedelta(seconds=int(refused.headers["Retry-After"]))
    org.send(tokens(4))
    assert org.output == 7


def test_while_the_database_is_away_senders_are_told_to_send_again(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.clock.now = NOW
    org = Organization(place)
    org.send(tokens(1))
    file = Path(str(place.store.database.url.database))
    place.store.close()
    away = file.rename(file.with_suffix(".away"))
    try:
        for request in (tokens(2), logs(answer())):
            refused = org.post(request)
            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) > 0
    finally:
        away.rename(file)
    org.send(tokens(2))
    assert org.output == 3
    place.close()


# --- what is never kept ---------------------------------------------------------------------------

WORDS = ("marmalade", "halibut", "quixotic", "tangerine", "xylophone")
"""Words that a sender with its content switched on sends, and that stand nowhere afterwards."""
CONTENT = logs(
    record("user_prompt", MAIL | {"prompt": f"tell me about {WORDS[0]}", "prompt_length": 5}),
    record(
        "tool_result",
        MAIL
        | {
            "tool_name": "Bash",
            "tool_use_id": "toolu_1",
            "success": "true",
            "tool_parameters": json.dumps({"bash_command": f"cat {WORDS[1]}.txt"}),
            "tool_input": json.dumps({"command": WORDS[2]}),
        },
        body={"stringValue": f"a body with {WORDS[3]}"},
    ),
    answer("req_1", 310, response=f"the answer is {WORDS[4]}", model=f"a {WORDS[4]} model"),
)


def test_content_is_in_no_table_no_queue_and_no_log(tmp_path: Path, redis_url: str) -> None:
    place = Place(tmp_path, REDIS_URL=redis_url)
    place.clock.now = NOW
    org = Organization(place)
    # Everything that the app logs, even what nobody asks for.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    with structlog.testing.capture_logs() as logged:
        for media in MediaType:
            org.send(CONTENT, media)
            org.post(encoded(CONTENT, media)[:-3], media, path="/v1/logs")
            org.post(encoded(CONTENT, media), media, path="/v1/metrics")
    assert "telemetry_kept" in repr(logged)
    assert org.output == 310
    with place.store.database.read() as connection:
        tables = [repr(connection.execute(select(one)).all()) for one in metadata.sorted_tables]
    place.store.close()
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    held = dump(redis_url)
    for word in WORDS:
        assert not any(word in one for one in (*tables, held, repr(logged)))
        assert not any(word.encode() in one for one in files)
    place.close()


def dump(redis_url: str) -> str:
    """Return every key of Valkey and its value, as it is stored."""
    client = redis.Redis.from_url(redis_url)
    found = repr([(key, client.dump(key)) for key in client.keys("*")])
    client.close()
    return found


# --- real exporters -------------------------------------------------------------------------------


@contextmanager
def listening(place: Place) -> Iterator[str]:
    """Let the app listen on loopback."""
    server = make_server("127.0.0.1", 0, place.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
@pytest.mark.parametrize(
    "temporality", [AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE]
)
def test_the_real_exporters_send_here(
    org: Organization, place: Place, compression: Compression, temporality: Any
) -> None:
    # The SDK's clock is the machine's.
    place.clock.now = datetime.now(UTC)
    headers = {"Authorization": f"Bearer {org.secret}"}
    try:
        with listening(place) as address:
            exporter = OTLPMetricExporter(
                endpoint=f"{address}/v1/metrics",
                headers=headers,
                compression=compression,
                preferred_temporality={Counter: temporality},
            )
            reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
            provider = MeterProvider([reader], Resource(CLAUDE), shutdown_on_exit=False)
            counter = provider.get_meter(CLAUDE_SCOPE).create_counter("claude_code.token.usage")
            about = MAIL | {"session.id": AGENT_SESSION, "model": "claude-opus-5", "type": "output"}
            for output in (1000, 700, 250):
                counter.add(output, about)
                assert provider.force_flush(10_000)
            provider.shutdown()
            events = LoggerProvider(Resource(CLAUDE), shutdown_on_exit=False)
            to_logs = OTLPLogExporter(
                endpoint=f"{address}/v1/logs", headers=headers, compression=compression
            )
            events.add_log_record_processor(SimpleLogRecordProcessor(to_logs))
            told = {"event.name": "api_request", "request_id": "req_1"}
            counts = {"input_tokens": 12, "output_tokens": 310}
            events.get_logger(f"{CLAUDE_SCOPE}.events").emit(
                timestamp=int(place.clock().timestamp()) * SECOND, attributes=about | told | counts
            )
            events.shutdown()
    finally:
        place.clock.now = NOW
    by_source = {
        source: sum(
            one.row.tokens.output
            for one in org.rows
            if one.source is source and isinstance(one.row, TokenDay)
        )
        for source in (UsageSource.METRICS, UsageSource.EVENTS)
    }
    assert by_source == {UsageSource.METRICS: 1950, UsageSource.EVENTS: 310}


# --- tokens on the settings page ------------------------------------------------------------------


def test_an_owner_makes_and_revokes_tokens(place: Place) -> None:
    admin, page = place.sign_in("admin"), "/organizations/acme/settings"
    form = place.form_of(admin, label="laptops", days="365")
    made = admin.post(f"{page}/tokens", data=form)
    assert made.status_code == 201
    secret = made.text.partition("ghapp_ingest_")[2].partition("<")[0]
    org = Organization(place)
    org.secret = f"ghapp_ingest_{secret}"
    org.id = place.installed.id
    org.send(tokens(5))
    shown = admin.get(page).text
    assert "laptops" in shown
    assert secret not in shown
    (token,) = place.store.tokens.ingest_of(place.installed.id)
    assert (token.user_id, token.login) == (NOBODY, "admin")
    address = f"{page}/tokens/{token.id}/revoke"
    assert admin.post(address, data=place.form_of(admin)).status_code == 303
    assert admin.post(address, data=place.form_of(admin)).status_code == 404
    assert org.post(tokens(6)).status_code == 401


def test_a_token_may_be_bound_to_somebody_who_is_known_here(place: Place) -> None:
    admin, page = place.sign_in("admin"), "/organizations/acme/settings"
    for wrong in ({"label": "", "days": "90"}, {"label": "x", "days": "7"}):
        assert admin.post(f"{page}/tokens", data=place.form_of(admin, **wrong)).status_code == 400
    form = place.form_of(admin, label="x", days="90", person="never-seen")
    assert admin.post(f"{page}/tokens", data=form).status_code == 400
    place.sign_in("member")
    form = place.form_of(admin, label="bound", days="90", person="Member")
    assert admin.post(f"{page}/tokens", data=form).status_code == 201
    found = place.store.tokens.ingest_of(place.installed.id)
    token = next(one for one in found if one.label == "bound")
    person = place.store.logins.named("member")
    assert person is not None
    assert (token.login, token.user_id) == ("member", person.id)
