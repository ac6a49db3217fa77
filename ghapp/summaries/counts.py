"""The values that summaries return, and what each number means. It queries no database.

`ghapp.store.summaries.questions` fills them. docs/metrics.md defines each number under its name
here.
"""

from datetime import date, datetime
from enum import StrEnum
from operator import add, sub
from typing import Self

import msgspec

from ghapp.attribution.model import AuditState, NoEvidence, Struct, Verdict

Lines = tuple[int, int, int]
"""Added, effective, attributed."""


class PullFacts(Struct, frozen=True):
    """What GitHub says of a pull request and no audit document contains."""

    title: str | None = None
    author: str | None = None
    """Login; ``None``: not known, or the account was deleted."""
    author_id: int | None = None
    author_type: str | None = None
    """GitHub's word for the account: ``User``, ``Bot``; ``None``: not known."""
    base_ref: str | None = None
    """Branch that it was merged into."""
    default_branch: str | None = None
    """The repository's default branch at that time."""

    @property
    def is_elsewhere(self) -> bool:
        """Return whether it was merged into another branch than the default one."""
        known = self.base_ref is not None and self.default_branch is not None
        return known and self.base_ref != self.default_branch


class PullSummary(Struct, frozen=True):
    """What the summaries use of a pull request's audit in force."""

    repository_id: int
    pull_request: int
    audit_number: int
    merged_at: datetime
    verdict: Verdict
    state: AuditState
    change_complete: bool
    evidence_complete: bool
    added: int
    effective: int
    attributed: int
    share: float | None
    about: PullFacts
    agents: dict[str, int]
    """Agent → attributed lines, without agents that have none."""
    lines: dict[tuple[str, str], Lines]
    """Directory and language → its lines."""
    models: dict[tuple[str, str], int]
    """Agent and model's family → attributed lines; the family ``""`` is not recorded."""
    agent_sessions: dict[tuple[str, str], int]
    """Agent and agent session → attributed lines."""
    no_evidence: NoEvidence | None = None
    """Why there is none; ``None``: there is, or the audit does not say."""


OF_EVIDENCE = (
    "assisted",
    "not_assisted",
    "attributed",
    "whole_attributed",
    "provisional_attributed",
)
"""Counts that nobody knows where there is no evidence."""


class PullCounts(Struct, frozen=True):
    """Numbers of merged pull requests and added lines, from their audits in force."""

    pulls: int = 0
    """Audited merged pull requests: the sum of the three verdicts."""
    assisted: int = 0
    """Pull requests with at least one attributed line: "PRs with"."""
    not_assisted: int = 0
    no_evidence: int = 0
    """Pull requests without evidence: agent use is not known."""
    provisional: int = 0
    """Pull requests whose window is still open: their attributed lines can only grow."""
    incomplete: int = 0
    """Pull requests that were not read completely: their lines are in no share."""
    added: int = 0
    effective: int = 0
    """Effective lines: "lines of code"."""
    attributed: int = 0
    """Effective lines attributed to an agent: "lines of code with"."""
    whole_effective: int = 0
    """Effective lines of pull requests read completely: the denominator of a share."""
    whole_attributed: int = 0
    known_effective: int = 0
    """The part of ``whole_effective`` from pull requests with evidence."""
    provisional_effective: int = 0
    """The part of ``whole_effective`` from provisional audits."""
    provisional_attributed: int = 0

    @classmethod
    def of(cls, pull: PullSummary) -> Self:
        """Return the counts of one pull request."""
        whole = pull.change_complete
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
        """Pull requests that are not "with", including those without evidence."""
        return self.pulls - self.assisted

    @property
    def is_known(self) -> bool:
        """Return whether "with" can be told: any of these pull requests has evidence, or none is.

        Without evidence, the counts of `OF_EVIDENCE` are 0 here and unknown to people.
        """
        return self.no_evidence < self.pulls or not self.pulls

    def shown(self) -> dict[str, float | None]:
        """Return the counts and both shares as people and programs read them: unknown is null."""
        counts = msgspec.structs.asdict(self)
        unknown = {} if self.is_known else dict.fromkeys(OF_EVIDENCE)
        return {**counts, **unknown, "share": self.share, "pulls_share": self.pulls_share}

    @property
    def pulls_share(self) -> float | None:
        """The native "PRs with (%)", from 0 to 1: a lower bound; ``None``: unknown."""
        return _share(self.assisted, self.pulls) if self.is_known else None

    @property
    def share(self) -> float | None:
        """Attributed lines divided by effective lines: a lower bound.

        ``None``: unknown, because there are no lines, or no pull request has evidence.
        """
        return _share(self.whole_attributed, self.whole_effective) if self.known_effective else None

    @property
    def known_share(self) -> float | None:
        """The share over pull requests with evidence only; ``None``: unknown."""
        return _share(self.whole_attributed, self.known_effective)


def _values(counts: PullCounts) -> tuple[int, ...]:
    return msgspec.structs.astuple(counts)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


class MeasuredFigure(Struct, frozen=True):
    """A median or a proportion of one group, with its 95 % interval."""

    count: int
    """Number of pull requests (of lines, for survival) that it is computed from."""
    value: float | None
    """``None``: ``count`` is 0."""
    low: float | None
    """Ends of the 95 % interval; ``None``: too few values for one."""
    high: float | None


class SeriesPoint(Struct, frozen=True):
    """One point of a series."""

    start: date
    """First day of the period; days outside the selection are not counted."""
    counts: PullCounts


class AgentCounts(Struct, frozen=True):
    """The counts of one agent; a pull request with two agents counts for both."""

    agent: str
    pulls: int
    """Pull requests with at least one line attributed to this agent."""
    attributed: int


class ModelCounts(Struct, frozen=True):
    """The counts of one model's family in the hands of one agent."""

    agent: str
    model: str | None
    """The family, without version and date; ``None``: no record names the model."""
    pulls: int
    """Pull requests with at least one line attributed to it."""
    attributed: int


class LineCounts(Struct, frozen=True):
    """The lines of one directory or language, over all pull requests."""

    name: str
    """A directory (``.``: the top), or a language (``other``: not known)."""
    added: int
    effective: int
    attributed: int
    whole_effective: int
    whole_attributed: int
    known_effective: int
    """The part of ``whole_effective`` from pull requests with evidence; 0: no evidence."""

    @property
    def is_known(self) -> bool:
        """Return whether any of these lines is of a pull request with evidence."""
        return bool(self.known_effective or self.attributed)

    def shown(self) -> dict[str, str | int | None]:
        """Return the counts as people and programs read them: unknown is null."""
        unknown = {} if self.is_known else {"attributed": None, "whole_attributed": None}
        return {**msgspec.structs.asdict(self), **unknown}


class PullRow(Struct, frozen=True):
    """A merged pull request in a list, as its audit in force says."""

    repository_id: int
    repository: str
    """Current ``owner/name``."""
    pull_request: int
    audit_number: int
    title: str | None
    """As GitHub last gave it; ``None``: not known. It is user input: escape it."""
    author: str | None
    """Login; ``None``: not known, or people are not named here."""
    team: str | None
    """``None``: no team, or one too small to be named."""
    base_ref: str | None
    merged_at: datetime
    verdict: Verdict
    state: AuditState
    added: int
    effective: int
    attributed: int | None
    """``None``: there is no evidence."""
    share: float | None
    change_complete: bool
    evidence_complete: bool
    agents: dict[str, int]
    """Agent → attributed lines."""


class PullPage(Struct, frozen=True):
    """One page of a list, and where the next page begins."""

    rows: tuple[PullRow, ...]
    after: str | None
    """Pass it to the same query for the next page; ``None``: this is the last page."""


class RepositoryCounts(Struct, frozen=True):
    """The counts of one repository."""

    repository_id: int
    repository: str
    counts: PullCounts


class PersonUsage(Struct, frozen=True):
    """How a person, or a team, used agents; a member that is ``None`` is not known."""

    agent_sessions: int | None = None
    tokens: int | None = None
    """All kinds together, also those read from caches."""
    output_tokens: int | None = None
    lines_accepted: int | None = None
    accept_rate_from: float | None = None
    """People's accept rate, 0 to 1, lies from here …"""
    accept_rate_to: float | None = None
    """… to here."""


class PersonCounts(Struct, frozen=True):
    """One person, or one team if people are not named: counts "with" and in total."""

    name: str
    """As it may be shown; see `PersonNaming`."""
    people: int
    """How many people the numbers are about; 1: one person."""
    pulls_with: int | None
    """``None``: there is no evidence for any of the pull requests."""
    pulls: int
    lines_with: int | None
    """``None``: as above."""
    lines: int
    no_evidence: int
    """Of ``pulls`` those without evidence."""
    usage: PersonUsage | None = None
    """``None``: no usage is known, or usage has not what is selected, or may not be named."""


class TeamCounts(Struct, frozen=True):
    """The counts of one team."""

    team: str | None
    """``None``: people without a team, and teams too small to be named."""
    people: int
    """Number of authors of these pull requests."""
    counts: PullCounts


class AdoptionDay(Struct, frozen=True):
    """Activity of agents on one day, from the evidence that was sent."""

    day: date
    developers: int
    """Active developers: people with an agent's edit on that day."""
    agent_sessions: int
    """Agent sessions with an edit on that day."""
    pulls: int
    """Pull requests merged on that day."""

    @property
    def pulls_per_developer(self) -> float | None:
        """The native "PRs per user"; ``None``: nobody was active."""
        return _share(self.pulls, self.developers)


class QuietReason(StrEnum):
    """Why a team or repository is a quiet spot; docs/metrics.md has the rule of each."""

    FELL = "fell"
    NEVER_STARTED = "never_started"
    NO_EVIDENCE = "no_evidence"


class QuietSpot(Struct, frozen=True):
    """A team or repository whose adoption fell or never started, with the numbers."""

    repository_id: int | None
    """``None``: a team."""
    name: str
    rule: QuietReason
    now: PullCounts
    """The last 4 whole weeks."""
    before: PullCounts
    """The 12 weeks before those."""
    since: date | None = None
    """Monday of the first week in a row that was quiet; ``None``: all of the 16 weeks were."""
    team: str | None = None
    """The team that merged all of a repository's pull requests, and no others: it is quiet, too,
    and named here only."""


class CauseCounts(Struct, frozen=True):
    """How many pull requests have no evidence for one cause."""

    cause: NoEvidence | None
    """``None``: the audit does not say."""
    pulls: int


class UnknownSummary(Struct, frozen=True):
    """What is not known of the selected pull requests, and why."""

    totals: PullCounts
    causes: tuple[CauseCounts, ...]
    """Most pull requests first; together they are `PullCounts.no_evidence`."""
    repositories: tuple[RepositoryCounts, ...]
    teams: tuple[TeamCounts, ...]
    """Empty: no teams are known."""
    other_branches: int
    """Pull requests that are not counted, because they were merged into another branch."""


class RevertedCounts(Struct, frozen=True):
    """Which part of an agent's pull requests was reverted, or fixed up, within 30 days."""

    agent: str
    reverted: MeasuredFigure
    fixed_up: MeasuredFigure


class RepositorySummary(Struct, frozen=True):
    """What a repository's page shows, from one state of the database."""

    totals: PullCounts
    series: tuple[SeriesPoint, ...]
    agents: tuple[AgentCounts, ...]
    models: tuple[ModelCounts, ...]
    directories: tuple[LineCounts, ...]
    languages: tuple[LineCounts, ...]
    largest: tuple[PullRow, ...]
    other_branches: int
    """Pull requests that are not counted, because they were merged into another branch."""


class OrganizationSummary(Struct, frozen=True):
    """What an organization's page shows, from one state of the database."""

    totals: PullCounts
    series: tuple[SeriesPoint, ...]
    agents: tuple[AgentCounts, ...]
    models: tuple[ModelCounts, ...]
    languages: tuple[LineCounts, ...]
    repositories: tuple[RepositoryCounts, ...]
    teams: tuple[TeamCounts, ...]
    """Empty: no teams are known."""
    leaderboard_pulls: tuple[PersonCounts, ...]
    leaderboard_lines: tuple[PersonCounts, ...]
    adoption: tuple[AdoptionDay, ...] | None
    """``None``: not known. No edit arrived, or edits have no member that is selected
    (`PullSelection.is_of_edits`)."""
    quiet: tuple[QuietSpot, ...] | None
    """As of the selection's last day. ``None``: only known for whole repositories."""
    other_branches: int
    """Pull requests that are not counted, because they were merged into another branch."""


# --- outcomes -------------------------------------------------------------------------------------


class MeasuredDifference(Struct, frozen=True):
    """One figure less another, with its 95 % interval."""

    value: float | None
    """``None``: one of the two is not known, or as a range only."""
    low: float | None
    """Ends of the 95 % interval; ``None``: one of the two has none."""
    high: float | None

    @property
    def is_told(self) -> bool | None:
        """Return whether it can be told from chance; ``None``: nothing says."""
        if self.low is None or self.high is None:
            return None
        return self.low > 0 or self.high < 0


class ClusterSums(Struct, frozen=True):
    """Sums over clusters of things, such as pull requests of lines: all that an interval needs.

    Each is a part of a whole. Clusters without a whole are not in it.
    """

    clusters: int = 0
    part: float = 0
    whole: float = 0
    part_squared: float = 0
    product: float = 0
    whole_squared: float = 0

    def __add__(self, other: "ClusterSums") -> "ClusterSums":
        return ClusterSums(*map(add, msgspec.structs.astuple(self), msgspec.structs.astuple(other)))


class OutcomeMeasure(StrEnum):
    """What is compared; docs/metrics.md defines each measure."""

    HOURS_TO_MERGE = "hours_to_merge"
    """Median hours from the first commit to the merge."""
    HOURS_TO_REVIEW = "hours_to_review"
    """Median hours from opening to the first review by somebody other than the author."""
    REVIEW_ROUNDS = "review_rounds"
    REVIEW_COMMENTS = "review_comments"
    UNREVIEWED = "unreviewed"
    """Proportion of pull requests that nobody but the author reviewed."""
    CHANGED_LINES = "changed_lines"
    REVERTED = "reverted"
    """Proportion of pull requests that were reverted within 30 days."""
    FIXED_UP = "fixed_up"
    """Proportion of pull requests with a fix of their own lines within 30 days."""
    SURVIVED_30 = "survived_30"
    """Proportion of added lines that still exist after 30 days."""
    SURVIVED_90 = "survived_90"


class PullOutcome(Struct, frozen=True):
    """What came of one merged pull request, from GitHub's data. ``None``: not known (yet)."""

    collected_at: datetime
    first_commit_at: datetime | None
    """Author date of the oldest commit."""
    opened_at: datetime
    first_review_at: datetime | None
    """``None``: nobody other than the author reviewed it."""
    review_rounds: int
    review_comments: int
    changed_lines: int
    """Added and deleted lines, as GitHub counts them."""
    attributed_lines: int
    """Effective attributed lines whose survival is followed; ``other_lines`` are the others."""
    other_lines: int
    reverted: bool | None = None
    """Within 30 days; ``fixed_up`` too."""
    fixed_up: bool | None = None
    attributed_after_30: int | None = None
    """How many of ``attributed_lines`` still exist after 30 days; the next three are alike."""
    others_after_30: int | None = None
    attributed_after_90: int | None = None
    others_after_90: int | None = None


class OutcomeComparison(Struct, frozen=True):
    """One measure of assisted pull requests (or attributed lines) beside the others."""

    measured: OutcomeMeasure
    assisted: MeasuredFigure
    others: MeasuredFigure
