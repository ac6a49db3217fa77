"""Journeys of agents in the cloud: what they pushed is followed through every kind of merge."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ghapp.attribution.document import from_document
from ghapp.attribution.model import AgentCommitCount, Audit, Verdict
from ghapp.demo.sandbox import HubPull
from ghapp.demo.sandbox.state import WEB_FLOW
from ghapp.git.blame import BlamedLine
from ghapp.ingest.agent_commits import followed
from ghapp.store import Store
from tests.attribution.strategies import diff_of
from tests.faults.place import Place, running_place

PATH = "src/totals.py"
BASE = "import math\n\n\ndef share(part, whole):\n    return part / whole\n"
AGENTS = """\
def monthly_totals(orders):
    return collect_by_month(orders, key=order_month)


def refunded_share(orders):
    refunds = sum(order.refund for order in orders)
    return refunds / max(turnover_of(orders), 1)
"""
MORE = "def yearly_totals(orders):\n    return collect_by_year(orders, key=order_year)\n"
COPILOT, CLAUDE = ("Copilot", 198982749), ("claude[bot]", 209825114)


@pytest.fixture
def place(tmp_path: Path, sqlite_store: Store, redis_url: str) -> Iterator[Place]:
    with running_place(tmp_path / "place", sqlite_store, redis_url) as made:
        made.sandbox.commit(made.repository, {PATH: BASE}, message="Begin")
        for login, number in (COPILOT, CLAUDE):
            made.sandbox.bot(login, number)
        made.clock.sleep(60)
        yield made


def pushed(place: Place, branch: str, text: str, *, by: str = "Copilot", **how: object) -> str:
    """Commit as an agent in the cloud does, unless ``how`` says otherwise; return the SHA."""
    signed: dict[str, object] = {"committer": WEB_FLOW, "verified": True}
    return place.sandbox.commit(
        place.repository,
        {PATH: text},
        branch=branch,
        message="Add totals",
        author=by,
        **{**signed, **how},  # type: ignore[arg-type]
    )


def opened(place: Place, branch: str, author: str = "Copilot") -> HubPull:
    return place.sandbox.open_pull(
        place.repository, branch=branch, title="Add totals", author=author
    )


def merged(place: Place, pull: HubPull, method: str = "squash") -> Audit:
    place.clock.sleep(60)
    place.sandbox.merge(pull, method=method)
    place.pulls.append(pull)
    place.sandbox.deliver_closed(pull)
    place.work()
    saved = place.store.audits.latest(place.repository.id, pull.number)
    assert saved is not None
    document = place.store.audits.document(saved.id)
    assert document is not None
    place.expect_good_manners()
    return from_document(document)


def owners(audit: Audit) -> dict[int, str]:
    """Return the agent of each attributed line, and hold each to the reason."""
    lines = [line for file in audit.files for line in file.lines if line.attributed]
    assert {line.reason for line in lines} <= {"agent_commit"}
    return {line.line: f"{line.agent} {(line.edit or '')[13:20]}" for line in lines}


@pytest.mark.parametrize("method", ["squash", "rebase", "merge"])
def test_an_agents_pull_request_is_its_own_however_it_is_merged(place: Place, method: str) -> None:
    sha = pushed(place, "copilot/totals", BASE + AGENTS)
    pull = opened(place, "copilot/totals")
    audit = merged(place, pull, method)
    assert owners(audit) == dict.fromkeys((6, 7, 10, 11, 12), f"copilot-cloud {sha[:7]}")
    assert audit.verdict is Verdict.ASSISTED
    assert audit.inputs.agent_commits == (
        AgentCommitCount(agent="copilot-cloud", proven=1, unproven=0),
    )
    seen = place.sandbox.visible(pull)
    assert seen.label_names == ("copilot-cloud-assisted",)
    (comment,) = seen.comments
    assert "written with GitHub Copilot in the cloud" in comment.body
    assert "would count none" in comment.body
    assert "5 of these lines are from commits that agents pushed themselves" in comment.body
    place.expect_a_second_run_to_write_nothing()


def test_what_a_person_changes_before_the_merge_is_hers(place: Place) -> None:
    pushed(place, "copilot/totals", BASE + AGENTS)
    touched = AGENTS.replace("max(turnover_of(orders), 1)", "turnover_of(orders)")
    # She also indents a function anew, and copies another one.
    touched = touched.replace("def monthly", "if math:\n    def monthly").replace(
        "    return collect", "        return collect"
    )
    hers = pushed(
        place,
        "copilot/totals",
        BASE + touched + MORE + AGENTS[AGENTS.index("def refunded") :],
        by="ann",
        committer=None,
        verified=False,
    )
    last = pushed(
        place,
        "copilot/totals",
        BASE + touched + MORE + AGENTS[AGENTS.index("def refunded") :] + "total = 1 + 2 + 3\n",
    )
    audit = merged(place, opened(place, "copilot/totals"))
    found = owners(audit)
    assert hers[:7] not in " ".join(found.values())
    # Line 18 is the agent's last line, which stands only in the copy now.
    assert sorted(found) == [7, 8, 11, 12, 18, 19]
    assert found[19] == f"copilot-cloud {last[:7]}"


def test_names_addresses_and_other_peoples_signatures_prove_nothing(place: Place) -> None:
    """GitHub names the bot as the author of each: by the address, which anybody can write."""
    parts = [f"{name}_totals = collect({name}_orders, key='{name}')\n" for name in "abcd"]
    ways: list[dict[str, object]] = [
        {"committer": None, "verified": False},
        {"committer": "mallory", "verified": True},
        {"committer": WEB_FLOW, "verified": False},
        {"committer": "mallory", "verified": False},
    ]
    for at, how in enumerate(ways):
        pushed(place, "totals", BASE + "".join(parts[: at + 1]), **how)
    person = place.sandbox.user("claude")
    assert person.kind == "User"
    pushed(place, "totals", BASE + "".join(parts) + AGENTS, by="claude", committer="claude")
    audit = merged(place, opened(place, "totals", author="mallory"))
    assert (owners(audit), audit.verdict) == ({}, Verdict.NO_EVIDENCE)
    assert audit.inputs.agent_commits == (
        AgentCommitCount(agent="copilot-cloud", proven=0, unproven=4),
    )


def test_a_squashed_pull_request_inside_another_is_not_the_agents(place: Place) -> None:
    """GitHub squashes it in the agent's name, with what people pushed, and signs that."""
    place.sandbox.commit(place.repository, {"a.md": "Work\n"}, branch="feature", author="ann")
    inner = place.sandbox.open_pull(
        place.repository, files={PATH: BASE + AGENTS}, base="feature", author="Copilot"
    )
    place.sandbox.push_to_pull(inner, {PATH: BASE + AGENTS + MORE}, author="ann")
    place.clock.sleep(60)
    squash = place.sandbox.merge(inner, method="squash", message="Take over the totals")
    place.clock.sleep(60)
    audit = merged(place, opened(place, "feature", author="ann"), "merge")
    assert squash
    assert owners(audit) == {}
    assert audit.inputs.agent_commits == (
        AgentCommitCount(agent="copilot-cloud", proven=0, unproven=1),
    )


@pytest.mark.parametrize(
    ("policy", "counted"),
    [
        ("apart", {"claude-code-cloud": 5}),
        ("count", {"claude-code": 5}),
        ("off", {}),
    ],
)
def test_the_policy_decides_as_whose_lines_count(
    place: Place, policy: str, counted: dict[str, int]
) -> None:
    file = {".github/attribution.yml": f"agent_commits: {policy}\n"}
    place.sandbox.commit(place.repository, file, message="Decide")
    pushed(place, "claude/totals", BASE + AGENTS, by="claude[bot]")
    pull = opened(place, "claude/totals", author="claude[bot]")
    audit = merged(place, pull)
    assert audit.totals.by_agent == counted
    assert audit.policy.agent_commits == policy
    seen = place.sandbox.visible(pull)
    assert seen.label_names == tuple(f"{agent}-assisted" for agent in counted)
    said = " ".join(comment.body for comment in seen.comments)
    assert ("agents pushed themselves" in said, "would count none" in said) == (
        (bool(counted), bool(counted))
    )
    assert (audit.inputs.agent_commits is None) == (policy == "off")


def test_a_merge_of_the_base_and_an_earlier_fetch_cut_nothing(place: Place) -> None:
    sha = pushed(place, "copilot/totals", BASE + AGENTS)
    place.sandbox.commit(place.repository, {"b.py": "unrelated = price(here)\n" * 50})
    tip = place.repository.git.resolve(f"refs/heads/{place.repository.default_branch}")
    assert tip is not None
    place.repository.git.write_commit(
        "refs/heads/copilot/totals",
        {"b.py": "unrelated = price(here)\n" * 50},
        parents=(sha, tip),
        author=place.sandbox.user("ann").person,
        at=place.clock() + timedelta(seconds=1),
        message="Merge main",
    )
    last = pushed(place, "copilot/totals", BASE + AGENTS + MORE)
    audit = merged(place, opened(place, "copilot/totals"), "merge")
    assert audit.inputs.unread_records == 0
    assert {owner.split()[1] for owner in owners(audit).values()} == {sha[:7], last[:7]}
    assert sorted(owners(audit)) == [6, 7, 10, 11, 12, 13, 14]


def test_a_fork_and_too_many_pull_requests_prove_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork = place.sandbox.fork(place.repository, "mallory")
    place.sandbox.commit(
        fork,
        {PATH: BASE + AGENTS},
        branch="totals",
        author="Copilot",
        committer=WEB_FLOW,
        verified=True,
    )
    pull = place.sandbox.open_pull(place.repository, fork=fork, branch="totals", author="mallory")
    unproven = (AgentCommitCount(agent="copilot-cloud", proven=0, unproven=1),)
    audit = merged(place, pull, "merge")
    assert (owners(audit), audit.inputs.agent_commits) == ({}, unproven)
    monkeypatch.setattr("ghapp.ingest.agent_commits.MOST_MERGED", 0)
    pushed(place, "copilot/more", BASE + AGENTS + MORE)
    audit = merged(place, opened(place, "copilot/more"))
    assert (owners(audit), audit.inputs.agent_commits) == ({}, unproven)
    assert (audit.inputs.evidence_complete, audit.inputs.unread_records) == (False, 1)


def test_a_line_counts_once_and_not_if_its_commit_only_moved_it() -> None:
    lines = {
        "a.py": [BlamedLine(2, "x", "a.py", 1), BlamedLine(1, "x", "a.py", 1)],
        "b.py": [
            *(BlamedLine(1, "x", "a.py", 1), BlamedLine(2, "y", "a.py", 1)),
            *(BlamedLine(3, "x", "b.py", 3), BlamedLine(9, "x", "b.py", 9)),
        ],
    }
    files = [diff_of(path, [], ["one = 1", "two = 2", "Three  = 3"]) for path in ("b.py", "a.py")]
    found = followed(files, {"x": frozenset({"three = 3"})}, lambda path: iter(lines[path]))
    assert {sha: [(one.path, one.numbers) for one in made] for sha, made in found.items()} == {
        "x": [("a.py", (1,))]
    }
