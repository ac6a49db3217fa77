"""Renews ghapp/spend/prices.json from two public price tables, and docs/prices.md; run by hand.

    .venv/bin/python docs/renew_prices.py

It installs genai-prices (MIT) into a place of its own and reads the JSON of litellm (MIT), with pip
and its configuration. Both are for development only: the program needs neither, and takes over
numbers of the models below, no text. genai-prices counts, since it knows days and reasons; where
litellm says something else, `DECIDED` must say why, or nothing is written.
"""
# ruff: noqa: INP001, E501, ISC004, S603, T201 - a script beside the page that it makes, and its text

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ghapp.spend.money import from_dollars
from ghapp.spend.prices import PriceRow, PriceTable, TokenRates, version_of, written

TOP = Path(__file__).resolve().parent.parent
TABLE = TOP / "ghapp" / "spend" / "prices.json"
PAGE = TOP / "docs" / "prices.md"
GENAI = "genai-prices==0.2.3"
LITELLM = "litellm==1.110.2"
LITELLM_JSON = "litellm/model_prices_and_context_window_backup.json"

MODELS = {
    "anthropic": "claude-3-5-haiku claude-3-5-sonnet claude-3-7-sonnet claude-3-opus claude-opus-4 "
    "claude-opus-4-1 claude-opus-4-5 claude-opus-4-6 claude-opus-4-7 claude-opus-4-8 claude-opus-5 "
    "claude-opus-5-5 claude-sonnet-4 claude-sonnet-4-5 claude-sonnet-4-6 claude-sonnet-5 "
    "claude-sonnet-5-5 claude-haiku-4-5 claude-haiku-5-5 claude-fable-5 claude-fable-5-1 "
    "claude-fable-5-2",
    "openai": "codex-mini gpt-4.1 gpt-4.1-mini gpt-4o gpt-4o-2024-05-13 gpt-4o-mini gpt-5 gpt-5-codex "
    "gpt-5-mini gpt-5-nano gpt-5-pro gpt-5.1 gpt-5.1-codex gpt-5.1-codex-max gpt-5.1-codex-mini "
    "gpt-5.2 gpt-5.2-codex gpt-5.2-pro gpt-5.3-codex gpt-5.4 gpt-5.4-mini gpt-5.4-nano gpt-5.4-pro "
    "gpt-5.5 gpt-5.5-pro gpt-5.6 gpt-5.6-sol gpt-5.6-terra gpt-5.6-luna gpt-6-astra gpt-6-sol "
    "gpt-6-luna gpt-6.1-sol gpt-6.1-terra o1 o1-pro o3 o3-mini o3-pro o4-mini",
    "google": "gemini-2.5-pro gemini-2.5-flash gemini-2.5-flash-lite gemini-3-pro gemini-3-flash "
    "gemini-3.1-pro gemini-3.1-flash-lite gemini-3.5-flash gemini-3.5-flash-lite gemini-3.6-flash "
    "gemini-3.7-flash gemini-3.8-flash gemini-4-argon",
    "x-ai": "grok-code-fast-1 grok-4-0709 grok-4.20 grok-4.3 grok-4.5 grok-4.6 grok-4.7",
    "deepseek": "deepseek-chat deepseek-reasoner deepseek-v3.2 deepseek-flash deepseek-v4-flash "
    "deepseek-v4-pro",
    "moonshotai": "kimi-k2-0905 kimi-k2-thinking kimi-k2.5 kimi-k2.6 kimi-k2.7-code kimi-k3 "
    "kimi-k3.1-pro",
    "zai": "glm-4.5 glm-4.5-air glm-4.6 glm-4.7 glm-5 glm-5.1 glm-5.2 glm-5.3 glm-5.3-flash",
    "alibaba": "qwen3-coder-plus qwen3-coder-flash qwen3-max qwen3.5-plus qwen3.7-max qwen3.7-plus "
    "qwen3.8-max qwen3.8-flash",
    "minimax": "minimax-m2 minimax-m2.1 minimax-m2.5 minimax-m2.7 minimax-m3",
    "mistral": "devstral-2512 codestral-2508",
    "cursor": "composer-2.5 composer-2.5-fast",
}
"""Maker → models that coding agents use, as the maker names them but for day and state."""

WRITTEN_ELSEWHERE = {
    "claude-3-5-haiku": ("claude-3-5-haiku-20241022",),
    "claude-opus-4": ("claude-opus-4-20250514",),
    "claude-sonnet-4": ("claude-sonnet-4-20250514",),
    "claude-3-7-sonnet": ("claude-3-7-sonnet-20250219",),
    "claude-3-opus": ("claude-3-opus-20240229",),
    "gemini-3-pro": ("gemini-3-pro-preview",),
    "gemini-3-flash": ("gemini-3-flash-preview",),
    "gemini-3.1-pro": ("gemini-3.1-pro-preview",),
    "kimi-k2-0905": ("kimi-k2-0905-preview",),
    "devstral-2512": ("devstral-latest",),
}
"""Model → other names for it in the two tables."""

BEFORE = {
    "anthropic": ("", "anthropic."),
    "google": ("gemini/", ""),
    "x-ai": ("xai/",),
    "deepseek": ("deepseek/", ""),
    "moonshotai": ("moonshot/",),
    "alibaba": ("dashscope/",),
}
"""Maker → what litellm writes before its models; else the maker's name and a slash, or nothing."""

KINDS = {
    "input": ("input_mtok", "input_cost_per_token"),
    "output": ("output_mtok", "output_cost_per_token"),
    "cache_read": ("cache_read_mtok", "cache_read_input_token_cost"),
    "cache_write_5m": ("cache_write_mtok", "cache_creation_input_token_cost"),
    "cache_write_1h": ("cache_write_1h_mtok", "cache_creation_input_token_cost_above_1hr"),
}
"""Our kind of tokens → its name in genai-prices and in litellm. genai-prices counts cached tokens
as input too, and so prices input by what is left of it: its input rate is ours."""

ASKED = {
    "batch": {"processing": "batch"},
    "fast": {"speed": "fast", "service_tier": "priority"},
}
"""Variant → what genai-prices is asked. OpenAI's fast mode is its priority tier."""

WITHOUT_PREMIUM = {"claude-opus-4", "claude-opus-4-1", "claude-sonnet-4"}
"""Claude models whose regional price on Bedrock is the global one, beside those of generation 3."""
US_PERCENT = REGIONAL_PERCENT = 110

LITELLM_COUNTS = {"deepseek-chat", "deepseek-reasoner", "deepseek-v3.2"}
LOWER_OF_TWO = {"grok-code-fast-1"}

ONE_TABLE = "There is nothing to decide: the only price that is published counts."
DECIDED: tuple[tuple[str, str, str], ...] = (
    (
        "claude-sonnet-4-5",
        "Prompts above 200 k: genai-prices has double input prices and 1.5 times the output's, "
        "litellm has them on Bedrock only.",
        "genai-prices: the tier held until 2026-04-30, when the long context was retired. Later "
        "prompts of that length are refused, so the rows price the past only.",
    ),
    (
        "claude-opus-4-5 claude-opus-4-6 claude-opus-4-7 claude-opus-4-8 claude-opus-5 "
        "claude-opus-5-5 claude-sonnet-4-6 claude-sonnet-5 claude-sonnet-5-5 claude-haiku-4-5 "
        "claude-haiku-5-5 claude-fable-5 claude-fable-5-1",
        "Hour-long cache writes in a batch: half the price, or no price.",
        "genai-prices: the maker says that discounts for batches and prices of caches multiply.",
    ),
    (
        "gpt-4.1 gpt-4.1-mini gpt-4o gpt-4o-mini o1 o3 o3-mini o4-mini",
        "Cached input in a batch: the standard price, or no price.",
        "genai-prices: a batch's discount never raises a price.",
    ),
    (
        "gpt-5-codex gpt-5.1-codex gpt-5.1-codex-max gpt-5.2-codex codestral-2508",
        "Batches and the priority tier, which Codex calls fast: only genai-prices has them.",
        "genai-prices.",
    ),
    (
        "gpt-5.5-pro",
        "Batches with prompts above 272 k: the batch's price, or half of the long prompt's.",
        "genai-prices, the lower one: agents run no batches.",
    ),
    (
        "gemini-2.5-pro gemini-2.5-flash gemini-2.5-flash-lite gemini-3-flash gemini-3.1-pro "
        "gemini-3.1-flash-lite gemini-3.5-flash gemini-3.6-flash gemini-3.7-flash "
        "gemini-3.8-flash gemini-4-argon grok-4.7",
        "The priority tier, or batches: only litellm has them.",
        "Neither: no record of an agent names them, so such usage is not priced.",
    ),
    (
        "gemini-3.5-flash-lite",
        "Cached input in a batch: 0.02, or 0.015. The priority tier: only litellm has it.",
        "genai-prices: the maker's page rounds.",
    ),
    (
        "grok-code-fast-1",
        "0.20 / 1.50, or the price of grok-build-0.1, which answers under the old name now.",
        "genai-prices, as a floor: no table tells since when.",
    ),
    (
        "deepseek-chat deepseek-reasoner",
        "genai-prices has hours of the day that ended in 2025.",
        "litellm.",
    ),
    ("deepseek-v3.2", "genai-prices has a reseller's price, without cached input.", "litellm."),
    (
        "deepseek-flash deepseek-v4-flash deepseek-v4-pro",
        "Prices double in seven hours of the day: genai-prices has both, litellm the higher.",
        "The lower one, as a floor: rows of usage know the day, not the hour.",
    ),
    (
        "glm-4.5 glm-4.5-air",
        "Cached input: only genai-prices has a price.",
        "genai-prices.",
    ),
)
"""Models → what the tables disagree on, and what is decided and why. All of it is on the page."""

DUMP = """
import json, sys
from datetime import datetime, UTC
from genai_prices.data import providers
from genai_prices.types import StartDateConstraint
asked, variants = json.load(sys.stdin)
known = {one.id: one for one in providers}
def plain(price):
    found = {}
    for key, value in price.__dict__.items():
        if value is not None and key.endswith("_mtok"):
            tiers = getattr(value, "tiers", ())
            found[key] = {"0": str(getattr(value, "base", value))}
            found[key] |= {str(-(-one.start // 1000)): str(one.price) for one in tiers}
    return found
def starts(model):
    parts = model.prices if isinstance(model.prices, list) else []
    days = [one.constraint for one in parts if one.constraint is not None]
    return sorted({str(one.start_date) for one in days if isinstance(one, StartDateConstraint)})
def by_hour(model):
    parts = model.prices if isinstance(model.prices, list) else []
    days = [one.constraint for one in parts if one.constraint is not None]
    return any(not isinstance(one, StartDateConstraint) for one in days)
out = {}
for provider, names in asked.items():
    if provider not in known:
        continue
    for name, others in names.items():
        models = [one for other in (name, *others) for one in known[provider].models
            if one.is_match(other)]
        if not models:
            continue
        model = models[0]
        parts = []
        for start in ("", *starts(model)):
            # At 20:00 UTC no hourly price is the higher one.
            at = datetime.fromisoformat(start or "2020-01-01").replace(hour=20, tzinfo=UTC)
            told = {"": plain(model.get_prices(at))}
            # It learned variants in October 2026; its days for them are not the makers'.
            late = max(at, datetime(2026, 10, 20, 20, tzinfo=UTC))
            for word, when in variants.items():
                if any(all(when.get(k) == v for k, v in one.when.items())
                        for one in model.price_variants or () if one.prices.__dict__):
                    told[word] = plain(model.get_prices(late, when))
                    base = plain(model.get_prices(late))
                    told[word + " of"] = base
            parts.append([start, told])
        out[name] = {"parts": parts, "by_hour": by_hour(model)}
json.dump(out, sys.stdout)
"""
"""Run where genai-prices is installed: a model's prices by first day and variant."""

Told = dict[str, dict[int, TokenRates]]
"""Variant → length of the prompt → rates."""


def fetched(place: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what both tables say: genai-prices of `MODELS`, litellm of everything."""
    subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
    python = str(place / "venv" / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "install", GENAI], check=True)
    subprocess.run([*pip, "download", "--no-deps", "-d", str(place), LITELLM], check=True)
    asked = {
        maker: {name: WRITTEN_ELSEWHERE.get(name, ()) for name in names.split()}
        for maker, names in MODELS.items()
    }
    done = subprocess.run(
        [python, "-c", DUMP],
        input=json.dumps([asked, ASKED]),
        capture_output=True,
        text=True,
        check=True,
    )
    with zipfile.ZipFile(next(place.glob("litellm-*.whl"))) as wheel:
        return json.loads(done.stdout), json.loads(wheel.read(LITELLM_JSON), parse_float=Decimal)


def rates_of(by_kind: dict[str, Decimal]) -> TokenRates:
    """Return rates of dollars for a million tokens. Raises if one is no whole micro-dollar."""
    found = {kind: from_dollars(amount) for kind, amount in by_kind.items()}
    if any(found[kind] != by_kind[kind] * 10**6 for kind in found):
        sys.exit(f"a rate has a part of a micro-dollar: {by_kind}")
    return TokenRates(**found)


def of_genai(prices: dict[str, dict[str, str]]) -> dict[int, TokenRates]:
    """Return one variant's rates by length of the prompt."""
    steps = sorted({int(step) for by_step in prices.values() for step in by_step})
    return {
        step: rates_of(
            {
                kind: Decimal(
                    prices[name][max((one for one in prices[name] if int(one) <= step), key=int)]
                )
                for kind, (name, _) in KINDS.items()
                if name in prices
            }
        )
        for step in steps
    }


def of_litellm(entry: dict[str, Any]) -> Told:
    """Return what litellm says of a model."""
    tiers = entry.get("tiered_pricing")
    if tiers:
        return {"": {int(one["range"][0]) // 1000: _plain(one, "", "") for one in tiers}}
    found: Told = {}
    above = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")
    steps = sorted({int(one[1]) for one in map(above.match, entry) if one})
    for word, end in (("", ""), ("batch", "_batches"), ("fast", "_priority")):
        if f"input_cost_per_token{end}" in entry:
            found[word] = {
                step: _plain(entry, f"_above_{step}k_tokens" if step else "", end)
                for step in (0, *steps)
                if not step or f"input_cost_per_token_above_{step}k_tokens{end}" in entry
            }
    return found


def _plain(entry: dict[str, Any], above: str, end: str) -> TokenRates:
    names = {kind: f"{name}{above}{end}" for kind, (_, name) in KINDS.items()}
    return rates_of(
        {
            kind: (Decimal(str(entry[name])) * 10**6).normalize()
            for kind, name in names.items()
            if entry.get(name) is not None
            and not (kind.startswith("cache_write") and not entry[name])
        }
    )


def litellm_entry(table: dict[str, Any], maker: str, name: str) -> dict[str, Any] | None:
    """Return litellm's entry of a model; ``None``: it has none."""
    names = [
        f"{before}{one}"
        for before in BEFORE.get(maker, (f"{maker}/", ""))
        for one in (name, *WRITTEN_ELSEWHERE.get(name, ()))
    ]
    by_lower = {key.lower(): entry for key, entry in table.items()}
    return next((by_lower[one] for one in names if one in by_lower), None)


# --- our rows -----------------------------------------------------------------------------------


def rows_of(
    maker: str, name: str, told: dict[str, Any] | None, entry: dict[str, Any]
) -> list[PriceRow]:
    """Return a model's rows: genai-prices' where it has the model, else litellm's."""
    if told is None or name in LITELLM_COUNTS:
        return _rows(maker, name, of_litellm(entry), (None, None), is_floor=False)
    is_floor = told["by_hour"] or name in LOWER_OF_TWO
    found: list[PriceRow] = []
    starts = [date.fromisoformat(start) if start else None for start, _ in told["parts"]]
    ends = [start - timedelta(days=1) for start in starts[1:] if start]
    for (_, prices), start, end in zip(told["parts"], starts, [*ends, None], strict=True):
        by_variant = _by_variant(maker, prices)
        if (entry.get("provider_specific_entry") or {}).get("us"):
            by_variant |= {
                _joined(word, "us"): _percent(rates, US_PERCENT)
                for word, rates in by_variant.items()
            }
        if maker == "anthropic":
            has_premium = name not in WITHOUT_PREMIUM and not name.startswith("claude-3")
            percent = REGIONAL_PERCENT if has_premium else 100
            by_variant |= {
                _joined(word, "regional"): _percent(by_variant[word], percent)
                for word in ("", "batch")
                if word in by_variant
            }
        found += _rows(maker, name, by_variant, (start, end), is_floor=is_floor)
    return found


def _joined(*words: str) -> str:
    return ",".join(sorted(filter(None, words)))


def _by_variant(maker: str, prices: dict[str, Any]) -> Told:
    found = {"": of_genai(prices[""])}
    for word in ASKED:
        if word not in prices:
            continue
        if prices[""] == prices[f"{word} of"]:
            found[word] = of_genai(prices[word])
        elif maker == "anthropic" and word == "batch":  # half the price, since there are batches
            found[word] = _percent(found[""], 50)
    return found


def _percent(by_step: dict[int, TokenRates], percent: int) -> dict[int, TokenRates]:
    found = {}
    for step, rates in by_step.items():
        amounts = {kind: getattr(rates, kind) for kind in KINDS}
        if any(amount and amount * percent % 100 for amount in amounts.values()):
            sys.exit(f"{percent} % of a rate has a part of a micro-dollar: {rates}")
        found[step] = TokenRates(
            **{
                k: None if amount is None else amount * percent // 100
                for k, amount in amounts.items()
            }
        )
    return found


def _rows(
    maker: str, name: str, told: Told, days: tuple[date | None, date | None], *, is_floor: bool
) -> list[PriceRow]:
    return [
        PriceRow(
            provider=maker,
            model=name,
            valid_from=days[0],
            valid_to=days[1],
            variant=word,
            context=step,
            rates=rates,
            is_floor=is_floor,
        )
        for word, by_step in sorted(told.items())
        for step, rates in sorted(by_step.items())
        if not step or rates != by_step[max(one for one in by_step if one < step)]
    ]


# --- what the tables disagree on ----------------------------------------------------------------


def disagreements(rows: list[PriceRow], entry: dict[str, Any], today: date) -> list[str]:
    """Return where litellm says another price of a model today."""
    other = of_litellm(entry)
    fast = (entry.get("provider_specific_entry") or {}).get("fast")
    if fast and "fast" not in other:
        other["fast"] = _percent(other[""], int(Decimal(fast) * 100))
    ours: defaultdict[str, dict[int, TokenRates]] = defaultdict(dict)
    for row in rows:
        if row.holds_on(today):
            ours[row.variant][row.context] = row.rates
    found = []
    for word in ("", *ASKED):
        if word not in other or word not in ours:
            if word in other or word in ours:
                found.append(f"{word}: only in {'litellm' if word in other else 'genai-prices'}")
            continue
        for step in sorted({*ours[word], *other[word]}):
            mine, theirs = (
                told[word][max(one for one in told[word] if one <= step)] for told in (ours, other)
            )
            for kind in KINDS:
                one, two = getattr(mine, kind), getattr(theirs, kind)
                if one != two:
                    place = " ".join(filter(None, (word, f"> {step} k" if step else "")))
                    found.append(f"{kind}{' ' + place if place else ''}: {_usd(one)} / {_usd(two)}")
    return found


def _usd(rate: int | None) -> str:
    return "none" if rate is None else f"{(Decimal(rate) / 10**6).normalize():f}"


def main() -> None:
    """Write both files, or say what is undecided."""
    today = datetime.now(UTC).date()
    with tempfile.TemporaryDirectory() as place:
        genai, litellm = fetched(Path(place))
    rows: list[PriceRow] = []
    differing: dict[str, list[str]] = {}
    alone: defaultdict[str, list[str]] = defaultdict(list)
    for maker, names in MODELS.items():
        for name in names.split():
            entry = litellm_entry(litellm, maker, name)
            if name not in genai and entry is None:
                sys.exit(f"{name}: in neither table")
            own = rows_of(maker, name, genai.get(name), entry or {})
            rows += own
            if entry is None or name not in genai:
                alone["litellm" if entry else "genai-prices"].append(name)
            elif what := disagreements(own, entry, today):
                differing[name] = what
    decided = {name for names, _, _ in DECIDED for name in names.split()}
    for name in sorted({*differing} - decided - LITELLM_COUNTS):
        print(f"{name} is undecided: {'; '.join(differing[name])}")
    for name in sorted(decided - {*differing} - LITELLM_COUNTS):
        print(f"{name} is decided, but the tables agree")
    if {*differing} ^ (decided - LITELLM_COUNTS):
        sys.exit("Decide in DECIDED; nothing was written.")
    TABLE.write_bytes(written(PriceTable(version=version_of(today, tuple(rows)), rows=tuple(rows))))
    PAGE.write_text(page(rows, alone), encoding="utf-8")


def page(rows: list[PriceRow], alone: dict[str, list[str]]) -> str:
    """Return the page about the sources and their disagreements."""
    only = "\n".join(f"| {table} | {', '.join(names)} |" for table, names in sorted(alone.items()))
    decisions = "\n".join(
        f"| {', '.join(names.split())} | {what} | {why} |" for names, what, why in DECIDED
    )
    return f"""\
# Where the prices come from

`ghapp/spend/prices.json` has {len(rows)} rows of {len({row.model for row in rows})} models. `docs/renew_prices.py` makes it, and this page, from two public
tables: `{GENAI}` (MIT) and the price file of `{LITELLM}` (MIT). Neither is part of the program, and the program never asks
for prices over the network. [spend.md](spend.md) says how a row is found.

genai-prices counts, since it knows days and gives reasons. Whatever litellm says otherwise is below, with what was decided; the script
writes nothing while a disagreement is undecided. {ONE_TABLE}

| only in | models |
|---|---|
{only}

Dollars below are for a million tokens, input / output.

| models | the tables | decided |
|---|---|---|
{decisions}

**Beside the tables.** On Bedrock, the name of a regional inference profile (`us.anthropic...`) costs 1.1 times the global price from Claude
generation 4.5 on; a bare name is taken as global. On Vertex the name tells no region, so the price is the global one. Inference in the
United States alone (`inference_geo`) costs 1.1 times where litellm says so. Batches of Claude cost half, also before the tables knew.
"""


if __name__ == "__main__":
    main()
