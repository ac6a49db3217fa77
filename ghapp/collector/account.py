"""This machine's account: the app's address, the upload token, the keys. It sends no request."""

from datetime import datetime

import msgspec

from ghapp.attribution.model import Struct
from ghapp.collector.places import CollectorError, CollectorFiles, read_if_there, write_whole
from ghapp.git.remotes import on_host
from ghapp.wire import EnrolledInstallation, MachineEnrollment


class NotEnrolled(CollectorError):  # noqa: N818 - a state of this machine, named as what it is
    """This machine has no readable account; the message says what to do."""


class MachineAccount(Struct, frozen=True):
    """What enrollment gave this machine."""

    url: str
    """The app's address, without a trailing slash."""
    token: str
    """Allows sending and removing this developer's evidence, not reading it."""
    machine: str
    """A random number that identifies this machine."""
    enrollment: MachineEnrollment
    known_since: datetime
    """When the collector last asked the app for its installations."""

    def installation(
        self, remotes: tuple[str, ...]
    ) -> tuple[EnrolledInstallation, tuple[str, ...]] | None:
        """Return the installation for a clone, and the remotes that belong to its account.

        The first remote with an enrolled owner decides; ``None``: no owner is enrolled.
        """
        accounts = {one.account.lower(): one for one in self.enrollment.installations}
        for name in on_host(remotes, self.enrollment.host):
            owner = name.partition("/")[0]
            if owner in accounts:
                start = f"{self.enrollment.host}/{owner}/"
                return accounts[owner], tuple(one for one in remotes if one.startswith(start))
        return None


def load(places: CollectorFiles) -> MachineAccount:
    """Return this machine's account. Raises `NotEnrolled`."""
    found = read_if_there(places.account)
    if found is None:
        raise NotEnrolled("this machine sends nothing yet: ghapp collect enroll URL")
    try:
        return msgspec.json.decode(found, type=MachineAccount)
    except msgspec.DecodeError as error:
        raise NotEnrolled(
            f"{places.account} cannot be read ({error}): ghapp collect enroll URL rewrites it"
        ) from error


def save(places: CollectorFiles, account: MachineAccount) -> None:
    """Store the account, readable only by this user."""
    places.prepare()
    write_whole(places.account, msgspec.json.encode(account))
