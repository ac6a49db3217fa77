"""The summary of each pull request's audit in force, and tallies of them. It answers no question.

The transaction that saves an audit subtracts what the pull request counted before and adds what
it counts now. `rebuild` makes the same rows from the documents; a test compares the two.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Table, bindparam, delete, func, select, update

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, AuditState, AuditTotals, NoEvidence, Verdict
from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import (
    audit,
    author_account,
    cost_stale,
    group_tally,
    pull_agent,
    pull_agent_session,
    pull_lines,
    pull_model,
    pull_summary,
    repository,
    tally,
    tally_member,
)
from ghapp.store.summaries.accounts import note_author
from ghapp.summaries.counts import Lines, PullCounts, PullFacts, PullSummary
from ghapp.summaries.languages import language_of
from ghapp.summaries.models import family_of
from ghapp.summaries.selection import TimeGrain

Key = tuple[str, str, int, str]
"""Dimension, grain, first day, name."""
Tallied = tuple[Key, PullCounts]
Changes = Mapping[Key, PullCounts]

ALL, AGENT, AUTHOR, DIRECTORY, LANGUAGE = "all", "agent", "author", "directory", "language"
MODEL = "model"
"""Its names are an agent, a space and a model's family; the family may be empty."""
ELSEWHERE = "elsewhere"
"""Merges into other branches than the default one, which no other dimension counts."""
PARTS = (pull_summary, pull_agent, pull_model, pull_lines, pull_agent_session)
"""The tables with rows of each pull request."""
FIRST_DAY = date(1970, 1, 1)
COUNTS = PullCounts.__struct_fields__
OF_REPOSITORY: Mapping[str, Sequence[TimeGrain]] = {
    ALL: tuple(TimeGrain),
    ELSEWHERE: tuple(TimeGrain),
    AUTHOR: (TimeGrain.WEEK, TimeGrain.MONTH),
    AGENT: (TimeGrain.MONTH,),
    MODEL: (TimeGrain.MONTH,),
    DIRECTORY: (TimeGrain.MONTH,),
    LANGUAGE: (TimeGrain.MONTH,),
}
"""Grains stored for each dimension of a repository."""
OF_GROUP: Mapping[str, Sequence[TimeGrain]] = dict.fromkeys(
    (ALL, ELSEWHERE, AGENT, MODEL, AUTHOR, LANGUAGE), tuple(TimeGrain)
)
"""The same for a group, so that no query reads hundreds of repositories one by one."""


def day_number(day: date) -> int:
    """Return a day as it is stored: days since 1970."""
    return (day - FIRST_DAY).days


def summarize(
    repository_id: int, pull_request: int, number: int, read: Audit, about: PullFacts
) -> PullSummary:
    """Return what the summaries store of an audit."""
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
        change_complete=read.inputs.change_complete,
        evidence_complete=read.inputs.evidence_complete,
        added=totals.added,
        effective=totals.effective,
        attributed=totals.attributed,
        share=totals.share,
        about=about,
        agents={clean(agent): count for agent, count in totals.by_agent.items() if count},
        lines={place: found for place, found in lines.items() if any(found)},
        models=models_of(totals),
        agent_sessions=_agent_sessions(read),
        no_evidence=read.inputs.no_evidence,
    )


def _agent_sessions(read: Audit) -> dict[tuple[str, str], int]:
    """Return attributed lines by agent and agent session, without those that name none."""
    found = Counter(
        (one.agent, one.agent_session)
        for file in read.files
        for one in file.lines
        if one.attributed and one.agent and one.agent_session
    )
    return {(clean(agent), clean(name)): lines for (agent, name), lines in found.items()}


def models_of(totals: AuditTotals) -> dict[tuple[str, str], int]:
    """Return attributed lines by agent and model's family; ``""``: no record names the model.

    An audit that does not know models leaves all lines of its agents there.
    """
    found: defaultdict[tuple[str, str], int] = defaultdict(int)
    for agent, lines in totals.by_agent.items():
        models = (totals.by_model or {}).get(agent, {})
        for model, count in models.items():
            found[clean(agent), clean(family_of(model)) if model else ""] += count
        found[clean(agent), ""] += lines - sum(models.values())
    return {name: count for name, count in found.items() if count}


# --- in the audit's transaction -------------------------------------------------------------------


def keep(connection: Connection, database: Database, new: PullSummary) -> None:
    """Count a pull request as ``new`` says, instead of as before.

    Facts that ``new`` does not know stay known. The caller holds the lock of the repository's
    audits.
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
    # Last: many repositories share an author, and nobody may wait for a group while it is held.
    note_author(connection, database, new.about)


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
    """Store what GitHub says of a pull request; ``False``: it has no audit."""
    old = load(connection, repository_id, pull_request)
    if old is None:
        return False
    if about != old.about:
        keep(connection, database, msgspec.structs.replace(old, about=about))
    return True


def forget_author(connection: Connection, database: Database, login: str) -> None:
    """Remove a person as the author of pull requests."""
    query = select(pull_summary.c.repository_id, pull_summary.c.pull_request).where(
        func.lower(pull_summary.c.author) == login.lower()
    )
    found = connection.execute(query).all()
    # Lock all repositories first: the holder of a group's lock must not wait for a repository's.
    for repository_id in sorted({row.repository_id for row in found}):
        database.lock(connection, f"audit:{repository_id}")
    for repository_id, pull_request in found:
        old = load(connection, repository_id, pull_request)
        if old is None:
            continue
        nobody = {"author": None, "author_id": None, "author_type": None}
        about = msgspec.structs.replace(old.about, **nobody)
        new = msgspec.structs.replace(old, about=about)
        connection.execute(
            update(pull_summary)
            .where(_is(pull_summary, repository_id, pull_request))
            .values(nobody)
        )
        _count(connection, database, repository_id, [new], [old])
    known = author_account.c.login_lower == login.lower()
    connection.execute(delete(author_account).where(known))


def load(connection: Connection, repository_id: int, pull_request: int) -> PullSummary | None:
    """Return what is stored of a pull request; ``None``: nothing."""
    row = connection.execute(
        select(pull_summary).where(_is(pull_summary, repository_id, pull_request))
    ).first()
    if row is None:
        return None
    parts = (select(part).where(_is(part, repository_id, pull_request)) for part in PARTS[1:])
    return _from_rows(row, *(connection.execute(one).all() for one in parts))


def remove(connection: Connection, repository_id: int, pull_request: int) -> None:
    """Delete a pull request's rows, but not from the tallies."""
    for table in PARTS:
        connection.execute(delete(table).where(_is(table, repository_id, pull_request)))


# --- tallies ------------------------------------------------------------------------------------


def tallies(pull: PullSummary, grains: Mapping[str, Iterable[TimeGrain]]) -> Iterator[Tallied]:
    """Yield what one pull request adds to each stored dimension and grain."""
    day = pull.merged_at.date()
    for dimension, name, counts in _parts(pull):
        for grain in grains.get(dimension, ()):
            yield (dimension, grain.value, day_number(grain.start(day)), name), counts


def _parts(pull: PullSummary) -> Iterator[tuple[str, str, PullCounts]]:
    """Yield dimension, name and counts of a pull request."""
    counts = PullCounts.of(pull)
    if pull.about.is_elsewhere:
        yield ELSEWHERE, "", counts
        return
    yield ALL, "", counts
    yield AUTHOR, pull.about.author or "", counts
    for agent, attributed in pull.agents.items():
        yield AGENT, agent, PullCounts(pulls=1, assisted=1, attributed=attributed)
    for (agent, family), attributed in pull.models.items():
        yield MODEL, f"{agent} {family}", PullCounts(pulls=1, assisted=1, attributed=attributed)
    for (directory, language), lines in pull.lines.items():
        of_lines = _of_lines(pull, lines)
        yield DIRECTORY, directory, of_lines
        yield LANGUAGE, language, of_lines


def _of_lines(pull: PullSummary, lines: Lines) -> PullCounts:
    """Return the counts of lines in one directory and language, for one pull request."""
    added, effective, attributed = lines
    known = pull.verdict is not Verdict.NO_EVIDENCE
    return PullCounts(
        pulls=1,
        added=added,
        effective=effective,
        attributed=attributed,
        whole_effective=pull.change_complete * effective,
        whole_attributed=pull.change_complete * attributed,
        known_effective=pull.change_complete * known * effective,
    )


def _sums(pulls: Iterable[PullSummary], grains: Mapping[str, Iterable[TimeGrain]]) -> Changes:
    """Return the sum of what these pull requests count."""
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
    """Add the new pull requests and subtract the old, in the repository and in its group."""
    new, old = list(new), list(old)
    _add(connection, database, tally, repository_id, _less(OF_REPOSITORY, new, old))
    group_id = group_of(connection, repository_id)
    if group_id is None:
        return
    # Lock the group last: from here on all audits of the group wait for each other.
    database.lock(connection, f"group:{group_id}")
    if group_of(connection, repository_id) is not None:  # unless dissolved meanwhile
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
    """Add to the tallies of a repository or group; delete tallies that become empty."""
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
    """Return the group that also counts a repository; ``None``: no group."""
    query = select(tally_member.c.group_id).where(tally_member.c.repository_id == repository_id)
    return connection.execute(query).scalar()


def _join(connection: Connection, database: Database, repository_id: int) -> None:
    """Add a repository without any counts to its installation's group.

    It stays there when it moves to another account: any group is correct, this one is fast.
    """
    home = select(repository.c.id, repository.c.installation_id).where(
        repository.c.id == repository_id, repository.c.installation_id.is_not(None)
    )
    insert = database.insert(tally_member).from_select(["repository_id", "group_id"], home)
    connection.execute(insert.on_conflict_do_nothing())


def dissolve(database: Database) -> None:
    """Delete all groups; `rebuild` adds each repository to one again."""
    groups = select(tally_member.c.group_id).distinct().order_by(tally_member.c.group_id)
    with database.write() as connection:
        for group_id in connection.execute(groups).scalars().all():
            database.lock(connection, f"group:{group_id}")
        for table in (tally_member, group_tally):
            connection.execute(delete(table))


# --- again from the documents -------------------------------------------------------------------


def rebuild(database: Database, repository_id: int) -> int:
    """Rebuild a repository's summaries from its documents; return how many pull requests.

    It reads the documents before it takes a lock, and adds audits that arrived meanwhile after.
    """
    with database.read() as connection:
        position, pulls = _from_documents(connection, repository_id)
    with database.write() as connection:
        database.lock(connection, f"audit:{repository_id}")
        old = _kept(connection, repository_id)
        known = {pull.pull_request: pull.about for pull in old}
        _count(connection, database, repository_id, [], old)
        for table in (*PARTS, tally, tally_member):
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
    return [row.repository_id for row in database.rows(query)]


def insert_all(
    connection: Connection, database: Database, repository_id: int, pulls: Iterable[PullSummary]
) -> None:
    """Store the first pull requests of a repository without any."""
    pulls = list(pulls)
    _join(connection, database, repository_id)
    _insert(connection, database, pulls)
    _count(connection, database, repository_id, pulls)


def _from_documents(
    connection: Connection, repository_id: int, after: int = 0
) -> tuple[int, list[PullSummary]]:
    """Read the documents after a position; return the last position, and their summaries."""
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
    """Return everything that is stored of a repository."""
    found: dict[Table, defaultdict[int, list[Row[Any]]]] = {}
    for table in PARTS:
        of_table = found[table] = defaultdict(list)
        query = select(table).where(table.c.repository_id == repository_id)
        for row in connection.execute(query):
            of_table[row.pull_request].append(row)
    return [
        _from_rows(row, *(found[table][number] for table in PARTS[1:]))
        for number, (row,) in found[pull_summary].items()
    ]


# --- rows ---------------------------------------------------------------------------------------


def _known(new: PullFacts, old: PullFacts) -> PullFacts:
    """Return what is known of a pull request; a removed author does not come back.

    Erasing a person and deleting a GitHub account remove the author for good. The default branch
    stays that of the first audit: a branch that is renamed later keeps its old name in merges.
    """
    if new == PullFacts():
        return old
    new = msgspec.structs.replace(new, default_branch=old.default_branch or new.default_branch)
    if old != PullFacts() and old.author is None:
        return msgspec.structs.replace(new, author=None, author_id=None, author_type=None)
    return new


def _insert(connection: Connection, database: Database, pulls: Iterable[PullSummary]) -> None:
    pulls = list(pulls)
    of_agents = [row for pull in pulls for row in _agent_rows(pull)]
    of_models = [row for pull in pulls for row in _model_rows(pull)]
    of_lines = [row for pull in pulls for row in _line_rows(pull)]
    of_agent_sessions = [row for pull in pulls for row in _agent_session_rows(pull)]
    for table, rows in (
        (pull_summary, [_summary_row(pull) for pull in pulls]),
        (pull_agent, of_agents),
        (pull_model, of_models),
        (pull_lines, of_lines),
        (pull_agent_session, of_agent_sessions),
    ):
        if rows:
            connection.execute(database.insert(table), rows)
    _note_costs(connection, database, pulls)


def _note_costs(connection: Connection, database: Database, pulls: Iterable[PullSummary]) -> None:
    """Note that what these pull requests cost is no longer true (see `ghapp.store.usage_costs`)."""
    numbers = ((pull.repository_id, pull.pull_request) for pull in pulls)
    rows = [dict(zip(cost_stale.c.keys(), number, strict=True)) for number in sorted(numbers)]
    if rows:
        connection.execute(database.insert(cost_stale).on_conflict_do_nothing(), rows)


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
        "change_complete": pull.change_complete,
        "evidence_complete": pull.evidence_complete,
        "added": pull.added,
        "effective": pull.effective,
        "attributed": pull.attributed,
        "share": pull.share,
        "title": clean(pull.about.title),
        "author": clean(pull.about.author),
        "author_id": pull.about.author_id,
        "author_type": clean(pull.about.author_type),
        "base_ref": clean(pull.about.base_ref),
        "default_branch": clean(pull.about.default_branch),
        "no_evidence": pull.no_evidence,
    }


def _agent_rows(pull: PullSummary) -> Iterator[dict[str, Any]]:
    for agent, attributed in pull.agents.items():
        yield {**_of(pull), "agent": agent, "attributed": attributed}


def _model_rows(pull: PullSummary) -> Iterator[dict[str, Any]]:
    for (agent, family), attributed in pull.models.items():
        yield {**_of(pull), "agent": agent, "family": family, "attributed": attributed}


def _line_rows(pull: PullSummary) -> Iterator[dict[str, Any]]:
    for (directory, language), (added, effective, attributed) in pull.lines.items():
        yield {
            **_of(pull),
            "directory": directory,
            "language": language,
            "change_complete": pull.change_complete,
            "added": added,
            "effective": effective,
            "attributed": attributed,
        }


def _agent_session_rows(pull: PullSummary) -> Iterator[dict[str, Any]]:
    for (agent, name), attributed in pull.agent_sessions.items():
        yield {**_of(pull), "agent": agent, "agent_session": name, "attributed": attributed}


def _from_rows(
    row: Row[Any],
    agents: Iterable[Any],
    models: Iterable[Any],
    lines: Iterable[Any],
    agent_sessions: Iterable[Any],
) -> PullSummary:
    return PullSummary(
        repository_id=row.repository_id,
        pull_request=row.pull_request,
        audit_number=row.audit_number,
        merged_at=row.merged_at,
        verdict=Verdict(row.verdict),
        state=AuditState(row.state),
        change_complete=row.change_complete,
        evidence_complete=row.evidence_complete,
        added=row.added,
        effective=row.effective,
        attributed=row.attributed,
        share=row.share,
        about=PullFacts(
            title=row.title,
            author=row.author,
            author_id=row.author_id,
            author_type=row.author_type,
            base_ref=row.base_ref,
            default_branch=row.default_branch,
        ),
        agents={one.agent: one.attributed for one in agents},
        models={(one.agent, one.family): one.attributed for one in models},
        lines={
            (one.directory, one.language): (one.added, one.effective, one.attributed)
            for one in lines
        },
        agent_sessions={(one.agent, one.agent_session): one.attributed for one in agent_sessions},
        no_evidence=None if row.no_evidence is None else NoEvidence(row.no_evidence),
    )


def _is(table: Table, repository_id: int, pull_request: int) -> Any:
    return (table.c.repository_id == repository_id) & (table.c.pull_request == pull_request)
