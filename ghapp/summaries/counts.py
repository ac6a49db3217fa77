"""The nouns that summaries answer with: what is counted, and what each number means.

It asks no database; `ghapp.store.summaries.questions` fills them. Every number is defined in
docs/metrics.md under the word that it has here.
"""

from datetime import date, datetime
from enum import StrEnum
from operator import add, sub
from typing import Self

import msgspec

from ghapp.attribution.model import AuditState, Struct, Verdict

Lines = tuple[int, int, int]
"""Added, effective, attributed."""


class PullFacts(Struct, frozen=True):
    """What GitHub says of a pull request and no audit document holds."""

    title: str | None = None
    author: str | None = None
    """Login; ``None``: not known, or the account was deleted."""
    author_id: int | None = None
    base_ref: str | None = None


class PullSummary(Struct, frozen=True):
    """A pull request's audit in force, as the summaries see it."""

    repository_id: int
    pull_request: int
    audit_number: int
    merged_at: datetime
    verdict: Verdict
    state: AuditState
    complete: bool
    added: int
    effective: int
    attributed: int
    share: float | None
    about: PullFacts
    agents: dict[str, int]
    """Agent → attributed lines; agents without any stand not here."""
    lines: dict[tuple[str, str], Lines]
    """Directory and language → its lines."""


class PullCounts(Struct, frozen=True):
    """How many merged pull requests and added lines, by what their audits in force say."""

    pulls: int = 0
    """Merged pull requests that were audited; the three verdicts are all of them."""
    assisted: int = 0
    """With at least one attributed line: "PRs with"."""
    not_assisted: int = 0
    no_evidence: int = 0
    """Nothing is known of them: neither with nor without."""
    provisional: int = 0
    """Their window is still open, so they can only gain."""
    incomplete: int = 0
    """Not read whole: their lines are in no share."""
    added: int = 0
    effective: int = 0
    """All effective lines: "lines of code"."""
    attributed: int = 0
    """Of them with an agent: "lines of code with"."""
    whole_effective: int = 0
    """Effective lines of pull requests that were read whole: what a share is of."""
    whole_attributed: int = 0
    known_effective: int = 0
    """Of ``whole_effective`` those of pull requests with evidence."""
    provisional_effective: int = 0
    """Of ``whole_effective`` those of provisional audits."""
    provisional_attributed: int = 0

    @classmethod
    def of(cls, pull: PullSummary) -> Self:
        """Return what one pull request counts."""
        whole = pull.complete
        open_ = pull.state is AuditState.PROVISIONAL
        known = pull.verdict is not Verdict.NO_EVIDENCE
        return cls(
            pulls=1,
            assisted=int(pull.verdict is Verdict.ASSISTED),
            not_assisted=int(pull.verdict is Verdict.NOT_ASSISTED),
            no_evidence=int(not known),
            provisional=int(open_),
            incomplete=int(not whole),
            added=pull.added,
            effective=pull.effective,
            attributed=pull.attributed,
            whole_effective=whole * pull.effective,
            whole_attributed=whole * pull.attributed,
            known_effective=whole * known * pull.effective,
            provisional_effective=whole * open_ * pull.effective,
            provisional_attributed=whole * open_ * pull.attributed,
        )

    def __add__(self, other: Self) -> "PullCounts":
        return PullCounts(*map(add, _values(self), _values(other)))

    def __sub__(self, other: Self) -> "PullCounts":
        return PullCounts(*map(sub, _values(self), _values(other)))

    @property
    def without(self) -> int:
        """Pull requests that are not "with", whether or not anything is known of them."""
        return self.pulls - self.assisted

    @property
    def pulls_share(self) -> float | None:
        """The native "PRs with (%)", from 0 to 1; ``None``: there are no pull requests."""
        return _share(self.assisted, self.pulls)

    @property
    def share(self) -> float | None:
        """Attributed by all effective lines: a floor. ``None``: no line is counted."""
        return _share(self.whole_attributed, self.whole_effective)

    @property
    def known_share(self) -> float | None:
        """The same over pull requests with evidence only: a floor where anything is known."""
        return _share(self.whole_attributed, self.known_effective)


def _values(counts: PullCounts) -> tuple[int, ...]:
    return msgspec.structs.astuple(counts)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


class SeriesPoint(Struct, frozen=True):
    """One point of a series."""

    start: date
    """First day; what lies outside of the selection is not counted."""
    counts: PullCounts


class AgentCounts(Struct, frozen=True):
    """What one agent did; pull requests with two agents count for both."""

    agent: str
    pulls: int
    """Pull requests with at least one line attributed to this agent."""
    attributed: int


class LineCounts(Struct, frozen=True):
    """The lines of one directory or language. Pull requests cannot be told apart here."""

    name: str
    """A directory (``.``: the top), or a language (``other``: not known)."""
    added: int
    effective: int
    attributed: int
    whole_effective: int
    whole_attributed: int
    known_effective: int
    """Of ``whole_effective`` those of pull requests with evidence; 0: nothing is known."""


class PullRow(Struct, frozen=True):
    """A merged pull request in a list: what its audit in force says of it."""

    repository_id: int
    repository: str
    """``owner/name`` now."""
    pull_request: int
    audit_number: int
    title: str | None
    """As GitHub last said; ``None``: not known. From users: make it harmless before it is shown."""
    author: str | None
    """Login; ``None``: not known, or people are not named here."""
    team: str | None
    """``None``: in none, or too small to be named."""
    base_ref: str | None
    merged_at: datetime
    verdict: Verdict
    state: AuditState
    added: int
    effective: int
    attributed: int
    share: float | None
    complete: bool
    agents: dict[str, int]
    """Agent → attributed lines."""


class PullPage(Struct, frozen=True):
    """Some rows of a list, and where the next ones begin."""

    rows: tuple[PullRow, ...]
    after: str | None
    """Give it to the same question for the next rows; ``None``: these were the last."""


class RepositoryCounts(Struct, frozen=True):
    """One repository among others."""

    repository_id: int
    repository: str
    counts: PullCounts


class PersonCounts(Struct, frozen=True):
    """One person, or one team where people are not named: with and all of each."""

    name: str
    """As it may be shown; see `Naming`."""
    people: int
    """How many people are behind the numbers; 1: a person."""
    pulls_with: int
    pulls: int
    lines_with: int
    lines: int


class TeamCounts(Struct, frozen=True):
    """One team among others."""

    team: str | None
    """``None``: all who are in no team, and the teams that are too small to be named."""
    people: int
    """Authors of these pull requests."""
    counts: PullCounts


class AdoptionDay(Struct, frozen=True):
    """What agents did on one day, by the evidence that was sent."""

    day: date
    developers: int
    """Active developers: people with an agent's edit that day."""
    agent_sessions: int
    """Agent sessions with an edit that day."""
    pulls: int
    """Merged pull requests of that day."""

    @property
    def pulls_per_developer(self) -> float | None:
        """The native "PRs per user"; ``None``: nobody was active."""
        return _share(self.pulls, self.developers)


class QuietReason(StrEnum):
    """Why a team or repository stands among the quiet spots; each is a rule of metrics.md."""

    FELL = "fell"
    NEVER_STARTED = "never_started"
    NO_EVIDENCE = "no_evidence"


class QuietSpot(Struct, frozen=True):
    """A team or repository whose adoption fell or never started, with the numbers that say so."""

    repository_id: int | None
    """``None``: it is a team."""
    name: str
    rule: QuietReason
    now: PullCounts
    """The last 4 whole weeks."""
    before: PullCounts
    """The 12 weeks before those."""


class RepositorySummary(Struct, frozen=True):
    """What a repository's page shows, all of one state of the database."""

    totals: PullCounts
    series: tuple[SeriesPoint, ...]
    agents: tuple[AgentCounts, ...]
    directories: tuple[LineCounts, ...]
    languages: tuple[LineCounts, ...]
    largest: tuple[PullRow, ...]


class OrganizationSummary(Struct, frozen=True):
    """What an organization's page shows, all of one state of the database."""

    totals: PullCounts
    series: tuple[SeriesPoint, ...]
    agents: tuple[AgentCounts, ...]
    languages: tuple[LineCounts, ...]
    repositories: tuple[RepositoryCounts, ...]
    teams: tuple[TeamCounts, ...]
    """Empty: no team is known."""
    leaderboard_pulls: tuple[PersonCounts, ...]
    leaderboard_lines: tuple[PersonCounts, ...]
    adoption: tuple[AdoptionDay, ...]
    quiet: tuple[QuietSpot, ...]


# --- outcomes -------------------------------------------------------------------------------------


class MeasuredFigure(Struct, frozen=True):
    """A median or a proportion of one group, with how sure it is."""

    count: int
    """How many pull requests (or lines, for survival) it rests on."""
    value: float | None
    """``None``: there are none."""
    low: float | None
    """Ends of the 95 % interval; ``None``: too few to say."""
    high: float | None


class OutcomeMeasure(StrEnum):
    """What is compared; each is defined in metrics.md."""

    HOURS_TO_MERGE = "hours_to_merge"
    """From the first commit to the merge, median hours."""
    HOURS_TO_REVIEW = "hours_to_review"
    """From opening to the first review by somebody else, median hours."""
    REVIEW_ROUNDS = "review_rounds"
    REVIEW_COMMENTS = "review_comments"
    CHANGED_LINES = "changed_lines"
    REVERTED = "reverted"
    """Proportion that was reverted within 30 days."""
    FIXED_UP = "fixed_up"
    """Proportion that was followed by a fix of its own lines within 30 days."""
    SURVIVED_30 = "survived_30"
    """Proportion of added lines that still stood after 30 days."""
    SURVIVED_90 = "survived_90"


class PullOutcome(Struct, frozen=True):
    """What came of one pull request, by GitHub's own data. ``None``: not known, or not yet."""

    collected_at: datetime
    first_commit_at: datetime | None
    """Author's time of the oldest commit."""
    opened_at: datetime
    first_review_at: datetime | None
    """``None``: nobody but the author reviewed it."""
    review_rounds: int
    review_comments: int
    changed_lines: int
    """Added and deleted lines, as GitHub counts them."""
    attributed_lines: int
    """Effective attributed lines whose survival is looked at; with the others below."""
    other_lines: int
    reverted: bool | None = None
    """Within 30 days; so with the next one."""
    fixed_up: bool | None = None
    attributed_after_30: int | None = None
    """How many of ``attributed_lines`` still stood after 30 days; so with the next three."""
    others_after_30: int | None = None
    attributed_after_90: int | None = None
    others_after_90: int | None = None


class OutcomeComparison(Struct, frozen=True):
    """One measure of assisted pull requests (or attributed lines) beside the others."""

    measured: OutcomeMeasure
    assisted: MeasuredFigure
    others: MeasuredFigure


class OutcomeSummary(Struct, frozen=True):
    """What came of the pull requests. It shows no cause, and ranks nobody."""

    comparisons: tuple[OutcomeComparison, ...]
    collected: int
    """Pull requests whose outcomes are known."""
    pulls: int
    """Of so many."""
    caveat: str = (
        "These figures stand beside each other; they show no cause. People choose what they give "
        "to an agent, so the two groups differ in more than that. Not assisted means that no "
        "line was surely attributed, and pull requests without evidence are in neither group."
    )
