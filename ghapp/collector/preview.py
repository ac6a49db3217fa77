"""Previews what the collector would send for a file or an edit, or of usage. It sends nothing."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from ghapp.attribution.model import Edit
from ghapp.collector import account, choices, queue, state
from ghapp.collector.account import MachineAccount, NotEnrolled
from ghapp.collector.addressing import AddressedEdit, EditAddresser, EvidenceDestination, StayReason
from ghapp.collector.batches import fingerprinter_of, to_batch, to_sent
from ghapp.collector.clones import LocalClones
from ghapp.collector.events import EventError, to_edits, to_event
from ghapp.collector.places import CollectorFiles
from ghapp.collector.sent import digest_of
from ghapp.collector.transcript_calls import made_by
from ghapp.collector.usage_reports import (
    first_day,
    in_session_days,
    portions,
    to_report,
    usage_to_send,
)
from ghapp.evidence.source import everything
from ghapp.ingest.artifacts import find_evidence
from ghapp.ingest.usage_days import usage_rows
from ghapp.wire import MOST_DAYS, EditBatch, EnrolledInstallation, MachineEnrollment, UsageReport

STAND_IN_KEY = b"only for the eyes of its developer"
"""Key before this machine is enrolled: the hashes differ, their number and lengths do not."""


class RepositoryPreview(NamedTuple):
    """What would be sent to one repository, and the edits behind it."""

    batch: EditBatch
    edits: tuple[Edit, ...]
    """With their text, in the order of ``batch.edits``."""


class EvidencePreview(NamedTuple):
    """Everything found for a file or an edit."""

    sent: tuple[RepositoryPreview, ...]
    stays: tuple[tuple[Edit, StayReason], ...]
    """Edits that would not leave, and why."""
    enrolled: bool
    """``False``: the key and the installation are stand-ins."""


class UsagePreview(NamedTuple):
    """The reports that the next daily sending holds."""

    since: date
    reports: tuple[UsageReport, ...]
    stays: dict[StayReason, int]
    """Answers and decided edits that would not leave."""


def preview(
    places: CollectorFiles, target: str, folders: Iterable[Path], now: datetime
) -> EvidencePreview:
    """Find edits of a file, or one edit by its id, in the queue and in transcripts.

    It includes edits that were sent before. Raises `ChoicesUnread`.
    """
    clones = LocalClones()
    found = list(_found(places, target, folders, clones))
    known, enrolled = _account(places, found, clones, now)
    sorter = EditAddresser(known, choices.load(places), clones)
    sorted_ = [(edit, sorter.sort(edit, oldest=None)) for edit in found]
    addressed = [one for _, one in sorted_ if isinstance(one, AddressedEdit)]
    ignored = sorter.ignored(addressed)
    going = [one for one in addressed if one.file not in ignored]
    stays = tuple(
        (edit, why if isinstance(why, StayReason) else StayReason.IGNORED)
        for edit, why in sorted_
        if isinstance(why, StayReason) or why.file in ignored
    )
    return EvidencePreview(tuple(_previewed(known, going)), stays, enrolled)


def preview_usage(places: CollectorFiles, folders: Iterable[Path], now: datetime) -> UsagePreview:
    """Return what the next daily sending holds. Raises `NotEnrolled` and `ChoicesUnread`."""
    known, chosen = account.load(places), choices.load(places)
    since = first_day(state.load(places).usage, now)
    found = usage_to_send(known, chosen, folders, since, now)
    reports = []
    for destination, own in sorted(found.own.items(), key=lambda one: one[0]):
        rows = usage_rows(own.answers, own.decisions)
        days = in_session_days(rows.tokens, rows.decisions).values()
        reports += [to_report(known, destination, some) for some in portions(days, MOST_DAYS)]
    return UsagePreview(since, tuple(reports), found.stays)


def _found(
    places: CollectorFiles, target: str, folders: Iterable[Path], clones: LocalClones
) -> Iterator[Edit]:
    """Yield each edit of the target once, from the queue first: it holds more of an edit."""
    path = Path(target)
    wanted = clones.place(str(path.absolute())) if path.exists() else None
    shown: set[bytes] = set()
    for edit in _all(places, folders):
        matches = clones.place(edit.path) == wanted if wanted else edit.id == target
        if matches and (same := digest_of(edit)) not in shown:
            shown.add(same)
            yield edit


def _all(places: CollectorFiles, folders: Iterable[Path]) -> Iterator[Edit]:
    for line in queue.lines(places):
        try:
            yield from to_edits(to_event(line), everything, made_by)
        except EventError:
            continue
    for found in find_evidence(folders):
        if isinstance(found, Edit):
            yield found


def _account(
    places: CollectorFiles, edits: Iterable[Edit], clones: LocalClones, now: datetime
) -> tuple[MachineAccount, bool]:
    """Return the account and ``True``, or a stand-in that is enrolled for all these edits."""
    try:
        return account.load(places), True
    except NotEnrolled:
        found = filter(None, (clones.place(edit.path) for edit in edits))
        names = [place.remotes[0] for place in found if place.remotes]
        host = names[0].partition("/")[0] if names else "github.com"
        owners = dict.fromkeys(name.split("/")[1] for name in names)
        installations = tuple(
            EnrolledInstallation(id=0, account=owner, key_id="preview", key=STAND_IN_KEY)
            for owner in owners
        )
        enrollment = MachineEnrollment(login="", host=host, installations=installations)
        stand_in = MachineAccount(
            url="", token="", machine="0" * 32, enrollment=enrollment, known_since=now
        )
        return stand_in, False


def _previewed(known: MachineAccount, going: list[AddressedEdit]) -> Iterator[RepositoryPreview]:
    def destination(one: AddressedEdit) -> EvidenceDestination:
        return one.destination

    for where, group in groupby(sorted(going, key=destination), key=destination):
        edits = tuple(one.edit for one in group)
        fingerprinter = fingerprinter_of(known, where)
        batch = to_batch(known, where, (to_sent(edit, fingerprinter) for edit in edits))
        yield RepositoryPreview(batch, edits)
