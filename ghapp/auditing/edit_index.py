"""An index of edits on disk, written once and read for many audits; decodes an edit when needed.

Memory holds only a few numbers per edit; the lines are in a file that all processes share. The
index returns what the app's own store would return for the same evidence.
"""

import hashlib
import mmap
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain
from operator import and_
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self

import msgspec

from ghapp.attribution.candidates import first_hand, reaching
from ghapp.attribution.digest import nameless, packed_command
from ghapp.attribution.identity import identity, preference
from ghapp.attribution.model import (
    SEEN_BY_HOOK,
    AuditSubject,
    Change,
    Edit,
    EditLines,
    EditResult,
    EditsLeftOut,
    Evidence,
    FileSnapshot,
    LineFingerprint,
    PassedOver,
    ShellCommand,
    Struct,
    UnreadEvidence,
)
from ghapp.attribution.paths import (
    KnownCheckouts,
    below_deepest,
    folded,
    paths_of,
    tidy,
    within,
    without_worktree,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1, Policy
from ghapp.attribution.shell_commands import counting, named_files, once_each, with_moved
from ghapp.evidence.source import Found, NamedCheckout, Worktree, with_worktrees, without_used
from ghapp.ingest.named_checkouts import foreign_roots, named_roots

EDITS, CATALOG = "edits", "catalog"
"""Names of the index's two files."""

CHECKOUTS_KEPT = 64
"""Sets of checkouts whose places are cached."""

EDITS_KEPT = 10_000
"""Edits that stay decoded: pull requests next to each other have most of them in common."""

_MAY_COUNT = {EditResult.APPLIED: 1, EditResult.UNRECORDED: 2, EditResult.OBSERVED: 4}
_MAY_COUNT |= {EditResult.SUBSTITUTED: 5}
"""The outcomes of edits that a policy may credit, as numbers in the catalog."""
_MOVED = 3
"""Stands for an applied edit at the path to which a command moved its file (rules.md 2.20)."""
_SWITCHED = frozenset({_MOVED, *map(_MAY_COUNT.__getitem__, SEEN_BY_HOOK)})
"""What an audit does not know of if the policy switches it off."""

REPOSITORY = "/(repository)"
"""Stands for the repository's root in the paths of commands."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _TextEdit(Edit, frozen=True, kw_only=True):
    """An edit whose lines are text, as in transcripts; the type tells msgspec what to decode."""

    lines: EditLines[str] = EditLines(hunks=())


class _TextCommand(ShellCommand, frozen=True, kw_only=True):
    """A command whose edit holds text."""

    edit: _TextEdit


class _FingerprintEdit(Edit, frozen=True, kw_only=True):
    """An edit whose lines are fingerprints, as the app stores them by default."""

    lines: EditLines[LineFingerprint] = EditLines(hunks=())


_DECODER = msgspec.msgpack.Decoder(_TextEdit)
_FINGERPRINT_DECODER = msgspec.msgpack.Decoder(_FingerprintEdit)

Encode = Callable[[EditLines[str]], EditLines[LineFingerprint]]
"""Turns text into the fingerprints that the app would store."""


class EditOrigin(Struct, frozen=True):
    """The place of an edit: the file as the agent named it, and its working directory."""

    path: str
    cwd: str | None


class EditCatalog(Struct, frozen=True):
    """Everything about the edits but their lines, in the order of time; arrays as bytes."""

    at: bytes
    """Microseconds since 1970."""
    rank: bytes
    """The edit's index in the order of ids."""
    place: bytes
    """The index of its origin in ``places``."""
    outcome: bytes
    """1: the edit was applied; 2: no record tells; 3: it was, and moved; 0: it was not."""
    holding: bytes
    """1: the edit holds lines that can be compared."""
    fingerprinted: bool
    """Whether lines are fingerprints."""
    starts: bytes
    """By rank: where each edit begins in the file, in bytes, and where the last one ends."""
    places: tuple[EditOrigin, ...]
    likely_roots: tuple[str, ...]
    foreign_roots: tuple[str, ...]
    snapshots: tuple[FileSnapshot, ...]
    commands: tuple[_TextCommand, ...]
    """Empty if lines are fingerprints: commands are text, and the app holds none."""
    homes: tuple[str, ...]
    """Checkouts that a person named, for the paths of commands."""
    unread: tuple[UnreadEvidence, ...]
    passed_over: tuple[PassedOver, ...]
    digest: str
    """Digest of all edits and of everything that could not be read."""


class IndexedEvidence(NamedTuple):
    """The evidence of one audit."""

    evidence: Evidence
    """The edits of the change's files, each with its path in the repository."""
    considered: int
    """Number of usable edits of the repository inside the window, in any file."""
    fingerprinted: bool
    """Whether some of the repository's edits hold fingerprints, so that tokens are compared."""
    left_out: EditsLeftOut
    """Edits of the span that are not considered."""


# --- writing ----------------------------------------------------------------------------------


class _Row(NamedTuple):
    """One copy of an edit while the index is written."""

    at: int
    """Microseconds since 1970."""
    place: int
    outcome: int
    """As in `EditCatalog`."""
    holding: bool
    start: int
    """Bytes."""
    size: int
    """Bytes."""
    tool: str
    agent_session: str
    same: int
    """Hash of what the edit's copies have in common."""
    preference: tuple[Any, ...]


def write_index(  # noqa: PLR0913 - the evidence, where it goes, and whose checkouts it may be in
    found: Iterable[Found],
    folder: Path,
    *,
    roots: Sequence[str],
    likely_roots: Sequence[str],
    repositories: Sequence[str] = (),
    encode: Encode | None = None,
) -> EditCatalog:
    """Write edits into a folder and return their catalog.

    ``roots`` are checkouts on the machines of the evidence: edits elsewhere are left out, and
    the others get their paths in the repository, as an import into the app does it.
    ``likely_roots`` are checkouts that may occur in the evidence, and ``repositories`` the names
    by which records may name more of them. ``encode`` makes the fingerprints that the app would
    store; ``None``: lines stay text.
    """
    beside = _Beside(with_commands=encode is None)
    with _Writing(folder / "as-read") as writing:
        for one in found:
            if isinstance(one, Edit):
                writing.add(one)
            else:
                beside.take(one)
        writing.move(beside.commands)
    named, worktrees = beside.named, beside.worktrees
    homes = with_worktrees(roots, worktrees) if roots else ()
    if homes:
        writing = _at_home(writing, folder, homes)
    if encode is not None:
        writing = _fingerprinted(writing, folder, encode)
        beside.snapshots.clear()  # the app stores nothing of a file's content
    catalog = writing.catalog(
        with_worktrees([*likely_roots, *named_roots(named, repositories)], worktrees),
        foreign_roots(named, repositories),
        tuple(sorted(beside.snapshots, key=lambda one: (one.path, one.blob))),
        tuple(beside.unread),
        without_used(beside.passed_over, beside.commands),
    )
    catalog = msgspec.structs.replace(
        catalog, commands=_as_texts(once_each(beside.commands)), homes=tuple(homes)
    )
    (folder / CATALOG).write_bytes(msgspec.msgpack.encode(catalog))
    return catalog


class _Beside:
    """What was found beside edits while an index is written."""

    def __init__(self, *, with_commands: bool) -> None:
        self.unread: list[UnreadEvidence] = []
        self.worktrees: list[Worktree] = []
        self.named: list[NamedCheckout] = []
        self.snapshots: set[FileSnapshot] = set()
        self.passed_over: list[PassedOver] = []
        self.commands: list[ShellCommand] = []
        self._with_commands = with_commands

    def take(self, one: Found) -> None:
        """Keep one thing; who decided on an edit is of no use."""
        match one:
            case UnreadEvidence():
                self.unread.append(one)
            case Worktree():
                self.worktrees.append(one)
            case NamedCheckout():
                self.named.append(one)
            case FileSnapshot():
                self.snapshots.add(one)
            case PassedOver():
                self.passed_over.append(one)
            case ShellCommand() if self._with_commands:
                self.commands.append(one)


def _as_texts(commands: Iterable[ShellCommand]) -> tuple["_TextCommand", ...]:
    return msgspec.convert(
        msgspec.to_builtins(commands, builtin_types=(datetime,)), tuple[_TextCommand, ...]
    )


def _as_read(command: _TextCommand) -> ShellCommand:
    """Return a command as the readers made it, with its members in their order."""
    edit = command.edit
    plain = Edit(**{name: getattr(edit, name) for name in Edit.__struct_fields__})
    return ShellCommand(plain, command.rewrites, command.reach, command.source)


def _at_home(read: "_Writing", folder: Path, homes: Sequence[str]) -> "_Writing":
    """Write the edits below some roots again, with their paths in the repository."""
    with _Writing(folder / "at-home") as writing, read.path.open("rb") as file:
        for row in read.rows():
            file.seek(row.start)
            edit = _DECODER.decode(file.read(row.size))
            path = within(homes, edit.path)
            if path:
                at_home = msgspec.structs.replace(edit, path=path, cwd=None)
                writing.add(at_home, is_moved=row.outcome == _MOVED)
    read.path.unlink()
    return writing


def _fingerprinted(read: "_Writing", folder: Path, encode: Encode) -> "_Writing":
    """Write the edits again, with fingerprints for lines."""
    path = folder / "fingerprinted"
    with _Writing(path, fingerprinted=True) as writing, read.path.open("rb") as file:
        for row in read.rows():
            file.seek(row.start)
            edit = _DECODER.decode(file.read(row.size))
            encoded = msgspec.structs.replace(edit, lines=encode(edit.lines))
            writing.add(encoded, is_moved=row.outcome == _MOVED)
    read.path.unlink()
    return writing


class _Writing:
    """Edits being written to a file, with a row for each in memory."""

    def __init__(self, path: Path, *, fingerprinted: bool = False) -> None:
        self.path = path
        self._is_fingerprinted = fingerprinted
        self._rows: dict[str, list[_Row]] = {}
        self._places: dict[EditOrigin, int] = {}
        self._size = 0

    def __enter__(self) -> Self:
        self._file = self.path.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def move(self, commands: Iterable[ShellCommand]) -> None:
        """Add the edits of files that commands moved again, with the path they have now."""
        commands = [one for one in commands if one.source is not None]
        if not commands:
            return
        rows, places = list(self.rows()), list(self._places)
        stubs = [
            msgspec.structs.replace(
                _stub(places[row.place]), id=str(n), at=_EPOCH + row.at * _MICROSECOND
            )
            for n, row in enumerate(rows)
        ]
        moved = with_moved(stubs, counting(commands, CLAUDE_CODE_V1))[len(stubs) :]
        self._file.flush()
        with self.path.open("rb") as file:
            for stub in moved:
                edit = _DECODER.decode(_part(file, rows[int(stub.id)]))
                self.add(msgspec.structs.replace(edit, path=stub.path), is_moved=True)

    def add(self, edit: Edit, *, is_moved: bool = False) -> None:
        edit = msgspec.structs.replace(nameless(edit), at=edit.at.astimezone(UTC))
        packed = _packed(edit)
        self._file.write(packed)
        place = EditOrigin(path=edit.path, cwd=edit.cwd)
        row = _Row(
            at=_microseconds(edit.at),
            place=self._places.setdefault(place, len(self._places)),
            outcome=_MOVED
            if is_moved and edit.outcome is EditResult.APPLIED
            else _MAY_COUNT.get(edit.outcome, 0),
            holding=any(hunk.own or hunk.before or hunk.after for hunk in edit.lines.hunks),
            start=self._size,
            size=len(packed),
            tool=edit.tool,
            agent_session=edit.agent_session,
            same=hash(identity(edit)),
            preference=(*preference(edit), zlib.crc32(packed)),
        )
        self._size += len(packed)
        self._rows.setdefault(edit.id, []).append(row)

    def rows(self) -> Iterator[_Row]:
        """Yield all copies of all edits."""
        for copies in self._rows.values():
            yield from copies

    def catalog(
        self,
        likely_roots: tuple[str, ...],
        foreign_roots: tuple[str, ...],
        snapshots: tuple[FileSnapshot, ...],
        unread: tuple[UnreadEvidence, ...],
        passed_over: tuple[PassedOver, ...],
    ) -> EditCatalog:
        """Write the edits to the final file in the order of ids, and return its catalog.

        Of several copies of an edit it takes the one that the app would keep.
        """
        by_id = first_hand(list(self._kept()))
        starts = [0, *accumulate(row.size for row in by_id)]
        digest = self._copy(by_id, hashlib.sha256(msgspec.msgpack.encode(unread)))
        ranks = sorted(range(len(by_id)), key=lambda rank: (by_id[rank].at, rank))
        rows = [by_id[rank] for rank in ranks]
        return EditCatalog(
            at=array("q", [row.at for row in rows]).tobytes(),
            rank=array("l", ranks).tobytes(),
            place=array("l", [row.place for row in rows]).tobytes(),
            outcome=bytes(row.outcome for row in rows),
            holding=bytes(row.holding for row in rows),
            fingerprinted=self._is_fingerprinted,
            starts=array("q", starts).tobytes(),
            places=tuple(self._places),
            likely_roots=likely_roots,
            foreign_roots=foreign_roots,
            snapshots=snapshots,
            commands=(),
            homes=(),
            unread=unread,
            passed_over=passed_over,
            digest=digest,
        )

    def _kept(self) -> Iterator[_Row]:
        """Yield the rows that stay, by id, and the edits of one id by what is written of them."""
        with self.path.open("rb") as file:
            for name in sorted(self._rows):
                best: dict[int, _Row] = {}
                for row in self._rows[name]:
                    known = best.get(row.same)
                    if known is None or row.preference < known.preference:
                        best[row.same] = row
                kept = list(best.values())
                if len(kept) > 1:
                    kept.sort(key=lambda row: _part(file, row))
                yield from kept

    def _copy(self, rows: Iterable[_Row], digest: "hashlib._Hash") -> str:
        """Copy edits into the final file, and return the digest with them added."""
        with self.path.open("rb") as source, self.path.with_name(EDITS).open("wb") as target:
            for row in rows:
                source.seek(row.start)
                packed = source.read(row.size)
                target.write(packed)
                digest.update(packed)
        self.path.unlink()
        return "sha256:" + digest.hexdigest()


def _part(file: BinaryIO, row: _Row) -> bytes:
    file.seek(row.start)
    return file.read(row.size)


def _packed(edit: Edit) -> bytes:
    try:
        return msgspec.msgpack.encode(edit)
    except UnicodeEncodeError:
        # JSON can hold half of a surrogate pair, UTF-8 cannot.
        return msgspec.msgpack.encode(_cleaned(msgspec.to_builtins(edit)))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _cleaned(one) for key, one in value.items()}
    return [_cleaned(one) for one in value] if isinstance(value, list | tuple) else value


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


# --- reading ----------------------------------------------------------------------------------


class _Inside(NamedTuple):
    """What of the evidence is inside some checkouts.

    The bytes have one for each edit, in the order of time: every audit counts all edits of its
    window, so no Python runs for each of them.
    """

    places: frozenset[int]
    edits: bytes
    """1: the edit is inside, as for the next two."""
    usable: bytes
    """1: a policy may count it, too."""
    holding: bytes
    """1: it holds fingerprints, too."""


class EditIndex:
    """Reads the edits that `write_index` wrote, for the audits of one process."""

    def __init__(self, folder: Path) -> None:
        catalog = msgspec.msgpack.decode((folder / CATALOG).read_bytes(), type=EditCatalog)
        self.unread = catalog.unread
        self._passed_over = catalog.passed_over
        self._likely_roots = catalog.likely_roots
        self._foreign_roots = catalog.foreign_roots
        self._snapshots = catalog.snapshots
        self._commands = tuple(map(_as_read, catalog.commands))
        self._homes = catalog.homes
        self._at = _numbers("q", catalog.at)
        self._rank = _numbers("l", catalog.rank)
        self._place = _numbers("l", catalog.place)
        self._outcome = catalog.outcome
        self._holding = catalog.holding if catalog.fingerprinted else bytes(len(catalog.outcome))
        self._decoder = _FINGERPRINT_DECODER if catalog.fingerprinted else _DECODER
        self._starts = _numbers("q", catalog.starts)
        self._stubs = [_stub(place) for place in catalog.places]
        self._of_name: dict[str, list[int]] = {}
        for place, stub in enumerate(self._stubs):
            self._of_name.setdefault(_name(stub.path), []).append(place)
        self._kept: dict[int, Edit] = {}
        self._inside_of: dict[tuple[tuple[str, ...], bytes], _Inside] = {}
        self._of_place: list[array[int]] = [array("l") for _ in self._stubs]
        """The edits of each place, by their index in the order of time."""
        for at, place in enumerate(self._place):
            self._of_place[place].append(at)
        with (folder / EDITS).open("rb") as file:
            empty = not self._at
            self._edits = memoryview(
                b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            )

    def of(self, subject: AuditSubject, change: Change, policy: Policy) -> IndexedEvidence:
        """Return the evidence of one audit: the edits that can matter for its lines.

        Edits in other files of the repository are only counted, unless the policy follows moved
        blocks.
        """
        since, until = map(_microseconds, policy.evidence_span(subject.merged_at))
        start, end = bisect_left(self._at, since), bisect_right(self._at, until)
        places = {place for place, of in enumerate(self._of_place) if _between(of, start, end)}
        # Counting compares whole commands, so it looks at those of the time alone.
        near = [one for one in self._commands if since <= _microseconds(one.edit.at) <= until]
        commands = list(counting(near, policy))
        checkouts = self._checkouts(places, commands, subject, change)
        inside = self._inside(checkouts, policy)
        wanted = self._wanted(places, inside.places, checkouts, change, policy)
        usable = _usable(policy)
        found = sorted(
            at
            for place in wanted
            for at in _between(self._of_place[place], start, end)
            if self._outcome[at] not in _SWITCHED or usable[self._outcome[at]]
        )
        edits = [self._edit(at, wanted[self._place[at]]) for at in found]
        first, last = self._window(subject, policy)
        placed = self._reaching(commands, checkouts, subject, change, policy)
        compared = sorted(
            self._rank[at] for at in found if first <= at < last and usable[self._outcome[at]]
        )
        evidence = Evidence(
            edits=tuple(edits),
            likely_roots=(REPOSITORY,) if placed else (),
            commands=tuple(one for one, _ in placed),
            unread=self.unread,
            passed_over=self._passed_over,
            digest=self._digest(compared, [read for _, read in placed]),
        )
        in_window = inside.usable.count(1, first, last)
        considered = in_window + len(placed)
        known, may_count = inside.edits.count(1, start, end), inside.usable.count(1, start, end)
        return IndexedEvidence(
            evidence,
            considered,
            fingerprinted=inside.holding.find(1, start, end) >= 0,
            left_out=EditsLeftOut(
                outside_window=may_count - in_window,
                not_applied=known - may_count,
                elsewhere=end - start - known,
            ),
        )

    def _window(self, subject: AuditSubject, policy: Policy) -> tuple[int, int]:
        first, last = map(_microseconds, policy.window(subject.merged_at))
        return bisect_left(self._at, first), bisect_right(self._at, last)

    def _reaching(
        self,
        commands: Iterable[ShellCommand],
        checkouts: KnownCheckouts,
        subject: AuditSubject,
        change: Change,
        policy: Policy,
    ) -> list[tuple[ShellCommand, ShellCommand]]:
        """Return the commands that an audit uses: with paths below `REPOSITORY`, and as read."""
        placed = [(one, read) for read in commands if (one := self._placed(read, checkouts))]
        home = KnownCheckouts((), change, known=(REPOSITORY,))
        found = reaching((one for one, _ in placed), subject, change, policy, home)
        used = {id(one) for one in found}
        return [(one, read) for one, read in placed if id(one) in used]

    def _placed(self, one: ShellCommand, checkouts: KnownCheckouts) -> ShellCommand | None:
        """Return a command with its paths below `REPOSITORY`; ``None``: it reached none of them."""
        reach = []
        for reached in one.reach:
            path = tidy(reached.path)
            start = below_deepest(self._homes, path) if self._homes else checkouts.folder(path)
            if start is not None:
                path = f"{REPOSITORY}/{without_worktree(start)}".rstrip("/")
                reach.append(msgspec.structs.replace(reached, path=path))
        if not reach:
            return None
        edit = msgspec.structs.replace(one.edit, path=reach[0].path, cwd=None)
        return msgspec.structs.replace(one, edit=edit, reach=tuple(reach))

    def _checkouts(
        self,
        places: set[int],
        commands: Iterable[ShellCommand],
        subject: AuditSubject,
        change: Change,
    ) -> KnownCheckouts:
        """Return the checkouts that the edits of a span show.

        `KnownCheckouts` looks only at files named as in the change and at working directories,
        so one edit for each of these is as good as all of them.
        """
        by_cwd = {self._stubs[place].cwd: place for place in places}
        enough = self._named_as(paths_of(change), places) | set(by_cwd.values())
        return KnownCheckouts(
            [*(self._stubs[place] for place in enough), *named_files(commands)],
            change,
            likely=self._likely_roots,
            foreign=self._foreign_roots,
            snapshots=self._snapshots,
            repository=subject.repository,
        )

    def _named_as(self, names: Iterable[str], places: set[int]) -> set[int]:
        """Return the places whose file has the name of one of some paths."""
        of_names = (self._of_name.get(_name(name), ()) for name in names)
        return places.intersection(chain.from_iterable(of_names))

    def _inside(self, checkouts: KnownCheckouts, policy: Policy) -> _Inside:
        """Return what is inside some checkouts; cached, since most audits have the same."""
        key = checkouts.roots, _usable(policy)
        known = self._inside_of.get(key)
        if known is None:
            if len(self._inside_of) == CHECKOUTS_KEPT:
                self._inside_of.clear()
            known = self._inside_of[key] = self._found_inside(checkouts, policy)
        return known

    def _found_inside(self, checkouts: KnownCheckouts, policy: Policy) -> _Inside:
        places = frozenset(
            place for place, stub in enumerate(self._stubs) if checkouts.place(stub.path).inside
        )
        edits = bytes(map(places.__contains__, self._place))
        usable = self._outcome.translate(_usable(policy))
        return _Inside(
            places,
            edits,
            usable=bytes(map(and_, edits, usable)),
            holding=bytes(map(and_, edits, self._holding)),
        )

    def _wanted(
        self,
        places: set[int],
        inside: frozenset[int],
        checkouts: KnownCheckouts,
        change: Change,
        policy: Policy,
    ) -> dict[int, str | None]:
        """Return the places whose edits can matter, with their paths in the change."""
        named = self._named_as(paths_of(change), places) & inside
        located = {place: checkouts.place(self._stubs[place].path).path for place in named}
        wanted = {place: path for place, path in located.items() if path is not None}
        return {**dict.fromkeys(places & inside if policy.moved_blocks else ()), **wanted}

    def _digest(self, ranks: Sequence[int], commands: Iterable[ShellCommand]) -> str:
        """Return the digest of some edits and commands; it reads neighbors in the file together."""
        digest = hashlib.sha256()
        starts, edits = self._starts, self._edits
        for first, last in _stretches(ranks):
            digest.update(edits[starts[first] : starts[last + 1]])
        for packed in sorted(map(packed_command, commands)):
            digest.update(packed)
        return "sha256:" + digest.hexdigest()

    def _edit(self, at: int, path: str | None) -> Edit:
        """Return an edit, the same object as for the audits before if they had the path, too."""
        if path is None:
            # A relative path is looked up in the change without a checkout.
            path = f"(elsewhere)/{self._stubs[self._place[at]].path.rpartition('/')[2]}"
        known = self._kept.get(at)
        if known is None:
            if len(self._kept) >= EDITS_KEPT:
                self._kept.clear()
            rank = self._rank[at]
            known = self._decoder.decode(self._edits[self._starts[rank] : self._starts[rank + 1]])
        elif known.path == path:
            return known
        edit = self._kept[at] = msgspec.structs.replace(known, path=path)
        return edit


def _usable(policy: Policy) -> bytes:
    """Return a table for `bytes.translate`: 1 for the outcomes that a policy may count, else 0."""
    table = bytearray(256)
    for outcome, number in _MAY_COUNT.items():
        table[number] = policy.may_count(outcome)
    table[_MOVED] = policy.shell_text
    return bytes(table)


def _between(ascending: Sequence[int], start: int, end: int) -> Sequence[int]:
    """Return the numbers from ``start`` to before ``end``."""
    return ascending[bisect_left(ascending, start) : bisect_left(ascending, end)]


def _name(path: str) -> str:
    """Return the last part of a path, as every file system has it."""
    return folded(tidy(path).rpartition("/")[2])


def _stretches(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each unbroken stretch of ascending numbers.

    >>> list(_stretches([1, 2, 3, 7, 9, 10]))
    [(1, 3), (7, 7), (9, 10)]
    """
    if not numbers:
        return
    first = last = numbers[0]
    for number in numbers:
        if number > last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def _numbers(kind: str, packed: bytes) -> "array[int]":
    numbers: array[int] = array(kind)
    numbers.frombytes(packed)
    return numbers


def _stub(place: EditOrigin) -> Edit:
    """Return an edit that has only a place, which is enough to find checkouts."""
    return Edit(id="", agent="", agent_session="", at=_EPOCH, path=place.path, cwd=place.cwd)
