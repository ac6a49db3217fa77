"""Replays a made history: interruptions and the number of processes do not change the file."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.auditing.replay import ReplayProgress, ReplayResult, ReplayTerms, replay
from ghapp.git.repository import GitRepository
from tests.histories import History, Step
from tests.transcripts import write_transcript

NOW = datetime(2026, 5, 25, tzinfo=UTC)
PULLS = 40


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a clone of 40 pull requests and the evidence for half of them."""
    place = tmp_path_factory.mktemp("replay")
    history = History(place / "clone")
    history.do(Step(write={"README.md": "# Shop\n"}, at="2026-05-01T00:00:00Z"))
    for number in range(1, PULLS + 1):
        day = f"2026-05-{2 + number // 2:02}T{8 + number % 2 * 4:02}"
        text = "".join(f"total_{number}_{line} = price_of({line})\n" for line in range(6))
        step = {"write": {f"src/part_{number}.py": text}, "at": f"{day}:00:00Z"}
        if number % 3:
            history.do(Step(message=f"Change {number} (#{number})", **step))  # type: ignore[arg-type]
        else:
            history.do(Step(on=f"work-{number}", start="main", **step))  # type: ignore[arg-type]
            merge = f"Merge pull request #{number} from acme/work-{number}"
            history.do(Step(merge=(f"work-{number}",), message=merge, at=f"{day}:30:00Z"))
        if number % 2:
            path = place / "evidence" / f"{number:08}.jsonl"
            write_transcript(path, f"/srv/shop/src/part_{number}.py", text, at=f"{day}:00:00.000Z")
    return place


def terms(place: Path, **more: object) -> ReplayTerms:
    given = {
        "repository_path": place / "clone",
        "evidence": (place / "evidence",),
        "policy": CLAUDE_CODE_V1,
        "repository": "acme/shop",
        **more,
    }
    return ReplayTerms(**given)  # type: ignore[arg-type]


def quiet(progress: ReplayProgress) -> None:
    assert progress.problem is None


def done(given: ReplayTerms, output: Path) -> ReplayResult:
    return replay(given, output, now=NOW, watch=quiet)


def test_one_document_a_line_oldest_first(place: Path, tmp_path: Path) -> None:
    made = done(terms(place), tmp_path / "out.jsonl")
    documents = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert made.documents == PULLS
    assert made.incomplete == 0
    assert [one["pull_request"] for one in documents] == list(range(1, PULLS + 1))
    assert {one["verdict"] for one in documents[::2]} == {"assisted"}
    assert {one["totals"]["attributed"] for one in documents[1::2]} == {0}
    assert [one["state"] for one in documents] == ["final"] * 40
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl"]


def test_processes_make_no_difference(place: Path, tmp_path: Path) -> None:
    done(terms(place), tmp_path / "one")
    done(terms(place, jobs=3), tmp_path / "three")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "three").read_bytes()


class Interrupted(Exception):  # noqa: N818 - it is no error
    """Stands for Ctrl-C."""


@pytest.mark.parametrize(("jobs", "stops"), [(1, (1, 5, 6, 20, 39)), (2, (5, 20))])
def test_interruptions_make_no_difference(
    place: Path, tmp_path: Path, jobs: int, stops: tuple[int, ...]
) -> None:
    done(terms(place), tmp_path / "whole")
    output = tmp_path / "out"
    for stop in stops:

        def interrupt(progress: ReplayProgress, stop: int = stop) -> None:
            if progress.done >= stop:
                raise Interrupted

        with pytest.raises(Interrupted):
            # Each begins later; the time of the first one stands.
            replay(
                terms(place, jobs=jobs),
                output,
                now=NOW.replace(day=25 + stop // 10),
                watch=interrupt,
            )
        assert not output.exists()
        # Whoever is killed in the middle of writing leaves half a document.
        with (tmp_path / "out.partial").open("ab") as partial:
            partial.write(b'{"engine":"1')
    made = done(terms(place, jobs=jobs), output)
    assert made.resumed_from > 1
    assert output.read_bytes() == (tmp_path / "whole").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]


def test_other_terms_begin_anew(place: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"

    def interrupt(progress: ReplayProgress) -> None:
        if progress.done >= 5:
            raise Interrupted

    with pytest.raises(Interrupted):
        replay(terms(place), output, now=NOW, watch=interrupt)
    made = done(terms(place, repository="acme/other"), output)
    assert made.resumed_from == 0
    assert b'"acme/shop"' not in output.read_bytes()


def test_what_cannot_be_seen_is_in_the_file_and_said(place: Path, tmp_path: Path) -> None:
    history = History(tmp_path / "made")
    history.do(Step(write={"a.py": "total = price_of(1)\n"}, message="First (#1)"))
    history.do(Step(write={"a.py": "total = price_of(2)\n"}, message="Second (#2)"))
    history.git("clone", "-q", "--depth=1", f"file://{history.path}", str(tmp_path / "shallow"))
    problems: list[str] = []

    def watch(progress: ReplayProgress) -> None:
        problems.extend([progress.problem] if progress.problem else [])

    given = terms(place, repository_path=tmp_path / "shallow")
    made = replay(given, tmp_path / "out", now=NOW, watch=watch)
    document = json.loads((tmp_path / "out").read_bytes())
    assert made.cut
    assert made.incomplete == 1
    assert "pull request #2" in problems[0]
    assert document["inputs"]["change_complete"] is False
    assert document["totals"]["share"] is None


def test_branch_of_the_origin_alone(place: Path, tmp_path: Path) -> None:
    history = History(tmp_path / "made")
    history.do(Step(write={"a.py": "a = 1\n"}, message="First"))
    history.do(Step(on="next", start="main", message="Second (#2)"))
    history.do(Step(on="main", message="Third (#3)"))
    history.git("clone", "-q", f"file://{history.path}", str(tmp_path / "clone"))
    given = terms(place, repository_path=tmp_path / "clone", branch="next")
    assert GitRepository(tmp_path / "clone").resolve("next") is None
    assert done(given, tmp_path / "out").documents == 1


def test_documents_know_nothing_of_the_place_of_a_clone(place: Path, tmp_path: Path) -> None:
    made = History(tmp_path / "made")
    made.git("clone", "-q", "--bare", f"file://{place / 'clone'}", str(tmp_path / "bare.git"))
    done(terms(place), tmp_path / "one")
    done(terms(place, repository_path=tmp_path / "bare.git"), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_moment_of_the_replay_can_be_given(place: Path, tmp_path: Path) -> None:
    early = datetime(2026, 5, 10, tzinfo=UTC)
    done(terms(place, at=early), tmp_path / "out")
    states = {
        msgspec.json.decode(line)["state"] for line in (tmp_path / "out").read_bytes().splitlines()
    }
    assert states == {"final", "provisional"}
