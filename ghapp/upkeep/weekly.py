"""Builds and sends an organization's weekly summary, never twice.

The sender claims a week in the database before it sends. If delivery definitely failed, it
releases the claim and the worker tries again; if delivery is unsure, it does not send again.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken

from ghapp.attribution.model import Struct
from ghapp.git.names import segment
from ghapp.github.token_cache import derive_key
from ghapp.reports.letter import WeeklyLetter, to_html, to_markdown, to_slack, to_text, to_values
from ghapp.reports.weekly import WeekSpend, WeekSummary, weekly
from ghapp.spend.budgets import is_alarm
from ghapp.spend.closed_months import month_of
from ghapp.spend.cost import CostBasis
from ghapp.spend.counts import BudgetCheck
from ghapp.store import Installation, Store
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.store.summaries.spend import SpendQuestions
from ghapp.store.summaries.usage import UsageQuestions
from ghapp.store.weeklies import WeeklyOrder
from ghapp.summaries.selection import PullSelection, TimeGrain
from ghapp.upkeep.outgoing import DeliveryUnsure, MailServer, NotSent, WrongAddress, mail, post
from ghapp.usage.counts import UsageSelection

WEEK = timedelta(days=7)
SLACK = "hooks.slack.com"
"""Host of Slack's webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""
SENT_ON = 2
"""Wednesday: by then the windows of every pull request merged until Sunday are closed."""
SENT_AT_HOUR = 6
"""UTC."""


class WeeklyResult(Struct, frozen=True):
    """The result of sending one week's summary."""

    count: int
    """1: sent; 0: there was nothing to send."""
    why: str


def next_sending(now: datetime) -> datetime:
    """Return the next time after ``now`` at which summaries are due.

    >>> str(next_sending(datetime(2026, 5, 20, 6, tzinfo=UTC)))
    '2026-05-27 06:00:00+00:00'
    """
    day = now.astimezone(UTC).replace(hour=SENT_AT_HOUR, minute=0, second=0, microsecond=0)
    day += timedelta(days=(SENT_ON - day.weekday()) % 7)
    return day if day > now else day + WEEK


def last_week(today: date) -> tuple[date, date]:
    """Return Monday and Sunday of the last week with closed windows.

    >>> [str(day) for day in last_week(date(2026, 5, 20))]
    ['2026-05-11', '2026-05-17']
    """
    closed = today - timedelta(days=3)
    monday = closed - timedelta(days=(closed.weekday() + 1) % 7 + 6)
    return monday, monday + timedelta(days=6)


def posted(webhook: str, letter: WeeklyLetter) -> dict[str, Any]:
    """Return what a webhook gets: Slack its blocks, any other plain values."""
    return to_slack(letter) if urlsplit(webhook).hostname == SLACK else to_values(letter)


@dataclass(frozen=True)
class WeeklySummaries:
    """Sends weekly summaries; without ``mail_server`` it sends no mail."""

    store: Store
    summaries: SummaryQuestions
    usage: UsageQuestions
    spend: SpendQuestions
    estimate: CostBasis
    encryption_key: bytes
    mail_server: MailServer | None
    private_webhooks: bool
    public_url: str | None
    clock: Callable[[], datetime]

    def seal(self, webhook: str) -> bytes:
        """Encrypt a webhook's address."""
        return self._box.encrypt(webhook.encode())

    def webhook(self, order: WeeklyOrder) -> str | None:
        """Return the webhook's address; ``None``: there is none, or another key encrypted it."""
        try:
            return self._box.decrypt(order.webhook).decode() if order.webhook else None
        except InvalidToken:
            return None

    def send(self, installation_id: int) -> WeeklyResult:
        """Send an organization its summary of last week, if it ordered one, but only once.

        Raises `NotSent` if delivery definitely failed; the caller may retry.
        """
        order = self.store.weeklies.of(installation_id)
        installation = self.store.installations.installation(installation_id)
        if order is None or installation is None or not installation.is_active:
            return WeeklyResult(0, "nobody ordered it")
        week = self._week(installation)
        if not self.store.weeklies.claim(installation_id, week.name):
            return WeeklyResult(0, f"{week.name} was already sent")
        try:
            alarms = self.store.budgets.news(installation_id, self.alarms(installation_id, week))
            problem = self._send(order, self.letter(installation_id, week, alarms))
        except Exception as error:
            why = str(error) if isinstance(error, NotSent) else type(error).__name__
            self.store.weeklies.give_back(installation_id, week.name, order.claimed_week, why)
            raise
        # Only now: an alarm that comes twice is better than one that nobody got.
        self.store.budgets.told(installation_id, alarms)
        self.store.weeklies.sent(installation_id, problem, now=self.clock())
        return WeeklyResult(1, problem or f"{week.name} was sent")

    def alarms(self, installation_id: int, week: WeekSummary) -> tuple[BudgetCheck, ...]:
        """Return the budgets that are exceeded, or will be, in the months of a week.

        Both of its months: what was spent after the last letter of a month is in the next one.
        """
        known = self.store.installations.repositories(installation_id)
        ids, today = tuple(one.id for one in known), self.clock().date()
        months = sorted({month_of(week.first), month_of(week.last)})
        return tuple(
            one
            for month in months
            for one in self.spend.budgets(installation_id, ids, month, today=today)
            if is_alarm(None, one.state)
        )

    def letter(
        self, installation_id: int, week: WeekSummary, alarms: tuple[BudgetCheck, ...]
    ) -> WeeklyLetter:
        """Return the summary of a week."""
        known = self.store.installations.repositories(installation_id)
        ids = tuple(one.id for one in known)
        selection = PullSelection(repository_ids=ids, since=week.first, until=week.last)
        earlier = PullSelection(repository_ids=ids, since=week.first - WEEK, until=week.last - WEEK)
        # "Today" is the Monday after, so the week is complete and quiet spots include it.
        after = week.last + timedelta(days=1)
        summary = self.summaries.organization(selection, TimeGrain.WEEK, today=after)
        # What names no repository is for owners; a letter is forwarded.
        used = UsageSelection(installation_id, ids, week.first, week.last)
        spend = WeekSpend(self.spend.total(used, self.estimate), self.estimate, alarms)
        totals = self.summaries.totals(earlier)
        return weekly(week, summary, totals, self.usage.totals(used), spend)

    def preview(self, installation: Installation) -> str:
        """Return the summary of last week, whether sent or not, with all alarms, told or not."""
        week = self._week(installation)
        return to_markdown(self.letter(installation.id, week, self.alarms(installation.id, week)))

    def _week(self, installation: Installation) -> WeekSummary:
        first, last = last_week(self.clock().date())
        page = f"{self.public_url}/organizations/{segment(installation.account)}"
        return WeekSummary(
            organization=installation.account,
            first=first,
            last=last,
            address=f"{page}?since={first}&until={last}" if self.public_url else None,
        )

    def _send(self, order: WeeklyOrder, letter: WeeklyLetter) -> str | None:
        """Send by every way that the order names; return the problems.

        If at least one way succeeded, a failure of the other is reported but not retried.
        """
        problems: list[str] = []
        went_out = False
        for way in self._ways(order, letter):
            try:
                way()
                went_out = True
            except DeliveryUnsure as error:
                problems.append(str(error))
                went_out = True
            except (NotSent, WrongAddress) as error:
                problems.append(str(error))
        if not went_out:
            raise NotSent("; ".join(problems) or "no address is readable")
        return "; ".join(problems) or None

    def _ways(self, order: WeeklyOrder, letter: WeeklyLetter) -> list[Callable[[], None]]:
        ways: list[Callable[[], None]] = []
        webhook, server, to = self.webhook(order), self.mail_server, order.mail
        if webhook is not None:
            members = posted(webhook, letter)
            ways.append(lambda: post(webhook, members, private=self.private_webhooks))
        if server is not None and to is not None:
            subject = f"{letter.organization}: {letter.week}, agent-assisted code"
            text, html = to_text(letter), to_html(letter)
            ways.append(lambda: mail(server, to, subject, text, html))
        return ways

    @property
    def _box(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(derive_key(self.encryption_key, "webhooks")))
