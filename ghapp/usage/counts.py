"""What the numbers of usage mean: nouns and their arithmetic. It queries nothing.

docs/usage-page.md defines each of them.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Sized
from datetime import date, datetime, timedelta
from typing import TypeVar

from ghapp.attribution.model import Struct
from ghapp.summaries.counts import MeasuredDifference
from ghapp.summaries.periods import DayPeriod
from ghapp.summaries.selection import SMALLEST_GROUP
from ghapp.usage.answers import TokenCounts, known_sum, total_tokens
from ghapp.usage.decisions import AcceptRate, accept_rate

FOUR_WEEKS = timedelta(days=28)
POWER_DAYS = 3
"""Days with an agent in each of four weeks that make a person a power user."""
STALLED_WEEKS = 2
"""Weeks of use out of four after which four weeks without any count as stalled."""

KeyT = TypeVar("KeyT")
PartT = TypeVar("PartT", bound=Sized)
OTHERS = "(others)"
"""Name of what has too few people to be shown by itself, and of what has no name."""


class UsageSelection(Struct, frozen=True):
    """Which usage to select. A member that is ``None`` excludes nothing."""

    installation_id: int
    repository_ids: tuple[int, ...]
    """Usage in these, which the reader may read."""
    since: date
    until: date
    """Last day, inclusive (UTC)."""
    has_unplaced: bool = False
    """Also usage whose source names no repository, or one where the app is not installed."""
    team: str | None = None
    agent: str | None = None


class DecidedCounts(Struct, frozen=True):
    """Edits that were accepted or refused, all in the same way."""

    accepted: int = 0
    refused: int = 0

    def __add__(self, other: "DecidedCounts") -> "DecidedCounts":
        return DecidedCounts(self.accepted + other.accepted, self.refused + other.refused)


class EditCounts(Struct, frozen=True):
    """What became of edits, by who decided; failed ones are no decision."""

    by_people: DecidedCounts = DecidedCounts()
    automatic: DecidedCounts = DecidedCounts()
    """By a setting, a hook or a mode that asks nobody."""
    unknown: DecidedCounts = DecidedCounts()
    """The source does not say who decided."""
    failed: int = 0
    lines_suggested: int | None = None
    """Lines of all decided edits whose lines are known; ``None``: of none they are."""
    lines_accepted: int | None = None

    @property
    def accept_rate(self) -> AcceptRate | None:
        """People's accept rate, between two ends where nobody recorded who decided."""
        return accept_rate(
            self.by_people.accepted,
            self.by_people.refused,
            self.unknown.accepted,
            self.unknown.refused,
        )

    @property
    def all(self) -> DecidedCounts:
        """All decided edits, whoever decided."""
        return self.by_people + self.automatic + self.unknown


class UsageCounts(Struct, frozen=True):
    """Usage of some people in some days."""

    people: int = 0
    """Different people with any usage."""
    agent_sessions: int | None = None
    """``None``: nobody counted them here: one uses several models and languages."""
    tokens: TokenCounts | None = None
    """``None``: no source counts tokens here, or fewer than five people used any."""
    answers: int | None = None
    """Answers of models; ``None``: no source counts them here."""
    edits: EditCounts | None = None
    """``None``: no source tells decisions here, or they are those of fewer than five people."""


class UsagePart(Struct, frozen=True):
    """The usage of one tool, model, language or team."""

    name: str
    """`OTHERS`: what has too few people to be shown by itself, or no name."""
    counts: UsageCounts


class UsagePoint(Struct, frozen=True):
    """The usage of one day, week or month."""

    start: date
    counts: UsageCounts


class LineFunnel(Struct, frozen=True):
    """How many lines are left at each step; ``None``: unknown."""

    suggested: int | None
    """Lines of all decided edits."""
    accepted: int | None
    merged: int | None
    """Lines attributed in pull requests that were merged on the same days."""
    known_30: int
    """Merged lines that were looked up 30 days later."""
    left_30: int | None
    """Those of them that were still there."""
    known_90: int
    left_90: int | None


class AdoptionCounts(Struct, frozen=True):
    """People in the last four weeks of a selection; ``None``: fewer than five, but not none."""

    enrolled: int | None
    """With a machine that may send evidence and usage; also ``None`` for single repositories."""
    weekly: int | None
    """Enrolled ones with any usage in the last week; also ``None`` where the others are few."""
    active: int | None
    """With any usage."""
    power: int | None
    """With usage on at least `POWER_DAYS` days of each week."""
    stalled: int | None
    """Without any, after usage in at least `STALLED_WEEKS` of the four weeks before."""

    @property
    def weekly_share(self) -> float | None:
        """People with usage in the last week, of those enrolled; ``None``: unknown, or nobody."""
        return self.weekly / self.enrolled if self.enrolled and self.weekly is not None else None


class SourceCounts(Struct, frozen=True):
    """What one source said, whether it counts or not."""

    source: str
    """The name of a `ghapp.usage.sources.UsageSource`, such as ``transcripts``."""
    days_shown: int
    """Days of a person with an agent for which it counts."""
    days_covered: int
    """Such days for which another source counts in its place."""
    tokens_shown: int
    """All tokens of the days shown."""
    tokens_covered: int
    last_read_at: datetime | None


class UnmappedCounts(Struct, frozen=True):
    """How much usage is of names that nobody mapped.

    Neither tokens nor edits: what is left of the teams' rest without these could be few people's.
    """

    people: int
    """Names; a person may have several."""
    agent_sessions: int | None
    """``None``: their sources name none."""


class MeasuredRate(Struct, frozen=True):
    """People's accept rate, with the 95 % interval around both of its ends."""

    at_least: float
    at_most: float
    low: float | None
    """``None``: too few people decided for an interval."""
    high: float | None


class UsageChange(Struct, frozen=True):
    """The usage of everybody, of one tool or of one team, in a period and the one before."""

    name: str | None
    """``None``: everybody."""
    now: UsageCounts | None
    """``None``: nobody had any, or too few people to be named."""
    before: UsageCounts | None
    rate: MeasuredRate | None
    """``None``: nothing is known, or shown, of people's decisions."""
    rate_before: MeasuredRate | None
    difference: MeasuredDifference
    """Of the rates. Its value is ``None`` also where one of them is known as a range only."""


class UsageChanges(Struct, frozen=True):
    """The selected days beside those before them."""

    period: DayPeriod
    before: DayPeriod | None
    """``None``: no days before it can be selected."""
    totals: UsageChange
    agents: tuple[UsageChange, ...]
    teams: tuple[UsageChange, ...]


class UsageSummary(Struct, frozen=True):
    """What a page of usage shows."""

    totals: UsageCounts
    unmapped: UnmappedCounts
    series: tuple[UsagePoint, ...]
    agents: tuple[UsagePart, ...]
    models: tuple[UsagePart, ...]
    languages: tuple[UsagePart, ...]
    teams: tuple[UsagePart, ...]
    """Empty: no teams are known."""
    funnel: LineFunnel
    adoption: AdoptionCounts
    sources: tuple[SourceCounts, ...]
    changes: UsageChanges


class PersonPart(Struct, frozen=True):
    """What one person adds to one part."""

    person: int
    tokens: TokenCounts | None = None
    answers: int | None = None
    edits: EditCounts | None = None
    agent_sessions: int | None = None


def counted(
    parts: Iterable[PersonPart],
    *,
    least: int = SMALLEST_GROUP,
    has_tokens: bool = True,
    has_edits: bool = True,
) -> UsageCounts:
    """Return the usage of everybody in these parts, without what fewer than ``least`` people did.

    How many people and agent sessions there were is always told. ``has_tokens`` and ``has_edits``
    ``False``: hide them all the same, since those of another part could be told from them.
    """
    found = list(parts)
    tokens = [one for one in found if one.tokens is not None]
    edits = [one for one in found if one.edits is not None]
    has_tokens = has_tokens and _people(tokens) >= max(least, 1)
    has_edits = has_edits and _people(edits) >= max(least, 1)
    return UsageCounts(
        people=len({one.person for one in found}),
        agent_sessions=known_sum(one.agent_sessions for one in found),
        tokens=total_tokens(one.tokens for one in tokens if one.tokens) if has_tokens else None,
        answers=known_sum(one.answers for one in tokens) if has_tokens else None,
        edits=total_edits(one.edits for one in edits if one.edits) if has_edits else None,
    )


def total_edits(counts: Iterable[EditCounts]) -> EditCounts:
    """Return the sum of many, quicker than one by one."""
    found = list(counts)
    if len(found) == 1:
        return found[0]
    return EditCounts(
        by_people=_total_decided([one.by_people for one in found]),
        automatic=_total_decided([one.automatic for one in found]),
        unknown=_total_decided([one.unknown for one in found]),
        failed=sum(one.failed for one in found),
        lines_suggested=known_sum(one.lines_suggested for one in found),
        lines_accepted=known_sum(one.lines_accepted for one in found),
    )


def _total_decided(counts: Sequence[DecidedCounts]) -> DecidedCounts:
    return DecidedCounts(sum(one.accepted for one in counts), sum(one.refused for one in counts))


def unmapped(parts: Iterable[PersonPart]) -> UnmappedCounts:
    """Return how much of these parts is of names that nobody mapped."""
    counts = counted(one for one in parts if one.person < 0)
    return UnmappedCounts(counts.people, counts.agent_sessions)


def folded(
    parts: Mapping[str | None, Iterable[PersonPart]], *, least: int = SMALLEST_GROUP
) -> tuple[UsagePart, ...]:
    """Return the parts with enough people by name, most people first; the rest is `OTHERS`, last.

    If the rest has fewer people than a part needs, the smallest part joins it: otherwise the rest
    could be told from the total.
    """
    found = {name: list(own) for name, own in parts.items() if name}
    rest = [one for name, own in parts.items() if not name for one in own]
    for name in sorted(found, key=lambda name: (_people(found[name]), name)):
        if _people(found[name]) < least or 0 < _people(rest) < least:
            rest += found.pop(name)
    every = {**found, OTHERS: rest} if rest else found
    no_tokens, no_edits = (
        hidden({name: _who(own, kind) for name, own in every.items()}, least=least)
        for kind in ("tokens", "edits")
    )
    rows = [
        UsagePart(
            name,
            counted(
                own, least=least, has_tokens=name not in no_tokens, has_edits=name not in no_edits
            ),
        )
        for name, own in every.items()
    ]
    rows.sort(key=lambda row: (row.name == OTHERS, -row.counts.people, row.name))
    return tuple(rows)


def hidden(people: Mapping[KeyT, Collection[int]], *, least: int = SMALLEST_GROUP) -> set[KeyT]:
    """Return the parts that are not shown, by who did something in each of them.

    Those of few people, and the smallest others until the hidden ones are enough people together:
    what is left of the total without the shown ones must not be that of few.

    >>> sorted(hidden({"a": range(9), "b": range(5), "c": (7, 8)}))
    ['b', 'c']
    """
    return kept_back(
        people,
        size=lambda own: len(set(own)),
        is_enough=lambda parts: len(set().union(*parts)) >= least,
    )


def kept_back(
    parts: Mapping[KeyT, PartT],
    *,
    size: Callable[[PartT], int],
    is_enough: Callable[[Sequence[PartT]], bool],
) -> set[KeyT]:
    """Return the parts that are not shown: those that are not enough, and more if these are not.

    The smallest others join them until the hidden ones are enough together. ``is_enough`` says it
    of parts taken together; an empty part hides nobody.
    """
    few = {part for part, own in parts.items() if own and not is_enough([own])}
    shown = sorted(
        (part for part, own in parts.items() if own and part not in few),
        key=lambda part: (size(parts[part]), str(part)),
    )
    while few and shown and not is_enough([parts[part] for part in few]):
        few.add(shown.pop(0))
    return few


def _who(parts: Iterable[PersonPart], kind: str) -> set[int]:
    """Return who has tokens, or edits."""
    return {one.person for one in parts if getattr(one, kind) is not None}


def _people(parts: Iterable[PersonPart]) -> int:
    return len({one.person for one in parts})


def told(count: int, *, least: int = SMALLEST_GROUP) -> int | None:
    """Return a number of people; ``None``: it is too small to be told, but not none."""
    return None if 0 < count < least else count


def told_of(whole: Collection[int], part: Collection[int]) -> int | None:
    """Return how many of some people are in a part; ``None``: they or the others are too few.

    >>> told_of(range(20), range(8, 40)), told_of(range(20), range(18)), told_of(range(20), ())
    (12, None, 0)
    """
    inside = len({*whole} & {*part})
    return None if told(len(whole) - inside) is None else told(inside)


def by_name(parts: Iterable[tuple[str | None, PersonPart]]) -> dict[str | None, list[PersonPart]]:
    """Return the parts by name."""
    found: defaultdict[str | None, list[PersonPart]] = defaultdict(list)
    for name, one in parts:
        found[name].append(one)
    return dict(found)
