"""Upload on one page: check a batch from a developer's machine, find its repository, store it.

The web handler decodes the batch and answers. The token alone says whose edits they are.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from ghapp.attribution.fingerprint import LINE_BYTES, TOKEN_BYTES
from ghapp.attribution.model import Edit, FingerprintLines, LineFingerprint
from ghapp.git.remotes import on_host
from ghapp.github.app_auth import AppAuth
from ghapp.github.user_access import AccessLevel
from ghapp.ingest.keep import due_again
from ghapp.keys.evidence import EvidenceKeys
from ghapp.people.uploaders import EvidenceUploaders
from ghapp.store import (
    AccessDoor,
    AccessEntry,
    AccessToken,
    AgentReport,
    EditSender,
    ErasedBy,
    ErasureScope,
    MachineReport,
    NameReason,
    Store,
    UsageOrigin,
)
from ghapp.store.repository_names import AskedName
from ghapp.usage.days import DecisionDay, TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from ghapp.wire import (
    OLDEST_USAGE,
    SCHEMA,
    USAGE_SCHEMA,
    BatchReceipt,
    EditBatch,
    ForgetReceipt,
    ForgetRequest,
    SentEdit,
    UsageReceipt,
    UsageReport,
)

ASK_AGAIN = timedelta(days=1)
"""How long GitHub is not asked again about a repository name that it did not know."""
ASKED_BY_PERSON, ASKED_BY_INSTALLATION = 50, 500
"""Names in `ASK_AGAIN` that a person may not write to, known here or not: a budget of their own, so
that nobody's machine spends the requests that audits need, and nobody tries out names. Other names
above it count as unknown until then."""
AHEAD = timedelta(days=1)
"""How far ahead a machine's clock may be. An edit from the future would expire too late."""
_RECORD = TOKEN_BYTES + 1
"""Bytes of one token: its hash and its length."""

log = structlog.get_logger()


class UploadRefused(Exception):  # noqa: N818 - an answer, not a failure
    """The batch is refused: the HTTP status, and the members of `wire.WireProblem`."""

    def __init__(
        self, status: int, error: str, *, code: str | None = None, field: str | None = None
    ) -> None:
        super().__init__(error)
        self.status = status
        self.code = code
        self.field = field


class UploadIntake:
    """Takes batches. Its methods raise `UploadRefused`, `Away`, `GitHubError` and `StoreError`."""

    def __init__(
        self, store: Store, keys: EvidenceKeys, uploaders: EvidenceUploaders, auth: AppAuth
    ) -> None:
        self._store = store
        self._keys = keys
        self._uploaders = uploaders
        self._auth = auth

    def take(self, batch: EditBatch, token: AccessToken, *, now: datetime) -> BatchReceipt:
        """Store a whole batch and return a receipt. Sending it again changes nothing."""
        self._check(batch, token, now)
        repositories = (
            self._writable(batch.installation, batch.remotes, token, is_needed=bool(batch.edits))
            if batch.remotes
            else []
        )
        edits = [_edit(sent, token.login) for sent in batch.edits]
        kept = self._store.evidence.add_batch(
            repositories,
            edits,
            now=now,
            again=due_again(self._store, now),
            sender=EditSender(key_id=batch.key_id, actor_id=token.user_id),
        )
        stored = kept.added + kept.replaced
        self._report(batch, token, repositories, stored, now)
        self._report_agents(batch, token, now)
        log.info("batch_kept", installation=batch.installation, stored=stored)
        return BatchReceipt(
            stored=stored, already_known=kept.already_known, audits_due=len(kept.due_again)
        )

    def take_usage(self, report: UsageReport, token: AccessToken, *, now: datetime) -> UsageReceipt:
        """Store a whole report and return a receipt. Sending it again changes nothing."""
        self._check_sender(report.schema, USAGE_SCHEMA, report.installation, token)
        try:
            _check_days("tokens", report.tokens, now)
            _check_days("decisions", report.decisions, now)
            places = self._writable(report.installation, report.remotes, token, is_needed=True)
        except UploadRefused as error:
            self._store.arrivals.note_refused(
                report.installation, UsageSource.TRANSCRIPTS, f"request_{error.status}", now=now
            )
            raise
        origin = UsageOrigin(
            installation_id=report.installation,
            source=UsageSource.TRANSCRIPTS,
            identity=UsageIdentity(IdentityKind.ACCOUNT, str(token.user_id)),
            login=token.login,
            # One repository: a fork and its parent would count everything twice.
            repository_id=places[0],
            machine=report.machine,
        )
        self._store.usage.replace(origin, report.tokens, report.decisions, now=now)
        days = len(report.tokens) + len(report.decisions)
        log.info("usage_kept", installation=report.installation, days=days)
        return UsageReceipt(days=days, repository=places[0])

    def forget(self, request: ForgetRequest, token: AccessToken, *, now: datetime) -> ForgetReceipt:
        """Erase what the token's owner sent: everything, or what the request names."""
        whose = ErasureScope(
            login=token.login,
            user_id=token.user_id,
            repository_ids=self._meant(request) if request.remotes else None,
            paths=request.paths,
            edit_ids=request.edits,
        )
        access = AccessEntry(who=f"login:{token.login}", door=AccessDoor.API, what="erasure")
        self._store.access_log.note(access, now=now)
        count = self._store.evidence.erase(whose, ErasedBy.DEVELOPER, now=now)
        if request == ForgetRequest():
            self._store.coverage.forget(token.login, token.user_id)
            self._store.agent_reports.forget(token.login, token.user_id)
            self._store.usage.forget(token.user_id, token.login, now=now)
        elif request == ForgetRequest(remotes=request.remotes):
            # Usage has a repository and no file: what names files or edits leaves it.
            places = whose.repository_ids or ()
            self._store.usage.forget_in(token.user_id, token.login, places)
        log.info("evidence_forgotten", edits=count)
        return ForgetReceipt(edits=count)

    # --- checks -----------------------------------------------------------------------------------

    def _check_sender(
        self, schema: str, known: str, installation_id: int, token: AccessToken
    ) -> None:
        if schema != known:
            raise UploadRefused(422, f"send {known}: update the collector", field="schema")
        installation = self._store.installations.installation(installation_id)
        if not token.reaches(installation_id) or not (installation and installation.is_active):
            raise UploadRefused(
                403,
                "this token is not for that installation: enroll again",
                code="other_installation",
                field="installation",
            )

    def _check(self, batch: EditBatch, token: AccessToken, now: datetime) -> None:
        self._check_sender(batch.schema, SCHEMA, batch.installation, token)
        if not batch.edits:
            return
        if not batch.remotes:
            raise UploadRefused(422, "edits need the clone's remotes", field="remotes")
        present = self._keys.present(batch.installation, now=now)
        if batch.key_id != present.id:
            raise UploadRefused(
                409, f"fingerprint with key {present.id}", code="stale_key", field="key_id"
            )
        for at, edit in enumerate(batch.edits):
            for field, error in _faults(edit, now):
                raise UploadRefused(422, error, field=f"edits[{at}].{field}")

    # --- which repositories -----------------------------------------------------------------------

    def _writable(
        self, installation_id: int, remotes: Iterable[str], token: AccessToken, *, is_needed: bool
    ) -> list[int]:
        """Return the ids of a clone's repositories that the token's owner may write to.

        ``is_needed``: refuse where there is none. A name that is hidden from the person costs what
        an unknown one costs, and is answered so.
        """
        names = on_host(remotes, self._uploaders.host)
        here = self._store.repository_names.meant(installation_id, names)
        held = dict(self._held(installation_id, name, here.get(name), token) for name in names)
        writable = [one for one, level in held.items() if level.reaches(AccessLevel.WRITE)]
        if not writable and any(level.reaches(AccessLevel.READ) for level in held.values()):
            raise UploadRefused(
                403,
                f"{token.login} may read this repository, but not write to it",
                code="may_not_write",
                field="remotes",
            )
        if not writable and is_needed:
            # The same answer whether the repository does not exist or the person may not see it.
            raise UploadRefused(
                404,
                "the app is installed on none of these repositories",
                code="unknown_repository",
                field="remotes",
            )
        return writable

    def _held(
        self, installation_id: int, name: str, number: int | None, token: AccessToken
    ) -> tuple[int, AccessLevel]:
        """Return the repository that a name means, and the person's level there.

        ``number``: what the name is known to mean here. For an unknown name GitHub is asked about
        an id that nobody has, which takes what the question about a hidden repository takes.
        """
        where = self._uploaders.nowhere(name) if number is None else number
        level = self._uploaders.known_level(token, where)
        if level is not None:
            return where, level
        if not self._may_ask(installation_id, name, where, token):
            log.warning("name_not_asked", installation=installation_id, person=token.user_id)
            return where, AccessLevel.NONE
        level = self._uploaders.level(token, installation_id, where)
        if level.reaches(AccessLevel.WRITE):
            return where, level
        other = self._asked(installation_id, name, number, token)
        if other is None:
            return where, level
        return other, self._uploaders.level(token, installation_id, other)

    def _may_ask(self, installation_id: int, name: str, where: int, token: AccessToken) -> bool:
        """Say whether GitHub may be asked about a name: within the budget of its person.

        What the person could write to before is always asked about, and what was asked about in
        this time already costs no new name.
        """
        now, names = self._auth.clock(), self._store.repository_names
        since = now - ASK_AGAIN
        count = names.count_asked(installation_id, token.user_id, since)
        is_left = (
            count.by_person < ASKED_BY_PERSON and count.by_installation < ASKED_BY_INSTALLATION
        )
        return (
            is_left
            or where in token.repositories
            or names.answer(installation_id, name, since) is not None
            or self._store.coverage.has_reported(token.user_id, where)
        )

    def _asked(
        self, installation_id: int, name: str, number: int | None, token: AccessToken
    ) -> int | None:
        """Return the id of the installation's repository for a former name or a fork.

        ``number``: what the name is known to mean; asked about all the same, as an unknown name is.
        """
        now, names = self._auth.clock(), self._store.repository_names
        said = names.answer(installation_id, name, now - ASK_AGAIN)
        if said is not None:
            found = said.repository_id
            return found if found and self._is_of(installation_id, found) else None
        told = self._auth.named(installation_id, name, number)
        asked = AskedName(
            installation_id=installation_id,
            full_name=name,
            repository_id=None,
            user_id=token.user_id,
            asked_at=now,
        )
        names.asked(asked)
        for one in () if told is None else told.ids:
            if self._is_of(installation_id, one):
                why = NameReason.FORMER if told and one == told.id else NameReason.FORK
                names.asked(replace(asked, repository_id=one))
                names.note(name, why, now=now, repository_id=one)
                return one
        return None

    def _is_of(self, installation_id: int, repository_id: int) -> bool:
        known = self._store.installations.repository(repository_id)
        return (
            known is not None
            and known.installation_id == installation_id
            and known.removed_at is None
        )

    def _meant(self, request: ForgetRequest) -> tuple[int, ...]:
        """Return the ids of the repositories that remotes name, without asking GitHub."""
        names = on_host(request.remotes, self._uploaders.host)
        found = [one.id for one in map(self._store.installations.find, names) if one is not None]
        aliases = self._store.repository_names.of(names).values()
        return tuple({*found, *(one.repository_id for one in aliases)})

    # --- coverage ---------------------------------------------------------------------------------

    def _report(
        self,
        batch: EditBatch,
        token: AccessToken,
        repositories: list[int],
        stored: int,
        now: datetime,
    ) -> None:
        places: list[int | None] = [*repositories] or [None]
        reports = [
            MachineReport(
                installation_id=batch.installation,
                repository_id=repository_id,
                user_id=token.user_id,
                login=token.login,
                machine=batch.machine,
                client=batch.client,
                edits=stored,
            )
            for repository_id in places
        ]
        self._store.coverage.note(reports, now=now)

    def _report_agents(self, batch: EditBatch, token: AccessToken, now: datetime) -> None:
        """Store what the machine saw of agents; a day in the future counts as today."""
        today = now.date()
        reports = [
            AgentReport(
                installation_id=batch.installation,
                user_id=token.user_id,
                login=token.login,
                machine=batch.machine,
                agent=one.agent,
                version=one.version,
                transcripts=one.transcripts,
                edits=one.edits,
                seen_on=min(one.seen_on, today),
                last_edit_on=None if one.last_edit_on is None else min(one.last_edit_on, today),
            )
            for one in {(one.agent, one.version): one for one in batch.agents}.values()
        ]
        self._store.agent_reports.note(reports, now=now)


def _check_days(field: str, days: Iterable[TokenDay | DecisionDay], now: datetime) -> None:
    for at, one in enumerate(days):
        if not now.date() - OLDEST_USAGE <= one.day <= now.date() + AHEAD:
            message = f"{one.day} is in the future, or over {OLDEST_USAGE.days} days ago"
            raise UploadRefused(422, message, field=f"{field}[{at}].day")


# --- one edit -------------------------------------------------------------------------------------


def _edit(sent: SentEdit, login: str) -> Edit:
    return Edit(
        id=sent.id,
        agent=sent.agent,
        agent_session=sent.agent_session,
        at=sent.at,
        path=sent.path,
        outcome=sent.outcome,
        tool=sent.tool,
        actor=login,
        agent_version=sent.agent_version,
        model=sent.model,
        lines=sent.lines,
    )


def _faults(edit: SentEdit, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield problems that decoding cannot find: the field, and what to do."""
    if edit.at > now + AHEAD:
        yield "at", "this time is in the future: set the machine's clock"
    if edit.path.startswith(("/", "~")) or ".." in edit.path.split("/"):
        yield "path", "give the path relative to the repository's root, with /"
    if not all(map(_is_whole, _lines(edit.lines))):
        yield "lines", "a fingerprint has 8 bytes, and 5 bytes for each token"


def _lines(lines: FingerprintLines) -> Iterator[LineFingerprint]:
    for hunk in lines.hunks:
        yield from hunk.before
        yield from hunk.own
        yield from hunk.after
    yield from lines.removed


def _is_whole(line: LineFingerprint) -> bool:
    return len(line.line) == LINE_BYTES and len(line.tokens) % _RECORD == 0
