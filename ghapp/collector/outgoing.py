"""Edits on their way out: which go where, which stay, and the batches that are sent.

What leaves is a `ghapp.wire.Batch`: fingerprints and metadata. An edit's text stays here, to be
fingerprinted again where the app's key was changed meanwhile.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from itertools import chain
from typing import NamedTuple

import msgspec

from ghapp.attribution.fingerprint import Fingerprinter
from ghapp.attribution.model import Edit
from ghapp.attribution.normalize import LONGEST_LINE
from ghapp.collector.account import Account
from ghapp.collector.choices import Choices
from ghapp.collector.clones import Clones
from ghapp.collector.door import CLIENT, RENEWABLE, AppAway, Door, Refused
from ghapp.collector.sent import Sent
from ghapp.wire import MOST_BYTES, MOST_EDITS, SCHEMA, Batch, EnrolledInstallation, SentEdit

WINDOW = timedelta(days=23)
"""An edit can count for a merge that comes 21 days later, and the audit is final 2 days after."""
RENEW = timedelta(days=1)
"""Between two questions which installations there are."""
MOST_PAUSES = 10
"""That one batch waits for before it is given up for this time."""
ENVELOPE = 64 * 1024
"""Bytes of a batch that are kept free for what stands around its edits."""
MOST_REMOTES = 20
LONGEST_NAME = 255
LONGEST_PATH = 4_096
"""Characters, as the wire has them."""

_BYTES_OF_A_LINE = 32
"""Brackets, commas, quotation marks and the line's own hash in base64."""
_BYTES_OF_A_TOKEN = 7
"""Its record of five bytes in base64."""
_REFUSED_EDIT = re.compile(r"edits\[(\d+)\]")
_LONE = re.compile("[\ud800-\udfff]")


class Stays(StrEnum):
    """Why an edit does not leave this machine."""

    OUTSIDE = "outside of any clone"
    NO_REMOTE = "in a clone without a remote"
    NOT_ENROLLED = "in a repository of nobody who enrolled this machine"
    IGNORED = "in a file that git ignores"
    KEPT_BACK = "kept back by your choice"
    TOO_OLD = "too old to count for any merge"
    TOO_LARGE = "too large for one batch"
    REFUSED = "refused by the app"


class Destination(NamedTuple):
    """Where evidence of one clone goes."""

    installation: int
    remotes: tuple[str, ...]
    """Those of the installation's own account; all others are nobody's business."""


class Addressed(NamedTuple):
    """An edit that may leave, its path relative to the repository; its lines are still text."""

    destination: Destination
    edit: Edit
    file: str
    """Where the file lies on this machine."""


class Sorter:
    """Says of each edit where it goes, or why it stays."""

    def __init__(self, account: Account, choices: Choices, clones: Clones) -> None:
        self._account = account
        self._choices = choices
        self._clones = clones

    def wants(self, path: str) -> bool:
        """Say whether an edit of that path could leave, before its lines are worked out."""
        return not isinstance(self._destination(path), Stays)

    def sort(self, edit: Edit, *, oldest: datetime | None) -> Addressed | Stays:
        """Return an edit with its destination, or why it stays; ``oldest``: of those that go."""
        found = self._destination(edit.path)
        if isinstance(found, Stays):
            return found
        destination, path = found
        if oldest is not None and edit.at < oldest:
            return Stays.TOO_OLD
        if self._choices.keep_back(destination.remotes, path, edit.at):
            return Stays.KEPT_BACK
        relative = msgspec.structs.replace(edit, path=path, cwd=None)
        return Addressed(destination, relative, edit.path)

    def ignored(self, addressed: Iterable[Addressed]) -> frozenset[str]:
        """Return the files among those of some edits that git ignores: they stay. Asks git once."""
        return self._clones.ignored({one.file for one in addressed})

    def _destination(self, path: str) -> tuple[Destination, str] | Stays:
        place = self._clones.place(path)
        if place is None:
            return Stays.OUTSIDE
        if not place.remotes:
            return Stays.NO_REMOTE
        found = self._account.installation(place.remotes)
        if found is None:
            return Stays.NOT_ENROLLED
        installation, remotes = found
        return Destination(installation.id, remotes[:MOST_REMOTES]), place.path


# --- batches ------------------------------------------------------------------------------------


def fits(edit: Edit) -> bool:
    """Say whether the names in an edit are as long as the wire takes them."""
    names = (edit.id, edit.agent_session, edit.tool)
    return all(0 < len(name) <= LONGEST_NAME for name in names) and len(edit.path) <= LONGEST_PATH


def to_sent(edit: Edit, fingerprinter: Fingerprinter) -> SentEdit:
    """Return an edit as it travels."""
    return SentEdit(
        id=_clean(edit.id),
        agent=edit.agent,
        agent_session=_clean(edit.agent_session),
        at=edit.at,
        path=_clean(edit.path),
        outcome=edit.outcome,
        tool=_clean(edit.tool),
        lines=fingerprinter.lines(edit.lines),  # type: ignore[arg-type]  # sources yield text only
    )


def _clean(name: str) -> str:
    """Replace halves of surrogate pairs, which JSON cannot say."""
    return _LONE.sub("\ufffd", name)


def to_batch(account: Account, destination: Destination, edits: Iterable[SentEdit]) -> Batch:
    """Return a batch of edits of one clone. Without any it only says that this machine reports."""
    return Batch(
        schema=SCHEMA,
        client=CLIENT,
        machine=account.machine,
        installation=destination.installation,
        key_id=_installation(account, destination).key_id,
        remotes=destination.remotes,
        edits=tuple(edits),
    )


def fingerprinter_of(account: Account, destination: Destination) -> Fingerprinter:
    """Return what makes an installation's fingerprints."""
    return Fingerprinter(_installation(account, destination).key)


def _installation(account: Account, destination: Destination) -> EnrolledInstallation:
    return next(
        one for one in account.enrollment.installations if one.id == destination.installation
    )


# --- sending ------------------------------------------------------------------------------------


class Delivery(NamedTuple):
    """What became of some edits of one clone."""

    sent: int
    """Acknowledged now; those acknowledged before are not sent again."""
    stays: Counter[Stays]
    refused: str | None = None
    """Why the app takes none of this repository, perhaps not yet; ``None``: it does."""


class Sender:
    """Sends edits and remembers what the app acknowledged.

    ``renewed`` is told the account whenever it changes; ``patience`` is the longest pause that
    the app may ask for and be waited for.
    """

    def __init__(  # noqa: PLR0913 - what sending needs, wired in one place
        self,
        door: Door,
        account: Account,
        sent: Sent,
        renewed: Callable[[Account], None],
        *,
        patience: timedelta,
        sleep: Callable[[float], None],
    ) -> None:
        self.account = account
        self._door = door
        self._sent = sent
        self._renewed = renewed
        self._patience = patience
        self._sleep = sleep

    def heartbeat(self, installation: int, now: datetime) -> None:
        """Say that this machine is there. Raises as `deliver`."""
        destination = Destination(installation, ())
        try:
            self._post(destination, [])
        except Refused as error:
            if error.code not in RENEWABLE:
                raise
            self.renew(now)
            if self._is_enrolled(destination):
                self._post(destination, [])

    def refresh(self, now: datetime) -> None:
        """Ask once a day which installations there are. Raises as `deliver`."""
        if not timedelta(0) <= now - self.account.known_since < RENEW:
            self.renew(now)

    def renew(self, now: datetime) -> None:
        """Ask which installations there are now, and for their keys. Raises as `deliver`."""
        enrollment = self._door.enrollment()
        self.account = msgspec.structs.replace(self.account, enrollment=enrollment, known_since=now)
        self._renewed(self.account)

    def deliver(self, destination: Destination, edits: Iterable[Edit], now: datetime) -> Delivery:
        """Send the edits that the app has not acknowledged yet; each leaves at most once.

        Raises `AppAway` where it must be tried again later, and `Refused` where the app refuses
        this machine as a whole.
        """
        new = [edit for edit in edits if edit not in self._sent]
        ready = list({edit.id: edit for edit in new if fits(edit)}.values())
        stays = Counter({Stays.TOO_LARGE: sum(not fits(edit) for edit in new)})
        sent = 0
        try:
            for batch in batches(ready):
                done = self._deliver_batch(destination, batch, stays, now)
                self._sent.add(done, now)
                sent += len(done)
        except Refused as error:
            # One repository that is not taken must not hold up the others.
            if error.is_of_this_machine:
                raise
            return Delivery(sent, stays, refused=str(error))
        return Delivery(sent, stays)

    def _deliver_batch(
        self, destination: Destination, edits: list[Edit], stays: Counter[Stays], now: datetime
    ) -> list[Edit]:
        """Send one batch, mending what the app says can be mended; return what it took."""
        renewed = False
        while edits:
            if not self._is_enrolled(destination):
                stays[Stays.NOT_ENROLLED] += len(edits)
                return []
            try:
                self._post(destination, edits)
            except Refused as error:
                if error.code in RENEWABLE and not renewed:
                    renewed = True
                    self.renew(now)
                elif error.status == 413 and len(edits) > 1:
                    half = len(edits) // 2
                    first = self._deliver_batch(destination, edits[:half], stays, now)
                    return first + self._deliver_batch(destination, edits[half:], stays, now)
                else:
                    edits = _without_refused(edits, error, stays)
            else:
                return edits
        return []

    def _is_enrolled(self, destination: Destination) -> bool:
        known = self.account.enrollment.installations
        return any(one.id == destination.installation for one in known)

    def _post(self, destination: Destination, edits: list[Edit]) -> None:
        fingerprinter = fingerprinter_of(self.account, destination)
        ready = (to_sent(edit, fingerprinter) for edit in edits)
        self._send(msgspec.json.encode(to_batch(self.account, destination, ready)))

    def _send(self, batch: bytes) -> None:
        """Send a batch, waiting where the app is busy for a moment."""
        for _ in range(MOST_PAUSES):
            try:
                self._door.send(batch)
            except AppAway as error:
                if error.wait is None or error.wait > self._patience:
                    raise
                self._sleep(error.wait.total_seconds())
            else:
                return
        self._door.send(batch)


def batches(edits: Iterable[Edit]) -> Iterator[list[Edit]]:
    """Yield edits in groups that fit into one request; one that fits into none is alone."""
    batch: list[Edit] = []
    size = 0
    for edit in edits:
        takes = most_bytes(edit)
        if batch and (size + takes > MOST_BYTES - ENVELOPE or len(batch) == MOST_EDITS):
            yield batch
            batch, size = [], 0
        batch.append(edit)
        size += takes
    if batch:
        yield batch


def most_bytes(edit: Edit) -> int:
    """Return how many bytes an edit takes as JSON at most: a token has one character or more."""
    hunks = ((hunk.before, hunk.own, hunk.after) for hunk in edit.lines.hunks)
    lines = chain.from_iterable(part for hunk in hunks for part in hunk)
    characters = sum(
        _BYTES_OF_A_LINE + _BYTES_OF_A_TOKEN * min(len(line), LONGEST_LINE)
        for line in chain(lines, edit.lines.removed)
        if isinstance(line, str)
    )
    return characters + 4 * LONGEST_NAME + 4 * len(edit.path)


def _without_refused(edits: list[Edit], error: Refused, stays: Counter[Stays]) -> list[Edit]:
    """Return the edits without the one that the app names; raises its error if it names none."""
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        stays[Stays.TOO_LARGE] += len(edits)
        return []
    named = _REFUSED_EDIT.match(error.field or "")
    number = int(named[1]) if named else len(edits)
    if number >= len(edits):
        raise error
    stays[Stays.REFUSED] += 1
    return edits[:number] + edits[number + 1 :]
