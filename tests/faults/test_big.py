"""Changes larger than GitHub shows: complete audits through git, or partial ones that say so.

The stand-in's limits are GitHub's own here, but for one test that wants patches to be missing.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from ghapp.attribution.model import Edit, EditHunk, TextLines
from ghapp.demo.sandbox import Fault, FaultKind, HubLimits, HubPull
from ghapp.git.repository import fetch_commits
from ghapp.ingest.keep import keep_edits
from ghapp.store import WorkEnd
from tests.faults.place import START, Place

COMPARE = "/repos/{owner}/{repo}/compare/{basehead}"


def line(file: int, number: int) -> str:
    return f"value_{file}_{number} = compute_{number * 7919 % 10007}({file}, {number})"


def files(count: int, lines: int) -> dict[str, str]:
    return {
        f"src/big{file}.py": "".join(f"{line(file, number)}\n" for number in range(lines))
        for file in range(count)
    }


def audited(place: Place, change: Mapping[str, str], lines: int) -> HubPull:
    """Merge a change whose first file an agent wrote, and audit it as far as that goes."""
    own = tuple(line(0, number) for number in range(lines))
    edit = Edit(
        id="toolu_big",
        agent="claude-code",
        agent_session="writing",
        at=START,
        path="src/big0.py",
        lines=TextLines(hunks=(EditHunk(before=(), own=own, after=()),)),
    )
    keep_edits(place.store, place.repository.id, [edit], now=place.clock())
    pull = place.sandbox.open_pull(place.repository, files=dict(change), title="Big")
    place.pulls.append(pull)
    place.clock.sleep(1)
    place.sandbox.merge(pull, method="squash")
    place.sandbox.deliver_closed(pull)
    place.work()
    return pull


def document(place: Place, pull: HubPull) -> dict[str, Any]:
    saved = place.store.audits.latest(place.repository.id, pull.number)
    assert saved is not None
    return dict(json.loads(place.store.audits.document(saved.id) or b""))


def went_through_git(place: Place) -> bool:
    """Return whether the app asked for the commit at which git must start."""
    return any(one.template == COMPARE for one in place.sandbox.exchanges)


@pytest.mark.parametrize(
    ("count", "lines", "limits", "by_git"),
    [
        (3_001, 1, HubLimits(), True),
        (301, 2, HubLimits(), False),
        (1, 20_001, HubLimits(), True),
        (20, 1_100, HubLimits(patch_lines=1_000), True),
    ],
    ids=[
        "more_files_than_are_listed",
        "more_files_than_a_diff_or_a_comparison_shows",
        "more_lines_than_a_diff_shows",
        "22000_lines_without_patches",
    ],
)
def test_it_is_audited_whole(
    place: Place, count: int, lines: int, limits: HubLimits, *, by_git: bool
) -> None:
    place.sandbox.world.limits = limits
    pull = audited(place, files(count, lines), lines)
    assert place.last(pull).outcome is WorkEnd.DONE
    assert went_through_git(place) is by_git
    found = document(place, pull)
    assert found["inputs"]["change_complete"]
    assert len(found["files"]) == count
    assert (found["totals"]["added"], found["totals"]["attributed"]) == (count * lines, lines)
    (run,) = place.sandbox.visible(pull).check_runs
    assert run.conclusion == "success"
    # Neither would be complete, so the app requests neither for a change's lines.
    assert not any(
        "diff" in one.request_headers.get("accept", "") for one in place.sandbox.exchanges
    )
    place.expect_finished()
    place.expect_a_second_run_to_write_nothing()


def test_while_git_hangs_what_is_missing_is_named_and_afterwards_it_is_whole(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.sandbox.world.limits = HubLimits(patch_lines=100)
    quick = partial(fetch_commits, seconds=1.0)
    monkeypatch.setattr("ghapp.github.pull_requests.fetch_commits", quick)
    place.sandbox.play(Fault(FaultKind.SLOW, route="*.git/info/refs", seconds=20))
    pull = audited(place, {**files(1, 50), "src/long.py": "x = 1\n" * 200}, 50)
    item = place.last(pull)
    assert (item.outcome, item.why) == (WorkEnd.PARTIAL, "src/long.py")
    assert not document(place, pull)["inputs"]["change_complete"]
    (run,) = place.sandbox.visible(pull).check_runs
    assert run.conclusion == "neutral"
    assert "src/long.py" in str(run.summary) + str(run.text)
    place.sandbox.faults.clear()
    place.chores(passing=timedelta(days=2))  # what was tried lately is not tried again
    place.chores()
    place.work()
    assert place.last(pull).outcome is WorkEnd.DONE
    assert document(place, pull)["inputs"]["change_complete"]
    place.expect_finished()
