"""What decides an answer's price beside its model and day: variant and context. It knows no price.

A row of usage is a sum of answers, so what cannot be told from a sum is told before it: whether
the vendor's prices for long prompts apply, and whether the answer came by a mode of another price.
"""

from ghapp.usage.answers import TokenCounts

PLAIN = ""
"""The variant of an answer at the ordinary price."""
FAST, BATCH, US = "fast", "batch", "us"
"""Fast mode, the batch API, inference that stays in the United States."""

_TIERS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("haiku", (100, 200)),
    ("claude", (200,)),
    ("gemini", (200,)),
    ("gpt", (272,)),
    ("grok", (200,)),
    ("minimax", (512,)),
    ("qwen", (32, 128, 256)),
)
"""Part of a model's name → thousand tokens of a prompt above which some such model costs more."""


def variant_of(*, speed: object = None, tier: object = None, region: object = None) -> str:
    """Return the variant by what a record says of speed, service tier and region.

    >>> variant_of(speed="fast", region="us"), variant_of(speed="standard", tier="standard")
    ('fast,us', '')
    """
    named = ((BATCH, tier), (FAST, speed), (US, region))
    return ",".join(word for word, said in named if said == word)


def context_of(model: str | None, tokens: TokenCounts) -> int:
    """Return the highest threshold, in thousand tokens, that the prompt of one answer exceeds.

    What was read from a cache or written to it belongs to the prompt.
    https://platform.claude.com/docs/en/build-with-claude/context-windows

    >>> context_of("claude-sonnet-4-5", TokenCounts(input=1, cache_read=200_000))
    200
    >>> context_of("claude-sonnet-4-5", TokenCounts(cache_read=200_000))
    0
    """
    prompt = tokens.input + tokens.cache_read + tokens.cache_write
    return max((one for one in tiers_of(model) if prompt > one * 1000), default=0)


def tiers_of(model: str | None) -> tuple[int, ...]:
    """Return the thresholds that are told apart for a model, in thousand tokens."""
    name = (model or "").lower()
    return next((tiers for part, tiers in _TIERS if part in name), ())
