"""What joined calls added to files, as edits. It parses no record.

An edit's lines are worked out from the call. The structured result, which subagents' transcripts
lack, only completes them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ghapp.attribution.model import (
    Edit,
    EditDecider,
    EditResult,
    ShellCommand,
    TextLines,
    UnreadEvidence,
)
from ghapp.evidence.claude_code.records import PatchHunk, ToolInput, ToolResult, to_edits
from ghapp.evidence.claude_code.tools import APPEND, BASH, INSERT, SHELLS
from ghapp.evidence.claude_code.transcript import (
    AGENT,
    Joined,
    JoinedCall,
    JoinedRead,
    ToolCall,
    Transcript,
)
from ghapp.evidence.known_files import KnownFiles, SharedFiles
from ghapp.evidence.own_lines import (
    NO_LINES,
    TextReplacement,
    all_own,
    from_patch,
    from_pieces,
    from_texts,
    replace,
)
from ghapp.evidence.paths import stem, to_path
from ghapp.evidence.shell_deeds import ShellDeed, as_command, deeds, patched
from ghapp.evidence.shell_outputs import ShellPatch, is_patch
from ghapp.evidence.shell_writes import ShellWrite
from ghapp.evidence.snapshots import shows_checkout, snapshots
from ghapp.evidence.source import Found, WantedPath


class TranscriptEdits:
    """The edits of one transcript, and what it has shown of the files so far.

    ``shared`` is what the other transcripts of the same agent session have shown.
    """

    def __init__(self, name: str, wanted: WantedPath, shared: SharedFiles) -> None:
        self._name = name
        self._wanted = wanted
        self._known = KnownFiles()
        self._shared = shared
        self._transcript = Transcript(name, wanted)

    def read(self, records: Iterable[bytes]) -> Iterator[Found]:
        """Yield what the transcript holds: edits in the order of their results."""
        for joined in self._transcript.joined(records):
            yield from self._of(joined)

    def _of(self, joined: Joined) -> Iterable[Found]:
        if isinstance(joined, JoinedRead):
            self._remember_shown(joined)
            return ()
        if not isinstance(joined, JoinedCall):
            return (joined,)
        is_shell = joined.call.does in SHELLS
        return self._of_shell(joined) if is_shell else self._of_call(joined)

    def _of_call(self, joined: JoinedCall) -> list[Found]:
        call, structured = joined.call, joined.structured
        before = self._before(call, structured)
        pieces = _replacements(call)
        edit = self._edit(joined, call.id, call.path, _lines(joined, pieces, before))
        found: list[Found] = [edit]
        if joined.decided_by is not None and isinstance(edit, Edit):
            found.append(EditDecider(edit=edit.id, path=edit.path, by=joined.decided_by))
        if joined.result is EditResult.APPLIED:
            self._remember(joined, pieces)
            if shows_checkout(call.path):
                after = None if joined.modified else _content_after(call, pieces, before)
                found += snapshots(call.path, (before, after))
        return found

    def _edit(
        self, joined: JoinedCall, id_: str, path: str, lines: TextLines
    ) -> Edit | UnreadEvidence:
        call = joined.call
        if joined.at is None:
            return UnreadEvidence(
                source=self._name,
                line=call.line,
                problem="an edit without a time: it belongs to no window and is left out",
            )
        return Edit(
            id=id_,
            agent=AGENT,
            agent_session=call.agent_session or stem(self._name),
            at=joined.at,
            path=path,
            outcome=joined.result,
            tool=call.tool,
            cwd=to_path(call.cwd, None) if call.cwd else None,
            agent_version=call.agent_version,
            model=call.model,
            lines=lines,
        )

    # --- what is known of files ---------------------------------------------------------------

    def _before(self, call: ToolCall, structured: ToolResult | None) -> str | None:
        """Return a file's text before an edit; ``None``: it is not known."""
        told = structured.original if structured else None
        if told is not None:
            return told
        return self._text(call.path, call.at)

    def _text(self, path: str, at: datetime | None) -> str | None:
        """Return the last text that this transcript or another one of the session has shown."""
        if path not in self._known and at is not None and self._wanted(path):
            shared = self._shared.text(path, at)
            if shared is not None:
                self._known.wrote(path, shared)
        return self._known.text(path)

    def _remember(self, joined: JoinedCall, pieces: list[TextReplacement]) -> None:
        """Update what is known of a file after an applied edit."""
        call, path = joined.call, joined.call.path
        if joined.modified or call.does in (INSERT, APPEND, "NotebookEdit"):
            self._known.forget(path)
            self._shared.changed(path, joined.at)
        elif call.does == "Write" and isinstance(call.input.content, str):
            self._known.wrote(path, call.input.content)
            self._shared.wrote(path, joined.at, call.input.content)
        else:
            self._known.replaced(path, pieces)
            self._shared.replaced(path, joined.at, pieces)

    def _remember_shown(self, read: JoinedRead) -> None:
        """Note that a Read shows a file; its text is decoded only if an edit needs it."""
        call = read.call
        partial = call.input.offset is not None or call.input.limit is not None
        if not (partial and call.path in self._known):
            self._known.shown(call.path, len(read.line), read.text)
        if not partial:
            self._shared.shown(call.path, read.at, len(read.line), read.text)

    # --- the shell ----------------------------------------------------------------------------

    def _of_shell(self, joined: JoinedCall) -> Iterator[Found]:
        """Yield one edit for each file that a shell command wrote."""
        id_, call = joined.call.id, joined.call
        told = list(deeds(str(call.input.command))) if call.does == BASH else []
        found = list(self._shell_lines(joined, told))
        commands = list(self._commands(joined, told))
        if found and not commands:
            self._transcript.read_shell(joined.call)
        for number, (path, lines) in enumerate(found, 1):
            yield self._edit(joined, id_ if len(found) == 1 else f"{id_}#{number}", path, lines)
        yield from commands

    def _commands(self, joined: JoinedCall, told: Sequence[ShellDeed]) -> Iterator[ShellCommand]:
        """Yield what else a command did by its text, unless its differences are recorded.

        What it moved is told in any case: a difference shows a new file and not where it was.
        """
        call, structured = joined.call, joined.structured
        diff = structured.shell_diff if structured else None
        is_recorded = diff is not None and not diff.moreFiles
        edit = self._edit(joined, call.id, "", NO_LINES)
        if not isinstance(edit, Edit):
            return
        for deed in told:
            one = as_command(deed, edit, call.cwd)
            if one is None or (is_recorded and one.source is None):
                continue
            self._note(one, joined.at)
            yield one

    def _note(self, one: ShellCommand, at: datetime | None) -> None:
        """Note that what was known of files holds no longer after a command."""
        for reached in one.reach:
            self._known.forget(reached.path)
            self._shared.changed(reached.path, at)
        if one.source is not None:
            text = self._text(one.source, at)
            self._known.forget(one.edit.path)
            self._shared.changed(one.edit.path, at)
            if text is not None and self._wanted(one.edit.path):
                self._known.wrote(one.edit.path, text)
                self._shared.wrote(one.edit.path, at, text)

    def _shell_lines(
        self, joined: JoinedCall, told: Sequence[ShellDeed]
    ) -> Iterator[tuple[str, TextLines]]:
        """Yield each file with its lines: as recorded, else as the command's text gives them."""
        diff = joined.structured.shell_diff if joined.structured else None
        if diff is None:
            call = joined.call
            for deed in told:
                if deed.write is not None:
                    path = to_path(deed.write.path, call.cwd)
                    wanted = self._wanted(path) or is_patch(path)
                    yield path, self._heredoc(path, deed.write, joined) if wanted else NO_LINES
                elif deed.patch is not None:
                    yield from self._patched(deed.patch, joined)
            return
        for file in diff.files:
            path = to_path(file.filePath, joined.directory)
            self._known.forget(path)
            self._shared.changed(path, joined.at)
            if file.filePath and file.hunks and not file.deleted:
                yield path, _patch_lines(file.hunks) if self._wanted(path) else NO_LINES

    def _patched(self, patch: ShellPatch, joined: JoinedCall) -> Iterator[tuple[str, TextLines]]:
        """Yield the files of a patch that a command applied."""
        call = joined.call
        for path, lines in patched(patch, lambda path: self._text(path, call.at), call.cwd):
            self._known.forget(path)
            self._shared.changed(path, joined.at)
            yield path, lines if self._wanted(path) else NO_LINES

    def _heredoc(self, path: str, write: ShellWrite, joined: JoinedCall) -> TextLines:
        before = self._text(path, joined.call.at)
        if write.appends:
            if before is None:
                return all_own(write.text)
            after = before + write.text
        else:
            after = write.text
        self._known.wrote(path, after)
        self._shared.wrote(path, joined.at, after)
        return all_own(after) if before is None else from_texts(before, after)


# --- what calls say -----------------------------------------------------------------------------


def _lines(joined: JoinedCall, pieces: list[TextReplacement], before: str | None) -> TextLines:
    """Return what a call added, or would have added had it been applied.

    If a person changed the proposal, the patch holds the person's lines too, so the call alone
    says what the agent wrote.
    """
    call, structured = joined.call, joined.structured
    patch = structured.patch if structured and not joined.modified else []
    if call.does == "NotebookEdit":
        return _notebook_lines(call.input, structured)
    if call.does in ("Write", INSERT, APPEND):
        content = call.input.content
        if not isinstance(content, str):
            return NO_LINES
        if call.does != "Write" or (structured and structured.type == "create"):
            return all_own(content)
        if patch:
            return from_patch(patch, content)
        return all_own(content) if before is None else from_texts(before, content)
    return _replaced(pieces, patch, before)


def _replaced(
    replacements: list[TextReplacement], patch: list[list[str]], before: str | None
) -> TextLines:
    if not replacements:
        return NO_LINES
    if patch:
        return from_patch(patch, "\n".join(piece.new for piece in replacements))
    after = None if before is None else replace(before, replacements)
    if before is None or after is None:
        return from_pieces(replacements)
    return from_texts(before, after)


def _replacements(call: ToolCall) -> list[TextReplacement]:
    """Return the replacements a call asks for; empty if one of them is malformed."""
    given = to_edits(call.input.edits) if call.does == "MultiEdit" else [call.input]
    found = []
    for one in given:
        old, new = one.old_string, one.new_string
        if old is None and new is None:
            old, new = one.oldText, one.newText
        if not isinstance(old, str) or not isinstance(new, str):
            return []
        # Some transcripts hold a string: "false".
        everywhere = str(one.replace_all).lower() == "true"
        found.append(TextReplacement(old, new, everywhere))
    return found


def _content_after(call: ToolCall, pieces: list[TextReplacement], before: str | None) -> str | None:
    """Return a file's whole text after an applied edit; ``None``: it is not known."""
    if call.does == "Write":
        return call.input.content if isinstance(call.input.content, str) else None
    return replace(before, pieces) if before is not None and pieces else None


def _notebook_lines(given: ToolInput, structured: ToolResult | None) -> TextLines:
    """Return the own lines of a cell as plain source; the file holds them as JSON strings."""
    source = _source(given.new_source)
    if source is None or given.edit_mode == "delete":
        return NO_LINES
    old = _source(structured.old_source) if structured else None
    return from_texts(old if old and given.edit_mode != "insert" else "", source)


def _source(value: object) -> str | None:
    """Return a cell's text, which nbformat allows as one string or as a list of lines."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else None


def _patch_lines(hunks: list[PatchHunk]) -> TextLines:
    return from_patch((hunk.lines for hunk in hunks), "")
