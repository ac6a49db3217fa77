"""What usage costs, stored with the sums of what counts: by agent session and by pull request.

It is part of the transaction that settles stale days (`ghapp.store.usage_sums`), and finds no
price itself (`ghapp.store.pricing`). Decisions 28 and 29 say what the amounts mean.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    tuple_,
    update,
)

from ghapp.spend.allocation import split_cost
from ghapp.spend.cost import CostBasis, TokenCost, cost
from ghapp.spend.quotes import PricedRow, at_contract, at_list
from ghapp.store.database import Database
from ghapp.store.id_sets import among
from ghapp.store.pricing import DayPrices, PriceBook
from ghapp.store.rows import chunks
from ghapp.store.schema import (
    cost_stale,
    cost_sum,
    pull_agent_session,
    pull_cost,
    repository,
    token_cost,
    usage_tokens,
)
from ghapp.store.stale_days import KEY, STALE, PlacedDay, is_taken, joined
from ghapp.store.summaries.conditions import to_day
from ghapp.store.usage_rows import UNKNOWN_CONTEXT
from ghapp.usage.answers import TOKEN_KINDS, TokenCounts

ESTIMATES = (CostBasis.LIST, CostBasis.CONTRACT)
"""What the app computes itself; amounts of each stand in columns of their own."""
AMOUNTS = ("amount", "priced", "unpriced", "floor")
COLUMNS = tuple(f"{basis}_{name}" for basis in ESTIMATES for name in AMOUNTS)
AT_ONCE = 1_000
"""Stale pull requests that one transaction takes."""

PullKey = tuple[int, int]
"""Repository and number."""
SessionKey = tuple[int, str, str]
"""Installation, agent and agent session."""

_TAKEN = is_taken(token_cost, token_cost.c.day)


class PricedTokens(NamedTuple):
    """What tokens cost on each estimated basis."""

    list: TokenCost
    contract: TokenCost


def cost_of(row: Row[Any], basis: CostBasis) -> TokenCost:
    """Return the cost of a row, or of a sum of rows; PostgreSQL returns sums as decimals."""
    return cost_of_sums(*(getattr(row, f"{basis}_{name}") for name in AMOUNTS))


def summed_cost(row: Row[Any]) -> TokenCost:
    """Return the cost of a sum of rows on one basis, whose columns have the names of `AMOUNTS`."""
    return cost_of_sums(row.amount, row.priced, row.unpriced, row.floor)


def cost_of_sums(amount: Any, priced: Any, unpriced: Any, floor: Any) -> TokenCost:
    """Return the cost of sums in the order of `AMOUNTS`."""
    return TokenCost(
        amount=None if amount is None else int(amount),
        priced_tokens=int(priced or 0),
        unpriced_tokens=int(unpriced or 0),
        is_floor=bool(floor),
    )


def cost_sums(columns: Any) -> list[ColumnElement[Any]]:
    """Return the sums of the columns of a cost."""
    return [func.sum(columns[name]).label(name) for name in COLUMNS]


# --- which days and pull requests -----------------------------------------------------------------


def take_pulls(connection: Connection) -> set[PullKey]:
    """Take stale pull requests; they are stale no longer."""
    key = tuple_(*cost_stale.primary_key)
    some = select(*cost_stale.primary_key).order_by(*cost_stale.primary_key).limit(AT_ONCE)
    taken = delete(cost_stale).where(key.in_(some)).returning(*cost_stale.primary_key)
    return {(row[0], row[1]) for row in connection.execute(taken)}


def days_of(connection: Connection, pulls: Iterable[PullKey]) -> set[PlacedDay]:
    """Return the days of agent sessions that have matched lines in pull requests, or had."""
    columns, found = token_cost.c, set()
    for part in (pull_agent_session, pull_cost):
        for chunk in _by_repository(pulls):
            query = (
                select(columns.installation_id, columns.day, columns.person, columns.agent)
                .select_from(_matching(part))
                .where(chunk.among(part.c))
                .distinct()
            )
            found |= {(row[0], row[1], row[2], row[3]) for row in connection.execute(query)}
    return found


def note_pulls_of(connection: Connection, database: Database, people: Iterable[int]) -> None:
    """Note that what people's pull requests cost is no longer true: their usage goes."""
    columns = pull_agent_session.c
    theirs = among(token_cost.c.person, people)
    pulls = (
        select(columns.repository_id, columns.pull_request)
        .select_from(_matching(pull_agent_session))
        .where(theirs)
        .distinct()
    )
    found = [row._asdict() for row in connection.execute(pulls)]
    if found:
        connection.execute(database.insert(cost_stale).on_conflict_do_nothing(), found)


class _Chunk(NamedTuple):
    """Some pull requests of a repository."""

    repository_id: int
    numbers: Sequence[int]

    def among(self, columns: Any) -> ColumnElement[bool]:
        """Return the condition that a row is of one of them."""
        numbers = among(columns.pull_request, self.numbers)
        return and_(columns.repository_id == self.repository_id, numbers)


def _by_repository(pulls: Iterable[PullKey]) -> Iterator[_Chunk]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for repository_id, number in sorted(pulls):
        found[repository_id].append(number)
    for repository_id, numbers in found.items():
        for chunk in chunks(numbers):
            yield _Chunk(repository_id, chunk)


def _matching(part: Table) -> FromClause:
    """Return rows of pull requests' agent sessions, with what those sessions cost."""
    home = part.c.repository_id == repository.c.id
    return part.join(repository, home).join(token_cost, _is_of_same(part))


def _is_of_same(part: Table) -> ColumnElement[bool]:
    """Return the condition that a cost is of the agent session of a row, in its installation."""
    return and_(
        token_cost.c.installation_id == repository.c.installation_id,
        token_cost.c.agent_session == part.c.agent_session,
        token_cost.c.agent == part.c.agent,
    )


def matched_pulls(connection: Connection) -> set[PullKey]:
    """Return the pull requests in which agent sessions of the taken days have matched lines."""
    columns = pull_agent_session.c
    query = (
        select(columns.repository_id, columns.pull_request)
        .select_from(_matching(pull_agent_session))
        .where(_TAKEN)
        .distinct()
    )
    return {(row[0], row[1]) for row in connection.execute(query)}


# --- costs of days --------------------------------------------------------------------------------


def price_days(connection: Connection, database: Database, pricing: DayPrices) -> None:
    """Price the tokens of the taken days that count, and note which have matched lines."""
    connection.execute(delete(token_cost).where(_TAKEN))
    columns = usage_tokens.c
    key = (*KEY, columns.agent_session, columns.repository_id, columns.model)
    own = (*key, columns.variant, columns.context)
    query = (
        select(*own, *(func.sum(columns[kind]).label(kind) for kind in TOKEN_KINDS))
        .select_from(joined(usage_tokens))
        .where(STALE.is_taken, columns.source == STALE.source)
        .group_by(*own)
    )
    names = [column.name for column in key]
    costs: dict[tuple[Any, ...], PricedTokens] = {}
    for row in connection.execute(query):
        which = tuple(getattr(row, name) for name in names)
        priced = _priced(row, pricing.book(to_day(row.day)))
        before = costs.get(which)
        costs[which] = priced if before is None else _added(before, priced)
    rows = [
        {**dict(zip(names, which, strict=True)), "is_matched": False, **_columns(one)}
        | pricing.tables(to_day(which[1]))
        for which, one in costs.items()
    ]
    database.insert_many(connection, "token costs", lambda: insert(token_cost), rows)
    connection.execute(update(token_cost).where(_TAKEN, _has_lines()).values(is_matched=True))


def _has_lines() -> ColumnElement[bool]:
    lines = pull_agent_session.c
    home = lines.repository_id == repository.c.id
    theirs = select(lines.agent).where(home, _is_of_same(pull_agent_session))
    return exists(theirs.correlate(token_cost))


def _priced(row: Row[Any], book: PriceBook) -> PricedTokens:
    counts: dict[str, Any] = {kind: getattr(row, kind) for kind in TOKEN_KINDS}
    asked = PricedRow(
        model=row.model or None,
        day=to_day(row.day),
        tokens=TokenCounts(**{kind: one and int(one) for kind, one in counts.items()}),
        variant=row.variant,
        context=None if row.context == UNKNOWN_CONTEXT else row.context,
    )
    card, prices = book.rate_card, book.prices
    contract = at_contract(asked, card, prices).cost if card else cost(asked.tokens, None)
    return PricedTokens(at_list(asked, prices).cost, contract)


def _columns(priced: PricedTokens) -> dict[str, Any]:
    """Return a cost on each basis as columns."""
    found: dict[str, Any] = {}
    for basis, one in zip(ESTIMATES, priced, strict=True):
        values = (one.amount, one.priced_tokens, one.unpriced_tokens, int(one.is_floor))
        found |= {f"{basis}_{name}": value for name, value in zip(AMOUNTS, values, strict=True)}
    return found


def day_costs() -> Select[Any]:
    """Return the query of what `cost_sum` holds of the taken days."""
    columns = token_cost.c
    key = [columns[one.name] for one in cost_sum.primary_key if one.name not in {"grain", "start"}]
    return (
        select(columns.day.label("start"), *key, *cost_sums(columns))
        .where(_TAKEN)
        .group_by(columns.day, *key)
    )


# --- costs of pull requests -----------------------------------------------------------------------


class _MatchedLines(NamedTuple):
    """The matched lines of an agent session in one pull request."""

    pull: PullKey
    merged_at: Any
    attributed: int


def allocate(
    connection: Connection, database: Database, pricing: DayPrices, pulls: Iterable[PullKey]
) -> None:
    """Split the costs of agent sessions over these pull requests again."""
    for chunk in _by_repository(pulls):
        mine = chunk.among(pull_cost.c)
        connection.execute(delete(pull_cost).where(mine))
        matched = _matched_lines(connection, chunk)
        wanted = {(chunk.repository_id, number) for number in chunk.numbers}
        rows = _parts(connection, pricing, matched, wanted)
        database.insert_many(connection, "pull costs", lambda: insert(pull_cost), rows)


def _matched_lines(
    connection: Connection, chunk: _Chunk
) -> Mapping[SessionKey, Sequence[_MatchedLines]]:
    """Return where agent sessions of these pull requests have lines, here and elsewhere."""
    here, home = pull_agent_session.alias(), repository.alias()
    mine = (
        select(home.c.installation_id, here.c.agent, here.c.agent_session)
        .join(home, here.c.repository_id == home.c.id)
        .where(chunk.among(here.c))
        .distinct()
        .subquery()
    )
    lines = pull_agent_session.c
    query = (
        select(mine.c.installation_id, pull_agent_session)
        .join(
            pull_agent_session,
            and_(lines.agent_session == mine.c.agent_session, lines.agent == mine.c.agent),
        )
        .join(
            repository,
            and_(
                repository.c.id == lines.repository_id,
                repository.c.installation_id == mine.c.installation_id,
            ),
        )
    )
    found: defaultdict[SessionKey, list[_MatchedLines]] = defaultdict(list)
    for row in connection.execute(query):
        one = _MatchedLines((row.repository_id, row.pull_request), row.merged_at, row.attributed)
        found[row.installation_id, row.agent, row.agent_session].append(one)
    return found


def _parts(
    connection: Connection,
    pricing: DayPrices,
    matched: Mapping[SessionKey, Sequence[_MatchedLines]],
    wanted: set[PullKey],
) -> list[dict[str, Any]]:
    """Return the rows of ``pull_cost`` of the wanted pull requests."""
    found: dict[tuple[Any, ...], PricedTokens] = {}
    days: defaultdict[tuple[Any, ...], set[int]] = defaultdict(set)
    about: dict[tuple[PullKey, str, str], _MatchedLines] = {}
    for row in _session_costs(connection, matched):
        lines = matched[row.installation_id, row.agent, row.agent_session]
        weights = {one.pull: one.attributed for one in lines}
        split = [split_cost(cost_of(row, basis), weights) for basis in ESTIMATES]
        for one in lines:
            if one.pull not in wanted:
                continue
            key = (one.pull, row.agent, row.agent_session, row.model)
            part = PricedTokens(*(costs[one.pull] for costs in split))
            before = found.get(key)
            found[key] = part if before is None else _added(before, part)
            days[key].add(row.day)
            about[one.pull, row.agent, row.agent_session] = one
    return [
        {
            **dict(zip(("repository_id", "pull_request"), pull, strict=True)),
            "agent": agent,
            "agent_session": name,
            "model": model,
            "merged_at": about[pull, agent, name].merged_at,
            "attributed": about[pull, agent, name].attributed,
            "last_day": max(days[pull, agent, name, model]),
            "is_repriced": any(map(pricing.is_repriced, days[pull, agent, name, model])),
            **_columns(one),
        }
        for (pull, agent, name, model), one in found.items()
    ]


def _added(one: PricedTokens, other: PricedTokens) -> PricedTokens:
    return PricedTokens(one.list + other.list, one.contract + other.contract)


def _session_costs(connection: Connection, keys: Iterable[SessionKey]) -> Iterator[Row[Any]]:
    """Yield what agent sessions cost, by day, person, repository and model."""
    columns = token_cost.c
    by_installation: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for installation_id, agent, name in sorted(keys):
        by_installation[installation_id].append((name, agent))
    for installation_id, names in by_installation.items():
        for chunk in chunks(names, 200):
            theirs = tuple_(columns.agent_session, columns.agent).in_(chunk)
            query = select(token_cost).where(columns.installation_id == installation_id, theirs)
            yield from connection.execute(query)
