"""The attributes that are kept, by name, and which values each may have. All others are dropped.

Senders may send prompts, commands, answers and files in attributes. So a name that is not listed
here never reaches a noun, nor does a value that is not as short and plain as its form asks:
docs/telemetry.md has the same list.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from math import isnan
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

from ghapp.otlp.refusals import Refusal
from ghapp.usage.answers import MOST
from ghapp.usage.days import Model, ToolName, Version

Value = str | int | bool
Attributes = Mapping[str, Value]
Checked = Value | Refusal | None
"""A kept value; why its number cannot be believed; ``None``: dropped."""

MOST_ATTRIBUTES = 128
"""Of a resource, a point or a record; it is also the SDKs' own limit."""


class Form(StrEnum):
    """What a kept value looks like."""

    NAME = "identifier of at most 128 characters"
    EMAIL = "e-mail"
    MODEL = "model"
    VERSION = "version"
    TOOL = "tool"
    LANGUAGE = "language"
    REPOSITORY = "address of a repository"
    WORD = "word of at most 64 characters"
    COUNT = "count"
    YES_NO = "true or false"


class Kept(NamedTuple):
    """One attribute of the list."""

    form: Form
    use: str
    """What it is kept for."""


KEPT: Mapping[str, Kept] = MappingProxyType(
    {
        "service.name": Kept(Form.NAME, "which program sends"),
        "service.version": Kept(Form.VERSION, "version of the agent"),
        "app.version": Kept(Form.VERSION, "version of the agent"),
        "session.id": Kept(Form.NAME, "agent session"),
        "conversation.id": Kept(Form.NAME, "agent session (Codex)"),
        "gen_ai.conversation.id": Kept(Form.NAME, "agent session (Copilot)"),
        "user.email": Kept(Form.EMAIL, "who"),
        "user.account_uuid": Kept(Form.NAME, "who"),
        "user.account_id": Kept(Form.NAME, "who"),
        "user.id": Kept(Form.NAME, "who: installation of the tool"),
        "installation.id": Kept(Form.NAME, "who: installation of the tool (Gemini CLI)"),
        "enduser.id": Kept(Form.NAME, "who, as your device management set it"),
        "github.login": Kept(Form.NAME, "who, as your device management set it"),
        "vcs.repository.url.full": Kept(Form.REPOSITORY, "repository"),
        "model": Kept(Form.MODEL, "model"),
        "gen_ai.request.model": Kept(Form.MODEL, "model"),
        "gen_ai.response.model": Kept(Form.MODEL, "model"),
        "type": Kept(Form.WORD, "kind of token, or lines added or removed"),
        "token_type": Kept(Form.WORD, "kind of token (Codex)"),
        "gen_ai.token.type": Kept(Form.WORD, "kind of token (Copilot)"),
        "query_source": Kept(Form.WORD, "main or side conversation"),
        "start_type": Kept(Form.WORD, "how an agent session started"),
        "input_tokens": Kept(Form.COUNT, "tokens"),
        "output_tokens": Kept(Form.COUNT, "tokens"),
        "reasoning_tokens": Kept(Form.COUNT, "tokens (OpenCode)"),
        "cache_read_tokens": Kept(Form.COUNT, "tokens"),
        "cache_creation_tokens": Kept(Form.COUNT, "tokens"),
        "input_token_count": Kept(Form.COUNT, "tokens (Codex, Gemini CLI, Qwen Code)"),
        "output_token_count": Kept(Form.COUNT, "tokens (Codex, Gemini CLI, Qwen Code)"),
        "cached_token_count": Kept(Form.COUNT, "tokens (Codex)"),
        "reasoning_token_count": Kept(Form.COUNT, "tokens (Codex)"),
        "cached_content_token_count": Kept(Form.COUNT, "tokens (Gemini CLI, Qwen Code)"),
        "thoughts_token_count": Kept(Form.COUNT, "tokens (Gemini CLI, Qwen Code)"),
        # Not "tool_token_count" of Gemini CLI alone: Codex sends its total under the same name.
        "tool_token_count": Kept(Form.COUNT, "tokens of tools' prompts (Gemini CLI)"),
        "total_token_count": Kept(Form.COUNT, "whether output includes thoughts"),
        "gen_ai.usage.input_tokens": Kept(Form.COUNT, "tokens (Copilot)"),
        "gen_ai.usage.output_tokens": Kept(Form.COUNT, "tokens (Copilot)"),
        "event.name": Kept(Form.WORD, "which event it is"),
        "event.kind": Kept(Form.WORD, "which event it is (Codex)"),
        "event.sequence": Kept(Form.COUNT, "telling an event once"),
        "request_id": Kept(Form.NAME, "telling a request once"),
        "response_id": Kept(Form.NAME, "telling an answer once (Qwen Code)"),
        "gen_ai.response.id": Kept(Form.NAME, "telling an answer once (Copilot)"),
        "tool_use_id": Kept(Form.NAME, "telling a decision once"),
        "call_id": Kept(Form.NAME, "telling a decision once (Codex)"),
        "tool_name": Kept(Form.TOOL, "editing tool"),
        "function_name": Kept(Form.TOOL, "editing tool (Gemini CLI, Qwen Code)"),
        "decision": Kept(Form.WORD, "accepted or refused"),
        "source": Kept(Form.WORD, "decided by a person or not"),
        "success": Kept(Form.YES_NO, "whether the edit failed"),
        "accepted": Kept(Form.YES_NO, "accepted or refused (Copilot)"),
        "outcome": Kept(Form.WORD, "accepted or refused (Copilot)"),
        "copilot_chat.edit.outcome": Kept(Form.WORD, "accepted or refused"),
        "copilot_chat.edit.source": Kept(Form.TOOL, "editing tool"),
        "language": Kept(Form.LANGUAGE, "language of the edited file"),
        "language_id": Kept(Form.LANGUAGE, "language of the edited file (Copilot)"),
        "copilot_chat.language_id": Kept(Form.LANGUAGE, "language of the edited file"),
        "lines_added": Kept(Form.COUNT, "lines of an accepted edit (Copilot)"),
    }
)
"""Attribute → its form and its use, in resources, points and records alike."""


def _pattern(annotated: Any) -> str:
    """Return the pattern of one of our own types, so that both always agree."""
    found: str = get_args(annotated)[1].pattern
    return found


_PATTERNS = {
    Form.NAME: re.compile(r"[0-9A-Za-z][0-9A-Za-z._:@/+|=~-]{0,127}"),
    # ada.example@example.com
    Form.EMAIL: re.compile(
        r"[0-9A-Za-z._%+'-]{1,64}@[0-9A-Za-z-]{1,63}(?:\.[0-9A-Za-z-]{1,63}){1,8}"
    ),
    Form.MODEL: re.compile(_pattern(Model)),
    Form.VERSION: re.compile(_pattern(Version)),
    Form.TOOL: re.compile(_pattern(ToolName)),
    # C++, Jupyter Notebook
    Form.LANGUAGE: re.compile(r"[A-Za-z][0-9A-Za-z+#._-]{0,24}(?: [A-Z][a-z]{1,13})?"),
    # https://github.com/acme/app
    Form.REPOSITORY: re.compile(
        r"https?://[0-9A-Za-z.-]{1,100}(?::\d{1,5})?(?:/[0-9A-Za-z._-]{1,100}){2,6}"
    ),
    Form.WORD: re.compile(r"[A-Za-z][0-9A-Za-z._:-]{0,63}"),
}


# 12, -0.5, 1e3
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?")
_SPECIAL = frozenset({"NaN", "Infinity", "-Infinity"})
"""What JSON has no number for, in protobuf's words."""
_YES_NO = {"true": True, "false": False}


def count(value: object) -> int | Refusal:
    """Return a number that counts something, which may come as text.

    >>> count("610"), count(12.0), count(-1).value, count(0.5).value
    (610, 12, 'negative', 'fractional')
    """
    if isinstance(value, str):
        value = to_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or isnan(value):
        return Refusal.NOT_A_NUMBER
    if value < 0:
        return Refusal.NEGATIVE
    if value > MOST:
        return Refusal.NOT_A_NUMBER if value == float("inf") else Refusal.TOO_LARGE
    whole = int(value)
    return whole if whole == value else Refusal.FRACTIONAL


def to_number(text: str) -> int | float | None:
    """Return a number that came as text; ``None``: it is none.

    >>> to_number("12"), to_number("0.5"), to_number("NaN"), to_number("1_2")
    (12, 0.5, nan, None)
    """
    if text in _SPECIAL:
        return float(text)
    if not _NUMBER.fullmatch(text):
        return None
    return int(text) if text.removeprefix("-").isdigit() else float(text)


def _yes_no(value: object) -> bool | None:
    if isinstance(value, str):
        return _YES_NO.get(value)
    return value if isinstance(value, bool) else None


def _text(form: Form) -> Callable[[object], str | None]:
    pattern = _PATTERNS[form]

    def check(value: object) -> str | None:
        return value if isinstance(value, str) and pattern.fullmatch(value) else None

    return check


def _email(value: object) -> str | None:
    found = _text(Form.EMAIL)(value)
    return found and found.lower()


_CHECKS: dict[Form, Callable[[object], Checked]] = {
    **{form: _text(form) for form in _PATTERNS},
    Form.EMAIL: _email,
    Form.COUNT: count,
    Form.YES_NO: _yes_no,
}
CHECKS: Mapping[str, Callable[[object], Checked]] = MappingProxyType(
    {key: _CHECKS[one.form] for key, one in KEPT.items()}
)
"""Attribute → what makes of its value what is kept."""
