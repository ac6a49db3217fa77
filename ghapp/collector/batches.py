"""Edits turned into fingerprints, in groups that fit into one request. It sends nothing.

Only a `ghapp.wire.EditBatch` leaves the machine. The text of an edit stays here, so that it can
be fingerprinted again if the app changes its key.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import Edit
from ghapp.attribution.normalize import LONGEST_LINE
from ghapp.collector.account import MachineAccount
from ghapp.collector.addressing import EvidenceDestination
from ghapp.collector.client import CLIENT
from ghapp.wire import (
    MOST_BYTES,
    MOST_EDITS,
    SCHEMA,
    EditBatch,
    EnrolledInstallation,
    SeenAgent,
    SentEdit,
)

# claude-code
AGENT = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
# 2.1.101
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")
# claude-opus-4-5-20251101, us.anthropic.claude-sonnet-4-5-20250929-v1:0
MODEL = re.compile(r"[0-9A-Za-z][0-9A-Za-z.:@/+_\[\]-]{0,99}")
"""As the wire limits them, so that neither can hold prose."""
ENVELOPE = 64 * 1024
"""Bytes of a batch reserved for everything but its edits."""
LONGEST_NAME = 255
LONGEST_PATH = 4_096
"""Characters, as the wire limits them."""

_BYTES_OF_A_LINE = 32
"""Bytes of JSON: brackets, commas, quotation marks and the line's own hash in base64."""
_BYTES_OF_A_TOKEN = 7
"""Bytes of JSON: a record of five bytes in base64."""
_LONE = re.compile("[\ud800-\udfff]")
r"""Half of a surrogate pair, such as ``"\ud83d"`` alone."""


def fits(edit: Edit) -> bool:
    """Say whether the names in an edit are within the wire's limits."""
    names = (edit.id, edit.agent_session, edit.tool)
    return all(0 < len(name) <= LONGEST_NAME for name in names) and len(edit.path) <= LONGEST_PATH


def to_sent(edit: Edit, fingerprinter: LineFingerprinter) -> SentEdit:
    """Return the edit in its wire format."""
    return SentEdit(
        id=_clean(edit.id),
        agent=edit.agent,
        agent_session=_clean(edit.agent_session),
        at=edit.at,
        path=_clean(edit.path),
        outcome=edit.outcome,
        tool=_clean(edit.tool),
        lines=fingerprinter.lines(edit.lines),  # type: ignore[arg-type]  # sources yield text only
        agent_version=known_as(edit.agent_version, VERSION),
        model=known_as(edit.model, MODEL),
    )


def known_as(name: str | None, form: re.Pattern[str]) -> str | None:
    """Return a name that the wire allows; another one counts as not recorded."""
    return name if name is not None and form.fullmatch(name) else None


def _clean(name: str) -> str:
    """Replace halves of surrogate pairs, which UTF-8 cannot encode."""
    return _LONE.sub("\ufffd", name)


def to_batch(
    account: MachineAccount,
    destination: EvidenceDestination,
    edits: Iterable[SentEdit],
    agents: tuple[SeenAgent, ...] = (),
) -> EditBatch:
    """Return a batch of edits of one clone. One without edits says that this machine reports."""
    return EditBatch(
        schema=SCHEMA,
        client=CLIENT,
        machine=account.machine,
        installation=destination.installation,
        key_id=_installation(account, destination).key_id,
        remotes=destination.remotes,
        edits=tuple(edits),
        agents=agents,
    )


def fingerprinter_of(
    account: MachineAccount, destination: EvidenceDestination
) -> LineFingerprinter:
    """Return the fingerprinter with an installation's key."""
    return LineFingerprinter(_installation(account, destination).key)


def _installation(
    account: MachineAccount, destination: EvidenceDestination
) -> EnrolledInstallation:
    return next(
        one for one in account.enrollment.installations if one.id == destination.installation
    )


def batches(edits: Iterable[Edit]) -> Iterator[list[Edit]]:
    """Yield edits in groups that fit into one request; an edit that is too large goes alone."""
    batch: list[Edit] = []
    size = 0
    for edit in edits:
        needed = most_bytes(edit)
        if batch and (size + needed > MOST_BYTES - ENVELOPE or len(batch) == MOST_EDITS):
            yield batch
            batch, size = [], 0
        batch.append(edit)
        size += needed
    if batch:
        yield batch


def most_bytes(edit: Edit) -> int:
    """Return the most bytes that an edit takes as JSON, if every character were a token."""
    hunks = ((hunk.before, hunk.own, hunk.after) for hunk in edit.lines.hunks)
    lines = chain.from_iterable(part for hunk in hunks for part in hunk)
    characters = sum(
        _BYTES_OF_A_LINE + _BYTES_OF_A_TOKEN * min(len(line), LONGEST_LINE)
        for line in chain(lines, edit.lines.removed)
        if isinstance(line, str)
    )
    return characters + 4 * LONGEST_NAME + 4 * len(edit.path)
