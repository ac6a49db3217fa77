"""The weekly summary: what it says, when it is due, and that no week is sent twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import AuditState, AuditTotals, Verdict
from ghapp.spend.budgets import BudgetOf, MonthlyBudget
from ghapp.spend.cost import CostBasis
from ghapp.store import Installation, Repository, Store, UsageOrigin, WeeklyOrder
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.store.summaries.spend import SpendQuestions
from ghapp.store.summaries.usage import UsageQuestions
from ghapp.summaries.selection import PersonNaming
from ghapp.upkeep.outgoing import NotSent
from ghapp.upkeep.weekly import WeeklySummaries, last_week, next_sending, posted
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.receivers import Receiver, serving
from tests.searching import searched
from tests.store.plain_usage import add
from tests.store.records import document

WEDNESDAY = datetime(2026, 5, 20, 6, 0, tzinfo=UTC)
INSTALLATION = 5
TIMES = st.integers(0, 10**9).map(lambda seconds: WEDNESDAY + timedelta(seconds=seconds))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving(made := Receiver()):
        yield made


@pytest.fixture
def summaries(sqlite_store: Store) -> WeeklySummaries:
    """Return the sender for acme."""
    return prepared(sqlite_store)


@pytest.fixture
def summaries_on_each(store: Store) -> WeeklySummaries:
    """Return the sender for acme, on each database."""
    return prepared(store)


def prepared(store: Store) -> WeeklySummaries:
    """Return the sender for acme, where acme/shop merged two pull requests last week."""
    store.installations.seen(Installation(id=INSTALLATION, account="acme"), now=WEDNESDAY)
    shop = Repository(id=42, owner="acme", name="shop", installation_id=INSTALLATION)
    store.installations.repository_seen(shop, now=WEDNESDAY)
    for number, days in ((17, 4), (18, 5), (19, 12)):
        saved = document(
            WEDNESDAY - timedelta(days=days),
            pull_request=number,
            state=AuditState.FINAL,
            verdict=Verdict.ASSISTED if number == 17 else Verdict.NO_EVIDENCE,
            totals=AuditTotals(
                added=4,
                effective=3,
                attributed=2 if number == 17 else 0,
                share=0.6667 if number == 17 else None,
                by_reason={},
                by_agent={"claude-code": 2} if number == 17 else {},
            ),
        )
        store.audits.save(42, number, saved, now=WEDNESDAY)
    return WeeklySummaries(
        store=store,
        summaries=SummaryQuestions(store.database, PersonNaming()),
        usage=UsageQuestions(store.database),
        spend=SpendQuestions(store.database, PersonNaming()),
        estimate=CostBasis.LIST,
        encryption_key=b"k" * 32,
        mail_server=None,
        private_webhooks=True,
        public_url="https://audits.example.com",
        clock=lambda: WEDNESDAY,
    )


def request(summaries: WeeklySummaries, receiver: Receiver) -> None:
    webhook = summaries.seal(f"http://127.0.0.1:{receiver.server_port}/hook")
    wanted = WeeklyOrder(installation_id=INSTALLATION, webhook=webhook, set_by="ann")
    summaries.store.weeklies.order(wanted, now=WEDNESDAY)


def test_it_says_the_week_and_is_sent_once(
    summaries_on_each: WeeklySummaries, receiver: Receiver
) -> None:
    summaries = summaries_on_each
    request(summaries, receiver)
    assert summaries.send(INSTALLATION).count == 1
    assert summaries.send(INSTALLATION).count == 0
    (body,) = receiver.received
    said = msgspec.json.decode(body)
    assert (said["organization"], said["week"]) == ("acme", "2026-W20")
    for words in (
        "2 merged pull requests, 1 the week before",
        "**1 with an agent**, at least 50%\n",
        "1 pull request without evidence",
        "| `acme/shop` | 2 | 1 |",
        "https://audits.example.com/organizations/acme?since=2026-05-11&until=2026-05-17",
    ):
        assert words in said["text"]


def test_only_slack_gets_blocks(summaries: WeeklySummaries) -> None:
    (installation,) = summaries.store.installations.all()
    letter = summaries.letter(INSTALLATION, summaries._week(installation), ())
    assert "blocks" in posted("https://hooks.slack.com/services/T/B/x", letter)
    for other in ("https://hooks.slack.com.example/x", "https://example.com/?hooks.slack.com"):
        assert "blocks" not in posted(other, letter)


def test_unknown_is_not_zero(summaries: WeeklySummaries, receiver: Receiver) -> None:
    request(summaries, receiver)
    earlier = replace(summaries, clock=lambda: WEDNESDAY - timedelta(days=7))
    assert earlier.send(INSTALLATION).count == 1
    said = msgspec.json.decode(receiver.received[0])["text"]
    assert "| `acme/shop` | 1 | - | 3 | - |" in said
    assert "lines with an agent" not in said


def test_its_quiet_spots_look_at_the_week_that_it_tells(
    summaries: WeeklySummaries, receiver: Receiver
) -> None:
    store = summaries.store
    handbook = Repository(id=43, owner="acme", name="handbook", installation_id=INSTALLATION)
    store.installations.repository_seen(handbook, now=WEDNESDAY)
    sunday = WEDNESDAY - timedelta(days=3)
    for number in range(1, 11):
        unknown = document(sunday, pull_request=number, verdict=Verdict.NO_EVIDENCE)
        store.audits.save(43, number, unknown, now=WEDNESDAY)
    request(summaries, receiver)
    summaries.send(INSTALLATION)
    said = msgspec.json.decode(receiver.received[0])["text"]
    assert "- `acme/handbook`: no evidence has arrived" in said


def test_nobody_gets_a_summary_without_an_order(summaries: WeeklySummaries) -> None:
    assert summaries.send(INSTALLATION).count == 0
    summaries.store.weeklies.order(
        WeeklyOrder(installation_id=INSTALLATION, set_by="a"), now=WEDNESDAY
    )
    assert summaries.store.weeklies.stop(INSTALLATION)
    assert summaries.send(INSTALLATION).count == 0


def test_what_did_not_come_in_is_sent_again(summaries: WeeklySummaries, receiver: Receiver) -> None:
    request(summaries, receiver)
    receiver.status = 500
    with pytest.raises(NotSent):
        summaries.send(INSTALLATION)
    kept = summaries.store.weeklies.of(INSTALLATION)
    assert kept is not None
    assert kept.problem == "127.0.0.1 answered with status 500"
    receiver.status = 200
    assert summaries.send(INSTALLATION).count == 1
    assert len(receiver.received) == 2


def test_what_may_have_come_in_is_not_sent_again(
    summaries: WeeklySummaries, receiver: Receiver
) -> None:
    request(summaries, receiver)
    receiver.status = 0
    assert summaries.send(INSTALLATION).count == 1
    kept = summaries.store.weeklies.of(INSTALLATION)
    assert kept is not None
    assert "did not answer" in str(kept.problem)
    assert summaries.send(INSTALLATION).count == 0


def test_concurrent_workers_send_one_summary(
    summaries_on_each: WeeklySummaries, receiver: Receiver
) -> None:
    summaries = summaries_on_each
    request(summaries, receiver)
    with ThreadPoolExecutor(4) as pool:
        sent = [one.count for one in pool.map(summaries.send, [INSTALLATION] * 4)]
    assert sorted(sent) == [0, 0, 0, 1]
    assert len(receiver.received) == 1


def test_the_next_week_is_another_summary(summaries: WeeklySummaries, receiver: Receiver) -> None:
    request(summaries, receiver)
    summaries.send(INSTALLATION)
    later = replace(summaries, clock=lambda: WEDNESDAY + timedelta(days=7))
    assert later.send(INSTALLATION).count == 1
    assert b"No pull requests were merged" in receiver.received[1]


def test_an_address_under_another_key_is_not_sent_to(
    summaries: WeeklySummaries, receiver: Receiver
) -> None:
    request(summaries, receiver)
    with pytest.raises(NotSent, match="no address"):
        replace(summaries, encryption_key=b"x" * 32).send(INSTALLATION)


@searched(25)
@given(TIMES)
def test_summaries_are_due_on_wednesdays_and_never_now(now: datetime) -> None:
    due = next_sending(now)
    assert now < due <= now + timedelta(days=7)
    assert (due.weekday(), due.hour) == (2, 6)


@searched(25)
@given(TIMES.map(datetime.date))
def test_a_summary_is_about_the_last_closed_week(today: date) -> None:
    first, last = last_week(today)
    assert (first.weekday(), last - first) == (0, timedelta(days=6))
    assert timedelta(days=3) <= today - last <= timedelta(days=9)


# --- money ----------------------------------------------------------------------------------------


def use(store: Store, day: date, *, people: int = 5, dollars: int = 1) -> None:
    """Let people spend dollars each on output of Opus, 25 dollars for a million tokens."""
    row = TokenDay(
        agent="claude-code",
        agent_session="s1",
        day=day,
        tokens=TokenCounts(output=40_000 * dollars),
        answers=1,
        model="claude-opus-4-5",
        context=0,
    )
    for person in range(1, people + 1):
        who = UsageIdentity(IdentityKind.ACCOUNT, str(person))
        source = UsageSource.TRANSCRIPTS
        origin = UsageOrigin(INSTALLATION, source, who, login=f"p{person}", repository_id=42)
        add(store, origin, [row])
    store.usage.settle()


def told(receiver: Receiver) -> str:
    return str(msgspec.json.decode(receiver.received[-1])["text"])


def agree(store: Store, dollars: int, of: BudgetOf = BudgetOf.ORGANIZATION) -> None:
    name = None if of is BudgetOf.ORGANIZATION else "acme/shop"
    budget = MonthlyBudget(of, name, dollars * 10**6, CostBasis.LIST)
    store.budgets.agree(INSTALLATION, budget, by="ann", now=WEDNESDAY)


def test_the_letter_names_the_week_s_cost_and_its_basis(summaries: WeeklySummaries) -> None:
    use(summaries.store, date(2026, 5, 12))
    installation = summaries.store.installations.installation(INSTALLATION)
    assert installation is not None
    said = summaries.preview(installation)
    assert "Cost of agents: $5.00 at list prices" in said
    assert "It is no bill." in said


def test_the_letter_names_no_money_of_few_people(summaries: WeeklySummaries) -> None:
    agree(summaries.store, 1)
    use(summaries.store, date(2026, 5, 12), people=4)
    installation = summaries.store.installations.installation(INSTALLATION)
    assert installation is not None
    said = summaries.preview(installation)
    assert "$" not in said
    assert "Budget" not in said


def test_each_state_of_a_budget_is_told_once_a_month(
    summaries_on_each: WeeklySummaries, receiver: Receiver
) -> None:
    store = summaries_on_each.store
    request(summaries_on_each, receiver)
    agree(store, 18)
    agree(store, 100_000, BudgetOf.REPOSITORY)
    for week in range(1, 7):
        use(store, date(2026, 5, 12) - timedelta(weeks=week))
    use(store, date(2026, 5, 12), dollars=2)

    def sent(weeks: int) -> str:
        now = WEDNESDAY + timedelta(weeks=weeks)
        assert replace(summaries_on_each, clock=lambda: now).send(INSTALLATION).count == 1
        return told(receiver)

    # One more Tuesday is left, and Tuesdays cost five dollars.
    first = sent(0)
    assert "- the organization, May 2026: **the month's forecast is above it**" in first
    assert "$15.00 spent of $18.00 at list prices" in first
    assert "acme/shop`, May" not in first
    assert "Budgets" not in sent(1)
    use(store, date(2026, 5, 26), dollars=3)
    assert "- the organization, May 2026: **exceeded**, $30.00 spent of $18.00" in sent(2)
    use(store, date(2026, 6, 9), dollars=9)
    # What is said of May is not said again, and June is another month.
    again = sent(4)
    assert "May 2026" not in again
    assert "June 2026: **exceeded**" in again


def test_an_alarm_that_did_not_go_out_comes_with_the_next_try(
    summaries: WeeklySummaries, receiver: Receiver
) -> None:
    request(summaries, receiver)
    agree(summaries.store, 1)
    use(summaries.store, date(2026, 5, 12))
    receiver.status = 500
    with pytest.raises(NotSent):
        summaries.send(INSTALLATION)
    receiver.status = 200
    assert summaries.send(INSTALLATION).count == 1
    assert "**exceeded**" in told(receiver)
    # The preview shows what stands, told or not.
    installation = summaries.store.installations.installation(INSTALLATION)
    assert installation is not None
    assert "**exceeded**" in summaries.preview(installation)
