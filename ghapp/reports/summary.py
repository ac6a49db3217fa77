"""What every report of an audit says: headline, counts, reasons, files. It knows no format.

Text from users (paths, agents, ids) is still raw here; each report makes it harmless.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from ghapp.attribution.document import to_document
from ghapp.attribution.model import (
    AgentCommitCount,
    AgentDeclaration,
    Audit,
    AuditState,
    FileVerdict,
    LineRange,
    NoEvidence,
    Reason,
    Struct,
    Verdict,
)
from ghapp.reports import no_evidence, words
from ghapp.reports.reading import read_line


class ReasonCount(Struct, frozen=True):
    """One reason and how many added lines have it."""

    reason: str
    lines: int
    group: str
    """``attributed``, ``not attributed`` or ``not counted``."""
    sentence: str

    @property
    def anchor(self) -> str:
        """The reason's heading in docs/reasons.md."""
        return f"#{self.reason}"


class FileRow(Struct, frozen=True):
    """One counted file; ``added``, ``effective`` and ``attributed`` are numbers of lines."""

    path: str
    previous_path: str | None
    added: int
    effective: int
    attributed: int
    share: str
    """In percent, such as ``67%``; ``-``: no line counts, or there is no evidence."""


class ExcludedFile(Struct, frozen=True):
    """A file that is not counted, and the rule that excludes it."""

    path: str
    rule: str
    added: int
    sentence: str


class AuditSummary(Struct, frozen=True):
    """An audit prepared for display."""

    repository: str | None
    pull_request: int | None
    merge_commit: str | None
    merged_at: datetime
    window: tuple[datetime, datetime]
    state: AuditState
    verdict: Verdict
    opening: str
    """The headline without the agents' names."""
    authors: tuple[str, ...]
    """The agents' names at the end of the headline; empty: it names none."""
    counts: str
    """The sentence with the counts behind the headline, or why there are none."""
    caveats: tuple[str, ...]
    """The sentences that qualify the counts."""
    no_evidence: NoEvidence | None
    """Why there is no evidence; ``None``: there is, or the engine did not say."""
    advice: str | None
    """What to do about that, with commands in backticks; ``None``: nothing."""
    reading: str | None
    """What was read and passed over; ``None``: the engine did not say."""
    has_share: bool
    """Whether a share may be shown: not if files are missing or there is no evidence."""
    documented_apart: int
    """Claude Code's lines that the documented metric does not know: from its own commits."""
    added: int
    effective: int
    attributed: int
    span: LineRange | None
    """How sure it is, if it is not sure altogether; ``None``: it is, or nobody says."""
    by_agent: tuple[tuple[str, int], ...]
    """Agent id and its lines, most lines first."""
    reasons: tuple[ReasonCount, ...]
    files: tuple[FileRow, ...]
    excluded: tuple[ExcludedFile, ...]
    missing: tuple[str, ...]
    unread_records: int
    declared: tuple[AgentDeclaration, ...] | None
    """What the change declares about agents, which attributes no line; ``None``: nobody looked."""
    agent_commits: tuple[AgentCommitCount, ...] | None
    """How many commits are agents' own; ``None``: nobody asked GitHub."""
    measured: tuple[tuple[str, str], ...] | None
    """Agent id and its share in percent, most lines first; ``None``: unknown."""
    edits_considered: int
    policy: str
    policy_digest: str
    window_days: tuple[int, int]
    """Days before and after the merge."""
    rewrite_limit: float
    measure: str
    engine: str
    digest: str
    """``sha256:`` and the digest of the audit document."""

    @property
    def documented(self) -> int:
        """The lines that Anthropic's documented metric counts: Claude Code's (rules.md 2.16)."""
        return dict(self.by_agent).get(words.CLAUDE_CODE, 0) - self.documented_apart

    @property
    def sentence(self) -> str:
        """The counts and what qualifies them, as one paragraph."""
        return " ".join([self.counts, *self.caveats])

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        return " ".join(filter(None, [self.opening, words.listed(list(self.authors))]))


def summarize(audit: Audit) -> AuditSummary:
    """Return the summary that all reports share."""
    return AuditSummary(
        repository=audit.repository,
        pull_request=audit.pull_request,
        merge_commit=audit.merge_commit,
        merged_at=audit.merged_at,
        window=_window(audit),
        state=audit.state,
        verdict=audit.verdict,
        opening=_opening(audit),
        authors=tuple(_authors(audit)),
        counts=_counts(audit),
        caveats=tuple(_caveats(audit)),
        no_evidence=audit.inputs.no_evidence,
        advice=audit.inputs.no_evidence and no_evidence.ADVICE[audit.inputs.no_evidence],
        reading=read_line(audit.inputs),
        has_share=_has_share(audit),
        documented_apart=_committed(audit, words.CLAUDE_CODE),
        added=audit.totals.added,
        effective=audit.totals.effective,
        attributed=audit.totals.attributed,
        span=_span(audit.totals.range),
        by_agent=tuple(_agents(audit)),
        reasons=tuple(_reasons(audit)),
        files=tuple(_files(audit)),
        excluded=tuple(_excluded(audit.files)),
        missing=audit.inputs.missing,
        unread_records=audit.inputs.unread_records,
        declared=audit.inputs.declared,
        agent_commits=audit.inputs.agent_commits,
        measured=tuple(_measured(audit)) if _has_share(audit) else None,
        edits_considered=audit.inputs.edits_considered,
        policy=audit.policy.id,
        policy_digest=audit.policy.digest,
        window_days=(audit.policy.window_before_days, audit.policy.window_after_days),
        rewrite_limit=audit.policy.rewrite_limit,
        measure=audit.measure,
        engine=audit.engine,
        digest="sha256:" + hashlib.sha256(to_document(audit)).hexdigest(),
    )


def _span(found: LineRange | None) -> LineRange | None:
    return None if found is None or found.at_least == found.at_most else found


def percent(attributed: int, effective: int) -> str:
    """Return a share in whole percent, rounded down: the share is a floor (rules.md 1).

    >>> percent(61, 90), percent(1, 500), percent(0, 5), percent(0, 0)
    ('67%', '<1%', '0%', '-')
    """
    if not effective:
        return "-"
    if attributed and attributed * 100 < effective:
        return "<1%"
    return f"{attributed * 100 // effective}%"


def moment(at: datetime) -> str:
    """Return an instant as text, in UTC: ``2026-05-20 15:30 UTC``."""
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _window(audit: Audit) -> tuple[datetime, datetime]:
    return (
        audit.merged_at - timedelta(days=audit.policy.window_before_days),
        audit.merged_at + timedelta(days=audit.policy.window_after_days),
    )


def _has_share(audit: Audit) -> bool:
    return audit.totals.share is not None and audit.verdict is not Verdict.NO_EVIDENCE


def _subject(audit: Audit) -> str:
    return "change" if audit.pull_request is None else "pull request"


def _opening(audit: Audit) -> str:
    """Return the verdict in words. A share is always "at least", and needs a complete change."""
    subject = _subject(audit)
    if audit.inputs.missing:
        return f"Incomplete: parts of this {subject} could not be read"
    if audit.verdict is Verdict.NO_EVIDENCE:
        return f"No agent evidence is known for this {subject}"
    if audit.totals.share is None:
        return f"Nothing to count in this {subject}"
    if audit.verdict is Verdict.NOT_ASSISTED:
        return f"No line of this {subject} is attributed to an agent"
    return f"{_at_least(audit)} written with"


def _at_least(audit: Audit) -> str:
    """Return the floor in words: ``At least 67% of … was``; "all" only if every line counts."""
    subject, totals = _subject(audit), audit.totals
    if totals.attributed == totals.effective:
        return f"All counted lines of this {subject} were"
    share = percent(totals.attributed, totals.effective)
    part = "A small part (under 1%)" if share == "<1%" else f"At least {share}"
    return f"{part} of this {subject} was"


def _authors(audit: Audit) -> list[str]:
    if audit.verdict is not Verdict.ASSISTED or audit.inputs.missing:
        return []
    return [words.agent_name(agent) for agent, _ in _agents(audit)]


def _counts(audit: Audit) -> str:
    """Return the counts behind the headline, or why there are none."""
    totals, inputs = audit.totals, audit.inputs
    if inputs.missing:
        return "No share is given, because a percentage of half a change would be wrong."
    if audit.verdict is Verdict.NO_EVIDENCE:
        return no_evidence.sentence(inputs.no_evidence)
    if totals.share is None:
        return f"It has {words.counted(totals.added, 'added line')}, and none of them counts."
    is_told = not any(line.outcome for file in audit.files for line in file.lines)
    edits = words.counted(
        inputs.edits_considered, "applied agent edit" if is_told else "agent edit"
    )
    return (
        f"{totals.attributed:,} of {words.counted(totals.effective, 'counted line')} "
        f"{_is(totals.attributed)} attributed, with {edits} considered."
    )


def _caveats(audit: Audit) -> Iterable[str]:
    """Yield what qualifies the counts."""
    totals = audit.totals
    if audit.inputs.missing:
        lines = words.counted(totals.attributed, "line")
        yield f"In the files that were read, {lines} {_is(totals.attributed)} attributed."
    elif _has_share(audit):
        if untold := _untold(audit):
            yield untold
        if pushed := _committed(audit):
            yield (
                f"{pushed:,} of these lines {_is(pushed)} from commits that agents pushed "
                "themselves, as GitHub verified."
            )
        yield "When in doubt, a line is not attributed."


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _untold(audit: Audit) -> str | None:
    """Return how many attributed lines rest on an edit with an unknown outcome (rules.md 2.17)."""
    count = sum(line.attributed and bool(line.outcome) for f in audit.files for line in f.lines)
    if not count:
        return None
    return f"For {count:,} of these lines, no record tells whether the agent's edit was applied."


def _committed(audit: Audit, agent: str | None = None) -> int:
    """Return how many lines are from agents' own commits, of one agent or of all."""
    if not audit.totals.by_reason.get(Reason.AGENT_COMMIT):
        return 0
    return sum(
        line.reason == Reason.AGENT_COMMIT and agent in {None, line.agent}
        for file in audit.files
        for line in file.lines
    )


def _agents(audit: Audit) -> list[tuple[str, int]]:
    present = [item for item in audit.totals.by_agent.items() if item[1]]
    return sorted(present, key=lambda item: (-item[1], item[0]))


def _measured(audit: Audit) -> Iterable[tuple[str, str]]:
    for agent, lines in _agents(audit):
        yield agent, percent(lines, audit.totals.effective)


def _reasons(audit: Audit) -> Iterable[ReasonCount]:
    """Return the reasons: attributed, not attributed, not counted; most lines first in each."""
    groups = [words.ATTRIBUTED_GROUP, words.NOT_ATTRIBUTED_GROUP, words.NOT_COUNTED_GROUP]
    found = [
        ReasonCount(
            # A plain string: `Reason` and a policy's own reason must print alike.
            reason=str(reason),
            lines=lines,
            group=words.group(reason),
            sentence=words.sentence(reason),
        )
        for reason, lines in audit.totals.by_reason.items()
        if lines
    ]
    return sorted(found, key=lambda row: (groups.index(row.group), -row.lines, row.reason))


def _files(audit: Audit) -> Iterable[FileRow]:
    """Return the counted files: most attributed lines first, then the largest, then by path."""
    known = audit.verdict is not Verdict.NO_EVIDENCE
    rows = [
        FileRow(
            path=file.path,
            previous_path=file.previous_path,
            added=file.added,
            effective=file.effective,
            attributed=file.attributed,
            share=percent(file.attributed, file.effective if known else 0),
        )
        for file in audit.files
        if file.excluded is None and file.added
    ]
    return sorted(rows, key=lambda row: (-row.attributed, -row.effective, row.path))


def _excluded(files: Iterable[FileVerdict]) -> Iterable[ExcludedFile]:
    """Return the excluded files: the largest first, then by path."""
    rows = [
        ExcludedFile(
            path=file.path,
            rule=str(file.excluded),
            added=file.added,
            sentence=words.sentence(file.excluded),
        )
        for file in files
        if file.excluded is not None
    ]
    return sorted(rows, key=lambda row: (-row.added, row.path))
