"""Work out what GitHub should show of an audit: check run, comment, labels. It writes nothing."""

import re
from collections.abc import Mapping
from fractions import Fraction

from ghapp.attribution.model import Audit, Verdict
from ghapp.policy.file import CommentWhen
from ghapp.policy.in_force import PolicyInForce
from ghapp.publishers.publisher import Conclusion, DesiredState
from ghapp.reports.addresses import page_links
from ghapp.reports.annotations import annotations
from ghapp.reports.markdown import CommentForm, check_run, comment, explained
from ghapp.reports.policy_notes import above_the_limit, broken_policy, noted
from ghapp.reports.pull_cost import cost_line
from ghapp.reports.record_line import NamedRecord, with_record
from ghapp.reports.summary import summarize
from ghapp.spend.allocation import PullRequestCost

# claude-code
_AGENT = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
"""An agent's name that may become a label. Evidence names agents, and anyone could write evidence,
so not every name may."""

OPENS: dict[CommentWhen, frozenset[Verdict]] = {
    CommentWhen.ALWAYS: frozenset({Verdict.ASSISTED, Verdict.NOT_ASSISTED}),
    CommentWhen.ASSISTED: frozenset({Verdict.ASSISTED}),
    CommentWhen.UNKNOWN_TOO: frozenset(Verdict),
}
"""When the policy wants a comment → the verdicts that open one."""


def desired_of(  # noqa: PLR0913 - the audit, its policy, and what stands beside it
    audit: Audit,
    in_force: PolicyInForce,
    *,
    coverage: str | None,
    asked_again: bool,
    record: NamedRecord | None = None,
    cost: PullRequestCost | None = None,
    public_url: str | None = None,
) -> DesiredState:
    """Return what the pull request of an audit should show.

    ``coverage`` is the sentence about the author's machine; ``None``: there is none. ``record`` is
    the audit's place among the saved ones; ``None``: it is not saved. ``cost`` is what is known of
    the pull request's cost, ``None``: nobody asked; only the comment names it.
    ``public_url`` is where people reach the app; ``None``: nobody said, so nothing is linked.
    """
    summary = summarize(audit)
    policy = in_force.policy
    links = None if public_url is None else page_links(public_url, audit)
    explanation = explained(check_run(summary, links=links, coverage=coverage), audit)
    check = noted(explanation, _notes(audit, in_force))
    line = cost_line(cost) if policy.cost and cost is not None else None
    return DesiredState(
        check=check if record is None else with_record(check, record),
        conclusion=_conclusion(audit, in_force),
        details_url=None if links is None else links.pull_request,
        annotations=tuple(annotations(audit)),
        comment=None
        if policy.comment is CommentForm.OFF
        else comment(summary, links=links, coverage=coverage, cost=line, form=policy.comment),
        opens_comment=audit.verdict in OPENS[policy.comment_when],
        is_assisted=audit.verdict is Verdict.ASSISTED,
        labels=_labels(audit, policy.labels) if policy.label else {},
        asked_again=asked_again,
    )


def _notes(audit: Audit, in_force: PolicyInForce) -> list[str]:
    """Return what the check run says about the policy besides its name."""
    limit = in_force.policy.share_limit
    notes = []
    if limit is not None and _is_above(audit, limit):
        notes.append(above_the_limit(audit.totals, limit))
    if in_force.problems:
        notes.append(broken_policy(in_force.problems, in_force.source))
    return notes


def _conclusion(audit: Audit, in_force: PolicyInForce) -> Conclusion:
    """Fail only above a limit that the repository sets; stay neutral if something is unknown."""
    limit = in_force.policy.share_limit
    known = audit.verdict is not Verdict.NO_EVIDENCE and audit.inputs.change_complete
    if in_force.problems or not known:
        return Conclusion.NEUTRAL
    is_above = limit is not None and _is_above(audit, limit)
    return Conclusion.FAILURE if is_above else Conclusion.SUCCESS


def _is_above(audit: Audit, limit: float) -> bool:
    """Say whether the share is known and above the limit, without rounding."""
    totals = audit.totals
    return totals.share is not None and totals.attributed > Fraction(str(limit)) * totals.effective


def _labels(audit: Audit, named: Mapping[str, str]) -> dict[str, str]:
    """Return label → agent; ``named`` holds the labels that the policy names, by agent."""
    agents = [agent for agent, lines in sorted(audit.totals.by_agent.items()) if lines]
    usual = {agent: f"{agent}-assisted" for agent in agents if _AGENT.fullmatch(agent)}
    names = {**usual, **named}
    return {names[agent]: agent for agent in agents if agent in names}
