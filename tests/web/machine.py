"""A developer's machine before the web door: it fingerprints and sends, as a client does."""

import gzip
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from werkzeug.test import TestResponse

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import Edit
from ghapp.store import NewToken, TokenKind, new_secret
from ghapp.wire import SCHEMA, EditBatch, EnrollmentStarted, MachineEnrolled, SentEdit
from tests.store.records import NOW, edit
from tests.web.place import Place

MACHINE = "0123456789abcdef" * 2


class Machine:
    """One enrolled machine of one person; `enroll` makes one as its person does."""

    def __init__(self, place: Place, enrolled: MachineEnrolled) -> None:
        self.place = place
        self.http = place.app.test_client()
        self.token, self.enrollment = enrolled.token, enrolled.enrollment
        (self.installation,) = enrolled.enrollment.installations

    @property
    def headers(self) -> dict[str, str]:
        """Return what every request carries."""
        return {"Authorization": f"Bearer {self.token}"}

    def batch(self, *edits: SentEdit, remotes: tuple[str, ...] = (), **changed: Any) -> EditBatch:
        """Return a batch of acme/app."""
        made = EditBatch(
            schema=SCHEMA,
            client="ghapp/1.0.0",
            machine=MACHINE,
            installation=self.installation.id,
            key_id=self.installation.key_id,
            remotes=remotes or (f"{self.enrollment.host}/acme/app",),
            edits=edits,
        )
        return replace(made, **changed)

    def edit(self, edit_id: str = "toolu_1", *own: str, **changed: Any) -> SentEdit:
        """Return an edit as it is sent."""
        return self.sent(edit(edit_id, *own), **changed)

    def sent(self, one: Edit, **changed: Any) -> SentEdit:
        """Return an edit of text as it is sent."""
        made = SentEdit(
            id=one.id,
            agent=one.agent,
            agent_session=one.agent_session,
            at=one.at,
            path=one.path,
            outcome=one.outcome,
            tool=one.tool,
            lines=LineFingerprinter(self.installation.key).lines(one.lines),  # type: ignore[arg-type]  # text
        )
        return replace(made, **changed)

    def send(self, batch: EditBatch | dict[str, Any] | bytes, **headers: str) -> TestResponse:
        """Send a batch, or anything in its place."""
        raw = batch if isinstance(batch, bytes) else msgspec.json.encode(batch)
        return self.http.post(
            "/api/evidence", data=raw, headers={**self.headers, **headers}, buffered=True
        )

    def send_packed(self, batch: EditBatch) -> TestResponse:
        """Send a batch as gzip."""
        raw = gzip.compress(msgspec.json.encode(batch))
        return self.send(raw, **{"Content-Encoding": "gzip"})

    def forget(self, **request: Any) -> TestResponse:
        """Ask for what was sent to be removed."""
        return self.http.delete("/api/evidence", json=request, headers=self.headers)


def enroll(place: Place, login: str) -> TestResponse:
    """Let a person type the code, and return the answer to whoever waits for it."""
    http = place.app.test_client()
    started = msgspec.json.decode(http.post("/api/enroll").data, type=EnrollmentStarted)
    place.sandbox.device_flow.approve(started.user_code, login)
    return http.post("/api/enroll/finish", json={"handle": started.handle})


def machine_of(place: Place, login: str) -> Machine:
    """Return a machine with a token that was made for it, without asking GitHub for it."""
    person, secret = place.sandbox.user(login), new_secret(TokenKind.UPLOAD)
    new = NewToken(
        kind=TokenKind.UPLOAD,
        login=login,
        user_id=person.id,
        installations=(place.installed.id,),
        repositories=(place.repositories["app"].id,),
    )
    kept = place.store.tokens.issue(new, secret, now=place.clock())
    assert place.services.uploaders is not None
    enrollment = place.services.uploaders.enrollment(kept)
    return Machine(place, MachineEnrolled(token=secret, enrollment=enrollment))


def told(answer: TestResponse) -> tuple[int, str | None, str | None]:
    """Return what a program reads of a refusal: status, code, field."""
    found = answer.get_json()
    return answer.status_code, found.get("code"), found.get("field")


def ids(place: Place, name: str = "app") -> list[str]:
    """Return the ids of the edits that are kept of a repository of acme's."""
    number = place.repositories[name].id
    return [one.id for one in place.store.evidence.of(number, _LONG_AGO, _LATE)]


_LONG_AGO = NOW.replace(year=2020)
_LATE: datetime = NOW.replace(year=2030)
