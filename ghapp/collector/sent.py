"""Digests of the edits that the app has acknowledged, so that none is sent twice. It sends nothing.

Queue and transcripts hold the same edits, and transcripts are read again whenever they grow. The
queue comes first and knows more of an edit, so the transcript's copy stays here.
"""

import struct
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path

from ghapp.attribution.identity import is_drawn, own_digest
from ghapp.attribution.model import Edit
from ghapp.collector.places import read_if_there, write_whole

KEPT = timedelta(days=100)
"""Agents delete their transcripts earlier, unless somebody keeps them on purpose."""

_RECORD = struct.Struct(">I8s")
"""The day the edit was sent, in days since 1970, and its digest."""


class AcknowledgedEdits:
    """The acknowledged edits. Only one process may write at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        content = read_if_there(path) or b""
        # A crash may have cut off the last record.
        whole = len(content) // _RECORD.size * _RECORD.size
        self._records = list(_RECORD.iter_unpack(content[:whole]))
        self._cut = len(content) > whole
        self._digests = {digest for _, digest in self._records}

    def __contains__(self, edit: Edit) -> bool:
        return digest_of(edit) in self._digests

    def __len__(self) -> int:
        return len(self._digests)

    def add(self, edits: Iterable[Edit], now: datetime) -> None:
        """Add edits that the app acknowledged."""
        if self._cut:
            self._write()
        day = int(now.timestamp() // 86_400)
        new = [(day, digest) for digest in dict.fromkeys(map(digest_of, edits))]
        self._records += new
        self._digests.update(digest for _, digest in new)
        with self._path.open("ab") as file:
            file.write(b"".join(_RECORD.pack(*record) for record in new))
        self._path.chmod(0o600)

    def expire(self, now: datetime) -> None:
        """Remove edits sent so long ago that no transcript here holds them any more."""
        oldest = int((now - KEPT).timestamp() // 86_400)
        kept = [record for record in self._records if record[0] >= oldest]
        if len(kept) < len(self._records):
            self._records = kept
            self._digests = {digest for _, digest in kept}
            self._write()

    def forget(self) -> None:
        """Remove all edits, as for another app."""
        self._records, self._digests = [], set()
        self._write()

    def _write(self) -> None:
        write_whole(self._path, b"".join(_RECORD.pack(*record) for record in self._records))
        self._cut = False


def digest_of(edit: Edit) -> bytes:
    """Return what an edit is known by on this machine: not its time.

    The queue has the time of the hook, a transcript that of its record. An id that its maker drew
    by chance is enough: a copy whose own lines differ is the same call, seen by somebody who knew
    less of the file.
    """
    named = f"{edit.agent}\0{edit.id}\0{edit.path}\0{edit.outcome}\0"
    own = b"" if is_drawn(edit.id) else own_digest(edit.lines)
    return blake2b(named.encode("utf-8", "surrogatepass") + own, digest_size=8).digest()
