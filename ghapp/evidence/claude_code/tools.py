"""The tools that Claude Code's transcripts name, and what each does to a file. It reads no record.

Other servers (MCP, or an editor over ACP) bring editing tools of their own. Those in `_SERVERS` are
read where the arguments have the known names; a tool that is not known here is passed over and
counted, because nobody can say what it did.
"""

import re
from typing import NamedTuple

from ghapp.evidence.claude_code.records import ToolInput

EDIT_TOOLS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
"""Claude Code's own."""
INSERT, APPEND = "Insert", "Append"
"""What tools of other servers do besides: add text at some place of a file, or at its end."""
CHANGING = EDIT_TOOLS | {INSERT, APPEND}

BASH, POWERSHELL, READ = "Bash", "PowerShell", "Read"
SHELLS = frozenset({BASH, POWERSHELL})

_HARMLESS = """
Agent AskUserQuestion BashOutput EnterPlanMode EnterWorktree ExitPlanMode ExitWorktree Glob Grep
KillBash KillShell LS LSP ListMcpResourcesTool Monitor NotebookRead Read ReadMcpResourceTool
SendMessage Skill SlashCommand StructuredOutput Task TaskCreate TaskGet TaskList TaskOutput
TaskStop TaskUpdate TodoRead TodoWrite ToolSearch WebFetch WebSearch
"""

HARMLESS = frozenset(_HARMLESS.split())
"""Claude Code's own tools that change no file of a repository."""


class _Tool(NamedTuple):
    """A tool of another server: what it does, and the names of its arguments."""

    does: str
    path: str = "file_path"
    text: str = "new_string"
    old: str | None = None
    everywhere: str | None = None
    """The argument that asks for all places; ``None``: it replaces one."""


_OWN = {
    "write": _Tool("Write", text="content"),
    "edit": _Tool("Edit", old="old_string", everywhere="replace_all"),
    "multiedit": _Tool("MultiEdit", text="edits"),
    "read": _Tool(READ, text=""),
    "bash": _Tool(BASH, text="command"),
}
"""Claude Code's own tools, as a server offers them again."""
_JETBRAINS = {
    "create_new_file": _Tool("Write", "pathInProject", "text"),
    "create_new_file_with_text": _Tool("Write", "pathInProject", "text"),
    "replace_file_text_by_path": _Tool("Write", "pathInProject", "text"),
    "replace_text_in_file": _Tool("Edit", "pathInProject", "newText", "oldText", "replaceAll"),
    "replace_specific_text": _Tool("Edit", "pathInProject", "newText", "oldText"),
}

_SERVERS: dict[str, dict[str, _Tool]] = {
    # https://github.com/agentclientprotocol/claude-agent-acp/issues/62, until February 2026
    "acp": _OWN,
    # claude mcp serve, https://code.claude.com/docs/en/mcp
    "claude": _OWN,
    # https://github.com/wonderwhy-er/DesktopCommanderMCP
    "desktop-commander": {
        "write_file": _Tool("Write", "path", "content"),
        "edit_block": _Tool("Edit", "file_path", "new_string", "old_string"),
    },
    # https://github.com/modelcontextprotocol/servers/tree/main/src/filesystem
    "filesystem": {
        "write_file": _Tool("Write", "path", "content"),
        "edit_file": _Tool("MultiEdit", "path", "edits"),
    },
    # https://www.jetbrains.com/help/idea/mcp-server.html
    "jetbrains": _JETBRAINS,
    "idea": _JETBRAINS,
    # https://github.com/oraios/serena: replace_symbol_body does not say what it replaced
    "serena": {
        "create_text_file": _Tool("Write", "relative_path", "content"),
        "insert_after_symbol": _Tool(INSERT, "relative_path", "body"),
        "insert_before_symbol": _Tool(INSERT, "relative_path", "body"),
    },
}
"""Server → tool → what it does. A server is known by its name, or by a part of it between ``-`` or
``_``: people choose it when they add the server (``plugin_serena_serena``, ``fs-filesystem``)."""

# mcp__acp__Write, mcp__plugin_serena_serena__create_text_file
_OF_SERVER = re.compile(r"(?!.*\n)mcp__(?P<server>.+?)__(?P<tool>.+)")
# "Error: no such file", {"error": "file not found"}
_ERROR = re.compile(
    r"\W*(?:error|fail(?:ed|ure)|cannot|could not|no (?:match|occurrence)|file not found)",
    re.IGNORECASE,
)


def is_of_server(tool: str) -> bool:
    """Return whether a tool is another server's; its results are blocks of text."""
    return tool.startswith("mcp__")


def says_failed(prose: str) -> bool:
    """Return whether the text of a server's result is an error: some do not mark it as one."""
    return bool(_ERROR.match(prose))


def understood(tool: str, given: ToolInput) -> tuple[str, ToolInput] | None:
    """Return what a call does, with its arguments under Claude Code's own names.

    ``None``: the tool is not known, or the arguments are not those that it takes.
    """
    if tool in EDIT_TOOLS or tool in SHELLS or tool == READ:
        return tool, given
    match = _OF_SERVER.fullmatch(tool)
    known = _tools(match["server"]).get(match["tool"].lower()) if match else None
    return _translated(known, given) if known else None


def _tools(server: str) -> dict[str, _Tool]:
    named = f"-{server.lower().replace('_', '-')}-"
    return next((tools for name, tools in _SERVERS.items() if f"-{name}-" in named), {})


def _translated(known: _Tool, given: ToolInput) -> tuple[str, ToolInput] | None:
    if given.dryRun is True:
        return None
    text = getattr(given, known.text) if known.text else None
    if known.does == "MultiEdit":
        return (known.does, ToolInput(file_path=_path(known, given), edits=text)) if text else None
    if known.does == BASH:
        return known.does, given
    if known.does != READ and not isinstance(text, str):
        return None
    if known.old is None:
        does = APPEND if known.does == "Write" and given.mode == "append" else known.does
        return does, ToolInput(
            file_path=_path(known, given), content=text, offset=given.offset, limit=given.limit
        )
    old = getattr(given, known.old)
    everywhere = getattr(given, known.everywhere) if known.everywhere else None
    return known.does, ToolInput(
        file_path=_path(known, given), old_string=old, new_string=text, replace_all=everywhere
    )


def _path(known: _Tool, given: ToolInput) -> object:
    path = getattr(given, known.path)
    return given.abs_path if path is None else path
