"""Claude Code's transcripts as evidence. It opens no file.

Read it in one direction: `records` turns a line into types, `transcript` joins calls with
their results, and `edits` works out what each call added.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import PurePosixPath

from ghapp.evidence.claude_code.edits import TranscriptEdits
from ghapp.evidence.claude_code.records import TranscriptRecord, is_record, to_record
from ghapp.evidence.claude_code.transcript import AGENT
from ghapp.evidence.json_records import RecordError, whole_records
from ghapp.evidence.known_files import SharedFiles
from ghapp.evidence.source import Found, WantedPath

__all__ = ["AGENT", "FILES", "HOMES", "NAME", "read", "recognizes"]

NAME = "claude_code"
HOMES: tuple[str, ...] = (".claude/projects",)
FILES = r".+\.jsonl"

# 5f0c7d1e-2b3a-4c4d-8e5f-60718293a4b5.jsonl, agent-a1b2c3.jsonl
_FILE_NAME = re.compile(r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|agent-\w+)\.jsonl")
# "sessionId":"5f0c7d1e-…"
_SIGN = re.compile(rb'"(?:sessionId|parentUuid|leafUuid)"\s*:')
# Other programs' logs have types and sessions, too.
_ONLY_HERE = re.compile(rb'"(?:parentUuid|leafUuid|isSidechain)"\s*:')
_TYPES = frozenset(
    {
        *("user", "assistant", "system", "summary", "progress", "attachment", "queue-operation"),
        *("file-history-snapshot", "custom-title", "ai-title", "agent-name", "last-prompt"),
        *("mode", "permission-mode", "pr-link", "worktree-state", "content-replacement", "tag"),
    }
)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is a transcript, by a record at its start, else by its name."""
    readable = False
    is_named = _FILE_NAME.fullmatch(PurePosixPath(name).name) is not None
    first, _, rest = head.partition(b"\n")
    for record, line in _records(head):
        readable = True
        if not isinstance(record.type, str) or not _SIGN.search(line):
            continue
        if record.type in _TYPES or _ONLY_HERE.search(head) or is_named:
            return True
    if readable:
        return False
    one_long_record = not rest and first.startswith(b"{") and _SIGN.search(first)
    return bool(one_long_record or (head and is_named))


def _records(head: bytes) -> Iterator[tuple[TranscriptRecord, bytes]]:
    """Yield the records in the head of a file with their text, also those on damaged lines."""
    for line in head.splitlines():
        try:
            yield to_record(line), line
        except RecordError:
            for whole in whole_records(line, is_record)[0]:
                with suppress(RecordError):
                    yield to_record(whole), whole


def read(
    name: str, records: Iterable[bytes], wanted: WantedPath, shared: SharedFiles | None = None
) -> Iterator[Found]:
    """Yield the edits of one transcript in the order of their results, then the unanswered.

    Also yield each worktree that the transcript names, once, and the tools that were passed over.
    ``shared`` is what the transcripts of the same agent session that were read before have shown.
    """
    yield from TranscriptEdits(name, wanted, shared or SharedFiles()).read(records)


def tree_of(name: str) -> str:
    """Return what all transcripts of an agent session share in their path: the main one's stem.

    >>> tree_of("shop/5f0c7d1e.jsonl"), tree_of("shop/5f0c7d1e/subagents/agent-a1b2.jsonl")
    ('shop/5f0c7d1e', 'shop/5f0c7d1e')
    """
    folder, found, _ = name.partition("/subagents/")
    return folder if found else name.removesuffix(".jsonl")
