"""How people, or teams, of a leaderboard used agents, where the organization lets them be named.

Pseudonyms have none: who knows a person's agent sessions could tell whose pseudonym it is.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from ghapp.store import Installation
from ghapp.summaries.counts import OrganizationSummary, PersonCounts, PersonUsage
from ghapp.summaries.selection import EARLIEST, NamesShown, PullSelection
from ghapp.usage.counts import UsageCounts, UsageSelection
from ghapp.web.access import owns
from ghapp.web.current import services


def boards_with_usage(
    summary: OrganizationSummary, installation: Installation, asked: PullSelection
) -> OrganizationSummary:
    """Return a summary whose leaderboards say how their people used agents."""
    boards = (summary.leaderboard_pulls, summary.leaderboard_lines)
    found = with_usage({one for board in boards for one in board}, installation, asked)
    by_name = {one.name: one for one in found}
    pulls, lines = (tuple(by_name[one.name] for one in board) for board in boards)
    return replace(summary, leaderboard_pulls=pulls, leaderboard_lines=lines)


def with_usage(
    rows: Iterable[PersonCounts], installation: Installation, asked: PullSelection
) -> list[PersonCounts]:
    """Return rows with the usage of the same days, team and agent in the same repositories."""
    found = list(rows)
    selection = _selection(installation, asked)
    names = services.summaries.naming.names
    if selection is None or names is NamesShown.PSEUDONYMS or not found:
        return found
    usage = services.usage
    used = (
        usage.by_team(selection)
        if names is NamesShown.TEAMS
        else usage.by_login(selection, [one.name for one in found])
    )
    return [
        replace(one, usage=_usage(used[key])) if (key := _key(one, names)) in used else one
        for one in found
    ]


def _key(row: PersonCounts, names: NamesShown) -> str:
    return row.name if names is NamesShown.TEAMS else row.name.lower()


def _selection(installation: Installation, asked: PullSelection) -> UsageSelection | None:
    """Return the same selection of usage; ``None``: usage has not what is selected."""
    agent = asked.agent or asked.counting
    plain = replace(asked, agent=agent, counting=None)
    if not plain.is_of_edits or asked.counting not in {None, agent}:
        return None
    return UsageSelection(
        installation_id=installation.id,
        repository_ids=asked.repository_ids,
        since=asked.since or EARLIEST,
        until=asked.until or services.clock().date(),
        has_unplaced=owns(installation.account),
        team=asked.team,
        agent=agent,
    )


def _usage(counts: UsageCounts) -> PersonUsage:
    tokens, edits = counts.tokens, counts.edits
    rate = edits.accept_rate if edits else None
    return PersonUsage(
        agent_sessions=counts.agent_sessions,
        tokens=tokens.total if tokens else None,
        output_tokens=tokens.output if tokens else None,
        lines_accepted=edits.lines_accepted if edits else None,
        accept_rate_from=rate.at_least if rate else None,
        accept_rate_to=rate.at_most if rate else None,
    )
