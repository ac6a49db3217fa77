"""What pull requests cost, slowly: fractions, one rule after the other, nothing of ghapp.spend.

It reads a case of fixtures/spend as JSON. A model's name there is as on the list.
"""

import tomllib
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

KINDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
BEFORE, AFTER = timedelta(days=21), timedelta(days=2)

Case = dict[str, Any]
Tables = dict[str, list[dict[str, Any]]]


def answered(case: Case, tables: Tables, card: str | None) -> dict[str, Any]:
    """Return what a case comes to, by basis."""
    found = {"list": _by_basis(case, tables, None)}
    if card is not None:
        found["contract"] = _by_basis(case, tables, tomllib.loads(card, parse_float=Decimal))
    return found


def _by_basis(case: Case, tables: Tables, card: Case | None) -> dict[str, Any]:
    costs = [_cost(row, _rates(row, case, tables, card)) for row in case["usage"]]
    nothing = {"amount": 0, "priced_tokens": 0, "unpriced_tokens": 0, "is_floor": False}
    parts: dict[str, list[dict[str, Any]]] = {key: [] for key in case["pull_requests"]}
    unallocated = []
    for row, cost in zip(case["usage"], costs, strict=True):
        lines = {k: n for k, n in case["matched"].get(row["agent_session"], {}).items() if n}
        if not lines:
            unallocated.append(cost)
        for key in lines:
            parts[key].append(
                {
                    name: value if isinstance(value, bool) else _part(value, lines, key)
                    for name, value in cost.items()
                }
            )
    return {
        "agent_sessions": {
            name: _sum(
                [c for r, c in zip(case["usage"], costs, strict=True) if r["agent_session"] == name]
            )
            for name in sorted({row["agent_session"] for row in case["usage"]})
        },
        "pull_requests": {
            key: _sum(own or [nothing]) | _about(case, key) for key, own in parts.items()
        },
        "unallocated": _sum(unallocated or [nothing]),
    }


def _about(case: Case, key: str) -> dict[str, Any]:
    told = case["pull_requests"][key]
    lines = {name: own[key] for name, own in case["matched"].items() if own.get(key)}
    rows = [row for row in case["usage"] if row["agent_session"] in lines]
    days = [date.fromisoformat(row["day"]) for row in rows]
    merged = datetime.fromisoformat(told["merged_at"])
    final = merged + AFTER
    if days:
        last = datetime.combine(max(days), datetime.min.time(), merged.tzinfo) + timedelta(days=1)
        final = max(final, last + BEFORE + AFTER)
    used = {row["agent_session"] for row in rows}
    closed = [case["closed"].get(f"{day:%Y-%m}-01", {}) for day in days]
    return {
        "state": "final" if datetime.fromisoformat(case["now"]) > final else "open",
        "data_through": max(days).isoformat() if days else None,
        "agent_sessions": len(used),
        "attributed_lines": told["attributed_lines"],
        "covered_lines": sum(lines[name] for name in used),
        "is_repriced": any("before" in one for one in closed),
    } | ({} if used else {"amount": None})


def _rates(row: Case, case: Case, tables: Tables, card: Case | None) -> dict[str, Fraction] | None:
    """Return micro-dollars for a token of each kind."""
    month = case["closed"].get(row["day"][:7] + "-01", case["current"])
    fitting = [
        one
        for one in tables[month["prices"]]
        if one["model"] == row["model"]
        and one.get("variant", "") == row.get("variant", "")
        and one.get("context", 0) <= row.get("context", 0)
        and one.get("valid_from", row["day"]) <= row["day"] <= one.get("valid_to", row["day"])
    ]
    best = max(fitting, key=lambda one: one.get("context", 0), default=None)
    listed = None if best is None else {k: Fraction(n, 10**6) for k, n in best["rates"].items()}
    if card is None:
        return listed
    for one in card.get("price", ()):
        is_plain = not row.get("variant")  # the cards here have no prices for variants
        if is_plain and row["model"].startswith(one["model"].rstrip("*")):
            return {kind: Fraction(one[kind]) for kind in KINDS if kind in one}
    for one in card.get("discount", ()):
        if listed is not None and best is not None and one["provider"] == best["provider"]:
            left = 1 - Fraction(one["percent_off"]) / 100
            return {
                kind: Fraction(round(rate * left * 10**6), 10**6) for kind, rate in listed.items()
            }
    return None


def _cost(row: Case, rates: dict[str, Fraction] | None) -> dict[str, Any]:
    exact, priced, is_floor = Fraction(0), 0, False
    whole = sum(row["tokens"].values())
    for kind, count in row["tokens"].items():
        rate = (rates or {}).get(kind.replace("unsplit", "5m"))
        if rate is not None:
            exact += count * rate
            priced += count
        if kind == "cache_write_unsplit" and count and rate is not None:
            is_floor = is_floor or rate != (rates or {}).get("cache_write_1h")
    amount = round(exact) if priced or not whole else None
    return {
        "amount": amount,
        "priced_tokens": priced,
        "unpriced_tokens": whole - priced,
        "is_floor": is_floor,
    }


def _part(value: int | None, lines: dict[str, int], key: str) -> int | None:
    """Return one pull request's part of a whole number, by the largest remainder."""
    if value is None:
        return None
    exact = {one: Fraction(value * n, sum(lines.values())) for one, n in lines.items()}
    parts = {one: int(part) for one, part in exact.items()}
    order = sorted(exact, key=lambda one: (parts[one] - exact[one], one))
    for one in order[: value - sum(parts.values())]:
        parts[one] += 1
    return parts[key]


def _sum(costs: list[dict[str, Any]]) -> dict[str, Any]:
    priced = sum(one["priced_tokens"] for one in costs)
    unpriced = sum(one["unpriced_tokens"] for one in costs)
    return {
        "amount": sum(one["amount"] or 0 for one in costs) if priced or not unpriced else None,
        "priced_tokens": priced,
        "unpriced_tokens": unpriced,
        "is_floor": any(one["is_floor"] for one in costs),
    }
