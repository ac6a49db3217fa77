"""The family of a model: its name without vendor's prefix, version and date. It counts nothing."""

import re
from functools import lru_cache

# claude-3-5-sonnet-20241022-v2, gpt-5.1-codex-max, gemini-2.5-pro-preview-05-06, deepseek-v3.2
_NUMBER = re.compile(r"v?\d+(?:\.\d+)*[a-z]?")
_ENDS_NAME = re.compile(r"[\[:@(]")  # sonnet[1m], claude-3-5-sonnet-v2:0, claude@20250101
_VENDORS = re.compile(r"^(?:[a-z-]+\.)+(?=[a-z])")  # us.anthropic.claude
_BETWEEN_WORDS = re.compile(r"[-_ ]+")
_STATE = frozenset({"latest", "preview", "exp", "experimental", "beta", "v"})
_CLAUDE = frozenset({"haiku", "opus", "sonnet"})
"""Claude Code's own short names of Claude's models."""


@lru_cache(maxsize=1024)
def family_of(model: str) -> str:
    """Return a model's family, so that its versions count together; never empty.

    >>> family_of("claude-opus-4-5-20251101"), family_of("us.anthropic.claude-3-5-sonnet-v2:0")
    ('claude-opus', 'claude-sonnet')
    >>> family_of("openai/gpt-5.1-codex-max"), family_of("gemini-2.5-pro-preview-05-06")
    ('gpt-codex-max', 'gemini-pro')
    >>> family_of("o3"), family_of("kimi-k2"), family_of("sonnet[1m]"), family_of("20250101")
    ('o3', 'kimi-k2', 'claude-sonnet', '20250101')
    """
    plain = model.strip().lower()
    bare = _ENDS_NAME.split(plain, maxsplit=1)[0].rpartition("/")[2]
    bare = _VENDORS.sub("", bare)
    words = [
        word
        for word in _BETWEEN_WORDS.split(bare)
        if word and not _NUMBER.fullmatch(word) and word not in _STATE
    ]
    if words and words[0] in _CLAUDE:
        words.insert(0, "claude")
    return "-".join(words) or plain
