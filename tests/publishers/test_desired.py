"""What GitHub should show of an audit: conclusion, comment, labels, and notes on the policy."""

from typing import Any

import msgspec
import pytest

from ghapp.attribution.model import Audit, AuditInputs, AuditTotals, Verdict
from ghapp.policy.file import CommentWhen, RepositoryPolicy
from ghapp.policy.in_force import PolicyInForce
from ghapp.publishers.desired import desired_of
from ghapp.publishers.publisher import Conclusion, DesiredState
from ghapp.reports.markdown import CommentForm
from tests.store.records import document

BROKEN = PolicyInForce(problems=("acme/app: .github/attribution.yml, line 3: window",))


def audit(attributed: int = 2, effective: int = 3, **changed: Any) -> Audit:
    """Return an audit of so many lines, by Claude Code."""
    totals = AuditTotals(
        added=effective + 1,
        effective=effective,
        attributed=attributed,
        share=attributed / effective if effective else None,
        by_reason={},
        by_agent={"claude-code": attributed},
    )
    return msgspec.json.decode(document(**{"totals": totals, **changed}), type=Audit)


def state(
    of: Audit, in_force: PolicyInForce | None = None, *, asked_again: bool = False
) -> DesiredState:
    held = in_force or PolicyInForce()
    return desired_of(of, held, coverage="Her machine sends evidence.", asked_again=asked_again)


def limited(share: float | None, **members: Any) -> PolicyInForce:
    return PolicyInForce(policy=RepositoryPolicy(share_limit=share, **members))


# --- the conclusion -------------------------------------------------------------------------------


def test_an_audit_alone_fails_no_check() -> None:
    everything = audit(3, 3)
    assert state(everything).conclusion is Conclusion.SUCCESS


@pytest.mark.parametrize(
    ("attributed", "effective", "limit", "conclusion"),
    [
        (1, 10, 0.1, Conclusion.SUCCESS),
        (2, 10, 0.1, Conclusion.FAILURE),
        (1, 3, 0.3333, Conclusion.FAILURE),
        (1, 3, 0.3334, Conclusion.SUCCESS),
        (3, 10, 0.3, Conclusion.SUCCESS),
        (0, 10, 0.0, Conclusion.SUCCESS),
        (0, 0, 0.0, Conclusion.SUCCESS),
    ],
)
def test_only_above_the_limit_of_the_policy_it_fails_without_rounding(
    attributed: int, effective: int, limit: float, conclusion: Conclusion
) -> None:
    found = state(audit(attributed, effective), limited(limit))
    assert found.conclusion is conclusion
    assert ("Above this repository's limit" in found.check.summary) is (
        conclusion is Conclusion.FAILURE
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"verdict": Verdict.NO_EVIDENCE},
        {"inputs": AuditInputs(diff="d", evidence="e", edits_considered=1, change_complete=False)},
    ],
)
def test_what_is_not_known_is_neutral_even_above_the_limit(changed: dict[str, Any]) -> None:
    assert state(audit(3, 3, **changed), limited(0.1)).conclusion is Conclusion.NEUTRAL


def test_a_broken_policy_is_neutral_and_told() -> None:
    held = msgspec.structs.replace(BROKEN, policy=RepositoryPolicy(share_limit=0.1))
    found = state(audit(3, 3), held)
    assert found.conclusion is Conclusion.NEUTRAL
    assert "The policy file is broken" in found.check.summary
    assert "own policy applies" in found.check.summary
    assert "Above this repository's limit" in found.check.summary


# --- comment and labels ---------------------------------------------------------------------------


def test_a_comment_is_opened_where_something_is_known() -> None:
    known, unknown = state(audit()), state(audit(verdict=Verdict.NO_EVIDENCE))
    assert known.comment is not None
    assert unknown.comment is not None
    assert (known.opens_comment, unknown.opens_comment) == (True, False)


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        (CommentWhen.ALWAYS, {Verdict.ASSISTED, Verdict.NOT_ASSISTED}),
        (CommentWhen.ASSISTED, {Verdict.ASSISTED}),
        (CommentWhen.UNKNOWN_TOO, set(Verdict)),
    ],
)
def test_the_policy_says_which_pull_requests_get_a_comment(
    when: CommentWhen, opens: set[Verdict]
) -> None:
    held = limited(None, comment_when=when)
    assert {one for one in Verdict if state(audit(verdict=one), held).opens_comment} == opens


def test_full_says_in_the_open_what_short_folds() -> None:
    short, full = (
        state(audit(), limited(None, comment=form)).comment or ""
        for form in (CommentForm.SHORT, CommentForm.FULL)
    )
    beside = "Her machine sends evidence."
    assert beside in short
    assert beside not in short.partition("<details>")[0]
    assert beside in full.partition("<details>")[0]


def test_a_repository_can_do_without_comment_and_label() -> None:
    found = state(audit(), limited(None, comment=CommentForm.OFF, label=False))
    assert (found.comment, found.labels) == (None, {})


def test_only_agents_with_lines_have_a_label_and_only_if_the_name_may_be_one() -> None:
    agents = {"claude-code": 2, "codex": 0, "Other Agent": 1, "a" * 39: 1, "b" * 40: 1, "-c": 1}
    totals = msgspec.structs.replace(audit().totals, by_agent=agents)
    found = state(audit(totals=totals))
    long = "a" * 39
    assert found.labels == {"claude-code-assisted": "claude-code", f"{long}-assisted": long}


def test_a_policy_names_its_own_labels() -> None:
    named = {"claude-code": "AI-assisted", "codex": "never used"}
    found = state(audit(), limited(None, labels=named))
    assert found.labels == {"AI-assisted": "claude-code"}


def test_the_authors_machine_and_the_question_are_handed_on() -> None:
    found = state(audit(), asked_again=True)
    assert found.asked_again
    assert "Her machine sends evidence." in found.check.summary
    assert not state(audit()).asked_again


# --- links ----------------------------------------------------------------------------------------


def test_nothing_is_linked_while_nobody_said_where_the_app_is() -> None:
    found = state(audit())
    assert found.details_url is None
    assert "](" not in f"{found.comment}{found.check.summary}{found.check.text}"


def test_comment_and_check_lead_to_the_app() -> None:
    public = "https://auditor.example.com"
    found = desired_of(
        audit(totals=msgspec.structs.replace(audit().totals, by_reason={"run": 2})),
        PolicyInForce(),
        coverage=None,
        asked_again=False,
        public_url=public,
    )
    page = f"{public}/repositories/acme/shop/pull/17"
    assert found.details_url == page
    for text in (found.comment or "", found.check.summary):
        assert f"[Every line, explained]({page})" in text
        assert f"({public}/reasons#run)" in text
