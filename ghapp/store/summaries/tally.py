"""What is kept of each pull request's audit in force, and tallies of it. It answers no question.

Everything happens in the transaction that keeps the audit: what the pull request counted before
is taken off, what it counts now is added. `rebuild` makes the same rows from the documents; a
law in the tests holds both to each other.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Table, bindparam, delete, func, select, update

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, AuditState, Verdict
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import (
    audit,
    group_tally,
    pull_agent,
    pull_lines,
    pull_summary,
    repository,
    tally,
    tally_member,
)
from ghapp.summaries.counts import Lines, PullCounts, PullFacts, PullSummary
from ghapp.summaries.languages import language_of
from ghapp.summaries.selection import TimeGrain

Key = tuple[str, str, int, str]
"""Dimension, grain, first day, name."""
Tallied = tuple[Key, PullCounts]
Changes = Mapping[Key, PullCounts]

ALL, AGENT, AUTHOR, DIRECTORY, LANGUAGE = "all", "agent", "author", "directory", "language"
FIRST_DAY = date(1970, 1, 1)
COUNTS = PullCounts.__struct_fields__
OF_REPOSITORY: Mapping[str, Sequence[TimeGrain]] = {
    ALL: tuple(TimeGrain),
    AUTHOR: (TimeGrain.WEEK, TimeGrain.MONTH),
    AGENT: (TimeGrain.MONTH,),
    DIRECTORY: (TimeGrain.MONTH,),
    LANGUAGE: (TimeGrain.MONTH,),
}
"""Which grains are kept of each dimension of a repository."""
OF_GROUP: Mapping[str, Sequence[TimeGrain]] = dict.fromkeys(
    (ALL, AGENT, AUTHOR, LANGUAGE), tuple(TimeGrain)
)
"""The same of a group of repositories: nobody reads hundreds of them one by one then."""


def day_number(day: date) -> int:
    """Return a day as it is kept: days since 1970."""
    return (day - FIRST_DAY).days


def summarize(
    repository_id: int, pull_request: int, number: int, read: Audit, about: PullFacts
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
    elif _is_new(connection, new.repository_id):
        _join(connection, database, new.repository_id)
    _insert(connection, database, [new])
    _count(connection, database, new.repository_id, [new], [old] if old else [])


def _is_new(connection: Connection, repository_id: int) -> bool:
    query = select(pull_summary.c.pull_request).where(pull_summary.c.repository_id == repository_id)
    return connection.execute(query.limit(1)).first() is None


def note_about(
    connection: Connection,
    database: Database,
    repository_id: int,
    pull_request: int,
    about: PullFacts,
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
    found = connection.execute(query).all()
    # All of them first: who holds a group's lock must not wait for a repository's.
    for repository_id in sorted({row.repository_id for row in found}):
        database.lock(connection, f"audit:{repository_id}")
    for repository_id, pull_request in found:
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
        _count(connection, database, repository_id, [new], [old])


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


def tallies(pull: PullSummary, grains: Mapping[str, Iterable[TimeGrain]]) -> Iterator[Tallied]:
    """Yield all that one pull request adds to the dimensions and grains that are kept."""
    day = pull.merged_at.date()
    for dimension, name, counts in _parts(pull):
        for grain in grains.get(dimension, ()):
            yield (dimension, grain.value, day_number(grain.start(day)), name), counts


def _parts(pull: PullSummary) -> Iterator[tuple[str, str, PullCounts]]:
    """Yield dimension, name and what is counted there of a pull request."""
    counts = PullCounts.of(pull)
    yield ALL, "", counts
    yield AUTHOR, pull.about.author or "", counts
    for agent, attributed in pull.agents.items():
        yield AGENT, agent, PullCounts(pulls=1, assisted=1, attributed=attributed)
    for (directory, language), lines in pull.lines.items():
        of_lines = _of_lines(pull, lines)
        yield DIRECTORY, directory, of_lines
        yield LANGUAGE, language, of_lines


def _of_lines(pull: PullSummary, lines: Lines) -> PullCounts:
    """Return what the lines of one place count; ``pulls`` is how often one was there."""
    added, effective, attributed = lines
    known = pull.verdict is not Verdict.NO_EVIDENCE
    return PullCounts(
        pulls=1,
        added=added,
        effective=effective,
        attributed=attributed,
        whole_effective=pull.complete * effective,
        whole_attributed=pull.complete * attributed,
        known_effective=pull.complete * known * effective,
    )


def _sums(pulls: Iterable[PullSummary], grains: Mapping[str, Iterable[TimeGrain]]) -> Changes:
    """Return what some pull requests count together."""
    changes: defaultdict[Key, PullCounts] = defaultdict(PullCounts)
    for pull in pulls:
        for key, counts in tallies(pull, grains):
            changes[key] += counts
    return changes


def _count(
    connection: Connection,
    database: Database,
    repository_id: int,
    new: Iterable[PullSummary],
    old: Iterable[PullSummary] = (),
) -> None:
    """Add what the new pull requests count and take off the old, here and in the group."""
    new, old = list(new), list(old)
    _add(connection, database, tally, repository_id, _less(OF_REPOSITORY, new, old))
    group_id = group_of(connection, repository_id)
    if group_id is None:
        return
    # Last, and one at a time: all audits of the group wait for each other from here on.
    database.lock(connection, f"group:{group_id}")
    if group_of(connection, repository_id) is not None:  # it was not dissolved meanwhile
        _add(connection, database, group_tally, group_id, _less(OF_GROUP, new, old))


def _less(
    grains: Mapping[str, Iterable[TimeGrain]], new: list[PullSummary], old: list[PullSummary]
) -> Changes:
    added, taken = _sums(new, grains), _sums(old, grains)
    changes = {
        key: added.get(key, PullCounts()) - taken.get(key, PullCounts()) for key in {*added, *taken}
    }
    return {key: counts for key, counts in changes.items() if counts != PullCounts()}


def _add(
    connection: Connection, database: Database, table: Table, of: int, changes: Changes
) -> None:
    """Add to the tallies of a repository or group; one that counts nothing any more is deleted."""
    rows = [_tally_row(table, of, key, counts) for key, counts in sorted(changes.items())]
    if not rows:
        return
    insert = database.insert(table)
    added = {name: table.c[name] + insert.excluded[name] for name in COUNTS}
    connection.execute(
        insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=added), rows
    )
    keys = [column.name for column in table.primary_key]
    emptied = [{f"of_{name}": row[name] for name in keys} for row in rows if row["pulls"] < 0]
    if emptied:
        is_key = (table.c[name] == bindparam(f"of_{name}") for name in keys)
        connection.execute(delete(table).where(table.c.pulls == 0, *is_key), emptied)


def _tally_row(table: Table, of: int, key: Key, counts: PullCounts) -> dict[str, Any]:
    names = [column.name for column in table.primary_key]
    return {**dict(zip(names, (of, *key), strict=True)), **msgspec.structs.asdict(counts)}


# --- groups -------------------------------------------------------------------------------------


def group_of(connection: Connection, repository_id: int) -> int | None:
    """Return the group in which a repository is counted as well; ``None``: in none."""
    query = select(tally_member.c.group_id).where(tally_member.c.repository_id == repository_id)
    return connection.execute(query).scalar()


def _join(connection: Connection, database: Database, repository_id: int) -> None:
    """Let a repository that counts nothing yet be counted in its installation's group.

    It stays there when it moves to another account: any group is as right, this one is fast.
    """
    home = select(repository.c.id, repository.c.installation_id).where(
        repository.c.id == repository_id, repository.c.installation_id.is_not(None)
    )
    insert = database.insert(tally_member).from_select(["repository_id", "group_id"], home)
    connection.execute(insert.on_conflict_do_nothing())


def dissolve(database: Database) -> None:
    """Forget all groups; `rebuild` lets each repository join one again."""
    groups = select(tally_member.c.group_id).distinct().order_by(tally_member.c.group_id)
    with database.write() as connection:
        for group_id in connection.execute(groups).scalars().all():
            database.lock(connection, f"group:{group_id}")
        for table in (tally_member, group_tally):
            connection.execute(delete(table))


# --- again from the documents -------------------------------------------------------------------


def rebuild(database: Database, repository_id: int) -> int:
    """Make a repository's summaries again from its documents; return how many pull requests.

    Documents are read before anybody has to wait; audits that came meanwhile are added after.
    """
    with database.read() as connection:
        position, pulls = _from_documents(connection, repository_id)
    with database.write() as connection:
        database.lock(connection, f"audit:{repository_id}")
        old = _kept(connection, repository_id)
        known = {pull.pull_request: pull.about for pull in old}
        _count(connection, database, repository_id, [], old)
        for table in (pull_summary, pull_agent, pull_lines, tally, tally_member):
            connection.execute(delete(table).where(table.c.repository_id == repository_id))
        pulls = [
            msgspec.structs.replace(pull, about=known.get(pull.pull_request, PullFacts()))
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
    """Keep the first pull requests of a repository: nothing of it is kept yet."""
    pulls = list(pulls)
    _join(connection, database, repository_id)
    _insert(connection, database, pulls)
    _count(connection, database, repository_id, pulls)


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
            repository_id, row.pull_request, row.number, read, PullFacts()
        )
    return position, list(latest.values())


def _kept(connection: Connection, repository_id: int) -> list[PullSummary]:
    """Return everything that is kept of a repository."""
    found: dict[Table, defaultdict[int, list[Row[Any]]]] = {}
    for table in (pull_summary, pull_agent, pull_lines):
        of_table = found[table] = defaultdict(list)
        query = select(table).where(table.c.repository_id == repository_id)
        for row in connection.execute(query):
            of_table[row.pull_request].append(row)
    return [
        _from_rows(row, found[pull_agent][number], found[pull_lines][number])
        for number, (row,) in found[pull_summary].items()
    ]


# --- rows ---------------------------------------------------------------------------------------


def _known(new: PullFacts, old: PullFacts) -> PullFacts:
    """Return what is known of a pull request; who was forgotten does not come back.

    An author is not known any more of an erased person and of a deleted account: for good.
    """
    if new == PullFacts():
        return old
    if old != PullFacts() and old.author is None:
        return msgspec.structs.replace(new, author=None, author_id=None)
    return new


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
        state=AuditState(row.state),
        complete=row.complete,
        added=row.added,
        effective=row.effective,
        attributed=row.attributed,
        share=row.share,
        about=PullFacts(row.title, row.author, row.author_id, row.base_ref),
        agents={one.agent: one.attributed for one in agents},
        lines={
            (one.directory, one.language): (one.added, one.effective, one.attributed)
            for one in lines
        },
    )


def _is(table: Table, repository_id: int, pull_request: int) -> Any:
    return (table.c.repository_id == repository_id) & (table.c.pull_request == pull_request)
