"""The commits of a pull request: as GitHub lists them, and fetched with git."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

import ghapp.github.client
from ghapp.demo.sandbox.state import WEB_FLOW, WEB_FLOW_ID
from ghapp.evidence.agent_accounts import CommitAccounts
from ghapp.git.repository import GitError
from ghapp.github.pull_commits import (
    commits_by_git,
    commits_of,
    fetch_objects,
    refs_there,
)
from ghapp.github.pull_requests import fetch
from tests.github.place import START, Place


def test_they_are_listed_oldest_first_with_the_authors_account(place: Place) -> None:
    pull = place.sandbox.open_pull(
        place.repository, files={"a.py": "1\n"}, title="One", author="ada"
    )
    place.clock.now += timedelta(minutes=5)
    place.sandbox.push_to_pull(pull, {"a.py": "2\n"}, message="Two\n\nmore", author="bob")
    first, second = commits_of(place.github, pull.number)
    assert (first.login, second.login) == ("ada", "bob")
    assert (first.commit.message, second.commit.message) == ("One", "Two\n\nmore")
    assert first.commit.parents == (pull.base_sha,)
    assert second.commit.parents == (first.commit.sha,)
    assert (second.commit.sha, second.commit.committed_at) == (pull.head_sha, place.clock.now)
    assert first.commit.written_at == START
    assert first.commit.author == first.commit.committer
    assert first.commit.author_email in str(first.commit.author)


def test_they_tell_whose_they_are_and_whether_the_signature_is_verified(place: Place) -> None:
    place.sandbox.bot("Copilot", 198982749)
    pull = place.sandbox.open_pull(place.repository, files={"a.py": "1\n"}, author="ada")
    for how in ({"committer": WEB_FLOW, "verified": True}, {"committer": "ada"}):
        place.sandbox.push_to_pull(pull, {"a.py": f"{how}\n"}, author="Copilot", **how)  # type: ignore[arg-type]
    ada = place.sandbox.user("ada").id
    found = [one.accounts for one in commits_of(place.github, pull.number)]
    assert found == [
        CommitAccounts(author_id=author, author_type=kind, committer_id=by, is_verified=verified)
        for author, kind, by, verified in (
            (ada, "User", ada, False),
            (198982749, "Bot", WEB_FLOW_ID, True),
            (198982749, "Bot", ada, False),
        )
    ]


def test_all_pages_are_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ghapp.github.client, "PER_PAGE", 2)
    pull = place.sandbox.open_pull(place.repository, files={"a.py": "0\n"})
    for number in range(1, 5):
        place.sandbox.push_to_pull(pull, {"a.py": f"{number}\n"})
    assert len(commits_of(place.github, pull.number)) == 5
    assert len(place.sent("GET", "/commits")) == 3


def test_git_knows_the_commits_that_github_does_not_list(place: Place) -> None:
    opened = place.sandbox.open_pull(place.repository, files={"a.py": "0\n"}, author="ada")
    for number in range(1, 5):
        place.sandbox.push_to_pull(opened, {"a.py": f"{number}\n"})
        place.sandbox.commit(place.repository, {f"b{number}.py": "y\n"})
    place.sandbox.merge(opened)
    listed = commits_of(place.github, opened.number)
    pull = fetch(place.github, opened.number, place.cache)
    found = commits_by_git(place.github, pull, place.cache)
    assert [one.commit for one in found] == [one.commit for one in listed]
    with pytest.raises(GitError, match="5 of 99 commits"):
        commits_by_git(place.github, replace(pull, commit_count=99), place.cache)
    with pytest.raises(GitError, match="more than we read"):
        commits_by_git(place.github, replace(pull, commit_count=10**6), place.cache)


def test_refs_are_told_without_a_clone(place: Place) -> None:
    names = ("refs/heads/main", "refs/notes/ai")
    assert refs_there(place.github, place.cache, names) == {"refs/heads/main"}


def test_files_come_when_they_are_named(place: Place) -> None:
    pull = place.merged({"a.py": "x = 1\n"})
    blob = place.repository.git.entry(pull.head_sha, "a.py")
    assert blob is not None
    known = fetch_objects(place.github, place.cache, [pull.head_sha], lambda _: [blob.sha])
    assert known.resolve(pull.head_sha) == pull.head_sha
    assert known.run("cat-file", "blob", blob.sha) == b"x = 1\n"
    assert (place.cache / str(place.repository.id)).is_dir()


def test_what_git_cannot_fetch_is_its_error(place: Place) -> None:
    place.play("not_found", "*.git/info/refs", times=None)
    with pytest.raises(GitError):
        refs_there(place.github, place.cache, ("refs/heads/main",))
