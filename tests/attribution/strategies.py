"""Random small changes and the edits behind them, made so that every reason comes up.

A case is a story: files, what agents and people did to them one after the other, and the diff
that came of it. Every choice in a story is read from a tape of bytes, so that hypothesis can
draw, shorten and simplify it, and so that a seed gives the same stories everywhere. Lines are
made of few words, so that equal, common and nearly equal lines abound.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from typing import NamedTuple, TypeVar

from hypothesis import strategies as st
from msgspec.structs import replace

from ghapp.attribution.linear_pattern import PatternDialect
from ghapp.attribution.model import (
    SEEN_BY_HOOK,
    AgentCommit,
    AuditSubject,
    Change,
    CommittedLines,
    Edit,
    EditHunk,
    EditLines,
    EditResult,
    Evidence,
    FileDiff,
    FileStatus,
    Hunk,
    HunkLine,
    LineRewrite,
    PathFilter,
    ReachedFiles,
    ShellCommand,
    TextLines,
)
from tests.attribution.oracle import substituted

T = TypeVar("T")

MERGED = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
LATER = MERGED + timedelta(days=30)
SUBJECT = AuditSubject(merged_at=MERGED, repository="acme/app", pull_request=7)
ROOT = "/home/dev/app"
TAPE = 320
"""Bytes of a tape; a story that needs more reads zeros."""

COMMON = (
    "return None",
    "else:",
    "try:",
    "result = []",
    "for item in items:",
    "import os",
    "const data = await get(key)",
    "def test(self):",
    "self.assertEqual(result, data)",
    "end if",
)
SHORT = ("", ")", "}", "});", "a,", "x", "],", "   ", "# --")
WORDS = (
    "invoice",
    "ledger",
    "tenant",
    "quota",
    "drift",
    "beam",
    "id",
    "x",
    "parse",
    "value",
    "naïve",
)
SHAPES = (
    "{a}_{b} = load_{c}({b}, {c}, 'strict')",
    "    return {a}.{b}({c}, {a}_{c})",
    'raise {a}Error(f"{b} is not a {c}")',
    "{a} = {b} + {c}",
    "def {a}_{b}(self, {c}: int, {b}: str) -> None:",
    "{b}_{a}_total = sum(item.{c}_{b} for item in {a}s if item.{a})",
    "log.info('{a}', {b}={c})",
    "{a}({b})",
)
MINUTES = (
    *range(-9000, -100, 900),
    -21 * 1440,
    -21 * 1440 - 1,
    -30 * 1440,
    30,
    2 * 1440,
    2 * 1440 + 1,
    5 * 1440,
)
"""Minutes between merge and edit, including the edges of the window."""


class Case(NamedTuple):
    """What an audit is made from."""

    change: Change
    evidence: Evidence


class Tape:
    """Bytes read as choices; an empty tape always gives the first choice."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit`` - 1; limits above 256 are not known."""
        byte = self._content[self._at] if self._at < len(self._content) else 0
        self._at += 1
        return byte * limit // 256

    def one_of(self, choices: Sequence[T]) -> T:
        """Return one of some choices."""
        return choices[self.below(len(choices))]

    def happens(self, percent: int) -> bool:
        """Return true with this probability in percent."""
        return self.below(100) >= 100 - percent


# --- lines --------------------------------------------------------------------------------------


def some_line(tape: Tape) -> str:
    kind = tape.below(10)
    if kind < 6:
        a, b, c = (tape.one_of(WORDS) for _ in range(3))
        return tape.one_of(SHAPES).format(a=a, b=b, c=c)
    if kind < 9:
        return tape.one_of(COMMON)
    if tape.happens(4):
        return "x = " + "9" * tape.one_of((990, 997, 1200))
    return tape.one_of(SHORT)


def some_lines(tape: Tape, most: int) -> list[str]:
    return [some_line(tape) for _ in range(tape.below(most) + 1)]


def touched(line: str, tape: Tape) -> str:
    """Change some characters of a line, few enough or too many."""
    for _ in range(tape.one_of((1, 1, 2, 3, 5, 8))):
        at = tape.below(len(line) + 1)
        line = line[:at] + tape.one_of(("z", "", "qq", "_")) + line[at + 1 :]
    return line


def restyled(line: str, tape: Tape) -> str:
    """Change only what makes no difference: indentation, spacing, quotes, letter case."""
    how = tape.below(4)
    if how == 0:
        return "    " + line + "  "
    if how == 1:
        return line.replace("'", '"').replace(" ", "\t ")
    return line.upper() if how == 2 and line.isascii() else line.lstrip()


def rewrapped(lines: list[str], tape: Tape) -> list[str]:
    """Break a line at its commas and brackets, or join two."""
    if len(lines) > 1 and tape.happens(30):
        return [f"{lines[0]} {lines[1].strip()}", *lines[2:]]
    broken = lines[0].replace("(", "(\n    ").replace(", ", ",\n    ").replace(")", ",\n)")
    return [*broken.split("\n"), *lines[1:]]


def altered(lines: list[str], tape: Tape) -> list[str]:
    """Do to lines what a person or a formatter does to them."""
    how = tape.below(8)
    at = tape.below(max(1, len(lines)))
    head, tail = lines[:at], lines[at:]
    if how == 0 or not tail:
        return [*lines, some_line(tape)]
    if how in (1, 2, 3):
        return [*head, touched(tail[0], tape), *tail[1:]]
    if how == 4:
        return [*head, *rewrapped(tail, tape)]
    if how == 5:
        return [*head, restyled(tail[0], tape), *tail[1:]]
    if how == 6:
        return [*head, some_line(tape), *tail]
    return [*head, *tail[1:], tail[0]] if tape.happens(50) else [*head, *tail[1:]]


# --- a story ------------------------------------------------------------------------------------


@dataclass
class Telling:
    """A story in progress: each file's first and current text, and the edits so far."""

    tape: Tape
    before: dict[str, list[str]] = field(default_factory=dict)
    now: dict[str, list[str]] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    """New name to earlier name."""
    edits: list[Edit] = field(default_factory=list)
    commands: list[ShellCommand] = field(default_factory=list)

    def step(self) -> None:
        """Perform the next random action."""
        tape = self.tape
        path = tape.one_of(sorted(self.now))
        kind = tape.below(12)
        if kind < 6:
            self.agent_edits(path)
        elif kind < 10:
            self.somebody_changes(path)
        elif kind == 10:
            self.somebody_copies(path)
        else:
            self.edit_seen_twice()

    def merge_first_edits(self) -> None:
        """Let agents edit files, and the base of the change hold what they wrote."""
        for _ in range(self.tape.below(3) + 1):
            self.agent_edits(self.tape.one_of(sorted(self.now)))
        self.before = {path: list(lines) for path, lines in self.now.items()}

    def agent_edits(self, path: str) -> None:
        """Let an agent edit a file, with or without success."""
        tape, old = self.tape, self.now[path]
        outcome = tape.one_of(
            (EditResult.APPLIED,) * 17
            + (EditResult.UNRECORDED,) * 3
            + (EditResult.OBSERVED,) * 3
            + (EditResult.SUBSTITUTED,) * 2
            + (EditResult.REFUSED, EditResult.FAILED, EditResult.INTERRUPTED)
        )
        new, lines, tool = (whole_write if tape.happens(20) else piece_edit)(old, tape)
        earlier = self.renamed.get(path)
        name = earlier if earlier and tape.happens(50) else path
        self.edits.append(
            Edit(
                id=f"toolu_{tape.below(256):03}_{len(self.edits)}",
                agent=tape.one_of(("claude-code", "claude-code", "codex")),
                agent_session=tape.one_of(("one", "two", "three")),
                at=MERGED
                + timedelta(
                    minutes=tape.one_of(MINUTES) if tape.happens(50) else len(self.edits) - 60
                ),
                path=f"{ROOT}/{name}" if tape.happens(80) else name,
                outcome=outcome,
                tool=tool,
                lines=lines,
            )
        )
        # What an agent wrote before the window or was refused may get there all the same.
        if outcome in (EditResult.APPLIED, *SEEN_BY_HOOK) or tape.happens(50):
            self.now[path] = new

    def somebody_changes(self, path: str) -> None:
        """Let a person or a formatter change some lines."""
        old = self.now[path]
        start = self.tape.below(len(old) + 1) if len(old) < 256 else 0
        end = min(len(old), start + self.tape.below(4))
        new = altered(old[start:end], self.tape)
        self.now[path] = [*old[:start], *new, *old[end:]]

    def somebody_copies(self, path: str) -> None:
        """Copy some lines of one file into the same or another one."""
        old = self.now[self.tape.one_of(sorted(self.now))]
        start = self.tape.below(len(old) + 1)
        copied = old[start : start + 1 + self.tape.below(3)]
        to = self.now[path]
        at = self.tape.below(len(to) + 1)
        self.now[path] = [*to[:at], *copied, *to[at:]]

    def edit_seen_twice(self) -> None:
        """Add a copy of an edit, from a resumed or forked agent session."""
        if self.edits:
            edit = self.tape.one_of(self.edits)
            fields = {name: getattr(edit, name) for name in edit.__struct_fields__}
            self.edits.append(Edit(**fields | {"agent_session": self.tape.one_of(("one", "zzz"))}))

    def agent_runs_a_script(self) -> None:
        """Let an agent's script write some lines into a file, or only hold them."""
        tape = self.tape
        path = tape.one_of(sorted(self.now))
        old = self.now[path]
        at = tape.below(len(old) + 1)
        text = some_lines(tape, 5)
        before = old[max(0, at - 1) : at] if tape.happens(40) else []
        reach = ReachedFiles(path=f"{ROOT}/{path}"), ReachedFiles(path=ROOT, is_folder=True)
        edit = self._command_at(f"{ROOT}/{path}")
        hunk = EditHunk(tuple(before), tuple(text), ())
        removed = tuple(text[:1]) if tape.happens(10) else ()
        edit = replace(edit, lines=EditLines((hunk,), removed))
        self.commands.append(ShellCommand(edit=edit, reach=reach[tape.below(2) :]))
        if tape.happens(80):
            self.now[path] = [*old[:at], *text, *old[at:]]

    def agent_moves(self) -> None:
        """Let an agent's command bring what was written at another path."""
        tape = self.tape
        path = tape.one_of(sorted(self.now))
        for edit in self.edits[-3:] if tape.happens(70) else ():
            if edit.path == f"{ROOT}/{path}":
                self.edits[self.edits.index(edit)] = replace(edit, path=f"{ROOT}/draft/{path}")
        folder = f"{ROOT}/draft/{path}"
        self.commands.append(
            ShellCommand(edit=self._command_at(f"{ROOT}/{path}"), source=folder)
            if tape.happens(60)
            else ShellCommand(edit=self._command_at(ROOT), source=f"{ROOT}/draft")
        )

    def _command_at(self, path: str) -> Edit:
        tape = self.tape
        return Edit(
            id=f"sed_{len(self.commands)}",
            agent=tape.one_of(("claude-code", "codex")),
            agent_session=tape.one_of(("one", "two")),
            at=MERGED + timedelta(minutes=tape.one_of((*MINUTES, *range(-60, 0, 10)))),
            path=path,
            outcome=tape.one_of((EditResult.APPLIED,) * 5 + (EditResult.FAILED,)),
            tool="Bash",
        )

    def agent_replaces(self) -> None:
        """Let an agent's command replace a word in some files, with or without success."""
        tape = self.tape
        word, new = tape.one_of(WORDS), tape.one_of(("parcel", "quay_", "x"))
        rewrites = [
            LineRewrite(
                expression=f"{word}_*" if tape.happens(30) else word,
                dialect=tape.one_of(tuple(PatternDialect)),
                parts=tape.one_of(((new,), (new, 0), (0, new))),
                everywhere=tape.happens(60),
                only=tape.one_of((None, None, "def|log", "=")),
            )
        ]
        if rewrites[0].dialect is PatternDialect.BASIC and rewrites[0].only == "def|log":
            rewrites = [replace(rewrites[0], only="def")]
        paths = sorted(self.now)
        reach = tape.one_of(
            (
                ReachedFiles(path=f"{ROOT}/{paths[0]}"),
                ReachedFiles(path=f"{ROOT}/src", is_folder=True),
                ReachedFiles(
                    path=ROOT, is_folder=True, filters=(PathFilter(expression="\\.(?:py|rb)$"),)
                ),
            )
        )
        edit = self._command_at(reach.path)
        self.commands.append(ShellCommand(edit=edit, rewrites=tuple(rewrites), reach=(reach,)))
        # Somebody may have done it elsewhere, too, or nobody did it anywhere.
        for path in paths if tape.happens(80) else ():
            self.now[path] = [substituted(line, rewrites) for line in self.now[path]]


def whole_write(old: list[str], tape: Tape) -> tuple[list[str], TextLines, str]:
    """Rewrite a file; if the earlier content is not known, every line is the edit's own."""
    new = [*old[: tape.below(len(old) + 1)], *some_lines(tape, 7)]
    lines = own_lines(old, new) if tape.happens(50) else EditLines((EditHunk((), tuple(new), ()),))
    return new, lines, "Write"


def piece_edit(old: list[str], tape: Tape) -> tuple[list[str], TextLines, str]:
    """Replace a stretch of lines with new ones or with a restyled form."""
    start = tape.below(len(old) + 1)
    end = min(len(old), start + tape.below(4))
    piece = some_lines(tape, 6) if tape.happens(75) else altered(old[start:end], tape)
    new = [*old[:start], *piece, *old[end:]]
    return new, own_lines(old, new, context=tape.one_of((3, 3, 1, 0))), "Edit"


def own_lines(old: list[str], new: list[str], context: int = 3) -> TextLines:
    """Return what one text adds to another as an edit's lines, by difflib."""
    hunks, removed = [], []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        removed += old[i1:i2]
        before, after = new[max(0, j1 - context) : j1], new[j2 : j2 + context]
        if j1 < j2:
            hunks.append(EditHunk(tuple(before), tuple(new[j1:j2]), tuple(after)))
    gone = [line for line in removed if line not in new]
    return EditLines(tuple(hunks), tuple(gone))


def diff_of(
    path: str, old: list[str], new: list[str], *, previous: str | None = None, context: int = 3
) -> FileDiff:
    """Return the diff of two texts as git shows it."""
    hunks = []
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context)
    for group in groups:
        lines: list[HunkLine] = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [HunkLine(" ", text) for text in new[j1:j2]]
            else:
                lines += [HunkLine("-", text) for text in old[i1:i2]]
                lines += [HunkLine("+", text) for text in new[j1:j2]]
        old_start, old_end = group[0][1], group[-1][2]
        new_start, new_end = group[0][3], group[-1][4]
        hunks.append(
            Hunk(
                old_start=old_start + (old_end > old_start),
                old_lines=old_end - old_start,
                new_start=new_start + (new_end > new_start),
                new_lines=new_end - new_start,
                lines=tuple(lines),
            )
        )
    status = FileStatus.RENAMED if previous else FileStatus.MODIFIED if old else FileStatus.ADDED
    return FileDiff(path=path, previous_path=previous, status=status, hunks=tuple(hunks))


def story(content: bytes) -> Case:
    """Return the story of a tape."""
    tape = Tape(content)
    told = Telling(tape)
    for path in ("src/app.py", "src/tenant.ts", "lib/ledger.rb")[: tape.one_of((1, 1, 2, 3))]:
        told.before[path] = some_lines(tape, 7) if tape.happens(60) else []
        told.now[path] = list(told.before[path])
    if tape.happens(50):
        told.merge_first_edits()
    if tape.happens(25):
        told.renamed["src/app.py"] = "src/old_app.py"
        if tape.happens(30):
            # The earlier name is taken again: its edits may be credited in two files.
            told.before["src/old_app.py"] = []
            told.now["src/old_app.py"] = []
    for _ in range(tape.below(9) + 1):
        told.step()
    context = tape.one_of((3, 3, 1, 0))
    while len(told.commands) < 3 and tape.happens(30):
        kind = tape.below(10)
        if kind < 5:
            told.agent_replaces()
        elif kind < 9:
            told.agent_runs_a_script()
        else:
            told.agent_moves()
    files = [
        diff_of(path, told.before[path], now, previous=told.renamed.get(path), context=context or 1)
        for path, now in told.now.items()
    ]
    evidence = Evidence(
        edits=tuple(told.edits),
        roots=(ROOT,),
        commands=tuple(told.commands),
        agent_commits=tuple(agents_push(files, tape)),
    )
    return Case(Change(files=tuple(files)), evidence)


def agents_push(files: list[FileDiff], tape: Tape) -> Iterator[AgentCommit]:
    """Yield commits of agents' accounts that wrote some added lines, each of them once."""
    left = {file.path: [line.number for line in file.added()] for file in files}
    while tape.happens(20):
        path = tape.one_of(sorted(left))
        start = tape.below(len(left[path]) + 1)
        end = start + 1 + tape.below(3)
        mine = left[path][start:end]
        left[path] = [*left[path][:start], *left[path][end:]]
        yield AgentCommit(
            sha=f"{len(mine)}{tape.below(256):039x}",
            agent="copilot-cloud",
            counted_as="copilot",
            at=MERGED + timedelta(minutes=tape.one_of(MINUTES)),
            is_proven=tape.happens(75),
            lines=(CommittedLines(path=path, numbers=tuple(mine)),),
        )


def tapes() -> st.SearchStrategy[bytes]:
    return st.binary(min_size=TAPE, max_size=TAPE)


def cases() -> st.SearchStrategy[Case]:
    """Draw a story's outcome."""
    return tapes().map(story)


def stories(seed: int, count: int) -> list[Case]:
    """Return the stories of a seed, the same everywhere."""
    drawn = random.Random(seed)  # noqa: S311  (stories, not secrets)
    return [story(drawn.randbytes(TAPE)) for _ in range(count)]


# --- the same case, changed ----------------------------------------------------------------------


def changed(change: Change, line: Callable[[HunkLine], HunkLine]) -> Change:
    """Return a change with each line of its hunks replaced."""
    return Change(
        files=tuple(
            FileDiff(
                path=file.path,
                previous_path=file.previous_path,
                status=file.status,
                hunks=tuple(
                    Hunk(
                        old_start=hunk.old_start,
                        old_lines=hunk.old_lines,
                        new_start=hunk.new_start,
                        new_lines=hunk.new_lines,
                        lines=tuple(map(line, hunk.lines)),
                    )
                    for hunk in file.hunks
                ),
            )
            for file in change.files
        )
    )


def replaced(edit: Edit, **fields: object) -> Edit:
    return Edit(**{name: getattr(edit, name) for name in edit.__struct_fields__} | fields)
