"""The price table: its rows, and how they are found."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.spend.model_names import listed, named
from ghapp.spend.prices import (
    VARIANTS,
    PriceList,
    PriceRow,
    PriceTable,
    TokenRates,
    joined,
    packaged,
    read_table,
    version_of,
    written,
)
from ghapp.usage.answers import TokenCounts
from ghapp.usage.price_class import context_of, tiers_of

PRICES = packaged()
ROWS = PRICES.table.rows
MADE = date.fromisoformat(PRICES.version[:10])
DAY = date(2026, 11, 1)


def days_of(row: PriceRow) -> set[date]:
    """Return the first and the last day of a row, or days far before and after."""
    return {row.valid_from or date(2024, 1, 1), row.valid_to or date(2030, 1, 1)}


# --- the table ----------------------------------------------------------------------------------


def test_every_row_is_found_by_its_own_name_days_variant_and_length() -> None:
    for row in ROWS:
        for day in days_of(row):
            assert PRICES.find(row.model, day, row.variant, row.context) == row


def test_a_row_ends_on_its_last_day() -> None:
    dated = [row for row in ROWS if row.valid_from or row.valid_to]
    assert dated
    for row in dated:
        outside = [row.valid_from and row.valid_from - timedelta(1)]
        outside.append(row.valid_to and row.valid_to + timedelta(1))
        for day in filter(None, outside):
            assert PRICES.find(row.model, day, row.variant, row.context) != row


def test_no_two_rows_answer_the_same_question() -> None:
    keys = [(listed(row.model), row.variant, row.context, row.valid_from) for row in ROWS]
    assert len(keys) == len(set(keys))


def test_successive_days_leave_no_gap_at_the_lowest_length() -> None:
    parts: dict[tuple[str, str], list[PriceRow]] = {}
    for row in ROWS:
        if not row.context:
            parts.setdefault((row.model, row.variant), []).append(row)
    for own in parts.values():
        own.sort(key=lambda row: row.valid_from or date.min)
        for one, two in pairwise(own):
            assert one.valid_to
            assert one.valid_to + timedelta(1) == two.valid_from
        assert own[-1].valid_to is None


def test_lengths_and_variants_are_those_that_rows_of_usage_have() -> None:
    assert all(row.context in (0, *tiers_of(row.model)) for row in ROWS)
    words = {word for row in ROWS for word in row.variant.split(",") if word}
    assert words == set(VARIANTS)
    assert all(row.variant == joined(filter(None, row.variant.split(","))) for row in ROWS)


def test_every_row_prices_input_and_output() -> None:
    assert all(row.rates.input is not None and row.rates.output is not None for row in ROWS)


def test_the_version_names_the_day_and_the_rows() -> None:
    assert PRICES.version == version_of(MADE, ROWS)
    assert version_of(MADE, ROWS[1:]) != PRICES.version


def test_a_table_that_was_used_before_stays_readable() -> None:
    assert read_table(written(PRICES.table)) == PRICES.table


# --- models' names ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "model", "variant"),
    [
        ("claude-opus-4-5-20251101", "claude-opus-4-5", ""),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "regional"),
        (
            "arn:aws:bedrock:us-east-2:111122223333:inference-profile/us.anthropic.claude-opus-4-8",
            "claude-opus-4-8",
            "regional",
        ),
        ("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6", ""),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5", ""),
        ("claude-opus-4-6@default", "claude-opus-4-6", ""),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", ""),
        ("openrouter/anthropic/claude-opus-4.1", "claude-opus-4-1", ""),
        ("claude-opus-4-5[1m]", "claude-opus-4-5", ""),
        ("claude-opus-4-20250514", "claude-opus-4", ""),
        ("claude-3-5-sonnet-20241022", "claude-3-5-sonnet", ""),
        ("claude-4.5-sonnet-thinking", "claude-sonnet-4-5", ""),
        ("claude_4_5_opus", "claude-opus-4-5", ""),
        ("Claude Opus 4.6", "claude-opus-4-6", ""),
        ("github_copilot/claude-opus-4.8-fast", "claude-opus-4-8", "fast"),
        ("gpt-5-2025-08-07", "gpt-5", ""),
        ("openai/gpt-5-mini", "gpt-5-mini", ""),
        ("gpt-5.1-codex-max", "gpt-5.1-codex-max", ""),
        ("gpt-5.1-codex-max-xhigh", "gpt-5.1-codex-max", ""),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13", ""),
        ("gpt-4o-2024-08-06", "gpt-4o", ""),
        ("o1-pro-2025-03-19", "o1-pro", ""),
        ("gemini-2.5-pro-preview-05-06", "gemini-2.5-pro", ""),
        ("models/gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash", ""),
        ("Gemini 3.5 Flash (Medium)", "gemini-3.5-flash", ""),
        ("kimi-k2-thinking", "kimi-k2-thinking", ""),
        ("z-ai/glm-5.2", "glm-5.2", ""),
        ("MiniMax-M2.1", "minimax-m2.1", ""),
    ],
)
def test_names_as_agents_write_them(name: str, model: str, variant: str) -> None:
    row = PRICES.find(name, DAY)
    assert row is not None
    assert (row.model, row.variant) == (model, variant)


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "opus",
        "gpt-5.6-mini",
        "gpt-5-mini-search",
        "gpt-5.1-codex-maxi",
        "o1-promax",
        "claude-opus-4-55",
        "claude-opus-4-5-turbo",
        "claude-opus-45",
        "gemini-3",
        "gemini-2.5-pro-tts",
        "kimi-k2",
        "kimi-k2.5-thinking",
        "grok-4-fast",
        "deepseek-v3-0324",
        "qwen3-coder",
        "deepseek/deepseek-chat:free",
        "groq/gpt-5",
        "azure_ai/deepseek-v3.2",
        "accounts/fireworks/models/glm-5",
        "us.deepseek.v3.2",
        "<synthetic>",
        "gpt-5" + " " * 200 + "mini",
    ],
)
def test_an_unknown_name_is_not_priced(name: str | None) -> None:
    assert PRICES.find(name, DAY) is None
    assert PRICES.rates(name, DAY) is None


@given(
    st.sampled_from(sorted({row.model for row in ROWS})),
    st.text(st.characters(categories=("Ll", "Nd")), min_size=1, max_size=6),
)
def test_no_longer_name_takes_a_shorter_one_s_price(model: str, word: str) -> None:
    for name in (f"{model}-{word}", f"{model}{word}"):
        row = PRICES.find(name, DAY)
        known = named(name)
        assert known
        assert row is None or listed(row.model) in known.names
        neutral = {"thinking", "reasoning", "fast", "latest", "preview", "exp", "none"}
        neutral |= {"minimal", "low", "medium", "high", "xhigh", "experimental"}
        assert row is None or word in neutral or listed(row.model) == listed(name)


@given(st.text(max_size=300))
def test_any_name_is_read(name: str) -> None:
    known = named(name)
    assert known is None or all(len(one) <= 200 for one in known.names)


# --- how a row is asked -------------------------------------------------------------------------


def test_a_longer_prompt_takes_the_highest_price_that_it_reaches() -> None:
    def found(context: int) -> int | None:
        rates = PRICES.rates("qwen3-coder-plus", DAY, context=context)
        return rates and rates.input

    told = [found(one) for one in (0, 32, 128, 256)]
    assert told == [1_000_000, 1_800_000, 3_000_000, 6_000_000]


def test_prompts_of_unknown_length_cost_what_short_ones_do_at_least() -> None:
    unknown = PRICES.find("qwen3-coder-plus", DAY, context=None)
    assert unknown
    assert unknown.rates == PRICES.rates("qwen3-coder-plus", DAY)
    assert unknown.is_floor
    flat = PRICES.find("claude-opus-4-6", DAY, context=None)
    assert flat
    assert not flat.is_floor


@pytest.mark.parametrize("name", ["Claude Haiku 5.5", "claude-haiku-5-5", "claude_5_5_haiku"])
def test_a_name_s_form_does_not_change_which_lengths_are_told_apart(name: str) -> None:
    tokens = TokenCounts(cache_read=150_000)
    assert context_of(name, tokens) == 100
    assert PRICES.rates(name, DAY, context=context_of(name, tokens)) != PRICES.rates(name, DAY)


def test_prices_change_on_a_day() -> None:
    def above(day: date) -> int | None:
        rates = PRICES.rates("claude-opus-4-6", day, context=200)
        return rates and rates.output

    assert above(date(2026, 3, 12)) == 37_500_000
    assert above(date(2026, 3, 13)) == 25_000_000


@pytest.mark.parametrize(
    ("variant", "rate"),
    [
        ("", 5_000_000),
        ("batch", 2_500_000),
        ("fast", 10_000_000),
        ("us", 5_500_000),
        ("batch,us", 2_750_000),
        ("fast,us", 11_000_000),
        ("regional", 5_500_000),
    ],
)
def test_variants(variant: str, rate: int) -> None:
    rates = PRICES.rates("claude-opus-4-8", DAY, variant)
    assert rates is not None
    assert rates.input == rate


def test_a_variant_without_a_price_is_not_priced() -> None:
    assert PRICES.find("claude-opus-4-5", DAY, "fast") is None
    assert PRICES.find("gemini-2.5-pro", DAY, "us") is None
    assert PRICES.find("claude-opus-4-8", DAY, "unheard-of") is None


def test_a_price_that_depends_on_the_hour_is_a_floor() -> None:
    row = PRICES.find("deepseek-v4-pro", DAY)
    assert row is not None
    assert row.is_floor


def test_a_table_can_be_made_for_a_test() -> None:
    row = PriceRow(provider="p", model="m-1", rates=TokenRates(input=1))
    prices = PriceList(PriceTable(version="v", rows=(row,)))
    assert prices.find("M 1", datetime(2026, 1, 1, tzinfo=UTC).date()) == row
