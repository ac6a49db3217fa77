"""A change of 100,000 lines, of which GitHub shows no patch: audited whole, through git."""

import json

from ghapp.attribution.model import Edit, EditHunk, TextLines
from ghapp.collect import keep_edits
from ghapp.github.pull_requests import Source, fetch
from ghapp.sandbox import Limits
from tests.faults.place import START, Place

FILES, LINES = 20, 5_000


def line(file: int, number: int) -> str:
    return f"value_{file}_{number} = compute_{number * 7919 % 10007}({file}, {number})"


def test_a_change_of_100000_lines_is_audited_whole(quick_place: Place) -> None:
    place = quick_place
    place.sandbox.world.limits = Limits(requests_an_hour=10**6, patch_lines=1_000)
    own = tuple(line(0, number) for number in range(LINES))
    edit = Edit(
        id="toolu_big",
        agent="claude-code",
        agent_session="writing",
        at=START,
        path="src/big0.py",
        lines=TextLines(hunks=(EditHunk(before=(), own=own, after=()),)),
    )
    keep_edits(place.store, place.repository.id, [edit], now=place.clock())
    files = {
        f"src/big{file}.py": "".join(f"{line(file, number)}\n" for number in range(LINES))
        for file in range(FILES)
    }
    pull = place.sandbox.open_pull(place.repository, files=dict(files), title="Big")
    place.clock.sleep(1)
    place.sandbox.merge(pull, method="squash")
    place.sandbox.deliver_closed(pull)
    place.work()
    github = place.services.github(place.installation.id, place.repository.id)
    fetched = fetch(github, pull.number, place.services.settings.data_dir / "git")
    github.close()
    assert (fetched.source, fetched.problem) == (Source.GIT, None)
    saved = place.store.audits.latest(place.repository.id, pull.number)
    assert saved is not None
    document = json.loads(place.store.audits.document(saved.id) or b"")
    assert document["inputs"]["complete"]
    assert document["totals"]["added"] == FILES * LINES
    assert document["totals"]["attributed"] == LINES
    (run,) = place.sandbox.visible(pull).check_runs
    assert run.conclusion == "success"
    place.expect_good_manners()
