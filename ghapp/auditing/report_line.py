"""Makes a report of one line's reason that shows nobody's code. It writes no file.

It reduces the case, makes everything up, writes diff and transcript, reads both back, and audits
them: a report exists only if the line has the same reason there.
"""

from collections.abc import Iterator
from random import Random

from msgspec.structs import replace

from ghapp.attribution.attribute import attribute
from ghapp.attribution.model import (
    SEEN_BY_HOOK,
    Audit,
    AuditSubject,
    Change,
    Edit,
    EditResult,
    Evidence,
    LineVerdict,
    Reason,
)
from ghapp.attribution.policy import POLICIES
from ghapp.attribution.unified_diff import parse_diff
from ghapp.auditing.line_case import LineCase, as_told, verdict_on, with_found_checkouts
from ghapp.auditing.reduce import reduce
from ghapp.documents.anonymize import NamedCase, NamelessCase, anonymize, texts
from ghapp.documents.case_files import to_diff, to_transcript
from ghapp.documents.line_report import EVIDENCE, LATER, LineReport
from ghapp.documents.made_up_words import Vocabulary
from ghapp.evidence import claude_code
from ghapp.evidence.source import everything
from ghapp.reports.words import AGENTS, CLAUDE_CODE

TRIES = 64
"""Sets of made-up words that are tried until the line's difference stays, too."""

_BY_ATTRIBUTE = frozenset({Reason.GENERATED, Reason.BUILD_DIRECTORY})
"""Reasons that ``.gitattributes`` may give or take."""


class NotKeptError(Exception):
    """Without the real names or code, the line has another reason; the message says which."""


def report_line(case: LineCase, original: LineVerdict) -> LineReport:
    """Return the report of a line with that verdict. Raises `NotKeptError`."""
    if original.reason in (Reason.SUBSTITUTED, Reason.SHELL_TEXT, Reason.COMMAND_CHANGED):
        raise NotKeptError(
            "a command made this line, and a command's text cannot be told in made-up words"
        )
    if original.reason == Reason.AGENT_COMMIT:
        raise NotKeptError("an agent's own commit wrote this line, and only GitHub can prove that")
    found = with_found_checkouts(case)
    original = as_told(original)
    if found.verdict() != original:
        raise NotKeptError(_why(case, original, None))
    # Commits name lines by number, and a reduced change has other numbers.
    alone = replace(found, evidence=replace(found.evidence, agent_commits=None))
    alone = _without_observed(alone)
    small = _by_known_policy(reduce(alone))
    nearly: LineReport | None = None
    instead: LineVerdict | None = None
    for made, roots in _made_up(small, original):
        report = _written(small, made, roots, original)
        if report is None:
            continue
        if not _is_same(report.verdict, original, made):
            instead = instead or report.verdict
        elif report.verdict.difference == original.difference:
            return report
        else:
            nearly = nearly or report
    if nearly is None:
        raise NotKeptError(_why(case, original, instead))
    return nearly


def _without_observed(case: LineCase) -> LineCase:
    """Return a case without what the hook saw, which stands in no transcript.

    Inside the window it gives a line its own reason or none. Outside of it, it is as any edit.
    """
    first, last = case.policy.window(case.subject.merged_at)
    edits = tuple(
        replace(one, outcome=EditResult.APPLIED) if one.outcome in SEEN_BY_HOOK else one
        for one in case.evidence.edits
        if one.outcome not in SEEN_BY_HOOK
        or (case.policy.may_count(one.outcome) and not first <= one.at <= last)
    )
    return replace(case, evidence=replace(case.evidence, edits=edits))


def _by_known_policy(case: LineCase) -> LineCase:
    """Return a case with a built-in policy, or one without excluded paths, if that is the same."""
    wanted = case.verdict()
    for policy in (*POLICIES.values(), replace(case.policy, exclude=())):
        tried = replace(case, policy=policy)
        if case.policy != POLICIES.get(case.policy.id) and tried.verdict() == wanted:
            return tried
    return case


def _made_up(
    case: LineCase, original: LineVerdict
) -> Iterator[tuple[NamelessCase, tuple[str, ...]]]:
    """Yield cases with made-up words, and the checkouts to be told to their audit.

    Checkouts that an audit infers in the same way need not be told.
    """
    named = NamedCase(
        change=case.change,
        edits=case.evidence.edits,
        roots=case.evidence.roots,
        merged_at=case.subject.merged_at,
        policy=case.policy,
        path=case.path,
    )
    vocabulary = Vocabulary(texts(named))
    untold = replace(case, evidence=replace(case.evidence, roots=()))
    notes = original.reason == Reason.GENERATED
    for is_told in (False, True):
        if not is_told and untold.verdict() != original:
            continue
        for number in range(TRIES):
            random = Random(number)  # noqa: S311 - words, not secrets; the same ones each time
            made = anonymize(named, vocabulary, random, keep_notes=notes)
            yield made, made.case.roots if is_told else ()


def _written(
    case: LineCase, made: NamelessCase, roots: tuple[str, ...], original: LineVerdict
) -> LineReport | None:
    """Return the report as its reader finds it; ``None``: its audit has no such line."""
    diff, evidence = to_diff(made.case.change), to_transcript(made.case.edits)
    audit = _read_back(diff, evidence, roots, made.case)
    verdict = verdict_on(audit, made.case.path, case.line)
    if verdict is None:
        return None
    agents = {edit.agent for edit in case.evidence.edits} - {CLAUDE_CODE}
    return LineReport(
        diff=diff,
        evidence=evidence,
        path=made.case.path,
        verdict=verdict,
        difference_before=original.difference,
        audit=audit,
        policy=made.case.policy,
        roots=roots,
        other_agents=tuple(sorted({AGENTS.get(agent, "another agent") for agent in agents})),
    )


def _read_back(diff: bytes, evidence: bytes, roots: tuple[str, ...], case: NamedCase) -> Audit:
    """Audit the texts of a report, as `ghapp audit` does."""
    found = claude_code.read(EVIDENCE, evidence.splitlines(keepends=True), everything)
    edits = tuple(one for one in found if isinstance(one, Edit))
    return attribute(
        AuditSubject(merged_at=case.merged_at),
        Change(files=parse_diff(diff)),
        Evidence(edits=edits, roots=roots),
        case.policy,
        at=case.merged_at + LATER,
    )


def _is_same(told: LineVerdict, original: LineVerdict, made: NamelessCase) -> bool:
    edit = None if original.edit is None else made.edit_ids.get(original.edit)
    return (told.reason, told.edit) == (original.reason, edit)


def _why(case: LineCase, original: LineVerdict, instead: LineVerdict | None) -> str:
    """Return what differs if a case is told without its names and code."""
    if case.change.gitattributes and original.reason in _BY_ATTRIBUTE:
        return "that may rest on .gitattributes, which a diff does not hold"
    if instead is None:
        return "a part of the change does not give the same reason"
    if instead.reason != original.reason:
        return f"with made-up code and names it is {instead.reason} instead of {original.reason}"
    return f"with made-up code and names it is {original.reason} because of another edit"
