"""Where an edit goes, or why it stays."""

from datetime import timedelta

import pytest

from ghapp.attribution.model import Edit
from ghapp.collector import account
from ghapp.collector.addressing import (
    MOST_REMOTES,
    AddressedEdit,
    EditAddresser,
    EvidenceDestination,
    StayReason,
)
from ghapp.collector.choices import KeptBack
from ghapp.collector.clones import LocalClones
from tests.clones import Clone
from tests.collector.machine import NOW, Machine
from tests.collector.stand_in import App
from tests.store.records import edit

SHOP = EvidenceDestination(7, ("github.com/acme/shop",))


@pytest.fixture
def clone(machine: Machine, app: App) -> Clone:
    """Return the clone of an enrolled user."""
    machine.enroll(app)
    return machine.clone()


def addresser(machine: Machine, chosen: KeptBack = KeptBack()) -> EditAddresser:  # noqa: B008 - frozen
    return EditAddresser(account.load(machine.places), chosen, LocalClones())


def at(path: object) -> Edit:
    return edit("a", "one = 1", path=str(path), at=NOW)


def test_an_edit_gets_its_path_in_the_repository(machine: Machine, clone: Clone) -> None:
    found = addresser(machine).sort(at(clone.path / "src" / "a.py"), oldest=None)
    assert isinstance(found, AddressedEdit)
    assert (found.destination, found.edit.path, found.edit.cwd) == (SHOP, "src/a.py", None)
    assert found.file == str(clone.path / "src" / "a.py")


def test_each_reason_to_stay(machine: Machine, clone: Clone) -> None:
    lonely = Clone(machine.home / "src" / "lonely")
    other = machine.clone("git@github.com:ann/diary.git", "diary")
    to = addresser(machine)
    assert to.sort(at(machine.home / "a.py"), oldest=None) is StayReason.OUTSIDE
    assert to.sort(at(lonely.path / "a.py"), oldest=None) is StayReason.NO_REMOTE
    assert to.sort(at(other.path / "a.py"), oldest=None) is StayReason.NOT_ENROLLED
    mine = at(clone.path / "a.py")
    assert to.sort(mine, oldest=NOW + timedelta(seconds=1)) is StayReason.TOO_OLD
    assert isinstance(to.sort(mine, oldest=NOW), AddressedEdit)
    paused = addresser(machine, KeptBack().with_pause("acme/shop", None, NOW))
    assert paused.sort(mine, oldest=None) is StayReason.KEPT_BACK


def test_a_path_is_judged_before_its_lines_are_worked_out(machine: Machine, clone: Clone) -> None:
    to = addresser(machine)
    assert to.wants(str(clone.path / "a.py"))
    assert not to.wants(str(machine.home / "a.py"))
    # What is kept back or too old is found out later, of the edit itself.
    paused = addresser(machine, KeptBack().with_pause(None, None, NOW))
    assert paused.wants(str(clone.path / "a.py"))


def test_files_that_git_ignores_are_asked_for_together(machine: Machine, clone: Clone) -> None:
    clone.commit({".gitignore": "*.env\n"})
    to = addresser(machine)
    found = [to.sort(at(clone.path / name), oldest=None) for name in ("a.py", "a.env", "b.env")]
    addressed = [one for one in found if isinstance(one, AddressedEdit)]
    assert to.ignored(addressed) == {str(clone.path / name) for name in ("a.env", "b.env")}
    assert to.ignored([]) == frozenset()


def test_no_more_remotes_than_the_wire_allows(machine: Machine, app: App) -> None:
    machine.enroll(app)
    clone = machine.clone()
    with (clone.path / ".git" / "config").open("a") as config:
        for number in range(MOST_REMOTES + 5):
            config.write(f'[remote "r{number}"]\n\turl = https://github.com/acme/r{number}\n')
    found = addresser(machine).sort(at(clone.path / "a.py"), oldest=None)
    assert isinstance(found, AddressedEdit)
    assert len(found.destination.remotes) == MOST_REMOTES
    assert found.destination.remotes[0] == "github.com/acme/shop"
