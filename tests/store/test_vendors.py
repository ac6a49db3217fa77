"""Vendors in the database: a key, how reading went, and each day's money once."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from ghapp.store import AddedUsage, Installation, ReportKey, Store, UsageOrigin
from ghapp.store.usage_rows import IdentityMapping
from ghapp.usage.amounts import VendorAmount
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import UNNAMED_SESSION, TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.store.records import NOW

ORG, DAY = 7, date(2026, 5, 20)
ADA = UsageIdentity(IdentityKind.EMAIL, "ada@example.com")
BOB = UsageIdentity(IdentityKind.ACCOUNT, "12")
KEY = ReportKey(ORG, "cursor", "admin")
ONE_DAY = timedelta(days=1)


def connect(store: Store, vendor: str = "cursor", *, org: int = ORG) -> None:
    store.vendors.connect(org, vendor, b"sealed", ["admin"], by="owner", now=NOW)


def tokens(output: int, day: date = DAY) -> TokenDay:
    return TokenDay(
        agent="cursor",
        agent_session=UNNAMED_SESSION,
        day=day,
        tokens=TokenCounts(output=output),
        answers=None,
    )


def used(
    output: int, who: UsageIdentity = ADA, *, key: ReportKey = KEY, day: date = DAY
) -> AddedUsage:
    login = "bob" if who == BOB else None
    origin = UsageOrigin(
        key.installation_id, UsageSource.VENDOR, who, login=login, machine=key.machine
    )
    return AddedUsage(origin, [tokens(output, day)])


def money(
    billed: int | None, who: UsageIdentity | None = ADA, *, currency: str = "USD"
) -> VendorAmount:
    return VendorAmount(
        product="claude_code",
        billed=billed,
        list_price=None,
        identity=who,
        currency=currency,
        login="bob" if who == BOB else None,
    )


def replace(
    store: Store,
    usage: Sequence[AddedUsage] = (),
    amounts: Sequence[VendorAmount] = (),
    *,
    key: ReportKey = KEY,
    day: date = DAY,
) -> bool:
    return store.vendors.replace_day(key, day, usage, amounts, through=day, now=NOW)


def billed(store: Store, day: date = DAY) -> list[tuple[int | None, int | None, str]]:
    found = store.vendors.amounts(ORG, day, day)
    return [(one.person, one.billed, one.currency) for one in found]


def outputs(store: Store) -> list[int]:
    rows = [one.row for one in store.usage.rows(ORG)]
    return sorted(one.tokens.output for one in rows if isinstance(one, TokenDay))


def test_a_connection_says_what_happened(store: Store) -> None:
    assert store.vendors.connections(ORG) == ()
    connect(store)
    connect(store, org=8)
    (found,) = store.vendors.connections(ORG)
    assert (found.vendor, found.set_by, found.set_at, found.key) == (
        *("cursor", "owner", NOW),
        b"sealed",
    )
    assert (found.problem, found.through, found.succeeded_at) == (None, None, None)
    assert b"sealed" not in repr(found).encode()
    replace(store)
    store.vendors.asked(KEY, "it \0 broke", resume=DAY, now=NOW)
    (found,) = store.vendors.connections(ORG)
    assert (found.problem, found.through, found.succeeded_at) == ("it � broke", DAY, None)
    assert (found.state("admin").resume, found.problem_at) == (DAY, NOW)
    store.vendors.asked(KEY, None, resume=None, now=NOW + ONE_DAY)
    (found,) = store.vendors.connections(ORG)
    assert (found.problem, found.problem_at, found.succeeded_at) == (None, None, NOW + ONE_DAY)
    assert found.state("admin").resume is None
    assert len(store.vendors.connections()) == 2


def test_a_new_key_ends_problems_and_keeps_what_was_read(store: Store) -> None:
    connect(store)
    replace(store, [used(5)], [money(10)])
    store.vendors.asked(KEY, "the key is not accepted", resume=None, now=NOW)
    store.vendors.connect(ORG, "cursor", b"other", ["admin"], by="another", now=NOW + ONE_DAY)
    (found,) = store.vendors.connections(ORG)
    assert (found.key, found.set_by, found.problem) == (b"other", "another", None)
    assert (found.through, outputs(store)) == (DAY, [5])


def test_a_revised_day_replaces_the_day_with_everybody_on_it(store: Store) -> None:
    connect(store)
    replace(store, [used(5), used(7, BOB)], [money(10), money(20, BOB), money(30, None)])
    replace(store, [used(9, BOB)], [money(21, BOB)])
    assert outputs(store) == [9]
    assert billed(store) == [(12, 21, "USD")]
    replace(store)
    assert (outputs(store), billed(store)) == ([], [])
    assert store.usage.settle() == 2


def test_other_days_reports_and_organizations_stay(store: Store) -> None:
    others = [ReportKey(ORG, "other", "admin"), ReportKey(8, "cursor", "admin")]
    connect(store)
    connect(store, "other")
    connect(store, org=8)
    for key in (KEY, *others):
        replace(store, [used(5, key=key)], [money(10)], key=key)
    replace(store, [used(6, day=DAY + ONE_DAY)], [money(11)], day=DAY + ONE_DAY)
    replace(store)
    assert outputs(store) == [5, 6]
    assert [one.row for one in store.usage.rows(8)] == [tokens(5)]
    found = store.vendors.amounts(ORG, DAY, DAY + ONE_DAY)
    assert [(one.vendor, one.day, one.billed) for one in found] == [
        ("other", DAY, 10),
        ("cursor", DAY + ONE_DAY, 11),
    ]


def test_equal_amounts_are_added_and_currencies_never(store: Store) -> None:
    connect(store)
    amounts = [money(1, None), money(2, None), money(None, None), money(4, None, currency="EUR")]
    replace(store, (), [*amounts, money(None)])
    assert sorted(billed(store), key=str) == [
        (-1, None, "USD"),
        (None, 3, "USD"),
        (None, 4, "EUR"),
    ]


def test_money_follows_who_its_identity_is(store: Store) -> None:
    connect(store)
    replace(store, (), [money(10)])
    store.usage.map(ORG, [IdentityMapping(ADA, 11, "ada")], by="owner", now=NOW)
    assert billed(store) == [(11, 10, "USD")]


@pytest.mark.parametrize("through", [None, DAY - ONE_DAY])
def test_how_far_everything_is_read_never_goes_back(
    sqlite_store: Store, through: date | None
) -> None:
    connect(sqlite_store)
    replace(sqlite_store)
    sqlite_store.vendors.replace_day(KEY, DAY, (), (), through=through, now=NOW)
    (found,) = sqlite_store.vendors.connections(ORG)
    assert found.through == DAY


def test_what_is_removed_while_it_is_read_stays_removed(store: Store) -> None:
    connect(store)
    replace(store, [used(5)], [money(10)])
    assert store.vendors.disconnect(ORG, "cursor")
    assert not replace(store, [used(5)], [money(10)])
    assert (outputs(store), billed(store)) == ([], [])


def test_a_person_is_forgotten_with_their_money(store: Store) -> None:
    connect(store)
    replace(store, [used(5, BOB), used(7)], [money(10, BOB), money(20), money(30, None)])
    store.usage.forget(12, "bob", now=NOW)
    for _ in range(2):
        assert outputs(store) == [7]
        assert sorted(one[1] or 0 for one in billed(store)) == [20, 30]
        # The vendor tells its last days again.
        replace(store, [used(5, BOB), used(7)], [money(10, BOB), money(20), money(30, None)])
    later = DAY + ONE_DAY
    replace(store, [used(5, BOB, day=later)], [money(10, BOB)], day=later)
    assert outputs(store) == [5, 7]
    assert billed(store, later) == [(12, 10, "USD")]
    store.vendors.expire(DAY, now=NOW + 200 * ONE_DAY)
    replace(store, [used(5, BOB)])
    assert outputs(store) == [5, 5]


def test_old_days_expire(store: Store) -> None:
    connect(store)
    replace(store, (), [money(10)])
    assert store.vendors.expire(DAY, now=NOW) == 0
    assert store.vendors.expire(DAY + ONE_DAY, now=NOW) == 1
    assert billed(store) == []


def test_an_organization_that_left_for_sure_leaves_no_key_and_no_money(store: Store) -> None:
    store.installations.seen(Installation(id=ORG, account="acme"), now=NOW)
    connect(store)
    replace(store, (), [money(10)])
    assert store.vendors.forget_uninstalled(NOW + ONE_DAY) == 0
    store.installations.removed(ORG, now=NOW)
    assert store.vendors.forget_uninstalled(NOW) == 0
    assert store.vendors.forget_uninstalled(NOW + ONE_DAY) == 1
    assert (store.vendors.connections(), billed(store)) == ((), [])
