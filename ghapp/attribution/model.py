"""The nouns of an audit: change, edit, evidence, verdict, audit. It decides nothing.

All are frozen. Times are timezone-aware UTC datetimes. ``None`` means "not known" or "does not
apply"; the field's docstring says which.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import msgspec

from ghapp.attribution.linear_pattern import PatternDialect


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen record, the base of the nouns here."""


# --- the change -------------------------------------------------------------------------------


class FileStatus(StrEnum):
    """What a change does to a file, in git's words."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    COPIED = "copied"


NamedT = TypeVar("NamedT", bound=tuple[Any, ...])


def many(kind: type[NamedT], values: Iterable[tuple[Any, ...]]) -> list[NamedT]:
    """Return plain tuples as named ones, without a Python call for each: this code is hot."""
    return list(map(partial(tuple.__new__, kind), values))


class HunkLine(NamedTuple):
    """One line of a hunk: its origin (``+``, ``-`` or a space) and its text, no line end."""

    origin: str
    text: str


class AddedLine(NamedTuple):
    """One added line: its number in the merged version (from 1) and its text, no line end."""

    number: int
    text: str


class Hunk(Struct, frozen=True):
    """A stretch of a diff. Lines count from 1; an empty side has the number of the line before."""

    old_start: int
    old_lines: int
    new_start: int
    new_lines: int
    lines: tuple[HunkLine, ...]

    @property
    def only_adds(self) -> bool:
        """Whether all of its lines are added ones, as in a new file."""
        return not self.old_lines and self.new_lines == len(self.lines)


class FileDiff(Struct, frozen=True):
    """What a change does to one file. Paths are relative to the repository, with ``/``."""

    path: str
    status: FileStatus = FileStatus.MODIFIED
    previous_path: str | None = None
    """The earlier name of a renamed or copied file; ``None``: it had no other name."""
    binary: bool = False
    """Git shows no text for the file, so it has no added lines."""
    submodule: bool = False
    """The entry is a commit of another repository, not a file."""
    symlink: bool = False
    """The entry is a symbolic link; its only line is the path that it points to."""
    hunks: tuple[Hunk, ...] = ()
    blobs: tuple[str, ...] = ()
    """Git's blob ids before and after, perhaps abbreviated; empty: the diff names none."""

    def added(self) -> list[AddedLine]:
        """Return the added lines in the order of the file."""
        return many(AddedLine, zip(*self.added_columns(), strict=True))

    def added_columns(self) -> tuple[list[int], list[str]]:
        """Return the added lines' numbers and their texts, each in the order of the file."""
        numbers: list[int] = []
        texts: list[str] = []
        for hunk in self.hunks:
            number = hunk.new_start
            if hunk.only_adds:
                numbers += range(number, number + len(hunk.lines))
                texts += [text for _, text in hunk.lines]
                continue
            for origin, text in hunk.lines:
                if origin == "+":
                    numbers.append(number)
                    texts.append(text)
                if origin != "-":
                    number += 1
        return numbers, texts


class Change(Struct, frozen=True):
    """What a pull request or commit changes, compared with its merge base."""

    files: tuple[FileDiff, ...] = ()
    gitattributes: dict[str, str] = {}
    """Path → text of each ``.gitattributes`` on the base branch; empty: none known."""
    missing: tuple[str, ...] = ()
    """Paths whose added lines could not be read; if there are any, the audit has no share."""

    def __post_init__(self) -> None:
        second = changed_twice(self.files)
        if second is not None:
            message = (
                f"{self.files[second].path!r} is changed twice: a line is a path and a number, once"
            )
            raise ValueError(message)

    @property
    def complete(self) -> bool:
        """Whether every file of the change was read in full."""
        return not self.missing


def changed_twice(files: Sequence[FileDiff]) -> int | None:
    """Return the index of the first file that cannot be in one change with those before it.

    In one change, a path has one entry, except that it may be deleted or renamed away and be
    given to a new file or a link (rules.md 2.1). ``None``: there is none.
    """
    here: dict[str, FileDiff] = {}
    gone: set[str] = set()
    for at, file in enumerate(files):
        left = file.path if file.status is FileStatus.DELETED else None
        if file.status is FileStatus.RENAMED:
            left = file.previous_path
        known = here.get(left) if left else None
        if known is not None and known.status is FileStatus.MODIFIED:
            return at
        if left:
            gone.add(left)
        if file.status is not FileStatus.DELETED:
            if file.path in here or (file.status is FileStatus.MODIFIED and file.path in gone):
                return at
            here[file.path] = file
    return None


# --- the evidence -----------------------------------------------------------------------------


class EditResult(StrEnum):
    """What became of an agent's edit call. Only ``applied`` edits count (rules.md 2.6).

    ``unrecorded``: the agent never records it, so the change has to show it (rules.md 2.17).
    ``unanswered``: the agent records results, and there is none.
    ``observed``: no record tells what a command changed, but the collector's hook saw the file
    before and after it (rules.md 2.22).
    ``substituted``: so it saw a substitution that the command's text proves, and each own line was
    the removed line at the same place (rules.md 2.19).
    """

    APPLIED = "applied"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    UNANSWERED = "unanswered"
    UNRECORDED = "unrecorded"
    OBSERVED = "observed"
    SUBSTITUTED = "substituted"


SEEN_BY_HOOK = frozenset({EditResult.OBSERVED, EditResult.SUBSTITUTED})
"""What no transcript tells of: the collector's hook saw it."""
NOT_DONE = frozenset(
    {
        *(EditResult.REFUSED, EditResult.FAILED),
        *(EditResult.INTERRUPTED, EditResult.UNANSWERED),
    }
)
"""What surely wrote no line, or of which no record tells that it did."""


class DecidedBy(StrEnum):
    """Who decided on an edit; a rate over all decisions measures settings, not people."""

    PERSON = "person"
    AUTOMATIC = "automatic"
    """A setting, a hook or a mode that asks nobody."""


class LineFingerprint(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Keyed hashes that we store instead of a line's text (see `ghapp.attribution.fingerprint`)."""

    line: bytes
    """8 bytes: keyed hash of the normalized line."""
    tokens: bytes
    """5 bytes per token: a 4-byte keyed hash, then its length in characters and a word flag."""


LineT = TypeVar("LineT", str, LineFingerprint)


class EditHunk(msgspec.Struct, Generic[LineT], frozen=True, array_like=True):
    """One unbroken stretch of lines that an edit added, with unchanged lines around it.

    ``own`` are the lines the edit added (rules.md 2.5). ``before`` and ``after`` are up to three
    unchanged lines of the new text next to them: they prove the position and are never credited.
    Lines are raw text without a line end, or fingerprints.
    """

    before: tuple[LineT, ...]
    own: tuple[LineT, ...]
    after: tuple[LineT, ...]


class EditLines(msgspec.Struct, Generic[LineT], frozen=True, array_like=True):
    """Everything an edit did to a file's lines."""

    hunks: tuple[EditHunk[LineT], ...]
    removed: tuple[LineT, ...] = ()
    """Lines of the replaced text that the new text lacks; empty: none, or not known."""


TextLines = EditLines[str]
FingerprintLines = EditLines[LineFingerprint]


class Edit(Struct, frozen=True):
    """One file edit by an agent, applied or not: one tool call and one path."""

    id: str
    """The tool call's id; it may repeat (rules.md 2.8)."""
    agent: str
    """``claude-code``, or another agent's name (rules.md 2.16)."""
    agent_session: str
    at: datetime
    path: str
    """With ``/``: absolute, as the agent wrote it, or relative to the repository's root."""
    outcome: EditResult = EditResult.APPLIED
    tool: str = "Edit"
    cwd: str | None = None
    """The agent's working directory at the time; ``None``: not recorded."""
    actor: str | None = None
    """GitHub login of the developer; ``None``: not known."""
    agent_version: str | None = None
    """Version of the agent; ``None``: not recorded."""
    model: str | None = None
    """The model that wrote it, by its own name; ``None``: not recorded."""
    lines: EditLines[str] | EditLines[LineFingerprint] = EditLines(hunks=())


class LineRewrite(Struct, frozen=True):
    """One substitution that a program makes in each line: sed's ``s`` command."""

    expression: str
    dialect: PatternDialect
    parts: tuple[str | int, ...]
    """The replacement: texts, and numbers of groups of the pattern; 0 is what was found."""
    everywhere: bool = False
    """Whether it replaces all places of a line, not only the first."""
    ignores_case: bool = False
    only: str | None = None
    """A pattern of the lines that it looks at; ``None``: all."""


class PathFilter(Struct, frozen=True):
    """A pattern that a path, relative to a folder, must have or lack."""

    expression: str
    dialect: PatternDialect = PatternDialect.PERL
    lacks: bool = False
    ignores_case: bool = False


class ReachedFiles(Struct, frozen=True):
    """Files that a command could reach: one, or those below a folder that pass all filters."""

    path: str
    """Like an edit's."""
    is_folder: bool = False
    filters: tuple[PathFilter, ...] = ()


class ShellCommand(Struct, frozen=True):
    """What a command of an agent did to files, as its text alone tells (rules.md 2.19, 2.20).

    It holds source text, so it never leaves the machine whose transcript it is from.
    """

    edit: Edit
    """Who did it and when. Its path is the first that the command names; its lines are text that
    the command may have written into the files that it reached."""
    rewrites: tuple[LineRewrite, ...] = ()
    """What it does to each line, in order."""
    reach: tuple[ReachedFiles, ...] = ()
    source: str | None = None
    """The file or folder that it moved or copied to the edit's path; ``None``: neither."""


class UnreadEvidence(Struct, frozen=True):
    """A piece of evidence that could not be read, named so that a person can find it."""

    source: str
    """File name or URL."""
    line: int | None
    """Line in that file, from 1; ``None``: the whole file."""
    problem: str


class PassedOver(Struct, frozen=True):
    """Something in the evidence that was given and not read as an edit."""

    agent: str | None
    """``None``: the records do not say."""
    what: str
    """A tool's name, or what the records are, in words."""
    count: int


class EditDecider(Struct, frozen=True):
    """Who decided on an edit; it follows its edit. No record says it of most edits."""

    edit: str
    """The edit's id."""
    path: str
    by: DecidedBy


class FileSnapshot(Struct, frozen=True):
    """The id of a file's content around an edit: it shows which checkout the file belongs to."""

    path: str
    """Absolute, like an edit's."""
    blob: str
    """Git's blob id: SHA-1 in hexadecimal digits."""


class AgentDeclaration(Struct, frozen=True):
    """What the change's commits and text declare about one agent. It attributes no line."""

    agent: str
    """``other``: one that we do not know."""
    commits: int
    """Commits of the change that name the agent."""
    in_text: bool = False
    """Whether the pull request's title or text names it; also false if nobody looked there."""
    models: tuple[str, ...] = ()
    """As declared; empty: none is declared, as for the next one."""
    tools: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    """How it is declared: keys of trailers, ``author``, ``committer``, ``subject``, ``footer``."""


class CommittedLines(Struct, frozen=True):
    """Lines of one file, as it was merged, that a commit wrote."""

    path: str
    numbers: tuple[int, ...]
    """In the merged version, ascending, each once in all commits."""


class AgentCommit(Struct, frozen=True):
    """A commit of the change whose author GitHub names as an agent's account (rules.md 2.21)."""

    sha: str
    agent: str
    """The agent in the cloud, which has a label of its own."""
    counted_as: str
    """The agent that it counts as where the policy does not keep the two apart."""
    at: datetime
    """When it was written."""
    is_proven: bool
    """Whether GitHub verified a signature that only this account can have; else it has no lines."""
    lines: tuple[CommittedLines, ...] = ()


class Evidence(Struct, frozen=True):
    """All edits known for an audit, in any order, and the evidence that could not be read."""

    edits: tuple[Edit, ...] = ()
    roots: tuple[str, ...] = ()
    """Checkouts of the repository on the machines that wrote the edits; no edit outside of them
    counts. Empty: infer them from the paths."""
    likely_roots: tuple[str, ...] = ()
    """Checkouts in addition to the inferred ones, such as the clone being audited."""
    foreign_roots: tuple[str, ...] = ()
    """Checkouts of other repositories, as records name them; no path shows the opposite."""
    snapshots: tuple[FileSnapshot, ...] = ()
    """Contents of edited files. A content that the change also names shows a checkout."""
    commands: tuple[ShellCommand, ...] = ()
    """What commands did by their text, where the evidence is text."""
    unread: tuple[UnreadEvidence, ...] = ()
    passed_over: tuple[PassedOver, ...] | None = None
    """What was given and not read as an edit, each agent and kind once; ``None``: nobody looked."""
    declared: tuple[AgentDeclaration, ...] | None = None
    """What the change declares about agents, by agent. This attributes no line. ``None``: nobody
    looked."""
    agent_commits: tuple[AgentCommit, ...] | None = None
    """Commits by agents' own accounts; ``None``: nobody asked GitHub whose they are."""
    digest: str | None = None
    """Digest of the edits whose lines the audit will compare, where whoever read them knows it."""


# --- the audit --------------------------------------------------------------------------------


class Reason(StrEnum):
    """Why an added line is attributed, not attributed, or not counted (docs/reasons.md).

    A repository's own policy may add its own exclusion ids, so a verdict's reason is a plain
    string. These are the reasons that every policy has.
    """

    RUN = "run"
    LINE = "line"
    REWRAPPED = "rewrapped"
    EDITED = "edited"
    SUBSTITUTED = "substituted"
    SHELL_TEXT = "shell_text"
    AGENT_COMMIT = "agent_commit"
    COMMAND_CHANGED = "command_changed"
    NO_MATCH = "no_match"
    REWRITTEN = "rewritten"
    COMMON_LINE = "common_line"
    SCATTERED = "scattered"
    CREDITED_ELSEWHERE = "credited_elsewhere"
    MERGED_BEFORE = "merged_before"
    OUTSIDE_WINDOW = "outside_window"
    NOT_APPLIED = "not_applied"
    TRIVIAL_LINE = "trivial_line"
    LONG_LINE = "long_line"
    LOCK_FILE = "lock_file"
    GENERATED = "generated"
    BUILD_DIRECTORY = "build_directory"
    TEST_FIXTURE = "test_fixture"
    BINARY = "binary"
    SUBMODULE = "submodule"
    SYMBOLIC_LINK = "symbolic_link"
    LFS_POINTER = "lfs_pointer"
    EXCLUDED_PATH = "excluded_path"


ATTRIBUTED = frozenset(
    {
        *(Reason.RUN, Reason.LINE, Reason.REWRAPPED, Reason.EDITED),
        *(Reason.SUBSTITUTED, Reason.SHELL_TEXT, Reason.AGENT_COMMIT),
        Reason.COMMAND_CHANGED,
    }
)


class AuditState(StrEnum):
    """Whether the window is still open (rules.md 2.12)."""

    PROVISIONAL = "provisional"
    FINAL = "final"


class Verdict(StrEnum):
    """What an audit says about a whole change (rules.md 3)."""

    ASSISTED = "assisted"
    NOT_ASSISTED = "not_assisted"
    NO_EVIDENCE = "no_evidence"


class NoEvidence(StrEnum):
    """Why a verdict is ``no_evidence`` (docs/no-evidence.md)."""

    NOTHING_ARRIVED = "nothing_arrived"
    NONE_READABLE = "none_readable"
    """Something arrived, and no edit could be read from it."""
    NONE_IN_THIS_REPOSITORY = "none_in_this_repository"
    NONE_IN_THE_WINDOW = "none_in_the_window"
    NONE_APPLIED = "none_applied"


class Measure(StrEnum):
    """The unit of a difference (rules.md 2.2)."""

    CHARACTERS = "characters"
    TOKENS = "tokens"


class LineVerdict(msgspec.Struct, frozen=True, gc=False, omit_defaults=False):
    """One added line's reason, and the edit that supports it or is nearest.

    ``edit``, ``agent``, ``agent_session`` and ``edited_at`` are ``None`` if no edit is involved;
    ``difference``, from 0 to 1, is ``None`` if no line was compared.
    """

    line: int
    reason: str
    attributed: bool = False
    difference: float | None = None
    agent: str | None = None
    agent_session: str | None = None
    edit: str | None = None
    edited_at: datetime | None = None
    outcome: Literal["unrecorded"] | msgspec.UnsetType = msgspec.UNSET
    """Given only if no record tells the edit's outcome (rules.md 2.17)."""


class EditSource(Struct, frozen=True):
    """What made an edit that lines name; kept once for the document, not for each line."""

    agent_version: str | None
    """``None``: not recorded, as for the model."""
    model: str | None


class FileVerdict(Struct, frozen=True):
    """One file's counts and reasons. ``effective`` omits excluded and trivial lines."""

    path: str
    previous_path: str | None
    added: int
    effective: int
    attributed: int
    excluded: str | None
    """The id of the rule that excludes the file; ``None``: the file counts."""
    lines: tuple[LineVerdict, ...]


class LineRange(Struct, frozen=True):
    """How many lines an agent wrote, as a range around the floor, in counted lines."""

    at_least: int
    expected: int
    at_most: int


class AuditTotals(Struct, frozen=True):
    """Counts over the whole change."""

    added: int
    effective: int
    attributed: int
    share: float | None
    """Attributed by effective lines, 0 to 1, 4 digits; ``None``: unknown, because no line counts,
    files are missing, or there is no evidence."""
    by_reason: dict[str, int]
    by_agent: dict[str, int]
    by_model: dict[str, dict[str, int]] | None = None
    """Agent → model → attributed lines; the model ``""`` is not recorded. ``None``: this engine
    does not read models."""
    range: LineRange | None = None
    """``None``: this engine states the floor alone."""


class PolicyUsed(Struct, frozen=True):
    """The policy of an audit as the document names it."""

    id: str
    digest: str
    window_before_days: int
    window_after_days: int
    rewrite_limit: float
    moved_blocks: bool
    unrecorded_outcomes: bool | None = None
    """``None``: this engine read no edits without an outcome."""
    substitutions: bool | None = None
    """``None``: this engine read no substitutions."""
    shell_text: bool | None = None
    """``None``: this engine read no text of commands."""
    agent_commits: str | None = None
    """``count``, ``apart`` or ``off``; ``None``: this engine followed no agents' commits."""
    command_changed: bool | None = None
    """``None``: this engine knew no hook that looks at files around commands."""


class AgentCommitCount(Struct, frozen=True):
    """How many commits of the change GitHub names as one agent's."""

    agent: str
    proven: int
    """Those whose signature proves it; their lines are followed."""
    unproven: int
    """Those with its name or address alone, which attribute no line."""


class EditsLeftOut(Struct, frozen=True):
    """Edits that were read and could support no line of the change."""

    outside_window: int
    """Applied edits of this repository before or after the window."""
    not_applied: int
    """Edits of this repository that were refused, failed or interrupted, or never answered."""
    elsewhere: int
    """Edits outside the repository. The app reads none, because it stores edits by repository."""


class AuditInputs(Struct, frozen=True):
    """What an audit was made from. Digests are of canonical forms, never of raw files."""

    diff: str
    evidence: str
    """Digest of the considered edits of the change's files, or of all considered edits if the
    policy follows moved blocks."""
    edits_considered: int
    """Edits of this repository inside the window that were applied, or of which no record tells
    whether they were (rules.md 2.17)."""
    change_complete: bool
    """Whether every file of the change was read; if not, there is no share."""
    evidence_complete: bool = True
    """Whether every evidence record was read; if not, a note stands beside the share, which is a
    floor anyway."""
    missing: tuple[str, ...] = ()
    """Files of the change whose added lines could not be read."""
    unread_records: int = 0
    """Different evidence records that could not be read; copies count once."""
    declared: tuple[AgentDeclaration, ...] | None = None
    """What the change declares about agents, by agent; ``None``: nobody looked."""
    agent_commits: tuple[AgentCommitCount, ...] | None = None
    """Commits by agents' own accounts, by agent; ``None``: nobody asked GitHub whose they are."""
    passed_over: tuple[PassedOver, ...] | None = None
    """What was given and not read; ``None``: the readers do not say."""
    edits_left_out: EditsLeftOut | None = None
    """``None``: this engine does not say, as for the next one."""
    no_evidence: NoEvidence | None = None
    """Why there is no evidence; ``None``: the verdict is another one, or files are missing."""


class AuditSubject(Struct, frozen=True):
    """What is audited: a merged pull request, or a commit treated as one."""

    merged_at: datetime
    repository: str | None = None
    pull_request: int | None = None
    merge_commit: str | None = None
    base_ref: str | None = None
    """Branch that it was merged into; ``None``: not known."""
    base_commit: str | None = None
    head_commit: str | None = None


class Audit(Struct, frozen=True):
    """A verdict with all its reasons; `ghapp.attribution.document` converts it to JSON and back."""

    schema: str
    repository: str | None
    pull_request: int | None
    merge_commit: str | None
    merged_at: datetime
    state: AuditState
    verdict: Verdict
    policy: PolicyUsed
    engine: str
    measure: Measure
    inputs: AuditInputs
    totals: AuditTotals
    files: tuple[FileVerdict, ...]
    base_ref: str | None = None
    """Branch that it was merged into; ``None``: not known, as for the next two."""
    base_commit: str | None = None
    """Tip of that branch, as GitHub names it with the pull request."""
    head_commit: str | None = None
    """Last commit of the pull request."""
    edits: dict[str, EditSource] | None = None
    """Id of each edit that a line names → who made it; ``None``: this engine does not say."""
