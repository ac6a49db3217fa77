"""What ``ghapp mine`` says, in words and rows, for the terminal and for the page alike."""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # only running the command needs them
    from ghapp.collector.state import CollectorState
    from ghapp.mine.own_work import OwnWork, WorkCounts
    from ghapp.spend.cost import TokenCost
    from ghapp.usage.parts import OwnPart
    from ghapp.wire import OwnRecord


class SentWork(NamedTuple):
    """What this machine sends."""

    members: dict[str, Any] | None
    """What ``collect status`` says; ``None``: this machine is not enrolled."""
    state: "CollectorState"
    url: str | None


class OwnWorkReport(NamedTuple):
    """Everything that is told."""

    work: "OwnWork"
    usage: "OwnPart"
    cost: "TokenCost"
    files_left_out: int
    """Files of records that were too much to read for the tokens: if any, those are a part."""
    sent: SentWork
    unread_agents: tuple[str, ...]
    """Agents whose records are here, and that no reader reads."""
    app: "OwnRecord | None"

    def members(self) -> dict[str, Any]:
        """Return the members of ``--format json``."""
        import msgspec  # noqa: PLC0415 - see the top

        from ghapp.cli.usage import as_members  # noqa: PLC0415

        return {
            **msgspec.structs.asdict(self.work),
            "unread": [
                {"path": one.source, "line": one.line, "problem": one.problem}
                for one in self.work.unread
            ],
            "not_read": self.unread_agents,
            "usage": as_members(self.usage, self.cost),
            "files_left_out": self.files_left_out,
            "sent": self.sent.members,
            "app": self.app,
        }


def headline(work: "OwnWork") -> tuple[str, str]:
    """Return the two sentences that say most."""
    from ghapp.reports.words import counted  # noqa: PLC0415 - see the top

    counts = work.counts
    parts = (
        counted(counts.agent_sessions, "agent session"),
        counted(counts.edits, "edit"),
        counted(counts.lines, "line"),
    )
    first = f"{parts[0]}, {parts[1]} and {parts[2]} from {work.since} to {work.until}."
    if not counts.lines:
        return first, "No line of an agent is recorded here in these days."
    if counts.merged is None:
        return first, "How many lines were merged is unknown: no clone on this machine holds them."
    is_floor = any(one.unknown and one.counts.lines for one in work.by_repository)
    merged = counted(counts.merged, "line")
    stands = "" if counts.standing is None else f"; {counts.standing:,} of them still stand"
    return first, f"{'At least ' if is_floor else ''}{merged} merged{stands}."


NUMBERS = ("agent sessions", "edits", "lines", "merged", "stand")
LEGEND = "merged, stand: lines on a clone's default branch, as it was last fetched"
UNKNOWN = "?"
"""Stands for a number that is not known."""


def cells(counts: "WorkCounts") -> list[str]:
    """Return a row's numbers in the order of `NUMBERS`."""
    numbers = (counts.agent_sessions, counts.edits, counts.lines, counts.merged, counts.standing)
    return [number(one) for one in numbers]


def number(known: int | None) -> str:
    """Return a number as people read it."""
    return UNKNOWN if known is None else f"{known:,}"


def rows_by_repository(work: "OwnWork") -> list[tuple[str, list[str]]]:
    """Return a row for each repository: its name, its numbers."""
    return [
        (one.repository or "(outside any clone)", cells(one.counts)) for one in work.by_repository
    ]


def rows_by_agent(work: "OwnWork") -> list[tuple[str, list[str]]]:
    """Return a row for each agent and model."""
    from ghapp.reports.words import NOT_NAMED, agent_name  # noqa: PLC0415 - see the top

    return [
        (f"{agent_name(one.agent)}, {one.model or f'model {NOT_NAMED}'}", cells(one.counts))
        for one in work.by_agent
    ]


def notes(work: "OwnWork") -> list[str]:
    """Return what is to be known of these numbers, and of single repositories."""
    merged = any(one.counts.merged for one in work.by_repository)
    return [LEGEND] * merged + [
        f"{one.repository or '(outside any clone)'}: {one.unknown}"
        for one in work.by_repository
        if one.unknown
    ]


def facts(told: OwnWorkReport) -> list[tuple[str, list[str], str]]:
    """Return what else is told: its name, its lines, and the command that says more."""
    found = [
        ("Tokens", _token_lines(told), "ghapp usage"),
        ("Read", _read_lines(told), "ghapp evidence check"),
        ("Sent", sent_lines(told.sent), "ghapp collect status"),
    ]
    if told.app is not None:
        found.append(("The app", _app_lines(told.app), ""))
    return found


def _token_lines(told: OwnWorkReport) -> list[str]:
    from ghapp.reports.words import counted  # noqa: PLC0415 - see the top
    from ghapp.spend.money import for_people  # noqa: PLC0415

    tokens, cost = told.usage.tokens.total, told.cost
    amount = "an unknown amount" if cost.amount is None else for_people(cost.amount)
    floor = "at least " if cost.is_floor else ""
    priced = f"{floor}{amount} at list prices"
    answers = counted(told.usage.answers, "answer")
    lines = [f"{answers} of models, {tokens:,} tokens, {priced}"]
    if cost.unpriced_tokens:
        lines.append(f"{cost.unpriced_tokens:,} tokens have no known price")
    if told.files_left_out:
        left_out = counted(told.files_left_out, "file")
        lines.append(f"a part: {left_out} of records would be too much to read")
    return lines


def _read_lines(told: OwnWorkReport) -> list[str]:
    from ghapp.reports.reading import passed_over_line  # noqa: PLC0415 - see the top
    from ghapp.reports.words import agent_name, counted, listed  # noqa: PLC0415

    lines = []
    for one in told.work.read:
        name = agent_name(one.agent) if one.agent else "unknown agent"
        unread = f", {counted(one.unread, 'record')} could not be read" if one.unread else ""
        lines.append(f"{name}: {counted(one.files, 'file')}, {counted(one.edits, 'edit')}{unread}")
    over = [one for agent in told.work.read for one in agent.passed_over]
    lines += filter(None, [passed_over_line(over)])
    if told.unread_agents:
        names = listed([agent_name(one) for one in told.unread_agents])
        lines.append(f"not read: the records of {names}")
    return lines or ["no records of agents in these days"]


def sent_lines(sent: SentWork) -> list[str]:
    """Return what this machine sends, and when it last did."""
    from ghapp.cli.collecting import moment  # noqa: PLC0415 - see the top
    from ghapp.reports.words import counted  # noqa: PLC0415

    if sent.members is None:
        return ["nothing: this machine is not enrolled (ghapp collect enroll URL)"]
    state = sent.state
    edits = f"{counted(state.sent, 'edit')} as fingerprints"
    at = f", the last {moment(state.sent_at)}" if state.sent_at else ", none yet"
    lines = [f"as {sent.members['login']} to {sent.url}", edits + at]
    if state.usage is not None and state.usage.is_taken:
        rows = counted(state.usage.rows, "row")
        lines.append(f"{rows} of usage, {moment(state.usage.at)}")
    waiting = sent.members["queued"]["events"]
    if waiting:
        lines.append(f"not sent yet: {counted(waiting, 'event')}")
    if sent.members["paused"]:
        lines.append("some of it is paused")
    if state.problem is not None:
        lines.append(f"problem: {state.problem}")
    return lines


def _app_lines(app: "OwnRecord") -> list[str]:
    from ghapp.cli.collecting import moment  # noqa: PLC0415 - see the top
    from ghapp.reports.words import counted  # noqa: PLC0415

    shown = {
        "teams": "others see your team, never you",
        "pseudonyms": "others see you under a pseudonym",
        "people": "others see you by your login",
    }
    last = f", the last of {moment(app.last_edit_at)}" if app.last_edit_at else ""
    machines = counted(len(app.machines), "machine")
    lines = [
        f"you are {app.login}; {shown[app.names]}",
        f"{counted(app.edits, 'edit')} kept{last}; {machines} may send",
    ]
    for one in app.accounts:
        share = "" if one.share is None else f", share {one.share:.0%}"
        parts = (
            f"{counted(one.pulls, 'pull request')} of yours merged in twelve months, "
            f"{number(one.assisted)} with agents' lines, "
            f"{one.no_evidence:,} without evidence{share}"
        )
        lines.append(f"{one.account}: {parts if one.pulls else 'no merged pull request of yours'}")
    return lines
