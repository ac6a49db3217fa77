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

from ghapp.otlp.refusals import RefusalReason
from ghapp.usage.answers import MOST
from ghapp.usage.days import Model, ToolName, Version

Value = str | int | bool
Attributes = Mapping[str, Value]
Checked = Value | RefusalReason | None
"""A kept value; why its number cannot be believed; ``None``: dropped."""

MOST_ATTRIBUTES = 128
"""Of a resource, a point or a record; it is also the SDKs' own limit."""


class ValueForm(StrEnum):
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


class KeptAttribute(NamedTuple):
    """One attribute of the list."""

    form: ValueForm
    use: str
    """What it is kept for."""


KEPT: Mapping[str, KeptAttribute] = MappingProxyType(
    {
        "service.name": KeptAttribute(ValueForm.NAME, "which program sends"),
        "service.version": KeptAttribute(ValueForm.VERSION, "version of the agent"),
        "app.version": KeptAttribute(ValueForm.VERSION, "version of the agent"),
        "session.id": KeptAttribute(ValueForm.NAME, "agent session"),
        "conversation.id": KeptAttribute(ValueForm.NAME, "agent session (Codex)"),
        "gen_ai.conversation.id": KeptAttribute(ValueForm.NAME, "agent session (Copilot)"),
        "user.email": KeptAttribute(ValueForm.EMAIL, "who"),
        "user.account_uuid": KeptAttribute(ValueForm.NAME, "who"),
        "user.account_id": KeptAttribute(ValueForm.NAME, "who"),
        "user.id": KeptAttribute(ValueForm.NAME, "who: installation of the tool"),
        "installation.id": KeptAttribute(
            ValueForm.NAME, "who: installation of the tool (Gemini CLI)"
        ),
        "enduser.id": KeptAttribute(ValueForm.NAME, "who, as your device management set it"),
        "github.login": KeptAttribute(ValueForm.NAME, "who, as your device management set it"),
        "vcs.repository.url.full": KeptAttribute(ValueForm.REPOSITORY, "repository"),
        "model": KeptAttribute(ValueForm.MODEL, "model"),
        "gen_ai.request.model": KeptAttribute(ValueForm.MODEL, "model"),
        "gen_ai.response.model": KeptAttribute(ValueForm.MODEL, "model"),
        "type": KeptAttribute(ValueForm.WORD, "kind of token, or lines added or removed"),
        "token_type": KeptAttribute(ValueForm.WORD, "kind of token (Codex)"),
        "gen_ai.token.type": KeptAttribute(ValueForm.WORD, "kind of token (Copilot)"),
        "query_source": KeptAttribute(ValueForm.WORD, "main or side conversation"),
        "speed": KeptAttribute(ValueForm.WORD, "whether a model's fast mode was used"),
        "start_type": KeptAttribute(ValueForm.WORD, "how an agent session started"),
        "input_tokens": KeptAttribute(ValueForm.COUNT, "tokens"),
        "output_tokens": KeptAttribute(ValueForm.COUNT, "tokens"),
        "reasoning_tokens": KeptAttribute(ValueForm.COUNT, "tokens (OpenCode)"),
        "cache_read_tokens": KeptAttribute(ValueForm.COUNT, "tokens"),
        "cache_creation_tokens": KeptAttribute(ValueForm.COUNT, "tokens"),
        "input_token_count": KeptAttribute(
            ValueForm.COUNT, "tokens (Codex, Gemini CLI, Qwen Code)"
        ),
        "output_token_count": KeptAttribute(
            ValueForm.COUNT, "tokens (Codex, Gemini CLI, Qwen Code)"
        ),
        "cached_token_count": KeptAttribute(ValueForm.COUNT, "tokens (Codex)"),
        "reasoning_token_count": KeptAttribute(ValueForm.COUNT, "tokens (Codex)"),
        "cached_content_token_count": KeptAttribute(
            ValueForm.COUNT, "tokens (Gemini CLI, Qwen Code)"
        ),
        "thoughts_token_count": KeptAttribute(ValueForm.COUNT, "tokens (Gemini CLI, Qwen Code)"),
        # Not "tool_token_count" of Gemini CLI alone: Codex sends its total under the same name.
        "tool_token_count": KeptAttribute(ValueForm.COUNT, "tokens of tools' prompts (Gemini CLI)"),
        "total_token_count": KeptAttribute(ValueForm.COUNT, "whether output includes thoughts"),
        "gen_ai.usage.input_tokens": KeptAttribute(ValueForm.COUNT, "tokens (Copilot)"),
        "gen_ai.usage.output_tokens": KeptAttribute(ValueForm.COUNT, "tokens (Copilot)"),
        "event.name": KeptAttribute(ValueForm.WORD, "which event it is"),
        "event.kind": KeptAttribute(ValueForm.WORD, "which event it is (Codex)"),
        "event.sequence": KeptAttribute(ValueForm.COUNT, "telling an event once"),
        "request_id": KeptAttribute(ValueForm.NAME, "telling a request once"),
        "response_id": KeptAttribute(ValueForm.NAME, "telling an answer once (Qwen Code)"),
        "gen_ai.response.id": KeptAttribute(ValueForm.NAME, "telling an answer once (Copilot)"),
        "tool_use_id": KeptAttribute(ValueForm.NAME, "telling a decision once"),
        "call_id": KeptAttribute(ValueForm.NAME, "telling a decision once (Codex)"),
        "tool_name": KeptAttribute(ValueForm.TOOL, "editing tool"),
        "function_name": KeptAttribute(ValueForm.TOOL, "editing tool (Gemini CLI, Qwen Code)"),
        "decision": KeptAttribute(ValueForm.WORD, "accepted or refused"),
        "source": KeptAttribute(ValueForm.WORD, "decided by a person or not"),
        "success": KeptAttribute(ValueForm.YES_NO, "whether the edit failed"),
        "accepted": KeptAttribute(ValueForm.YES_NO, "accepted or refused (Copilot)"),
        "outcome": KeptAttribute(ValueForm.WORD, "accepted or refused (Copilot)"),
        "copilot_chat.edit.outcome": KeptAttribute(ValueForm.WORD, "accepted or refused"),
        "copilot_chat.edit.source": KeptAttribute(ValueForm.TOOL, "editing tool"),
        "language": KeptAttribute(ValueForm.LANGUAGE, "language of the edited file"),
        "language_id": KeptAttribute(ValueForm.LANGUAGE, "language of the edited file (Copilot)"),
        "copilot_chat.language_id": KeptAttribute(
            ValueForm.LANGUAGE, "language of the edited file"
        ),
        "lines_added": KeptAttribute(ValueForm.COUNT, "lines of an accepted edit (Copilot)"),
    }
)
"""Attribute → its form and its use, in resources, points and records alike."""


def _pattern(annotated: Any) -> str:
    """Return the pattern of one of our own types, so that both always agree."""
    found: str = get_args(annotated)[1].pattern
    return found


_PATTERNS = {
    ValueForm.NAME: re.compile(r"[0-9A-Za-z][0-9A-Za-z._:@/+|=~-]{0,127}"),
    # ada.example@example.com
    ValueForm.EMAIL: re.compile(
        r"[0-9A-Za-z._%+'-]{1,64}@[0-9A-Za-z-]{1,63}(?:\.[0-9A-Za-z-]{1,63}){1,8}"
    ),
    ValueForm.MODEL: re.compile(_pattern(Model)),
    ValueForm.VERSION: re.compile(_pattern(Version)),
    ValueForm.TOOL: re.compile(_pattern(ToolName)),
    # C++, Jupyter Notebook
    ValueForm.LANGUAGE: re.compile(r"[A-Za-z][0-9A-Za-z+#._-]{0,24}(?: [A-Z][a-z]{1,13})?"),
    # https://github.com/acme/app
    ValueForm.REPOSITORY: re.compile(
        r"https?://[0-9A-Za-z.-]{1,100}(?::\d{1,5})?(?:/[0-9A-Za-z._-]{1,100}){2,6}"
    ),
    ValueForm.WORD: re.compile(r"[A-Za-z][0-9A-Za-z._:-]{0,63}"),
}


# 12, -0.5, 1e3
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?")
_SPECIAL = frozenset({"NaN", "Infinity", "-Infinity"})
"""What JSON has no number for, in protobuf's words."""
_YES_NO = {"true": True, "false": False}


def count(value: object) -> int | RefusalReason:
    """Return a number that counts something, which may come as text.

    >>> count("610"), count(12.0), count(-1).value, count(0.5).value
    (610, 12, 'negative', 'fractional')
    """
    if isinstance(value, str):
        value = to_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or isnan(value):
        return RefusalReason.NOT_A_NUMBER
    if value < 0:
        return RefusalReason.NEGATIVE
    if value > MOST:
        return RefusalReason.NOT_A_NUMBER if value == float("inf") else RefusalReason.TOO_LARGE
    whole = int(value)
    return whole if whole == value else RefusalReason.FRACTIONAL


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


def _text(form: ValueForm) -> Callable[[object], str | None]:
    pattern = _PATTERNS[form]

    def check(value: object) -> str | None:
        return value if isinstance(value, str) and pattern.fullmatch(value) else None

    return check


def _email(value: object) -> str | None:
    found = _text(ValueForm.EMAIL)(value)
    return found and found.lower()


_CHECKS: dict[ValueForm, Callable[[object], Checked]] = {
    **{form: _text(form) for form in _PATTERNS},
    ValueForm.EMAIL: _email,
    ValueForm.COUNT: count,
    ValueForm.YES_NO: _yes_no,
}
CHECKS: Mapping[str, Callable[[object], Checked]] = MappingProxyType(
    {key: _CHECKS[one.form] for key, one in KEPT.items()}
)
"""Attribute → what makes of its value what is kept."""
