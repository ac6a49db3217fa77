"""A year of merged pull requests for the demo.

This module plays the developers; the engine makes the audits, and the store saves them like any
other. Everything follows from a seed and the last instant, so the same instant gives the same year.
"""

import sqlite3
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from operator import attrgetter
from random import Random

import msgspec
from sqlalchemy import event

from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import FingerprintCodebook
from ghapp.attribution.document import to_document
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import (
    AuditState,
    AuditSubject,
    Change,
    Edit,
    EditHunk,
    EditLines,
    EditResult,
    Evidence,
    FileDiff,
    FileStatus,
    Hunk,
    HunkLine,
    Struct,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1 as POLICY
from ghapp.demo import code
from ghapp.demo.cast import (
    AGENTS,
    COST_CENTERS,
    LOCATIONS,
    PLACES,
    ROLES,
    TEAMS,
    TENURES,
    USER_IDS,
    DemoRepository,
    DemoTeam,
)
from ghapp.demo.fates import fate
from ghapp.demo.year_delivery import deliver, merge_commit
from ghapp.demo.year_usage import use
from ghapp.keys.evidence import EvidenceKey
from ghapp.store import (
    EditSender,
    NewToken,
    Publication,
    SavedAudit,
    Store,
    TokenKind,
    new_secret,
)
from ghapp.store.audits import SignRecord
from ghapp.store.coverage import MachineReport, monday
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.teams import TeamMember, TeamSource

MODELS = {
    "claude-code": ("claude-sonnet-4-5-20250929", "claude-opus-4-5-20251101", "claude-haiku-4-5"),
    "codex": ("gpt-5-codex", "gpt-5.1-codex-max"),
}
"""The models of agents whose records name them; those of other agents are not recorded."""
DAYS = 365
SEED = 20
RECENT = timedelta(days=30)
"""The demo shows every audit of a recent pull request, but only the last one of an older one."""
QUIET_DAYS = {(12, day) for day in range(22, 32)} | {(1, 1), (1, 2), (1, 3), (5, 1)}


class MergedInYear(Struct, frozen=True):
    """One merged pull request of the year, with the agents' edits behind it."""

    number: int
    title: str
    author: str
    merged_at: datetime
    change: Change
    edits: tuple[Edit, ...]
    late: bool
    """Whether some of its evidence arrives only a day after the merge."""


# --- the year on one page -------------------------------------------------------------------------


@dataclass(frozen=True)
class YearStore:
    """Where the year goes: the store, the key of its fingerprints, the signer of its audits."""

    store: Store
    installation_id: int
    account: str
    """The installation's account, in lower case."""
    key: EvidenceKey
    witness: SignRecord

    @cached_property
    def fingerprinter(self) -> LineFingerprinter:
        """Return the fingerprinter of the key."""
        return self.key.fingerprinter


def whole_year(until: datetime, days: int = DAYS) -> dict[str, list[MergedInYear]]:
    """Return what was merged in the ``days`` up to ``until``, by repository, in order."""
    # Each repository has its own generator, so adding one changes none of the others.
    chances = {place.name: Random(f"{SEED} {place.name}") for place in PLACES}  # noqa: S311 - lifelike, not secret
    return {one.name: list(merged(one, until, chances[one.name], days)) for one in PLACES}


def make_year(
    office: YearStore,
    repositories: Mapping[str, int],
    year: Mapping[str, Sequence[MergedInYear]],
    *,
    until: datetime,
    takes: Callable[[str, MergedInYear], bool] = lambda *_: False,
) -> None:
    """Store the evidence and the audits of a year that ends at ``until``.

    ``repositories`` maps the names of `PLACES` to ids. ``takes`` is offered each pull request,
    with its evidence in the store; one that it takes gets no audit here.
    """
    _do_not_wait_for_the_disk(office.store)
    _form_teams(office, until)
    _enroll(office, [pull for pulls in year.values() for pull in pulls], until)
    sender = EditSender(key_id=office.key.id)
    for name, pulls in year.items():
        repository_id = repositories[name]
        edits = [_encoded(edit, office.fingerprinter) for pull in pulls for edit in pull.edits]
        office.store.evidence.add(repository_id, edits, now=until, sender=sender)
        _report(office, repository_id, edits)
        if edits:
            chance = Random(f"{SEED} usage {name}")  # noqa: S311 - lifelike, not secret
            use(office.store, office.installation_id, repository_id, edits, chance)
        audits = _Audits(office, repository_id, name, edits)
        for pull in pulls:
            if not takes(name, pull):
                audits.audit(pull, until)
        deliver(office.store, repository_id, name, pulls, until)
    office.store.usage.settle()


def merged(
    place: DemoRepository, until: datetime, random: Random, days: int
) -> Iterator[MergedInYear]:
    """Yield the pull requests merged in a repository in the last ``days``, in order."""
    teams = {team.name: team for team in TEAMS}
    number = 0
    for day in range(days, -1, -1):
        on = (until - timedelta(days=day)).date()
        at = 1 - day / DAYS
        for minute in sorted(_minutes(random, place.a_day * _season(on) * (1 + 0.5 * at))):
            merged_at = datetime(on.year, on.month, on.day, tzinfo=UTC) + timedelta(minutes=minute)
            if merged_at < until:
                number += 1
                team = teams[random.choice(place.teams)]
                yield _Author(random, team, place).merge(number, merged_at, at)


def _season(on: date) -> float:
    """Return how busy a day is, as a factor: weekends, holidays and August are slow."""
    if on.weekday() > 4 or (on.month, on.day) in QUIET_DAYS:
        return 0.06
    return 0.6 if on.month == 8 else 1.0


def _minutes(random: Random, expected: float) -> Iterator[float]:
    """Yield the minutes of a day with a merge, most of them in the afternoon."""
    for _ in range(8):
        if random.random() < expected / 8:
            yield min(max(random.gauss(14.2, 2.6), 6.5), 22.5) * 60 + random.random()


# --- one pull request -----------------------------------------------------------------------------


class _Author:
    """The author of one pull request; chooses the files, the lines and the agent's share."""

    def __init__(self, random: Random, team: DemoTeam, place: DemoRepository) -> None:
        self.random = random
        self.team = team
        self.place = place
        # The first of a team adopt agents first and use them most.
        self.rank = min(int(random.expovariate(2.2 / len(team.people))), len(team.people) - 1)
        self.login = team.people[self.rank]

    def merge(self, number: int, merged_at: datetime, at: float) -> MergedInYear:
        """Return the pull request that this author merges."""
        random = self.random
        keen = 1.25 - 0.5 * self.rank / len(self.team.people)
        agent = None
        if self.place.heard and random.random() < self.team.adoption(at) * keen:
            agent = random.choice(AGENTS if self.rank % 4 != 3 else AGENTS[12:])
        share = random.betavariate(2.6, 1.6) if agent else 0.0
        files, edits = [], []
        for _ in range(min(1 + int(random.expovariate(0.8)), 6)):
            file, more = self._file(f"{number:04d}", merged_at, agent, share)
            files.append(file)
            edits += more
        if random.random() < 0.06:
            files.append(_plain("package-lock.json", [f'  "v{n}": true,' for n in range(60)]))
        return MergedInYear(
            number=number,
            title=code.title(random),
            author=self.login,
            merged_at=merged_at,
            change=Change(files=tuple({file.path: file for file in files}.values())),
            edits=tuple({edit.id: edit for edit in edits}.values()),
            late=bool(edits) and random.random() < 0.08,
        )

    def _file(
        self, key: str, merged_at: datetime, agent: str | None, share: float
    ) -> tuple[FileDiff, list[Edit]]:
        random = self.random
        directory, ending = random.choice(self.place.files)
        test = "test_" if directory == "tests" else ""
        path = f"{directory}/{test}{random.choice(code.NOUNS)}_{random.choice(code.VERBS)}{ending}"
        lines: list[str] = []
        edits: list[Edit] = []
        for _ in range(min(1 + int(random.expovariate(0.7)), 7)):
            block = code.block(random, ending)
            if agent and random.random() < share:
                edit = self._edit(f"{key}-{len(edits)}", path, agent, block, merged_at)
                edits.append(edit)
                block = self._reworked(block)
            lines += block
        return _plain(path, lines), edits

    def _edit(self, key: str, path: str, agent: str, block: list[str], merged_at: datetime) -> Edit:
        random = self.random
        before = timedelta(hours=random.uniform(0.5, 70))
        if random.random() < 0.02:
            before = timedelta(days=random.uniform(24, 40))
        at = merged_at - before
        models = MODELS.get(agent)
        # By the day, not by chance: the same year comes out with and without models.
        model = models[at.toordinal() // 40 % len(models)] if models else None
        return Edit(
            id=f"toolu_{self.place.name[5:8]}{key}{random.getrandbits(48):012x}",
            agent=agent,
            agent_session=f"{self.login}-{at:%Y%m%d}-{random.randint(1, 3)}",
            at=at,
            path=path,
            outcome=EditResult.REFUSED if random.random() < 0.03 else EditResult.APPLIED,
            actor=self.login,
            agent_version=None if model is None else "2.1.0",
            model=model,
            lines=EditLines(hunks=(EditHunk((), tuple(block), ()),)),
        )

    def _reworked(self, block: list[str]) -> list[str]:
        """Return an agent's lines as merged: some changed, some removed, some added."""
        random, kept = self.random, []
        for line in block:
            chance = random.random()
            if chance < 0.05 and line.strip():
                kept.append(code.touched(random, line))
            elif chance > 0.03 or not line.strip():
                kept.append(line)
            if chance > 0.97:
                kept.append(f"{line[: len(line) - len(line.lstrip())]}{code.title(random)}".lower())
        return kept


def _plain(path: str, lines: list[str]) -> FileDiff:
    """Return a new file with these lines."""
    hunk = Hunk(
        old_start=0,
        old_lines=0,
        new_start=1,
        new_lines=len(lines),
        lines=tuple(HunkLine("+", line) for line in lines),
    )
    return FileDiff(path=path, status=FileStatus.ADDED, hunks=(hunk,))


def _encoded(edit: Edit, fingerprinter: LineFingerprinter) -> Edit:
    lines = fingerprinter.lines(edit.lines)  # type: ignore[arg-type]  # these are text
    return msgspec.structs.replace(edit, lines=lines)


def _form_teams(year: YearStore, until: datetime) -> None:
    """Store the table of people, as if the organization had uploaded it."""
    members = [
        TeamMember(
            login=login,
            team=team.name,
            role=ROLES[number % len(ROLES)],
            since=until.date() - timedelta(days=TENURES[number % len(TENURES)]),
            cost_center=COST_CENTERS[team.name],
            location=LOCATIONS[number % len(LOCATIONS)],
        )
        for team in TEAMS
        for number, login in enumerate(team.people)
    ]
    year.store.teams.replace(year.account, TeamSource.CSV, members)


def _enroll(year: YearStore, pulls: Iterable[MergedInYear], until: datetime) -> None:
    """Enroll machines when their people's first edits begin; they say each week that they live."""
    first: dict[str, datetime] = {}
    for edit in (edit for pull in pulls for edit in pull.edits):
        login = edit.actor or ""
        first[login] = min(edit.at, first.get(login, edit.at))
    for login, at in sorted(first.items()):
        new = NewToken(TokenKind.UPLOAD, login, USER_IDS[login], label=f"{login}-1")
        year.store.tokens.issue(new, new_secret(TokenKind.UPLOAD), now=at)
    latest = monday(until) - timedelta(weeks=1)
    for week in (latest, monday(until)):
        year.store.coverage.note((_alive(year, login) for login in sorted(first)), now=week)


def _alive(year: YearStore, login: str) -> MachineReport:
    return MachineReport(
        year.installation_id, USER_IDS[login], login, machine=f"{login}-1", client="ghapp/demo"
    )


def _report(year: YearStore, repository_id: int, edits: list[Edit]) -> None:
    """Store weekly reports of the machines on which people made edits."""
    counts = Counter((monday(edit.at), edit.actor or "") for edit in edits)
    for week in sorted({week for week, _ in counts}):
        reports = [
            MachineReport(
                installation_id=year.installation_id,
                user_id=USER_IDS[login],
                login=login,
                machine=f"{login}-1",
                client="ghapp/demo",
                edits=count,
                repository_id=repository_id,
            )
            for (of_week, login), count in counts.items()
            if of_week == week
        ]
        year.store.coverage.note(reports, now=week)


def _do_not_wait_for_the_disk(store: Store) -> None:
    """Turn off SQLite's waits for the disk: the demo's data need not survive a power cut.

    https://www.sqlite.org/pragma.html#pragma_synchronous
    """
    if store.database.is_sqlite:
        store.database.close()
        event.listen(store.database.engine, "connect", _do_not_wait)


def _do_not_wait(connection: sqlite3.Connection, record: object) -> None:
    del record
    connection.execute("PRAGMA synchronous = OFF")


# --- its audits -----------------------------------------------------------------------------------


class _Audits:
    """Audits the pull requests of one repository as the app would have done at the time."""

    def __init__(self, year: YearStore, repository_id: int, name: str, edits: list[Edit]) -> None:
        self._year = year
        self._repository_id = repository_id
        self._name = name
        self._edits = sorted(edits, key=attrgetter("at", "id"))
        self._times = [edit.at for edit in self._edits]

    def audit(self, pull: MergedInYear, until: datetime) -> None:
        """Store the audits of a pull request that were due by ``until``."""
        for at, is_late in self._instants(pull, until):
            missing = {edit.id for edit in pull.edits[::2]} if is_late else set()
            saved = self._audit(pull, at, missing)
            if until - pull.merged_at < RECENT:
                self._publish(saved, at)
            if saved.state is AuditState.FINAL:
                self._keep_outcome(saved, until)

    def _instants(self, pull: MergedInYear, until: datetime) -> Iterator[tuple[datetime, bool]]:
        """Yield the times of its audits, each with whether evidence was still missing."""
        first = pull.merged_at + timedelta(seconds=40)
        late = pull.merged_at + timedelta(hours=21)
        last = pull.merged_at + timedelta(days=POLICY.window_after_days, minutes=1)
        if until - pull.merged_at < RECENT or last > until:
            yield first, pull.late
            if pull.late and late < until:
                yield late, False
        if last <= until:
            yield last, False

    def _audit(self, pull: MergedInYear, at: datetime, missing: set[str]) -> SavedAudit:
        since, until = POLICY.evidence_span(pull.merged_at)
        span = slice(bisect_left(self._times, since), bisect_right(self._times, until))
        known = tuple(edit for edit in self._edits[span] if edit.id not in missing)
        subject = AuditSubject(
            merged_at=pull.merged_at,
            repository=self._name,
            pull_request=pull.number,
            merge_commit=merge_commit(self._name, pull.number),
        )
        book = FingerprintCodebook(self._year.fingerprinter)
        audit = attribute(subject, pull.change, Evidence(edits=known), POLICY, at=at, book=book)
        return self._year.store.audits.save(
            self._repository_id,
            pull.number,
            to_document(audit),
            now=at,
            about=PullFacts(
                title=pull.title,
                author=pull.author,
                author_id=USER_IDS[pull.author],
                base_ref="main",
                default_branch="main",
            ),
            witness=self._year.witness,
        )

    def _keep_outcome(self, saved: SavedAudit, until: datetime) -> None:
        """Store the outcome of a pull request."""
        random = Random(f"{self._name} {saved.pull_request}")  # noqa: S311 - lifelike, not secret
        others = saved.effective - saved.attributed
        found = fate(random, saved.merged_at, until, attributed=saved.attributed, others=others)
        self._year.store.outcomes.keep(self._repository_id, saved.pull_request, found)

    def _publish(self, saved: SavedAudit, at: datetime) -> None:
        """Store what the app wrote on GitHub."""
        name = "written" if saved.number == 1 else "unchanged"
        done = Publication(
            publisher="check_run",
            outcome=name,
            asked_at=at,
            read_back_at=at,
            read_back_ok=True,
        )
        self._year.store.publications.record(saved, done)
