"""What a pull request changed, as the API reads it from the git repository."""

from pathlib import Path

import pytest

from ghapp.demo.sandbox import (
    BuilderError,
    ExecutableFile,
    MergeConflict,
    SubmoduleEntry,
    SymbolicLink,
)
from tests.demo.sandbox.hub import Hub, small_limits

DIFF = {"Accept": "application/vnd.github.diff"}
RAW = {"Accept": "application/vnd.github.raw+json"}
LONG = "".join(f"line {number}\n" for number in range(1, 60))


def _files(hub: Hub, number: int) -> dict[str, dict[str, object]]:
    return {one["filename"]: one for one in hub.repo("GET", f"/pulls/{number}/files").json()}


def test_every_kind_of_change(hub: Hub) -> None:
    hub.sandbox.commit(
        hub.repository, {"moved.txt": LONG, "gone.txt": "g\n", "kind": "text\n", "pic": b"\0\1"}
    )
    pull = hub.sandbox.open_pull(
        hub.repository,
        files={
            "moved.txt": None,
            "with space/ümlaut.txt": LONG,
            "gone.txt": None,
            "kind": SymbolicLink("a.py"),
            "pic": b"\0\2",
            "run.sh": ExecutableFile("#!/bin/sh\n"),
            "vendor": SubmoduleEntry("1" * 40),
            "no newline": "one\ntwo",
        },
    )
    files = _files(hub, pull.number)
    assert {name: one["status"] for name, one in files.items()} == {
        "gone.txt": "removed",
        "kind": "changed",
        "no newline": "added",
        "pic": "modified",
        "run.sh": "added",
        "vendor": "added",
        "with space/ümlaut.txt": "renamed",
    }
    assert "patch" not in files["pic"]
    assert "patch" not in files["with space/ümlaut.txt"]
    assert files["with space/ümlaut.txt"]["previous_filename"] == "moved.txt"
    assert files["vendor"]["blob_url"] is None
    assert (
        files["no newline"]["patch"] == "@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file"
    )
    assert files["no newline"]["additions"] == 2


def test_files_stay_as_they_were_when_the_base_moves(hub: Hub) -> None:
    pull = hub.sandbox.open_pull(hub.repository, files={"new.py": "n = 1\n"})
    hub.sandbox.commit(hub.repository, {"elsewhere.py": "e = 1\n"})
    hub.sandbox.merge(pull)
    assert list(_files(hub, pull.number)) == ["new.py"]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_three_ways_to_merge(hub: Hub, method: str) -> None:
    pull = hub.sandbox.open_pull(hub.repository, files={"one.py": "1\n", "shared.txt": LONG})
    hub.sandbox.push_to_pull(pull, {"two.py": "2\n"}, message="Two")
    hub.sandbox.commit(hub.repository, {"other.py": "o\n"})
    sha = hub.sandbox.merge(pull, method=method)
    git = hub.repository.git
    shown = hub.repo("GET", f"/pulls/{pull.number}").json()
    assert (shown["merged"], shown["state"], shown["merge_commit_sha"]) == (True, "closed", sha)
    assert git.resolve("main") == sha
    names = {entry.path for entry in git.tree(sha)}
    assert {"one.py", "two.py", "other.py"} <= names
    assert len(git.commit_info(sha).parents) == (2 if method == "merge" else 1)
    on_base = git.count(pull.head_sha, sha)
    assert on_base == {"merge": 2, "squash": 2, "rebase": 3}[method]
    assert len(hub.repo("GET", f"/pulls/{pull.number}/commits").json()) == 2


def test_both_sides_of_one_file_are_merged(hub: Hub) -> None:
    hub.sandbox.commit(hub.repository, {"shared.txt": LONG})
    pull = hub.sandbox.open_pull(hub.repository, files={"shared.txt": LONG + "end\n"})
    other = hub.sandbox.open_pull(hub.repository, files={"shared.txt": "other\n" + LONG})
    clash = hub.sandbox.open_pull(hub.repository, files={"shared.txt": "clash\n" + LONG})
    hub.sandbox.merge(pull)
    hub.sandbox.merge(other, method="squash")
    text = hub.repo("GET", "/contents/shared.txt", headers=RAW).text
    assert text == "other\n" + LONG + "end\n"
    with pytest.raises(MergeConflict, match=r"shared\.txt"):
        hub.sandbox.merge(clash)
    with pytest.raises(BuilderError, match="already closed"):
        hub.sandbox.merge(pull)


def test_an_open_pull_request_has_a_trial_merge(hub: Hub) -> None:
    pull = hub.sandbox.open_pull(hub.repository, files={"new.py": "n = 1\n"})
    trial = hub.repo("GET", f"/pulls/{pull.number}").json()["merge_commit_sha"]
    assert len(trial) == 40
    assert hub.sandbox.merge(pull) != trial


def test_a_fork_that_was_deleted(hub: Hub) -> None:
    fork = hub.sandbox.fork(hub.repository, "stranger")
    pull = hub.sandbox.open_pull(hub.repository, fork=fork, files={"f.py": "f = 1\n"})
    hub.sandbox.merge(pull)
    hub.sandbox.delete_forks(hub.repository)
    assert hub.repo("GET", f"/pulls/{pull.number}").json()["head"]["repo"] is None
    body = {"name": "attribution", "head_sha": pull.head_sha}
    assert hub.repo("POST", "/check-runs", body).json()["pull_requests"] == []
    assert hub.repo("GET", f"/commits/{pull.head_sha}/pulls").json() == []


def test_the_diff_media_type_and_its_limits(tmp_path: Path) -> None:
    hub = Hub(tmp_path, limits=small_limits(diff_files=2, diff_lines=100))
    try:
        assert hub.repo("GET", "/pulls/1", headers=DIFF).text.startswith("diff --git a/a.py b/a.py")
        many = hub.sandbox.open_pull(hub.repository, files={f"{n}.py": "x\n" for n in range(3)})
        long = hub.sandbox.open_pull(hub.repository, files={"long.txt": LONG + LONG})
        for pull in (many, long):
            refused = hub.repo("GET", f"/pulls/{pull.number}", headers=DIFF)
            assert refused.status_code == 406
            assert refused.json()["errors"][0]["code"] == "too_large"
    finally:
        hub.close()


def test_files_beyond_the_limits(tmp_path: Path) -> None:
    limits = small_limits(pull_files=3, compare_files=2, patch_lines=20, diff_bytes=400)
    hub = Hub(tmp_path, limits=limits)
    try:
        files = {f"{name}.txt": LONG[:90] for name in "abcdef"} | {"0.txt": LONG}
        pull = hub.sandbox.open_pull(hub.repository, files=files)
        listed = _files(hub, pull.number)
        assert list(listed) == ["0.txt", "a.txt", "b.txt"]
        assert "patch" not in listed["0.txt"]
        assert listed["0.txt"]["additions"] == 59
        assert "patch" in listed["a.txt"]
        assert hub.repo("GET", f"/pulls/{pull.number}").json()["changed_files"] == 7
        compared = hub.repo("GET", f"/compare/{pull.base_sha}...{pull.head_sha}").json()
        assert len(compared["files"]) == 2
        assert compared["merge_base_commit"]["sha"] == pull.base_sha
    finally:
        hub.close()


def test_contents_of_every_kind(hub: Hub) -> None:
    assert hub.repo("GET", "/contents/a.py", headers=RAW).text == "x = 1\nz = 3\n"
    assert hub.repo("GET", "/contents/docs").json()[0]["path"] == "docs/old.md"
    assert hub.repo("GET", "/contents/none").status_code == 404
    assert hub.repo("GET", "/contents/a.py?ref=none").status_code == 404
    old = hub.repo("GET", f"/contents/a.py?ref={hub.pull.base_sha}", headers=RAW)
    assert old.text == "x = 1\n"


def test_listing_for_a_replay(hub: Hub) -> None:
    for number in range(2, 6):
        pull = hub.sandbox.open_pull(hub.repository, files={f"{number}.py": "n\n"})
        if number % 2:
            hub.sandbox.close_pull(pull)
        else:
            hub.sandbox.merge(pull)
    query = "/pulls?state=closed&sort=created&direction=asc&per_page=2"
    first = hub.repo("GET", query)
    assert [one["number"] for one in first.json()] == [1, 2]
    assert 'rel="last"' in first.headers["Link"]
    last = hub.repo("GET", query + "&page=3").json()
    assert [(one["number"], one["merged_at"]) for one in last] == [(5, None)]
