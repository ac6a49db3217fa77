"""What is kept of each pull request's audit in force, and tallies of it. It answers no question.

Everything happens in the transaction that keeps the audit: what the pull request counted before
is taken off, what it counts now is added. `rebuild` makes the same rows from the documents; a
law in the tests holds both to each other.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Table, bindparam, delete, func, select, update

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, State, Verdict
from ghapp.languages import language_of
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import audit, pull_agent, pull_lines, pull_summary, tally
from ghapp.summaries import About, Counts, Grain, Lines, PullSummary

Key = tuple[str, str, int, str]
"""Dimension, grain, first day, name."""

ALL, AGENT, AUTHOR, DIRECTORY, LANGUAGE = "all", "agent", "author", "directory", "language"
FIRST_DAY = date(1970, 1, 1)
COUNTS = Counts.__struct_fields__


def day_number(day: date) -> int:
    """Return a day as it is kept: days since 1970."""
    return (day - FIRST_DAY).days


def summarize(
    repository_id: int, pull_request: int, number: int, read: Audit, about: About
) -> PullSummary:
    """Return what the summaries keep of an audit."""
    lines: defaultdict[tuple[str, str], Lines] = defaultdict(lambda: (0, 0, 0))
    for file in read.files:
        path = clean(file.path)
        place = (path.rpartition("/")[0] or ".", language_of(path))
        added, effective, attributed = lines[place]
        lines[place] = (
            added + file.added,
            effective + file.effective,
            attributed + file.attributed,
        )
    totals = read.totals
    return PullSummary(
        repository_id=repository_id,
        pull_request=pull_request,
        audit_number=number,
        merged_at=read.merged_at,
        verdict=read.verdict,
        state=read.state,
        complete=read.inputs.complete,
        added=totals.added,
        effective=totals.effective,
        attributed=totals.attributed,
        share=totals.share,
        about=about,
        agents={clean(agent): count for agent, count in totals.by_agent.items() if count},
        lines={place: found for place, found in lines.items() if any(found)},
    )


# --- in the audit's transaction -------------------------------------------------------------------


def keep(connection: Connection, database: Database, new: PullSummary) -> None:
    """Let a pull request count as ``new`` says, and no longer as it did before.

    What ``new`` does not know about it stays known. The caller holds the lock of the
    repository's audits.
    """
    old = load(connection, new.repository_id, new.pull_request)
    if old is not None:
        about = _known(new.about, old.about)
        new = msgspec.structs.replace(new, about=about)
        remove(connection, new.repository_id, new.pull_request)
    _insert(connection, database, [new])
    _add(connection, database, new.repository_id, _difference(new, old))


def note_about(
    connection: Connection, database: Database, repository_id: int, pull_request: int, about: About
) -> bool:
    """Note what GitHub says of a pull request; ``False``: it has no audit."""
    old = load(connection, repository_id, pull_request)
    if old is None:
        return False
    if about != old.about:
        keep(connection, database, msgspec.structs.replace(old, about=about))
    return True


def forget_author(connection: Connection, database: Database, login: str) -> None:
    """Let a person's pull requests stand without their author."""
    query = select(pull_summary.c.repository_id, pull_summary.c.pull_request).where(
        func.lower(pull_summary.c.author) == login.lower()
    )
    for repository_id, pull_request in connection.execute(query).all():
        database.lock(connection, f"audit:{repository_id}")
        old = load(connection, repository_id, pull_request)
        if old is None:
            continue
        about = msgspec.structs.replace(old.about, author=None, author_id=None)
        new = msgspec.structs.replace(old, about=about)
        connection.execute(
            update(pull_summary)
            .where(_is(pull_summary, repository_id, pull_request))
            .values(author=None, author_id=None)
        )
        _add(connection, database, repository_id, _difference(new, old))


def load(connection: Connection, repository_id: int, pull_request: int) -> PullSummary | None:
    """Return what is kept of a pull request; ``None``: nothing."""
    row = connection.execute(
        select(pull_summary).where(_is(pull_summary, repository_id, pull_request))
    ).first()
    if row is None:
        return None
    agents = select(pull_agent).where(_is(pull_agent, repository_id, pull_request))
    lines = select(pull_lines).where(_is(pull_lines, repository_id, pull_request))
    return _from_rows(row, connection.execute(agents).all(), connection.execute(lines).all())


def remove(connection: Connection, repository_id: int, pull_request: int) -> None:
    """Delete a pull request's rows; its tallies stay."""
    for table in (pull_summary, pull_agent, pull_lines):
        connection.execute(delete(table).where(_is(table, repository_id, pull_request)))


# --- tallies ------------------------------------------------------------------------------------


def tallies(pull: PullSummary) -> Iterator[tuple[Key, Counts]]:
    """Yield all that one pull request adds, by dimension, grain, first day and name."""
    day = pull.merged_at.date()
    month = day_number(Grain.MONTH.start(day))
    counts = Counts.of(pull)
    for grain in Grain:
        yield (ALL, grain.value, day_number(grain.start(day)), ""), counts
    for grain in (Grain.WEEK, Grain.MONTH):
        author = pull.about.author or ""
        yield (AUTHOR, grain.value, day_number(grain.start(day)), author), counts
    for agent, attributed in pull.agents.items():
        yield (
            (AGENT, Grain.MONTH.value, month, agent),
            Counts(pulls=1, assisted=1, attributed=attributed),
        )
    for (directory, language), lines in pull.lines.items():
        of_lines = count_lines(lines, complete=pull.complete)
        yield (DIRECTORY, Grain.MONTH.value, month, directory), of_lines
        yield (LANGUAGE, Grain.MONTH.value, month, language), of_lines


def count_lines(lines: Lines, *, complete: bool) -> Counts:
    """Return what the lines of one place count; ``pulls`` is how often one was there."""
    added, effective, attributed = lines
    return Counts(
        pulls=1,
        added=added,
        effective=effective,
        attributed=attributed,
        whole_effective=complete * effective,
        whole_attributed=complete * attributed,
    )


def _difference(new: PullSummary, old: PullSummary | None) -> dict[Key, Counts]:
    changes: defaultdict[Key, Counts] = defaultdict(Counts)
    for key, counts in tallies(new):
        changes[key] += counts
    for key, counts in tallies(old) if old is not None else ():
        changes[key] -= counts
    return {key: counts for key, counts in changes.items() if counts != Counts()}


def _add(
    connection: Connection,
    database: Database,
    repository_id: int,
    changes: Mapping[Key, Counts],
) -> None:
    """Add to tallies; one that counts no pull request any more is deleted."""
    rows = [_tally_row(repository_id, key, counts) for key, counts in sorted(changes.items())]
    if not rows:
        return
    insert = database.insert(tally)
    added = {name: tally.c[name] + insert.excluded[name] for name in COUNTS}
    connection.execute(
        insert.on_conflict_do_update(index_elements=list(tally.primary_key), set_=added), rows
    )
    emptied = [row for row in rows if row["pulls"] < 0]
    if emptied:
        connection.execute(_DELETE_EMPTY, [_as_key(row) for row in emptied])


_KEY = [column.name for column in tally.primary_key]
_DELETE_EMPTY = delete(tally).where(
    tally.c.pulls == 0, *(tally.c[name] == bindparam(f"of_{name}") for name in _KEY)
)


def _as_key(row: Mapping[str, Any]) -> dict[str, Any]:
    return {f"of_{name}": row[name] for name in _KEY}


def _tally_row(repository_id: int, key: Key, counts: Counts) -> dict[str, Any]:
    dimension, grain, start, name = key
    return {
        "repository_id": repository_id,
        "dimension": dimension,
        "grain": grain,
        "start": start,
        "name": name,
        **msgspec.structs.asdict(counts),
    }


# --- again from the documents -------------------------------------------------------------------


def rebuild(database: Database, repository_id: int) -> int:
    """Make a repository's summaries again from its documents; return how many pull requests.

    Documents are read before anybody has to wait; audits that came meanwhile are added after.
    """
    with database.read() as connection:
        position, pulls = _from_documents(connection, repository_id)
    with database.write() as connection:
        database.lock(connection, f"audit:{repository_id}")
        known = _abouts(connection, repository_id)
        for table in (pull_summary, pull_agent, pull_lines, tally):
            connection.execute(delete(table).where(table.c.repository_id == repository_id))
        pulls = [
            msgspec.structs.replace(pull, about=known.get(pull.pull_request, About()))
            for pull in pulls
        ]
        insert_all(connection, database, repository_id, pulls)
        _, later = _from_documents(connection, repository_id, after=position)
        for pull in later:
            keep(connection, database, pull)
    return len({pull.pull_request for pull in (*pulls, *later)})


def audited(database: Database) -> list[int]:
    """Return the repositories that have audits, by id."""
    query = select(audit.c.repository_id).distinct().order_by(audit.c.repository_id)
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def insert_all(
    connection: Connection, database: Database, repository_id: int, pulls: Iterable[PullSummary]
) -> None:
    """Keep pull requests of a repository that have no rows yet."""
    pulls = list(pulls)
    changes: defaultdict[Key, Counts] = defaultdict(Counts)
    for pull in pulls:
        for key, counts in tallies(pull):
            changes[key] += counts
    _insert(connection, database, pulls)
    _add(connection, database, repository_id, changes)


def _from_documents(
    connection: Connection, repository_id: int, after: int = 0
) -> tuple[int, list[PullSummary]]:
    """Read the latest documents; return up to which position, and what they say."""
    query = (
        select(audit.c.pull_request, audit.c.number, audit.c.position, audit.c.document)
        .where(audit.c.repository_id == repository_id, audit.c.position > after)
        .order_by(audit.c.position)
    )
    position, latest = after, {}
    for row in connection.execute(query):
        position = row.position
        read = from_document(zlib.decompress(row.document))
        latest[row.pull_request] = summarize(
            repository_id, row.pull_request, row.number, read, About()
        )
    return position, list(latest.values())


def _abouts(connection: Connection, repository_id: int) -> dict[int, About]:
    columns = pull_summary.c
    query = select(
        columns.pull_request, columns.title, columns.author, columns.author_id, columns.base_ref
    ).where(columns.repository_id == repository_id)
    return {row[0]: About(*row[1:]) for row in connection.execute(query)}


# --- rows ---------------------------------------------------------------------------------------


def _known(new: About, old: About) -> About:
    """Return what is known of a pull request; a deleted account has no author any more."""
    return old if new == About() else new


def _insert(connection: Connection, database: Database, pulls: Iterable[PullSummary]) -> None:
    pulls = list(pulls)
    of_agents = [row for pull in pulls for row in _agent_rows(pull)]
    of_lines = [row for pull in pulls for row in _line_rows(pull)]
    for table, rows in (
        (pull_summary, [_summary_row(pull) for pull in pulls]),
        (pull_agent, of_agents),
        (pull_lines, of_lines),
    ):
        if rows:
            connection.execute(database.insert(table), rows)


def _of(pull: PullSummary) -> dict[str, Any]:
    return {
        "repository_id": pull.repository_id,
        "pull_request": pull.pull_request,
        "merged_at": pull.merged_at,
    }


def _summary_row(pull: PullSummary) -> dict[str, Any]:
    return {
        **_of(pull),
        "audit_number": pull.audit_number,
        "verdict": pull.verdict.value,
        "state": pull.state.value,
        "complete": pull.complete,
        "added": pull.added,
        "effective": pull.effective,
        "attributed": pull.attributed,
        "share": pull.share,
        "title": clean(pull.about.title),
        "author": clean(pull.about.author),
        "author_id": pull.about.author_id,
        "base_ref": clean(pull.about.base_ref),
    }


def _agent_rows(pull: PullSummary) -> Iterator[dict[str, Any]]:
    for agent, attributed in pull.agents.items():
        yield {**_of(pull), "agent": agent, "attributed": attributed}


def _line_rows(pull: PullSummary) -> Iterator[dict[str, Any]]:
    for (directory, language), (added, effective, attributed) in pull.lines.items():
        yield {
            **_of(pull),
            "directory": directory,
            "language": language,
            "complete": pull.complete,
            "added": added,
            "effective": effective,
            "attributed": attributed,
        }


def _from_rows(row: Row[Any], agents: Iterable[Any], lines: Iterable[Any]) -> PullSummary:
    return PullSummary(
        repository_id=row.repository_id,
        pull_request=row.pull_request,
        audit_number=row.audit_number,
        merged_at=row.merged_at,
        verdict=Verdict(row.verdict),
        state=State(row.state),
        complete=row.complete,
        added=row.added,
        effective=row.effective,
        attributed=row.attributed,
        share=row.share,
        about=About(row.title, row.author, row.author_id, row.base_ref),
        agents={one.agent: one.attributed for one in agents},
        lines={
            (one.directory, one.language): (one.added, one.effective, one.attributed)
            for one in lines
        },
    )


def _is(table: Table, repository_id: int, pull_request: int) -> Any:
    return (table.c.repository_id == repository_id) & (table.c.pull_request == pull_request)
