"""Merged pull requests fetched whole: from patches, from git, or with the names of the rest."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from ghapp.attribution.model import FileDiff, FileStatus
from ghapp.attribution.unified_diff import parse_diff
from ghapp.demo.sandbox import ExecutableFile, HubLimits, HubPull, SubmoduleEntry, SymbolicLink
from ghapp.github.answers import (
    GoneForGood,
    GoneReason,
    NotFound,
    RateLimited,
    TemporaryFailure,
)
from ghapp.github.pull_requests import (
    ChangeSource,
    NotMerged,
    PullRequest,
    fetch,
    git_address,
    history_page,
    recently_merged,
)
from tests.github.place import START, Files, Place, assert_good_manners

LONG = "".join(f"line {number}\n" for number in range(60))
SMALL = HubLimits(pull_files=3_000, patch_lines=40)
ODD = {
    "a b/c d.py": "x = 1\n",
    "caf\u00e9/\u4f60\u597d.py": "x = 2\n",
    'quote"d.py': "x = 3\n",
    "tab\there.py": "x = 4\n",
    "new\nline.py": "x = 5\n",
    "back\\slash.py": "x = 6\n",
    "#hash?&%20.py": "x = 7\n",
    "b/a/b/a": "x = 8\n",
}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Place]:
    """Give a place where GitHub leaves out patches of more than 40 lines."""
    made = Place(tmp_path, SMALL)
    yield made
    made.close()
    assert_good_manners(made)


def fetched(place: Place, pull: HubPull) -> PullRequest:
    return fetch(place.github, pull.number, place.cache)


def added(pull: PullRequest) -> dict[str, list[str]]:
    return {file.path: [line.text for line in file.added()] for file in pull.change.files}


def by_git(pull: HubPull) -> tuple[FileDiff, ...]:
    git = pull.repository.git
    return parse_diff(git.patch(pull.merge_base, pull.head_sha))


def without_ids(files: tuple[FileDiff, ...]) -> list[FileDiff]:
    """Return files without the ids of their contents, which git shows in full or cut short."""
    return [replace(file, blobs=()) for file in files]


def test_what_it_was_merged_as(place: Place) -> None:
    hosted = place.merged({"a.py": "x = 1\n"})
    place.sandbox.add_label(hosted, "bug")
    pull = fetched(place, hosted)
    assert (pull.repository_id, pull.repository) == (place.repository.id, "acme/app")
    assert (pull.number, pull.title, pull.author) == (1, "Add something", "dev")
    assert pull.merged_at == START + timedelta(minutes=1)
    assert pull.merge_commit == hosted.merge_commit_sha
    assert (pull.base_sha, pull.head_sha) == (hosted.base_sha, hosted.head_sha)
    assert (pull.base_ref, pull.head_ref) == ("main", hosted.head_ref)
    assert pull.labels == {"bug"}
    assert not pull.from_fork
    assert pull.problem is None
    assert pull.policy_text is None


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_every_way_of_merging_has_the_same_lines(place: Place, method: str) -> None:
    pull = place.merged({"a.py": "x = 1\ny = 2\n"}, base={"a.py": "x = 1\n"}, by=method)
    found = fetched(place, pull)
    assert added(found) == {"a.py": ["y = 2"]}
    assert found.merge_commit == pull.merge_commit_sha


def test_lines_that_the_base_got_meanwhile_are_not_its_own(place: Place) -> None:
    pull = place.sandbox.open_pull(place.repository, files={"a.py": "x = 1\n"})
    place.sandbox.commit(place.repository, {"b.py": "y = 1\n"})
    place.sandbox.merge(pull)
    assert added(fetched(place, pull)) == {"a.py": ["x = 1"]}


# --- patches ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "files"),
    [
        ({}, ODD),
        (ODD, {path: f"{text}more = 1\n" for path, text in ODD.items()}),
        ({}, {"crlf.py": "a\r\nb\r\n", "no_end.py": "a\nb"}),
        ({"a.py": "a\nb"}, {"a.py": "a\nb\n"}),
        ({"a.py": "a\n"}, {"a.py": None}),
        ({"a.py": LONG}, {"a.py": None, "b.py": LONG}),
        ({"a.py": LONG}, {"a.py": None, "b.py": LONG + "more\n"}),
        ({"a.sh": "a\n"}, {"a.sh": ExecutableFile("a\nb\n")}),
        ({}, {"empty.py": "", "link": SymbolicLink("empty.py")}),
        ({}, {"image.png": b"\x89PNG\0\1\2"}),
        ({"image.png": b"\x89PNG\0\1"}, {"image.png": b"\x89PNG\0\2"}),
        ({}, {"vendor/lib": SubmoduleEntry("a" * 40)}),
        ({"vendor/lib": SubmoduleEntry("a" * 40)}, {"vendor/lib": SubmoduleEntry("b" * 40)}),
        ({}, {"separators.py": "a\u2028b\nc\x0cd\ne\x85f\n"}),
    ],
)
def test_patches_say_the_same_as_git(place: Place, base: Files, files: Files) -> None:
    hosted = place.merged(files, base=base)
    pull = fetched(place, hosted)
    assert pull.source is ChangeSource.FILES
    assert pull.change.complete
    told = {file.path: file for file in pull.change.files}
    for file in by_git(hosted):
        same = told.pop(file.path)
        assert same.added() == file.added()
        assert same.hunks == file.hunks
        assert (same.status, same.previous_path) == (file.status, file.previous_path)
        assert (same.binary, same.submodule) == (file.binary, file.submodule)
    assert told == {}
    assert not place.cache.exists()


def test_a_new_mode_has_no_lines(place: Place) -> None:
    pull = fetched(place, place.merged({"a.sh": ExecutableFile("a\n")}, base={"a.sh": "a\n"}))
    assert pull.source is ChangeSource.FILES
    assert added(pull) == {"a.sh": []}


def test_more_than_a_page_of_files(place: Place) -> None:
    hosted = place.merged({f"f{number:03}.py": f"x = {number}\n" for number in range(230)})
    pull = fetched(place, hosted)
    assert pull.source is ChangeSource.FILES
    assert len(pull.change.files) == 230
    assert len(place.sent("GET", "/files")) == 3


def test_a_removed_file_is_deleted_and_adds_nothing(place: Place) -> None:
    pull = fetched(place, place.merged({"a.py": None}, base={"a.py": "x\n"}))
    (file,) = pull.change.files
    assert (file.status, file.added()) == (FileStatus.DELETED, [])


# --- git ----------------------------------------------------------------------------------------


def test_a_missing_patch_is_read_by_git_and_so_is_all_else(small: Place) -> None:
    hosted = small.merged({"long.py": LONG, "a b.py": "x = 1\n"}, base={"old.py": "y\n"})
    pull = fetched(small, hosted)
    assert pull.source is ChangeSource.GIT
    assert pull.problem is None
    assert pull.change.complete
    assert without_ids(pull.change.files) == without_ids(by_git(hosted))


def test_more_files_than_are_listed_are_read_by_git(tmp_path: Path) -> None:
    place = Place(tmp_path, HubLimits(pull_files=120))
    hosted = place.merged({f"f{number:03}.py": f"x = {number}\n" for number in range(150)})
    pull = fetched(place, hosted)
    place.close()
    assert pull.source is ChangeSource.GIT
    assert len(pull.change.files) == 150


def test_a_forks_lines_are_read_by_git_from_the_base_repository(small: Place) -> None:
    fork = small.sandbox.fork(small.repository, "ada")
    hosted = small.sandbox.open_pull(small.repository, fork=fork, files={"long.py": LONG})
    small.sandbox.merge(hosted)
    small.sandbox.delete_forks(small.repository)
    pull = fetched(small, hosted)
    assert pull.source is ChangeSource.GIT
    assert pull.from_fork
    assert added(pull) == {"long.py": LONG.splitlines()}


def test_a_second_pull_request_uses_the_same_clone(small: Place) -> None:
    for name in ("one.py", "two.py"):
        assert fetched(small, small.merged({name: LONG})).source is ChangeSource.GIT
    assert [path.name for path in small.cache.iterdir()] == [str(small.repository.id)]


def test_no_token_stays_in_the_clone(small: Place) -> None:
    fetched(small, small.merged({"long.py": LONG}))
    token = small.github.token().token.encode()
    files = [path for path in small.cache.rglob("*") if path.is_file()]
    assert files
    assert not any(token in path.read_bytes() for path in files)


def test_after_a_new_name_git_asks_by_the_new_one(small: Place) -> None:
    fetched(small, small.merged({"one.py": LONG}))
    small.sandbox.rename_repository(small.repository, "application")
    assert fetched(small, small.merged({"two.py": LONG})).source is ChangeSource.GIT


def test_without_git_the_missing_files_are_named(small: Place) -> None:
    hosted = small.merged({"long.py": LONG, "short.py": "x = 1\n"})
    small.play("not_found", "*.git/info/refs", times=None)
    pull = fetched(small, hosted)
    assert pull.source is ChangeSource.PARTIAL
    assert pull.change.missing == ("long.py",)
    assert added(pull) == {"short.py": ["x = 1"]}
    assert "git fetch" in (pull.problem or "")


def test_without_git_files_beyond_the_list_are_counted(tmp_path: Path) -> None:
    place = Place(tmp_path, HubLimits(pull_files=10))
    hosted = place.merged({f"f{number:03}.py": "x\n" for number in range(15)})
    place.play("not_found", "*.git/info/refs", times=None)
    pull = fetched(place, hosted)
    place.close()
    assert pull.change.missing == ("(5 more files that GitHub does not list)",)


# --- not there, not merged ----------------------------------------------------------------------


def test_not_merged(place: Place) -> None:
    pull = place.sandbox.open_pull(place.repository, files={"a.py": "x\n"})
    with pytest.raises(NotMerged) as found:
        fetched(place, pull)
    assert found.value.state == "open"
    place.sandbox.close_pull(pull)
    with pytest.raises(NotMerged) as found:
        fetched(place, pull)
    assert found.value.state == "closed"


def test_a_stale_answer_right_after_the_merge(place: Place) -> None:
    pull = place.merged({"a.py": "x\n"})
    place.play("stale_read", "*/pulls/{pull_number}")
    with pytest.raises(NotMerged) as found:
        fetched(place, pull)
    assert found.value.state == "open"
    assert fetched(place, pull).number == 1


def test_not_there_yet_is_missing_and_gone_is_gone(place: Place) -> None:
    pull = place.merged({"a.py": "x\n"})
    place.play("not_found", "*/pulls/{pull_number}")
    with pytest.raises(NotFound):
        fetched(place, pull)
    place.github.token()
    place.sandbox.delete_repository(place.repository)
    with pytest.raises(GoneForGood) as gone:
        fetched(place, pull)
    assert gone.value.why is GoneReason.REMOVED


def test_an_old_name_that_is_another_repositorys_leads_nowhere_else(place: Place) -> None:
    pull = place.merged({"a.py": "x = 1\n"})
    assert place.github.full_name == "acme/app"
    place.sandbox.rename_repository(place.repository, "application")
    other = place.sandbox.add_repository("acme", "app", private=False)
    stranger = place.sandbox.open_pull(other, files={"b.py": "y = 1\n"})
    place.sandbox.merge(stranger)
    assert added(fetched(place, pull)) == {"a.py": ["x = 1"]}


ALWAYS_FAILS = {
    "422": {"kind": "answer", "status": 422, "text": "this diff is taking too long to generate"},
    "500": {"kind": "server_error", "status": 500},
    "502": {"kind": "bad_gateway_before"},
    "404": {"kind": "not_found"},
    "ip_list": {"kind": "answer", "status": 403, "text": "has an IP allow list enabled"},
}


@pytest.mark.parametrize("how", ALWAYS_FAILS)
def test_a_list_that_always_fails_is_read_by_git(place: Place, how: str) -> None:
    hosted = place.merged({"a.py": "x = 1\n"})
    place.play(**ALWAYS_FAILS[how], route="*/files", times=None)  # type: ignore[arg-type]
    pull = fetched(place, hosted)
    assert (pull.source, pull.problem, added(pull)) == (ChangeSource.GIT, None, {"a.py": ["x = 1"]})


@pytest.mark.parametrize("how", ALWAYS_FAILS)
def test_a_comparison_that_always_fails_is_made_by_git(place: Place, how: str) -> None:
    opened = place.sandbox.open_pull(place.repository, files={"a.py": "x = 1\n"})
    for number in range(3):
        place.sandbox.commit(place.repository, {f"b{number}.py": "y\n"})
    place.sandbox.merge(opened)
    place.play("bad_gateway_before", "*/files", times=None)
    place.play(**ALWAYS_FAILS[how], route="*/compare/*", times=None)  # type: ignore[arg-type]
    for _ in range(2):
        pull = fetched(place, opened)
        assert (pull.source, added(pull)) == (ChangeSource.GIT, {"a.py": ["x = 1"]})


def test_where_neither_list_nor_git_answers_it_is_for_later(place: Place) -> None:
    hosted = place.merged({"a.py": "x = 1\n"})
    place.play("bad_gateway_before", "*/files", times=None)
    place.play("not_found", "*.git/info/refs", times=None)
    with pytest.raises(TemporaryFailure):
        fetched(place, hosted)


def test_a_list_that_is_refused_for_good_is_said_to_be_incomplete(place: Place) -> None:
    hosted = place.merged({"a.py": "x = 1\n"})
    place.play(**ALWAYS_FAILS["422"], route="*/files", times=None)  # type: ignore[arg-type]
    place.play("not_found", "*.git/info/refs", times=None)
    pull = fetched(place, hosted)
    assert pull.source is ChangeSource.PARTIAL
    assert pull.change.missing == ("(1 more files that GitHub does not list)",)
    assert "too long" in (pull.problem or "")


def test_a_limit_is_no_reason_to_ask_in_another_way(place: Place) -> None:
    hosted = place.merged({"a.py": "x = 1\n"})
    place.play("secondary_limit", "*/files", times=None)
    with pytest.raises(RateLimited):
        fetched(place, hosted)


@pytest.mark.parametrize("route", ["*/{pull_number}", "*/{pull_number}*"], ids=["count", "both"])
def test_github_s_count_of_no_files_is_not_believed(place: Place, route: str) -> None:
    hosted = place.merged({"a.py": "x = 1\n"})
    place.play("counts_nothing", route, times=None)
    pull = fetched(place, hosted)
    assert (pull.source, added(pull)) == (ChangeSource.GIT, {"a.py": ["x = 1"]})
    place.play("not_found", "*.git/info/refs", times=None)
    incomplete = fetched(place, hosted)
    assert incomplete.source is ChangeSource.PARTIAL
    assert incomplete.change.missing


@pytest.mark.parametrize("files", [None, {}, {"README.md": "# app\n"}])
@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
@pytest.mark.parametrize("forked", [False, True])
def test_a_pull_request_without_changes_adds_nothing(
    place: Place, files: Files | None, method: str, *, forked: bool
) -> None:
    fork = place.sandbox.fork(place.repository, "zoe") if forked else None
    hosted = place.sandbox.open_pull(place.repository, files=files, fork=fork)
    place.sandbox.merge(hosted, method=method)
    pull = fetched(place, hosted)
    assert (pull.source, pull.change.files, pull.change.missing) == (ChangeSource.GIT, (), ())


def test_a_forgotten_merge_commit_is_no_error(place: Place) -> None:
    pull = place.merged({"a.py": "x\n"})
    pull.merge_commit_sha = None
    assert fetched(place, pull).merge_commit is None
    # The stand-in has no list of events, where a real GitHub would name the commit.
    assert [one.where for one in place.sandbox.world.violations] == [
        "GET /repos/acme/app/issues/1/events"
    ]
    place.sandbox.world.violations.clear()
    place.sandbox.world.exchanges.clear()


# --- files of the base --------------------------------------------------------------------------


def test_policy_and_attributes_are_the_bases_own(place: Place) -> None:
    base = {
        ".github/attribution.yml": "exclude: [a]\n",
        ".gitattributes": "*.gen linguist-generated\n",
        "src/.gitattributes": "*.py text\n",
        "elsewhere/.gitattributes": "*.py -text\n",
    }
    files = {
        "src/deep/a.py": "x = 1\n",
        ".github/attribution.yml": "exclude: [everything]\n",
        "src/.gitattributes": "* linguist-generated\n",
    }
    pull = fetched(place, place.merged(files, base=base))
    assert pull.policy_text == "exclude: [a]\n"
    assert pull.change.gitattributes == {
        ".gitattributes": "*.gen linguist-generated\n",
        "src/.gitattributes": "*.py text\n",
    }


def test_many_directories_are_asked_with_one_tree(place: Place) -> None:
    base = {"d07/.gitattributes": "* text\n", "other/.gitattributes": "* text\n"}
    files = {f"d{number:02}/a.py": "x = 1\n" for number in range(30)}
    pull = fetched(place, place.merged(files, base=base))
    assert pull.change.gitattributes == {"d07/.gitattributes": "* text\n"}
    assert len(place.sent("GET", "/contents/{path}")) == 2


def test_odd_directories_are_asked_by_their_right_name(place: Place) -> None:
    base = {"a #b?/\u00e9/.gitattributes": "* text\n"}
    pull = fetched(place, place.merged({"a #b?/\u00e9/x.py": "x = 1\n"}, base=base))
    assert pull.change.gitattributes == base


def test_a_policy_above_a_megabyte_is_none(place: Place) -> None:
    base = {".github/attribution.yml": "x" * 1_100_000}
    assert fetched(place, place.merged({"a.py": "x\n"}, base=base)).policy_text is None


@pytest.mark.parametrize("content", [SymbolicLink("README.md"), SubmoduleEntry("a" * 40)])
def test_a_policy_that_is_no_file_is_none(
    place: Place, content: SymbolicLink | SubmoduleEntry
) -> None:
    base: Files = {".github/attribution.yml": content}
    assert fetched(place, place.merged({"a.py": "x\n"}, base=base)).policy_text is None
    # GitHub's description wants other members of a link and a submodule than the stand-in gives.
    place.sandbox.world.exchanges.clear()


# --- lists --------------------------------------------------------------------------------------


def test_history_is_oldest_first_and_without_the_unmerged(place: Place) -> None:
    first = place.merged({"a.py": "x\n"})
    place.sandbox.close_pull(place.sandbox.open_pull(place.repository, files={"b.py": "x\n"}))
    last = place.merged({"c.py": "x\n"})
    page = history_page(place.github, 1)
    assert [pull.number for pull in page.merged] == [first.number, last.number]
    assert page.merged[0].merge_commit == first.merge_commit_sha
    assert page.is_last
    assert history_page(place.github, 2).last_created_at is None


def test_recently_merged_is_the_last_first(place: Place) -> None:
    for number in range(4):
        place.merged({f"{number}.py": "x\n"})
    since = place.clock.now - timedelta(minutes=2)
    place.sandbox.close_pull(place.sandbox.open_pull(place.repository, files={"b.py": "x\n"}))
    assert [pull.number for pull in recently_merged(place.github, since)] == [4, 3, 2]


@pytest.mark.parametrize(
    ("api", "git"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://github.com"),
        ("https://git.example/api/v3", "https://git.example"),
        ("https://api.octocorp.ghe.com", "https://octocorp.ghe.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_where_git_is(api: str, git: str) -> None:
    assert git_address(api) == git
