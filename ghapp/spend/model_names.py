"""Models' names as agents and clouds write them, brought to the name on a price list.

`ghapp.summaries.models` drops versions so that they count together; here they stay, since each has
its own price.
"""

import re
from typing import NamedTuple

from ghapp.usage.price_class import FAST

_SUFFIX = re.compile(r"[\[(][^\])]{0,40}[\])]$")
"""claude-opus-4-5[1m], Gemini 3.5 Flash (Medium): how much is read or thought, not what it is."""
_BEDROCK = re.compile(r"(?:([a-z]{2,6})\.)?(anthropic\.claude-[a-z0-9-]+?)(?:-v\d+)?(?::\d+)?")
"""us.anthropic.claude-sonnet-4-5-20250929-v1:0"""
_DATE = re.compile(r"(?:-|@)20\d\d(?:\d{4}|-\d\d-\d\d)$")
_STATE = re.compile(r"-(?:latest|preview|exp|experimental)(?:-\d\d-(?:\d\d|20\d\d))?$|@default$")
"""gemini-2.5-pro-preview-05-06, claude-opus-4-6@default"""
_EFFORT = re.compile(r"-(?:none|minimal|low|medium|high|xhigh)$")
_BREAKS = re.compile(r"[ _.]")
_CLAUDE = re.compile(r"claude-(\d+(?:-\d{1,2})?)-(haiku|opus|sonnet|fable|mythos)(?=-|@|$)")
"""claude-4.5-opus, claude_4_5_opus, claude-3-5-sonnet"""
_THOUGHT = re.compile(r"-(?:thinking|reasoning)$")

_GPT = ("gpt-", "o1", "o3", "o4", "codex-")
_CLAUDE_OR_GPT = ("claude-", *_GPT)
_AT_LIST_PRICE = {
    **dict.fromkeys(("openrouter", "copilot", "github-copilot", "github_copilot"), ("",)),
    **dict.fromkeys(("alibaba", "dashscope", "qwen"), ("qwen",)),
    **dict.fromkeys(("azure", "azure_ai"), _CLAUDE_OR_GPT),
    **dict.fromkeys(("gemini", "google", "models"), ("gemini-",)),
    **dict.fromkeys(("mistral", "mistralai"), ("devstral", "codestral")),
    **dict.fromkeys(("moonshot", "moonshotai"), ("kimi-",)),
    **dict.fromkeys(("vertex", "vertex_ai"), ("claude-", "gemini-")),
    **dict.fromkeys(("x-ai", "xai"), ("grok-",)),
    **dict.fromkeys(("z-ai", "zai"), ("glm-",)),
    "anthropic": ("claude-",),
    "bedrock": ("claude-",),
    "cursor": ("composer-",),
    "deepseek": ("deepseek-",),
    "minimax": ("minimax-",),
    "openai": _GPT,
}
"""Whose name may stand before a model's → how the models begin that it has at the maker's price.
Others host models at prices of their own, which are on no list of ours."""

LONGEST = 200
"""Characters of a name; no list has a longer one."""

REGIONAL = "regional"
"""On Bedrock: an inference profile that stays in one part of the world, at a premium."""


class ModelName(NamedTuple):
    """What a model's name says."""

    names: tuple[str, ...]
    """Names under which a price list may have it, the most exact first."""
    variant: frozenset[str] = frozenset()
    """Words of a variant that the name itself tells."""


def listed(name: str) -> str:
    """Return a price list's own name in the form in which names are compared.

    >>> listed("GPT-5.1 Codex"), listed("claude-3-5-sonnet")
    ('gpt-5-1-codex', 'claude-sonnet-3-5')
    """
    plain = _BREAKS.sub("-", name.strip().lower())
    return _CLAUDE.sub(r"claude-\2-\1", plain)


def named(model: str) -> ModelName | None:
    """Return what a model's name says; ``None``: it is on no list of ours, whatever it is.

    A name only loses what changes no price: who passes it on, its day, its state, how much it
    thinks. So no longer name takes the price of a shorter one.

    >>> named("us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    ModelName(names=('claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'), variant=frozenset({'regional'}))
    >>> named("openai/gpt-5-mini").names, named("groq/kimi-k2")
    (('gpt-5-mini',), None)
    """  # noqa: E501 - the line is what the function returns
    if len(model) > LONGEST:
        return None
    plain = _SUFFIX.sub("", model.strip().lower()).rstrip()
    *hosts, bare = plain.split("/")
    words: set[str] = set()
    if aws := _BEDROCK.fullmatch(bare):
        if aws[1] not in (None, "global"):
            words.add(REGIONAL)
        bare = aws[2].removeprefix("anthropic.")
    name = listed(bare)
    if name.startswith("claude-") and name.endswith("-fast"):
        name = name.removesuffix("-fast")
        words.add(FAST)
    if hosts and hosts[0].startswith("arn:aws:bedrock:"):  # before an inference profile's name
        hosts[0] = "bedrock"
    if not all(name.startswith(_AT_LIST_PRICE.get(host, ())) for host in hosts):
        return None
    names = [name]
    for neutral in _neutral(name):
        if shorter := neutral.sub("", names[-1]):
            names += [shorter] if shorter != names[-1] else []
    return ModelName(tuple(names), frozenset(words))


def _neutral(name: str) -> tuple[re.Pattern[str], ...]:
    """Return what a name may lose without another price.

    Elsewhere such words tell models apart: kimi-k2-thinking is no kimi-k2.
    """
    if name.startswith("claude-"):
        return (_THOUGHT, _EFFORT, _THOUGHT, _DATE, _STATE)
    if name.startswith(_GPT):
        return (_EFFORT, _DATE, _STATE)
    return (_DATE, _STATE)
