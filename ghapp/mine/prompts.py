"""What a person asked an agent, in each agent's records. It opens no file and stores nothing.

A record is a JSON object; of a file that is one document, its objects are looked through in their
order. Only what a person wrote counts: no results of tools, no reminders that an agent adds.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from ghapp.evidence.cursor_transcripts import to_turn_time
from ghapp.evidence.json_records import (
    UNREADABLE,
    RecordError,
    document,
    to_time,
    to_time_of_milliseconds,
)

Members = dict[str, Any]


class PersonPrompt(NamedTuple):
    """What a person asked."""

    text: str
    at: datetime | None
    """``None``: the record does not say."""


class CallMention(NamedTuple):
    """A place in the records that names the call that is looked for."""

    id: str
    at: datetime | None
    """When that record was written; ``None``: it does not say."""


MOST_DEPTH = 60
"""Levels of a record that are looked through; agents write about ten."""

_ADDED = (
    *("system-reminder", "environment_details", "task-notification"),
    *("local-command-stdout", "local-command-stderr", "local-command-caveat"),
)
"""Tags of what agents add to a person's message."""
_CLINES = ("task", "feedback", "user_message", "answer")
"""Tags in which Cline and its kin keep what a person wrote."""
# <environment_context>, <user_instructions>, # AGENTS.md instructions for /home/ann/shop
_CODEXES_OWN = re.compile(r"\s*(?:<[a-z_]+>|# AGENTS\.md instructions)")


def _inside(text: str, tag: str) -> Iterator[str]:
    """Yield what stands between the tags of a name; the last one may be cut off."""
    opening, closing = f"<{tag}>", f"</{tag}>"
    at = text.find(opening)
    while at >= 0:
        start = at + len(opening)
        end = text.find(closing, start)
        yield (text[start:end] if end >= 0 else text[start:]).strip()
        at = text.find(opening, end) if end >= 0 else -1


def _without(text: str, tag: str) -> str:
    """Return a text without what stands between the tags of a name."""
    opening, closing = f"<{tag}>", f"</{tag}>"
    kept, at = [], 0
    while (start := text.find(opening, at)) >= 0:
        kept.append(text[at:start])
        end = text.find(closing, start)
        at = end + len(closing) if end >= 0 else len(text)
    return "".join([*kept, text[at:]])


# --- one record ---------------------------------------------------------------------------------


def _texts(content: object, kinds: tuple[str, ...] = ("text", "input_text")) -> str | None:
    """Return the text of a message; ``None``: it holds none, or the result of a tool."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    blocks = _members(content)
    if any(one.get("type") in ("tool_result", "tool-result", "toolResult") for one in blocks):
        return None
    texts = [one.get("text") for one in blocks if one.get("type", "text") in kinds]
    return "\n".join(one for one in texts if isinstance(one, str)) or None


def _kind(record: Members) -> object:
    """Return whom a record's origin names; ``None``: nobody."""
    origin = record.get("origin")
    return origin.get("kind") if isinstance(origin, dict) else None


def _message(record: Members, name: str = "message") -> Members:
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def _claude_code(record: Members) -> str | None:
    queued = _message(record, "attachment")
    if record.get("type") == "attachment" and queued.get("type") == "queued_command":
        is_own = queued.get("commandMode", "prompt") == "prompt"
        return _texts(queued.get("prompt")) if is_own and _is_persons(queued) else None
    is_added = any(record.get(sign) for sign in ("isMeta", "isSidechain", "isCompactSummary"))
    # A progress record holds a subagent's messages, which have neither of these.
    is_whole = "sessionId" in record or "parentUuid" in record
    if record.get("type") != "user" or is_added or not is_whole or not _is_persons(record):
        return None
    text = _texts(_message(record).get("content"))
    if text is None or text.startswith("[Request interrupted"):
        return None
    slash = [*_inside(text, "command-name"), *_inside(text, "command-args")]
    return " ".join(slash) or text


def _is_persons(record: Members) -> bool:
    return _kind(record) in (None, "human", "user")


def _codex(record: Members) -> str | None:
    payload = _message(record, "payload")
    told = record.get("type"), payload.get("type")
    if told in {("event_msg", "user_message"), ("event_msg", "UserMessage")}:
        return _texts(payload.get("message"))
    item = _message(payload, "item")
    if told == ("event_msg", "item_completed") and item.get("type") == "UserMessage":
        return _texts(item.get("content"))
    if told == ("response_item", "message") and payload.get("role") == "user":
        text = _texts(payload.get("content"))
        return None if text is None or _CODEXES_OWN.match(text) else text
    return None


def _copilot(record: Members) -> str | None:
    is_prompt = record.get("type") == "user.message"
    return _texts(_message(record, "data").get("content")) if is_prompt else None


def _cursor(record: Members) -> str | None:
    is_prompt = record.get("hook_event_name") == "beforeSubmitPrompt"
    return _texts(record.get("prompt")) if is_prompt else None


def _cursor_transcripts(record: Members) -> str | None:
    return _texts(_message(record).get("content")) if record.get("role") == "user" else None


def _of_message(record: Members) -> str | None:
    """Droid and Pi."""
    message = _message(record)
    is_prompt = record.get("type") == "message" and message.get("role") == "user"
    return _texts(message.get("content")) if is_prompt else None


def _kimi(record: Members) -> str | None:
    if record.get("type") == "turn.prompt" and _is_persons(record):
        return _texts(record.get("input")) or _texts(record.get("content"))
    # The older log: https://moonshotai.github.io/kimi-cli/en/customization/wire-mode.html
    if record.get("type") == "TurnBegin":
        return _texts(_message(record, "payload").get("user_input"))
    return None


def _qwen(record: Members) -> str | None:
    parts = _members(_message(record).get("parts"))
    is_prompt = record.get("type") == "user" and not any("functionResponse" in one for one in parts)
    return _texts(parts) if is_prompt else None


def _cline(record: Members) -> str | None:
    content = record.get("content")
    if record.get("role") != "user":
        return None
    pieces = [content] if isinstance(content, str) else _strings(content)
    tagged = [found for one in pieces for tag in _CLINES for found in _inside(one, tag)]
    if tagged:
        return "\n".join(tagged)
    is_answer = isinstance(content, list) and _texts(content) is None
    plain = [one for one in pieces if not _is_clines_own(one)]
    return None if is_answer else "\n".join(plain)


def _is_clines_own(text: str) -> bool:
    """Say whether a text is the result of a tool, or a note of the agent's own."""
    line = text.lstrip().partition("\n")[0]
    is_result = line.startswith("[") and "] Result:" in line
    return is_result or line.startswith(("[ERROR]", "[TASK RESUMPTION]", "# task_progress"))


def _strings(content: object) -> list[str]:
    texts = [one.get("text") for one in _members(content)]
    return [one for one in texts if isinstance(one, str)]


def _gemini_cli(record: Members) -> str | None:
    return _texts(record.get("content")) if record.get("type") == "user" else None


def _opencode(record: Members) -> str | None:
    if _message(record, "info").get("role") == "user":
        parts = record.get("parts")
        return _texts([one for one in _members(parts) if not one.get("synthetic")])
    if record.get("type") == "user":
        return _texts(record.get("text")) or _texts(record.get("content"))
    return None


def _members(parts: object) -> list[Members]:
    return [one for one in parts if isinstance(one, dict)] if isinstance(parts, list) else []


def _antigravity(record: Members) -> str | None:
    if (record.get("source"), record.get("type")) != ("USER_EXPLICIT", "USER_INPUT"):
        return None
    text = _texts(record.get("content")) or ""
    asked = next(_inside(text, "USER_REQUEST"), None)
    # The following changes were made by the USER to: /home/ann/shop/a.py
    is_report = text.startswith("The following changes were made by")
    return asked if asked is not None else None if is_report else text


_PROMPT_IN: dict[str, Callable[[Members], str | None]] = {
    "antigravity": _antigravity,
    "claude_code": _claude_code,
    "cline": _cline,
    "codex": _codex,
    "copilot": _copilot,
    "cursor": _cursor,
    "cursor_transcripts": _cursor_transcripts,
    "droid": _of_message,
    "gemini_cli": _gemini_cli,
    "kimi": _kimi,
    "opencode": _opencode,
    "pi": _of_message,
    "qwen": _qwen,
}
"""Name of the evidence source → what returns the prompt in one of its objects."""

NEVER = {"cursor": "Cursor's hooks report edits, and prompts only with the hook beforeSubmitPrompt"}
"""Sources whose usual records hold no prompt, and why."""


_DOCUMENTS = frozenset({"cline", "gemini_cli", "opencode"})
"""Sources some of whose files are one document."""


# --- many records -------------------------------------------------------------------------------


def prompts_and_mentions(
    source: str, records: Iterable[bytes], ids: frozenset[str]
) -> Iterator[PersonPrompt | CallMention]:
    """Yield what a person asked, and where calls of some ids are named, in the records' order.

    ``source`` is the name of an evidence source. What is not JSON is passed over.
    """
    prompt_in = _PROMPT_IN[source]
    for value in map(_value, _as_document(records) if source in _DOCUMENTS else records):
        if value is not None:
            yield from _walk(value, prompt_in, ids)


def _as_document(records: Iterable[bytes]) -> Iterator[bytes]:
    """Yield records as they are, but those of one document over many lines as one."""
    lines = iter(records)
    first = next(lines, b"")
    if _value(first) is not None:
        yield first
        yield from lines
        return
    with suppress(RecordError):  # larger than any that is read
        yield document(chain([first], lines))


def _value(line: bytes) -> object:
    """Return the object or list that a line holds; ``None``: it holds none."""
    try:
        found = json.loads(line)
    except UNREADABLE:
        return None
    return found if isinstance(found, dict | list) else None


def _walk(
    value: object, prompt_in: Callable[[Members], str | None], ids: frozenset[str]
) -> Iterator[PersonPrompt | CallMention]:
    """Look through a value in its order, from the outside in."""
    ahead: list[tuple[object, datetime | None, int]] = [(value, None, 0)]
    while ahead:
        one, at, depth = ahead.pop()
        if isinstance(one, dict):
            at = _at(one) or at
            text = prompt_in(one)
            if text is not None:
                yield from _prompt(text, at)
                continue
        elif isinstance(one, str) and one in ids:
            yield CallMention(one, at)
        inside = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        if depth < MOST_DEPTH:
            ahead += [(each, at, depth + 1) for each in reversed([*inside])]


def _prompt(text: str, at: datetime | None) -> Iterator[PersonPrompt]:
    asked = next(_inside(text, "user_query"), text)
    for tag in _ADDED:
        asked = _without(asked, tag)
    if asked.strip():
        yield PersonPrompt(asked.strip(), at or to_turn_time(text))


_WHEN = ("timestamp", "created_at", "time", "ts")


def _at(record: Members) -> datetime | None:
    """Return when a record was written, as its agent names it; ``None``: it does not say."""
    for name in _WHEN:
        told = record.get(name)
        if isinstance(told, dict):  # OpenCode: {"created": 1785612803281}
            told = told.get("created")
        if (found := to_time(told) or _of_number(told)) is not None:
            return found
    return _at(_message(record, "info")) if "info" in record else None


def _of_number(told: object) -> datetime | None:
    is_number = isinstance(told, int | float) and not isinstance(told, bool)
    if not is_number:
        return None
    # Kimi's older log counts seconds, all others milliseconds.
    return to_time_of_milliseconds(told * 1000 if told < 10**11 else told)  # type: ignore[operator]
