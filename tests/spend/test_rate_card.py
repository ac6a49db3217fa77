"""An operator's rate card: what it prices, and what is wrong with one."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.spend.prices import packaged
from ghapp.spend.rate_card import RateCard, RateCardError, read_rate_card
from tests.cases import TOP

PRICES = packaged()
DAY = date(2026, 11, 1)
CARD = """
name = "Agreement 2026"

[[discount]]
provider = "anthropic"
percent_off = 12.5
valid_from = 2026-01-01

[[discount]]
provider = "anthropic"
percent_off = 15
valid_from = 2026-10-01
valid_to = 2026-12-31

[[discount]]
provider = "*"
percent_off = 0

[[price]]
model = "claude-opus-*"
input = 4
output = "20.00"
cache_read = 0.40

[[price]]
model = "claude-opus-4-5"
input = 3.5
output = 18
valid_from = 2026-06-01

[[price]]
model = "claude-opus-4-5"
input = 3.25
output = 18
valid_from = 2026-09-01

[[price]]
model = "claude-opus-4-5"
input = 7
output = 30
context = 200

[[price]]
model = "groq/kimi-k2"
input = 1
output = 3
"""


def card(text: str = CARD) -> RateCard:
    return read_rate_card(text)


def rate(model: str, day: date = DAY, variant: str = "", context: int = 0) -> int | None:
    found = card().find(model, day, variant, context, prices=PRICES)
    return found and found.rates.input


def test_an_own_price_goes_before_a_discount_and_a_name_before_its_beginning() -> None:
    assert rate("claude-opus-4-8") == 4_000_000
    assert rate("claude-opus-4-5-20251101") == 3_250_000
    assert rate("claude-sonnet-4-5") == 2_550_000
    assert rate("gpt-5") == 1_250_000


def test_the_latest_price_of_a_day_counts() -> None:
    assert rate("claude-opus-4-5", date(2026, 5, 31)) == 4_000_000
    assert rate("claude-opus-4-5", date(2026, 6, 1)) == 3_500_000
    assert rate("claude-opus-4-5", date(2026, 9, 1)) == 3_250_000
    assert rate("claude-sonnet-4-5", date(2026, 9, 30)) == 2_625_000
    assert rate("claude-sonnet-4-5", date(2027, 1, 1)) == 2_625_000


def test_lengths_and_variants_have_their_own_prices() -> None:
    assert rate("claude-opus-4-5", context=272) == 7_000_000
    assert rate("claude-opus-4-8", variant="fast") == 8_500_000
    assert rate("us.anthropic.claude-opus-4-8") == 4_675_000


def test_the_page_s_card_is_read() -> None:
    page = (TOP / "docs" / "spend.md").read_text("utf-8")
    text = page.partition("```toml\n")[2].partition("```")[0]
    found = card(text).find("claude-sonnet-5-5", DAY, prices=PRICES)
    assert found
    assert found.rates.cache_write_5m == 3_000_000


def test_a_host_s_own_name_may_be_on_a_card() -> None:
    assert rate("groq/kimi-k2") == 1_000_000
    assert rate("groq/kimi-k3") is None


def test_what_a_card_does_not_name_has_no_contract_price() -> None:
    only = card('name = "x"\n[[discount]]\nprovider = "openai"\npercent_off = 5')
    assert only.find("claude-opus-4-5", DAY, prices=PRICES) is None
    assert only.find(None, DAY, prices=PRICES) is None
    assert only.find("gpt-unheard-of", DAY, prices=PRICES) is None


def test_a_discount_names_the_list_that_it_is_on() -> None:
    own, listed = (
        card().find(one, DAY, prices=PRICES) for one in ("claude-opus-4-8", "claude-haiku-4-5")
    )
    assert own
    assert listed
    assert (own.is_on_list, listed.is_on_list) == (False, True)
    assert own.rates.cache_write_5m is None


def test_other_prices_under_the_same_name_are_another_version() -> None:
    assert card().version.startswith("Agreement 2026-")
    assert card().version == card(CARD + "\n# a comment").version
    assert card().version != card(CARD.replace("12.5", "12.25")).version


@given(st.decimals(0, 100, places=4))
def test_a_discount_is_exact_to_half_a_micro_dollar_for_a_million(percent: Decimal) -> None:
    found = card(f'name = "x"\n[[discount]]\nprovider = "*"\npercent_off = {percent:f}').find(
        "gpt-5-nano", DAY, prices=PRICES
    )
    right = Decimal(50_000) * (100 - percent) / 100
    assert found
    assert found.rates.input is not None
    assert abs(found.rates.input - right) <= Decimal("0.5")


PRICE = 'name = "x"\n[[price]]\nmodel = "m"\ninput = 1\noutput = 2\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name =\nx = 1", "line 1"),
        ("name = 'x'\n\nprice = ]", "line 3"),
        ("", "missing required field `name`"),
        ('name = "x"', "names no price or discount"),
        ('name = "x"\ncurrency = "EUR"\n' + PRICE.partition("\n")[2], "'EUR' is not read"),
        (PRICE.replace('"x"', '" "'), "name: it needs"),
        (PRICE + "input_price = 3", "`price[1]`"),
        (PRICE + PRICE.partition("\n")[2].replace("output = 2\n", ""), "`price[2]`"),
        (PRICE.replace("input = 1", "input = -1"), "price[1].input: -1 is no amount"),
        (PRICE.replace("input = 1", "input = 0.0000001"), "price[1].input"),
        (PRICE.replace("input = 1", "input = nan"), "input"),
        (PRICE.replace("input = 1", "input = true"), "input"),
        (PRICE.replace("input = 1", 'input = "much"'), "input"),
        (PRICE.replace("input = 1", "input = 1e30"), "price[1].input"),
        (PRICE.replace('"m"', '"a*b"'), "price[1].model: 'a*b' is no name"),
        (PRICE + "context = 199", "price[1].context: 199"),
        (PRICE + 'variant = "slow"', "price[1].variant: 'slow'"),
        (PRICE + 'valid_from = "soon"', "`price[1].valid_from`"),
        (PRICE + "valid_from = 2026-02-01\nvalid_to = 2026-01-01", "price[1].valid_to"),
        (PRICE + PRICE.partition("\n")[2], "price[2]: price[1] is for the same"),
        ('name = "x"\n[[discount]]\nprovider = "*"\npercent_off = 101', "discount[1].percent_off"),
        ('name = "x"\n[[discount]]\nprovider = "*"\npercent_off = nan', "discount[1].percent_off"),
        ("x = " + "[" * 100_000, "no TOML"),
        ("#" * 300_000, "256 KiB"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(RateCardError) as caught:
        card(text)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400
