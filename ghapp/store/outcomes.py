"""The outcome of each merged pull request, and the comparison of outcomes (docs/metrics.md).

`ghapp.upkeep.outcomes` collects them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, case, func, literal, select

from ghapp.attribution.model import Verdict
from ghapp.store.database import Database
from ghapp.store.rows import struct_of
from ghapp.store.schema import outcome, pull_agent, pull_model, pull_summary
from ghapp.store.summaries.conditions import same_pull
from ghapp.summaries.comparisons import ComparedPull, OutcomeSummary, compared, finer
from ghapp.summaries.counts import (
    MeasuredFigure,
    OutcomeComparison,
    OutcomeMeasure,
    PullOutcome,
    RevertedCounts,
)
from ghapp.summaries.intervals import median, proportion, ratio

MOST_COMPARED = 20_000
"""Latest pull requests that are compared: with more, medians are slower and not surer."""
MOST_FINER = 4_000
"""Of those the latest ones that are compared by part, agent, model and person."""
HOUR = 3600.0


class OutcomeTable:
    """The outcomes of all pull requests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, repository_id: int, pull_request: int, found: PullOutcome) -> None:
        """Store the outcome of a pull request and replace the one before."""
        values = msgspec.structs.asdict(found)
        key = {"repository_id": repository_id, "pull_request": pull_request}
        insert = self._database.insert(outcome).values(key | values)
        self._database.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))

    def of(self, repository_id: int, pull_request: int) -> PullOutcome | None:
        """Return the outcome of a pull request; ``None``: not known yet."""
        row = self._database.first(
            select(outcome).where(
                outcome.c.repository_id == repository_id, outcome.c.pull_request == pull_request
            )
        )
        return None if row is None else struct_of(PullOutcome, row)


def compare(connection: Connection, asked: Sequence[ColumnElement[bool]]) -> OutcomeSummary:
    """Compare the pull requests that meet the conditions on ``pull_summary``."""
    query = (
        select(
            *(pull_summary.c.merged_at, pull_summary.c.verdict, pull_summary.c.author),
            *(pull_summary.c.attributed, pull_summary.c.effective),
            outcome,
        )
        .join_from(pull_summary, outcome, same_pull(outcome))
        .where(*asked, pull_summary.c.verdict != Verdict.NO_EVIDENCE.value)
        .order_by(pull_summary.c.merged_at.desc(), outcome.c.pull_request)
        .limit(MOST_COMPARED)
    )
    rows = connection.execute(query).all()
    pulls = _compared(connection, asked, rows)
    assisted = [row for row in rows if row.verdict == Verdict.ASSISTED]
    others = [row for row in rows if row.verdict == Verdict.NOT_ASSISTED]
    of_pulls = (
        OutcomeComparison(measured, figure(assisted), figure(others))
        for measured, figure in _OF_PULLS.items()
    )
    return OutcomeSummary(
        comparisons=(*of_pulls, *_survivals(rows)),
        differences=compared(pulls),
        finer=finer(pulls[:MOST_FINER]),
        collected=len(rows),
        pulls=_count(connection, asked),
        is_comparable=bool(assisted and others),
    )


def reverted_by_agent(
    connection: Connection, asked: Sequence[ColumnElement[bool]]
) -> tuple[RevertedCounts, ...]:
    """Return how many pull requests of each agent were reverted, or fixed up, by agent.

    A pull request with two agents counts for both.
    """
    known = (outcome.c.reverted, outcome.c.fixed_up)
    sums = (
        func.sum(case((column.is_(is_so), 1), else_=0))
        for column in known
        for is_so in (True, False)
    )
    query = (
        select(pull_agent.c.agent, *sums)
        .join_from(pull_summary, outcome, same_pull(outcome))
        .join(pull_agent, same_pull(pull_agent))
        .where(*asked)
        .group_by(pull_agent.c.agent)
        .order_by(pull_agent.c.agent)
    )
    return tuple(
        RevertedCounts(agent, proportion(yes, yes + no), proportion(fixed, fixed + unfixed))
        for agent, yes, no, fixed, unfixed in connection.execute(query)
    )


def _count(connection: Connection, asked: Sequence[ColumnElement[bool]]) -> int:
    known = pull_summary.c.verdict != Verdict.NO_EVIDENCE.value
    query = select(func.count()).select_from(pull_summary).where(*asked, known)
    return connection.execute(query).scalar_one()


Rows = Sequence[Row[Any]]


def _median(value: Callable[[Row[Any]], float | None]) -> Callable[[Rows], MeasuredFigure]:
    return lambda rows: median(one for one in map(value, rows) if one is not None)


def _proportion(name: str) -> Callable[[Rows], MeasuredFigure]:
    def of(rows: Rows) -> MeasuredFigure:
        known = [getattr(row, name) for row in rows if getattr(row, name) is not None]
        return proportion(sum(known), len(known))

    return of


def _hours(since: datetime | None, until: datetime | None) -> float | None:
    if since is None or until is None:
        return None
    return max((until - since).total_seconds(), 0.0) / HOUR


_OF_PULLS: dict[OutcomeMeasure, Callable[[Rows], MeasuredFigure]] = {
    OutcomeMeasure.HOURS_TO_MERGE: _median(lambda row: _hours(row.first_commit_at, row.merged_at)),
    OutcomeMeasure.HOURS_TO_REVIEW: _median(lambda row: _hours(row.opened_at, row.first_review_at)),
    OutcomeMeasure.REVIEW_ROUNDS: _median(lambda row: row.review_rounds),
    OutcomeMeasure.REVIEW_COMMENTS: _median(lambda row: row.review_comments),
    OutcomeMeasure.UNREVIEWED: lambda rows: proportion(
        sum(row.first_review_at is None for row in rows), len(rows)
    ),
    OutcomeMeasure.CHANGED_LINES: _median(lambda row: row.changed_lines),
    OutcomeMeasure.REVERTED: _proportion("reverted"),
    OutcomeMeasure.FIXED_UP: _proportion("fixed_up"),
}


def _compared(
    connection: Connection, asked: Sequence[ColumnElement[bool]], rows: Rows
) -> list[ComparedPull]:
    agents = _named(connection, asked, pull_agent, pull_agent.c.agent)
    both = pull_model.c.agent + literal(" ") + pull_model.c.family
    models = _named(connection, asked, pull_model, both)
    return [
        ComparedPull(
            repository_id=row.repository_id,
            author=row.author,
            changed_lines=row.changed_lines,
            attributed=row.attributed,
            effective=row.effective,
            values=_values(row),
            agents=agents[row.repository_id, row.pull_request],
            models=models[row.repository_id, row.pull_request],
            paired=dict(_paired(row)),
        )
        for row in rows
    ]


def _named(
    connection: Connection,
    asked: Sequence[ColumnElement[bool]],
    table: Table,
    name: ColumnElement[str],
) -> defaultdict[tuple[int, int], tuple[str, ...]]:
    """Return the agents, or models, of each pull request; a model that is not known has no name."""
    query = (
        select(table.c.repository_id, table.c.pull_request, name)
        .join_from(pull_summary, table, same_pull(table))
        .where(*asked)
        .order_by(name)
    )
    found: defaultdict[tuple[int, int], tuple[str, ...]] = defaultdict(tuple)
    for repository_id, number, word in connection.execute(query):
        if not word.endswith(" "):
            found[repository_id, number] += (word,)
    return found


def _values(row: Row[Any]) -> dict[OutcomeMeasure, float]:
    found: dict[OutcomeMeasure, float | None] = {
        OutcomeMeasure.HOURS_TO_MERGE: _hours(row.first_commit_at, row.merged_at),
        OutcomeMeasure.HOURS_TO_REVIEW: _hours(row.opened_at, row.first_review_at),
        OutcomeMeasure.REVIEW_ROUNDS: row.review_rounds,
        OutcomeMeasure.REVIEW_COMMENTS: row.review_comments,
        OutcomeMeasure.REVERTED: row.reverted,
        OutcomeMeasure.FIXED_UP: row.fixed_up,
    }
    whole = row.attributed_lines + row.other_lines
    for days, measured in STOOD.items():
        kept = getattr(row, f"attributed_after_{days}"), getattr(row, f"others_after_{days}")
        found[measured] = sum(kept) / whole if None not in kept and whole else None
    return {measured: float(one) for measured, one in found.items() if one is not None}


def _paired(row: Row[Any]) -> Iterator[tuple[OutcomeMeasure, tuple[float, int, int]]]:
    ones, others = row.attributed_lines, row.other_lines
    for days, measured in STOOD.items():
        kept = getattr(row, f"attributed_after_{days}"), getattr(row, f"others_after_{days}")
        if ones and others and None not in kept:
            yield measured, (kept[0] / ones - kept[1] / others, ones, others)


STOOD = {30: OutcomeMeasure.SURVIVED_30, 90: OutcomeMeasure.SURVIVED_90}


def _survivals(rows: Rows) -> Iterable[OutcomeComparison]:
    """Compare lines: attributed ones beside all other lines of the same pull requests."""
    for days, measured in STOOD.items():
        figures = []
        for kept, whole in (("attributed", "attributed_lines"), ("others", "other_lines")):
            name = f"{kept}_after_{days}"
            known = [row for row in rows if getattr(row, name) is not None]
            figures.append(ratio([(getattr(row, name), getattr(row, whole)) for row in known]))
        yield OutcomeComparison(measured, *figures)
