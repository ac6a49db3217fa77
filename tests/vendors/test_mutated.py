"""Whatever a vendor answers, reading ends in a day that can be stored or in a named error."""

import json
import os
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ghapp.store import AddedUsage, ReportKey, Store, UsageOrigin
from ghapp.usage.sources import UsageSource
from ghapp.vendors.refusals import VendorError
from ghapp.vendors.registry import VENDORS
from tests.vendors.reading import asking_of
from tests.vendors.stand_in import NOW, STAND_INS, TODAY, Asked, Reply, StandIn, served

FACTOR = int(os.environ.get("GHAPP_EXAMPLES_FACTOR", "1"))
MUTANTS = 60 * FACTOR
"""Of the answers to each report."""
DAY = TODAY - timedelta(days=3)
JUNK = (
    *(None, True, 0, -1, 1.5, 10**13, 10**30, -(2**63), 2**64, 1e308, -0.0),
    *("", "x", "x" * 300, "0", "-1", "1e999999", "NaN", "sNaN", "-Infinity", "\0", "\ud800"),
    *("2031-01-01", "2026-11-27T00:00:00", "2026-11-27T00:00:00+23:59", [], {}, [[]], [None]),
)


def mutated(value: Any, drawn: random.Random) -> Any:
    """Return a value with one part of it replaced, left out or told twice."""
    parts = list(value.items() if isinstance(value, dict) else enumerate(value))
    if not parts or drawn.random() < 0.1:
        return drawn.choice(JUNK)
    where, part = drawn.choice(parts)
    if isinstance(part, dict | list) and drawn.random() < 0.85:
        changed: Any = mutated(part, drawn)
    else:
        changed = drawn.choice(JUNK)
    if isinstance(value, dict):
        without = {name: one for name, one in value.items() if name != where}
        return without if drawn.random() < 0.1 else {**value, where: changed}
    return [*value[:where], changed, *value[where:]]


def misbehaving(whole: Callable[[Asked], Reply], drawn: random.Random) -> Callable[[Asked], Reply]:
    def route(asked: Asked) -> Reply:
        reply = whole(asked)
        if reply.status != 200:
            return reply
        if isinstance(reply.body, bytes):
            lines = [json.loads(line) for line in reply.body.splitlines()]
            found = mutated(lines, drawn)
            some = found if isinstance(found, list) else [found]
            return Reply("\n".join(map(json.dumps, some)).encode())
        return Reply(mutated(reply.body, drawn))

    return route


@pytest.mark.parametrize("kind", STAND_INS, ids=lambda kind: kind.vendor)
def test_nothing_else_comes_of_an_answer(kind: type[StandIn], store: Store) -> None:
    drawn, ends = random.Random(7 * FACTOR), set[str]()  # noqa: S311 - chance, no secret
    reports = VENDORS[kind.vendor].reports
    names = [one.name for one in reports]
    store.vendors.connect(7, kind.vendor, b"sealed", names, by="owner", now=NOW)
    with served(kind()) as told:
        told.say(DAY, ada=5, bob=3, nobody=1)
        told.page_size, told.route = 10, misbehaving(told.route, drawn)  # type: ignore[method-assign]
        for report in reports:
            key = ReportKey(7, kind.vendor, report.name)
            for _ in range(MUTANTS):
                with asking_of(told) as asking:
                    try:
                        day = report.read(asking, DAY)
                    except VendorError as error:
                        ends.add(type(error).__name__)
                        continue
                ends.add("stored")
                usage = [
                    AddedUsage(
                        UsageOrigin(7, UsageSource.VENDOR, one.identity, login=one.login), one.rows
                    )
                    for one in day.people
                ]
                store.vendors.replace_day(key, DAY, usage, day.amounts, through=DAY, now=NOW)
    assert {"stored", "WrongAnswer"} <= ends
    store.usage.settle()
