"""Edits as they travel: fingerprinted, in groups that fit into one request. It sends nothing.

Only a `ghapp.wire.EditBatch` leaves the machine. An edit's text stays here, to be
fingerprinted again if the app changes its key.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import Edit
from ghapp.attribution.normalize import LONGEST_LINE
from ghapp.collector.account import MachineAccount
from ghapp.collector.addressing import EvidenceDestination
from ghapp.collector.door import CLIENT
from ghapp.wire import MOST_BYTES, MOST_EDITS, SCHEMA, EditBatch, EnrolledInstallation, SentEdit

ENVELOPE = 64 * 1024
"""Bytes of a batch that are kept free for what stands around its edits."""
LONGEST_NAME = 255
LONGEST_PATH = 4_096
"""Characters, as the wire has them."""

_BYTES_OF_A_LINE = 32
"""Brackets, commas, quotation marks and the line's own hash in base64."""
_BYTES_OF_A_TOKEN = 7
"""Its record of five bytes in base64."""
_LONE = re.compile("[\ud800-\udfff]")


def fits(edit: Edit) -> bool:
    """Say whether the names in an edit are as long as the wire takes them."""
    names = (edit.id, edit.agent_session, edit.tool)
    return all(0 < len(name) <= LONGEST_NAME for name in names) and len(edit.path) <= LONGEST_PATH


def to_sent(edit: Edit, fingerprinter: LineFingerprinter) -> SentEdit:
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


def to_batch(
    account: MachineAccount, destination: EvidenceDestination, edits: Iterable[SentEdit]
) -> EditBatch:
    """Return a batch of edits of one clone. Without any it only says that this machine reports."""
    return EditBatch(
        schema=SCHEMA,
        client=CLIENT,
        machine=account.machine,
        installation=destination.installation,
        key_id=_installation(account, destination).key_id,
        remotes=destination.remotes,
        edits=tuple(edits),
    )


def fingerprinter_of(
    account: MachineAccount, destination: EvidenceDestination
) -> LineFingerprinter:
    """Return what makes an installation's fingerprints."""
    return LineFingerprinter(_installation(account, destination).key)


def _installation(
    account: MachineAccount, destination: EvidenceDestination
) -> EnrolledInstallation:
    return next(
        one for one in account.enrollment.installations if one.id == destination.installation
    )


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
