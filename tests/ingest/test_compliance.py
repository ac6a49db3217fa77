"""Agent sessions are pulled from a small stand-in for the Compliance API, over HTTP."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ghapp.ingest.compliance import CURSOR, ComplianceError, ComplianceSource, pull
from ghapp.ingest.keep import as_text
from ghapp.store import Installation, Repository, Store

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
KEY = "sk-ant-compliance-test"
SECRET = "the launch is on the ninth"
CONTENT = "def monthly_totals(orders):\n    return collect_by_month(orders, key=order_month)\n"


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def call(name: str, path: str, **more: Any) -> dict[str, Any]:
    given = {"file_path": path, "content": CONTENT}
    return {"type": "tool_use", "id": name, "name": "Write", "input": json.dumps(given), **more}


def result(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": name, "name": "Write", "content": SECRET, **more}


class StandIn:
    """What the server tells, and what it was asked."""

    def __init__(self) -> None:
        self.agent_sessions: dict[str, tuple[datetime, list[list[dict[str, Any]]]]] = {}
        self.asked: list[str] = []
        self.page_size = 2
        self.status = 200

    def add(self, name: str, at: datetime, *turns: list[dict[str, Any]]) -> None:
        """Tell of an agent session, its messages in turn by the model and by the machine."""
        self.agent_sessions[name] = (at, list(turns))

    def answer(self, path: str, query: dict[str, list[str]]) -> Any:
        """Return a page as the server would."""
        head = "/v1/compliance/apps/sessions/local"
        assert path.startswith(head)
        if path == head:
            since = datetime.fromisoformat(query["updated_at.gte"][0])
            items = [
                {"id": name, "type": "compliance_local_session", "created_at": iso(at)}
                | {"updated_at": iso(at), "product_surface": "claude_code", "user": {"id": "u"}}
                for name, (at, _) in reversed(self.agent_sessions.items())
                if at >= since
            ]
        else:
            assert query["tool_use_input_max_bytes"] == ["-1"], "cut arguments are no JSON"
            at, turns = self.agent_sessions[path.split("/")[-2]]
            items = [
                {"id": f"clsm_{number}", "role": ("assistant", "user")[number % 2]}
                | {"created_at": iso(at), "provenance": None, "content": content}
                for number, content in enumerate(turns)
            ]
        start = int(query.get("page", ["0"])[0])
        following = start + self.page_size
        more = following < len(items)
        return {"data": items[start:following], "next_page": str(following) if more else None}


@pytest.fixture
def server() -> Iterator[tuple[StandIn, str]]:
    told = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            told.asked.append(self.path)
            is_known = self.headers["x-api-key"] == KEY and self.headers["anthropic-version"]
            status = told.status if is_known else 401
            body = told.answer(parts.path, parse_qs(parts.query)) if status == 200 else SECRET
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_request(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield told, f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


@pytest.fixture
def source(server: tuple[StandIn, str]) -> Callable[..., ComplianceSource]:
    def made(key: str = KEY) -> ComplianceSource:
        return ComplianceSource(url=server[1], key=key, account="acme", encode=lambda _: as_text)

    return made


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    sqlite_store.installations.seen(Installation(id=1, account="acme"), now=NOW)
    seen = Repository(id=42, owner="acme", name="shop", installation_id=1)
    sqlite_store.installations.repository_seen(seen, now=NOW)
    return sqlite_store


def ids(store: Store) -> list[str]:
    return [one.id for one in store.evidence.of(42, NOW - timedelta(days=30), NOW)]


def test_edits_are_kept_where_their_path_says(
    server: tuple[StandIn, str], source: Callable[..., ComplianceSource], store: Store
) -> None:
    told, at = server[0], NOW - timedelta(hours=1)
    prompt = {"type": "text", "text": SECRET}
    told.add("clls_1", at, [prompt, call("toolu_1", "/home/ann/shop/a.py")], [result("toolu_1")])
    told.add("clls_2", at, [call("toolu_2", "/home/ann/blog/a.py")], [result("toolu_2")])
    told.add(
        "clls_3",
        at,
        [call("toolu_3", "/home/ann/Shop/b.py")],
        [result("toolu_3", is_error=True)],
        [call("toolu_4", "/home/ann/shop/c.py", truncated=True)],
    )
    pulled = pull(source(), store, now=NOW)
    assert (pulled.agent_sessions, pulled.edits, pulled.elsewhere, pulled.unread) == (3, 2, 1, 1)
    edits = store.evidence.of(42, NOW - timedelta(days=1), NOW)
    assert [(one.id, one.outcome, one.cwd) for one in edits] == [
        ("toolu_1", "applied", "/home/ann/shop"),
        ("toolu_3", "failed", "/home/ann/Shop"),
    ]
    assert edits[0].lines.hunks[0].own == tuple(CONTENT.splitlines())


def test_the_bookmark_outlives_the_process_and_nothing_is_kept_twice(
    server: tuple[StandIn, str], source: Callable[..., ComplianceSource], store: Store
) -> None:
    told = server[0]
    told.add("clls_1", NOW - timedelta(days=2), [call("t1", "/x/shop/a.py")], [result("t1")])
    pull(source(), store, now=NOW)
    told.add("clls_2", NOW + timedelta(minutes=5), [call("t2", "/x/shop/b.py")], [result("t2")])
    told.asked.clear()
    pulled = pull(source(), store, now=NOW + timedelta(minutes=15))
    assert (pulled.edits, pulled.agent_sessions) == (1, 1)
    assert not any("clls_1" in path for path in told.asked)
    assert pull(source(), store, now=NOW + timedelta(minutes=16)).edits == 0


def test_many_agent_sessions_are_pulled_in_turns(
    server: tuple[StandIn, str],
    source: Callable[..., ComplianceSource],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most = 12
    monkeypatch.setattr("ghapp.ingest.compliance.MOST", most)
    told = server[0]
    told.page_size = 5
    for number in range(most + 5):
        at = NOW - timedelta(minutes=most + 10 - number)
        told.add(f"clls_{number}", at, [call(f"t{number}", "/x/shop/a.py")], [result(f"t{number}")])
    first = pull(source(), store, now=NOW)
    assert (first.is_whole, first.edits) == (False, most)
    second = pull(source(), store, now=NOW)
    assert (second.is_whole, second.edits) == (True, 5)
    assert len(ids(store)) == most + 5


def test_a_pull_that_was_stopped_goes_on(
    server: tuple[StandIn, str], source: Callable[..., ComplianceSource], store: Store
) -> None:
    told = server[0]
    told.add("clls_1", NOW - timedelta(days=2), [call("t1", "/x/shop/a.py")], [result("t1")])
    told.status = 429
    with pytest.raises(ComplianceError, match="too many"):
        pull(source(), store, now=NOW)
    assert store.cursors.read(CURSOR) is None
    told.status = 200
    assert pull(source(), store, now=NOW).edits == 1


def test_a_wrong_key_is_said_without_a_word_of_the_answer(
    server: tuple[StandIn, str], source: Callable[..., ComplianceSource], store: Store
) -> None:
    with pytest.raises(ComplianceError, match="key") as caught:
        pull(source(key="other"), store, now=NOW)
    assert SECRET not in str(caught.value)
    assert server[0].asked


def test_conversation_reaches_neither_store_nor_log(
    server: tuple[StandIn, str],
    source: Callable[..., ComplianceSource],
    store: Store,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told, at = server[0], NOW - timedelta(hours=1)
    prompt = {"type": "text", "text": SECRET}
    told.add("clls_1", at, [prompt, call("t1", "/x/shop/a.py")], [result("t1"), prompt])
    with caplog.at_level(logging.DEBUG):
        pull(source(), store, now=NOW)
    (edit,) = store.evidence.of(42, NOW - timedelta(days=1), NOW)
    printed = capsys.readouterr()
    assert all(SECRET not in text for text in (str(edit), caplog.text, printed.out, printed.err))
