"""Which policy is in force: the repository's own, its organization's, or the built-in one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ghapp.github.client import GitHub
from ghapp.policy.file import RepositoryPolicy
from ghapp.policy.in_force import (
    PolicyFile,
    PolicyInForce,
    keep,
    organization_file,
    policy_in_force,
)
from ghapp.store import Installation, Repository, Store
from tests.github.place import START, Place, assert_good_manners

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
FILE = ".github/attribution.yml"
GOOD, OTHER, BROKEN = "window_before_days: 7\n", "window_before_days: 8\n", "window: soon\n"


def own(text: str, at: datetime = NOW) -> PolicyFile:
    return PolicyFile(repository_id=42, repository="acme/app", text=text, as_of=at)


def shared(text: str) -> PolicyFile:
    return PolicyFile(repository_id=43, repository="acme/.github", text=text, as_of=NOW)


def found(store: Store, file: PolicyFile | None, organization: str | None = None) -> PolicyInForce:
    """Ask for a merge a month after the files, and store what was found, as an audit does."""
    text, merged_at = organization, NOW + timedelta(days=30)
    held = policy_in_force(
        file, lambda: None if text is None else shared(text), store, merged_at=merged_at
    )
    keep(held, store)
    return held


def days(held: PolicyInForce) -> int:
    return held.policy.rules.window_before_days


def test_the_own_file_comes_first_and_no_other_is_asked_for(sqlite_store: Store) -> None:
    def organization() -> PolicyFile:
        raise AssertionError("its own file decides")

    held = policy_in_force(own(GOOD), organization, sqlite_store, merged_at=NOW)
    assert (days(held), held.source, held.problems) == (7, f"{FILE} of acme/app", ())


def test_then_that_of_the_organization_and_then_the_built_in_one(sqlite_store: Store) -> None:
    held = found(sqlite_store, None, OTHER)
    assert (days(held), held.source) == (8, f"{FILE} of acme/.github")
    assert found(sqlite_store, None) == PolicyInForce()
    assert PolicyInForce().policy == RepositoryPolicy()


def test_the_last_good_version_stays_in_force_while_a_file_is_broken(sqlite_store: Store) -> None:
    found(sqlite_store, own(GOOD), OTHER)
    held = found(sqlite_store, own(BROKEN, NOW + timedelta(days=1)), OTHER)
    assert (days(held), held.source) == (7, "the last good version of it in acme/app")
    (problem,) = held.problems
    assert problem.startswith(f"acme/app: {FILE}, line 1")


def test_a_file_that_was_never_good_is_told_and_passed_over(sqlite_store: Store) -> None:
    held = found(sqlite_store, own(BROKEN), OTHER)
    assert (days(held), held.source) == (8, f"{FILE} of acme/.github")
    assert [one.partition(":")[0] for one in held.problems] == ["acme/app"]
    both = found(sqlite_store, own(BROKEN), BROKEN)
    assert both.source == "the last good version of it in acme/.github"
    assert [one.partition(":")[0] for one in both.problems] == ["acme/app", "acme/.github"]


def test_two_broken_files_leave_the_built_in_policy_and_tell_both(sqlite_store: Store) -> None:
    held = found(sqlite_store, own(BROKEN), BROKEN)
    assert (held.policy, len(held.problems)) == (RepositoryPolicy(), 2)
    assert held.source == "the app's own policy"


def test_a_version_that_this_program_no_longer_reads_is_no_good_one(sqlite_store: Store) -> None:
    sqlite_store.policy_files.keep(42, BROKEN, as_of=NOW)
    held = found(sqlite_store, own(BROKEN), OTHER)
    assert days(held) == 8


def test_an_older_file_is_in_force_and_does_not_replace_a_newer_one(sqlite_store: Store) -> None:
    found(sqlite_store, own(GOOD))
    held = found(sqlite_store, own(OTHER, NOW - timedelta(days=9)))
    assert days(held) == 8
    assert sqlite_store.policy_files.last_good(42, NOW) == GOOD


# --- the organization's file ----------------------------------------------------------------------


class Organization:
    """``acme`` with an app and a ``.github`` repository, which the store knows."""

    def __init__(self, place: Place, store: Store) -> None:
        self.place, self.store = place, store
        self.hosted = place.sandbox.add_repository("acme", ".github", files={"README.md": "us\n"})
        self.opened: list[int] = []
        store.installations.seen(Installation(id=place.installation.id, account="acme"), now=START)
        self.known = Repository(
            id=self.hosted.id, owner="acme", name=".github", installation_id=place.installation.id
        )
        store.installations.repository_seen(self.known, now=START)

    @contextmanager
    def github(self, repository_id: int) -> Iterator[GitHub]:
        """Open a repository by its id."""
        self.opened.append(repository_id)
        installation = self.place.installation.id
        opened = GitHub(self.place.auth, installation_id=installation, repository_id=repository_id)
        yield opened
        opened.close()

    def file(self, owner: str = "acme", installation_id: int | None = None) -> PolicyFile | None:
        """Read its policy file now."""
        number = installation_id or self.place.installation.id
        return organization_file(owner, number, self.store, self.github, NOW)


@pytest.fixture
def organization(tmp_path: Path, sqlite_store: Store) -> Iterator[Organization]:
    place = Place(tmp_path)
    yield Organization(place, sqlite_store)
    place.close()
    assert_good_manners(place)


def test_it_is_read_from_the_organizations_own_repository(organization: Organization) -> None:
    assert organization.file() is None
    organization.place.sandbox.commit(organization.hosted, {FILE: GOOD})
    assert organization.file() == PolicyFile(
        repository_id=organization.hosted.id, repository="acme/.github", text=GOOD, as_of=NOW
    )
    assert organization.opened == [organization.hosted.id] * 2


def test_of_another_owner_or_installation_nothing_is_read(organization: Organization) -> None:
    assert organization.file("other") is None
    assert organization.file(installation_id=organization.place.installation.id + 1) is None
    assert organization.opened == []


def test_out_of_reach_there_is_none(organization: Organization) -> None:
    organization.place.sandbox.commit(organization.hosted, {FILE: GOOD})
    organization.place.sandbox.delete_repository(organization.hosted)
    assert organization.file() is None
    assert organization.opened == [organization.hosted.id]
