"""A small HTTP stand-in for the app's upload routes, as strict as the wire format.

It keeps every byte that reaches it, so that a test can search for what must not be sent.
"""

import contextlib
import gzip
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from ghapp.git.remotes import normalized
from ghapp.usage.days import DecisionDay, TokenDay
from ghapp.wire import (
    MOST_BYTES,
    SCHEMA,
    USAGE_SCHEMA,
    BatchReceipt,
    EditBatch,
    EnrolledInstallation,
    EnrollmentAsked,
    EnrollmentStarted,
    ForgetReceipt,
    ForgetRequest,
    MachineEnrolled,
    MachineEnrollment,
    SentEdit,
    UsageReceipt,
    UsageReport,
    WireProblem,
)

TOKEN = "ghu_stand_in_token"
KEY = b"k" * 32


class Fault(msgspec.Struct):
    """An answer to give instead of the right one."""

    status: int
    problem: WireProblem | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)


class App:
    """The state of the stand-in, and what it received."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.repositories = {"github.com/acme/shop"}
        self.installations = [EnrolledInstallation(id=7, account="acme", key_id="key-1", key=KEY)]
        self.login = "ann"
        self.received: list[bytes] = []
        self.batches: list[EditBatch] = []
        self.edits: dict[str, SentEdit] = {}
        self.times_sent: dict[str, int] = {}
        self.faults: list[Fault] = []
        self.asked_before_code = 1
        """Times that the person is not done yet."""
        self.expires_in = 900
        """Seconds until a code is worth nothing."""
        self.may_answer = threading.Event()
        """Cleared: every request waits for its answer."""
        self.may_answer.set()
        self.asked = threading.Event()
        """Set once a request has come."""
        self.forgotten: list[ForgetRequest] = []
        self.takes_usage = True
        """Unset: it is an older app."""
        self.usage_faults: list[Fault] = []
        """As `faults`, for reports of usage only."""
        self.aliases: dict[str, str] = {}
        """Another name of a repository → its name."""
        self.reports: list[UsageReport] = []
        self.usage: dict[tuple[str, date, str, str], list[TokenDay | DecisionDay]] = {}
        """Repository, day, agent and agent session → its rows."""

    @property
    def enrollment(self) -> MachineEnrollment:
        """What an enrolled machine gets."""
        return MachineEnrollment(
            login=self.login, host="github.com", installations=tuple(self.installations)
        )

    def answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, Any]:
        """Answer one request with a status and what becomes JSON."""
        if path in {"/api/enroll", "/api/enroll/finish"}:
            return self._enroll(path, body)
        if token != f"Bearer {TOKEN}":
            return 401, WireProblem(error="this token is not valid", code="revoked")
        if (method, path) == ("GET", "/api/enrollment"):
            return 200, self.enrollment
        if (method, path) == ("POST", "/api/evidence"):
            return self._take(body)
        if (method, path) == ("PUT", "/api/usage"):
            return self._take_usage(body)
        assert (method, path) == ("DELETE", "/api/evidence")
        self.forgotten.append(msgspec.json.decode(body, type=ForgetRequest))
        if self.forgotten[-1] == ForgetRequest():
            self.usage.clear()
        return 200, ForgetReceipt(edits=len(self.edits))

    def _enroll(self, path: str, body: bytes) -> tuple[int, Any]:
        if path == "/api/enroll":
            return 200, EnrollmentStarted(
                handle="h1",
                user_code="WDJB-MJHT",
                verification_uri="https://github.com/login/device",
                interval=1,
                expires_in=self.expires_in,
            )
        assert msgspec.json.decode(body, type=EnrollmentAsked).handle == "h1"
        if self.asked_before_code > 0:
            self.asked_before_code -= 1
            return 202, {"pending": True}
        return 200, MachineEnrolled(token=TOKEN, enrollment=self.enrollment)

    def _take(self, body: bytes) -> tuple[int, Any]:
        if len(body) > MOST_BYTES:
            return 413, WireProblem(error="too large", code="too_large")
        batch = msgspec.json.decode(body, type=EditBatch)
        assert batch.schema == SCHEMA
        self.batches.append(batch)
        known = {one.id: one.key_id for one in self.installations}
        if known.get(batch.installation) != batch.key_id:
            return 409, WireProblem(error="another key is in use", code="stale_key")
        assert all(normalized(f"https://{one}") == one for one in batch.remotes)
        if batch.edits and not self.repositories & set(batch.remotes):
            return 404, WireProblem(error="no such repository", code="unknown_repository")
        for number, edit in enumerate(batch.edits):
            if edit.path.startswith("/") or ".." in edit.path.split("/"):
                return 422, WireProblem(error="a path is relative", field=f"edits[{number}].path")
        new = [edit for edit in batch.edits if edit.id not in self.edits]
        for edit in batch.edits:
            self.times_sent[edit.id] = self.times_sent.get(edit.id, 0) + 1
        self.edits.update({edit.id: edit for edit in new})
        known_before = len(batch.edits) - len(new)
        return 200, BatchReceipt(stored=len(new), already_known=known_before, audits_due=0)

    def _take_usage(self, body: bytes) -> tuple[int, Any]:
        if not self.takes_usage:
            return 405, WireProblem(error="the method is not allowed")
        report = msgspec.json.decode(body, type=UsageReport)
        assert report.schema == USAGE_SCHEMA
        if report.installation not in {one.id for one in self.installations}:
            return 403, WireProblem(error="enroll again", code="other_installation")
        self.reports.append(report)
        names = [self.aliases.get(one, one) for one in report.remotes]
        known = [one for one in names if one in self.repositories]
        if not known:
            return 404, WireProblem(error="no such repository", code="unknown_repository")
        rows = [*report.tokens, *report.decisions]
        said = {(known[0], one.day, one.agent, one.agent_session): [] for one in rows}
        self.usage.update(said)
        for one in rows:
            self.usage[known[0], one.day, one.agent, one.agent_session].append(one)
        number = sorted(self.repositories).index(known[0])
        return 200, UsageReceipt(days=len(rows), repository=number)


class _Handler(BaseHTTPRequestHandler):
    """One request; the app is the server's."""

    server: "_Server"

    def _serve(self) -> None:
        app = self.server.app
        packed = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        zipped = self.headers.get("Content-Encoding") == "gzip"
        body = gzip.decompress(packed) if zipped else packed
        app.asked.set()
        app.may_answer.wait(60)
        with self.server.lock:
            app.received += [self.requestline.encode(), bytes(self.headers), packed, body]
            faults = app.faults
            if not faults and self.command == "PUT":
                faults = app.usage_faults
            if faults:
                fault = faults.pop(0)
                status, answer, headers = fault.status, fault.problem, fault.headers
            else:
                token = self.headers.get("Authorization", "")
                status, answer = app.answer(self.command, self.path, token, body)
                headers = {}
        content = msgspec.json.encode(answer)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the base class asks for these names

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    app: App
    lock: threading.Lock


@contextlib.contextmanager
def running_app() -> Iterator[App]:
    """Serve the stand-in on loopback until the block ends."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.app = App(f"http://127.0.0.1:{server.server_port}")
        server.lock = threading.Lock()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.app
        finally:
            server.shutdown()
            thread.join()
