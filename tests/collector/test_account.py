"""A machine's account: which installation a clone belongs to, in a file of its user alone."""

import msgspec
import pytest

from ghapp.collector import account
from ghapp.collector.account import MachineAccount, NotEnrolled
from ghapp.wire import EnrolledInstallation, MachineEnrollment
from tests.collector.machine import NOW, Machine

ACME = EnrolledInstallation(id=7, account="Acme", key_id="7-1", key=bytes(32))
GLOBEX = EnrolledInstallation(id=8, account="globex", key_id="8-1", key=bytes(32))


def made(*installations: EnrolledInstallation, host: str = "github.com") -> MachineAccount:
    enrollment = MachineEnrollment(login="ann", host=host, installations=installations)
    return MachineAccount(
        url="https://audits.example.com",
        token="ghu_secret",
        machine="0" * 32,
        enrollment=enrollment,
        known_since=NOW,
    )


def test_the_first_remote_with_an_enrolled_owner_decides() -> None:
    remotes = ("github.com/ann/shop", "github.com/globex/shop", "github.com/acme/shop")
    assert made(ACME, GLOBEX).installation(remotes) == (GLOBEX, ("github.com/globex/shop",))
    assert made(ACME).installation(remotes) == (ACME, ("github.com/acme/shop",))


def test_only_remotes_of_that_account_are_named() -> None:
    remotes = ("github.com/acme/shop", "github.com/ann/secret", "github.com/acme/old")
    found = made(ACME).installation(remotes)
    assert found == (ACME, ("github.com/acme/shop", "github.com/acme/old"))


@pytest.mark.parametrize(
    "remotes",
    [
        (),
        ("github.com/ann/shop",),
        ("gitlab.com/acme/shop",),
        ("github.com.evil.example/acme/shop",),
        ("github.com/acme-clone/shop",),
    ],
)
def test_elsewhere_nobody_is_enrolled(remotes: tuple[str, ...]) -> None:
    assert made(ACME).installation(remotes) is None


def test_what_is_stored_is_read_back_and_the_users_alone(machine: Machine) -> None:
    account.save(machine.places, made(ACME))
    assert account.load(machine.places) == made(ACME)
    assert machine.places.account.stat().st_mode & 0o777 == 0o600


def test_a_machine_that_is_not_enrolled_is_told_how(machine: Machine) -> None:
    with pytest.raises(NotEnrolled, match="ghapp collect enroll URL"):
        account.load(machine.places)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", msgspec.json.encode({"url": 1})])
def test_a_file_that_cannot_be_read_is_no_account(machine: Machine, content: bytes) -> None:
    machine.places.prepare()
    machine.places.account.write_bytes(content)
    with pytest.raises(NotEnrolled, match="cannot be read"):
        account.load(machine.places)
