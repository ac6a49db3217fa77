"""What joined calls added to files, as edits. It parses no record.

An edit's lines are worked out from the call. The structured result, which subagents' transcripts
lack, only completes them.
"""

from collections.abc import Iterable, Iterator

from ghapp.attribution.model import Edit, EditResult, TextLines, UnreadEvidence
from ghapp.evidence.claude_code.records import PatchHunk, ToolInput, ToolResult, to_edits
from ghapp.evidence.claude_code.transcript import (
    SHELL_TOOLS,
    Joined,
    JoinedCall,
    JoinedRead,
    ToolCall,
)
from ghapp.evidence.known_files import KnownFiles
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
from ghapp.evidence.shell_writes import ShellWrite, heredocs
from ghapp.evidence.snapshots import snapshots
from ghapp.evidence.source import Found, WantedPath

AGENT = "claude-code"


class TranscriptEdits:
    """The edits of one transcript, and what it has shown of the files so far."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self._name = name
        self._wanted = wanted
        self._known = KnownFiles()

    def of(self, joined: Joined) -> Iterable[Found]:
        """Return what one part of a transcript holds; the parts must come in order."""
        if isinstance(joined, JoinedRead):
            self._remember_shown(joined)
            return ()
        if not isinstance(joined, JoinedCall):
            return (joined,)
        is_shell = joined.call.tool in SHELL_TOOLS
        return self._of_shell(joined) if is_shell else self._of_call(joined)

    def _of_call(self, joined: JoinedCall) -> Iterator[Found]:
        call, structured = joined.call, joined.structured
        yield self._edit(joined, call.id, call.path, self._lines(call, structured))
        if joined.result is EditResult.APPLIED:
            before = (structured.original if structured else None) or self._known.text(call.path)
            self._remember(call)
            yield from snapshots(call.path, (before, _content_after(call, before)))

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
            lines=lines,
        )

    def _lines(self, call: ToolCall, structured: ToolResult | None) -> TextLines:
        """Return what a call added, or would have added had it been applied."""
        if call.tool == "Write":
            return self._written(call.path, call.input.content, structured)
        if call.tool == "NotebookEdit":
            return _notebook_lines(call.input, structured)
        return self._replaced(call, structured)

    def _written(self, path: str, content: object, structured: ToolResult | None) -> TextLines:
        if not isinstance(content, str):
            return NO_LINES
        if structured and structured.type == "create":
            return all_own(content)
        if structured and (patch := structured.patch):
            return from_patch(patch, content)
        before = self._before(path, structured)
        return all_own(content) if before is None else from_texts(before, content)

    def _replaced(self, call: ToolCall, structured: ToolResult | None) -> TextLines:
        replacements = _replacements(call)
        if not replacements:
            return NO_LINES
        if structured and (patch := structured.patch):
            return from_patch(patch, "\n".join(piece.new for piece in replacements))
        before = self._before(call.path, structured)
        after = None if before is None else replace(before, replacements)
        if before is None or after is None:
            return from_pieces(replacements)
        return from_texts(before, after)

    # --- what is known of files ---------------------------------------------------------------

    def _before(self, path: str, structured: ToolResult | None) -> str | None:
        """Return a file's text before an edit; ``None``: it is not known."""
        told = structured.original if structured else None
        return self._known.text(path) if told is None else told

    def _remember(self, call: ToolCall) -> None:
        """Update what is known of a file after an applied edit."""
        if call.tool == "Write" and isinstance(call.input.content, str):
            self._known.wrote(call.path, call.input.content)
        elif call.path in self._known:
            self._known.replaced(call.path, _replacements(call))

    def _remember_shown(self, read: JoinedRead) -> None:
        """Note that a Read shows a file; its text is decoded only if an edit needs it."""
        call = read.call
        partial = call.input.offset is not None or call.input.limit is not None
        if not (partial and call.path in self._known):
            self._known.shown(call.path, len(read.line), read.text)

    # --- the shell ----------------------------------------------------------------------------

    def _of_shell(self, joined: JoinedCall) -> Iterator[Found]:
        """Yield one edit for each file that a shell command wrote."""
        id_ = joined.call.id
        found = list(self._shell_lines(joined))
        for number, (path, lines) in enumerate(found, 1):
            yield self._edit(joined, id_ if len(found) == 1 else f"{id_}#{number}", path, lines)

    def _shell_lines(self, joined: JoinedCall) -> Iterator[tuple[str, TextLines]]:
        """Yield each file with its lines: as recorded, else as here-documents give them."""
        diff = joined.structured.shell_diff if joined.structured else None
        if diff is None:
            call = joined.call
            for write in heredocs(str(call.input.command)):
                path = to_path(write.path, call.cwd)
                yield path, self._heredoc(path, write) if self._wanted(path) else NO_LINES
            return
        for file in diff.files:
            path = to_path(file.filePath, joined.directory)
            self._known.forget(path)
            if file.filePath and file.hunks and not file.deleted:
                yield path, _patch_lines(file.hunks) if self._wanted(path) else NO_LINES

    def _heredoc(self, path: str, write: ShellWrite) -> TextLines:
        before = self._known.text(path)
        if write.appends:
            if before is None:
                return all_own(write.text)
            after = before + write.text
        else:
            after = write.text
        self._known.wrote(path, after)
        return all_own(after) if before is None else from_texts(before, after)


# --- what calls say -----------------------------------------------------------------------------


def _replacements(call: ToolCall) -> list[TextReplacement]:
    """Return the replacements a call asks for; empty if one of them is malformed."""
    given = to_edits(call.input.edits) if call.tool == "MultiEdit" else [call.input]
    found = []
    for one in given:
        if not isinstance(one.old_string, str) or not isinstance(one.new_string, str):
            return []
        # Some transcripts hold a string: "false".
        everywhere = str(one.replace_all).lower() == "true"
        found.append(TextReplacement(one.old_string, one.new_string, everywhere))
    return found


def _content_after(call: ToolCall, before: str | None) -> str | None:
    """Return a file's whole text after an applied edit; ``None``: it is not known."""
    if call.tool == "Write":
        return call.input.content if isinstance(call.input.content, str) else None
    return None if before is None else replace(before, _replacements(call))


def _notebook_lines(given: ToolInput, structured: ToolResult | None) -> TextLines:
    """Return the own lines of a cell as plain source; the file holds them as JSON strings."""
    if not isinstance(given.new_source, str) or given.edit_mode == "delete":
        return NO_LINES
    old = structured.old_source if structured else None
    before = old if isinstance(old, str) and given.edit_mode != "insert" else ""
    return from_texts(before, given.new_source)


def _patch_lines(hunks: list[PatchHunk]) -> TextLines:
    return from_patch((hunk.lines for hunk in hunks), "")
