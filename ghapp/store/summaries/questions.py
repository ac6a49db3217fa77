"""Questions about many audits at once, answered from the tables that `tally` updates.

Every method reads in one transaction, and only pull requests of the selection's repositories.
The caller checks first that the reader may read those.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from ghapp.store.coverage import AuthorsHeard, PullCoverage
from ghapp.store.database import Database
from ghapp.store.deployments import figures as dora_figures
from ghapp.store.schema import pull_summary
from ghapp.store.summaries.changes import period_changes
from ghapp.store.summaries.conditions import latest_days, teams_of
from ghapp.store.summaries.groups import first, total
from ghapp.store.summaries.pull_list import pull_page
from ghapp.store.summaries.query import ReadTransaction, SelectionQuery
from ghapp.store.summaries.quiet import quiet_spots
from ghapp.summaries.changes import PeriodChanges
from ghapp.summaries.comparisons import OutcomeSummary
from ghapp.summaries.counts import (
    AgentCounts,
    ModelCounts,
    OrganizationSummary,
    PersonCounts,
    PullCounts,
    PullPage,
    PullRow,
    RepositorySummary,
    RevertedCounts,
    SeriesPoint,
    UnknownSummary,
)
from ghapp.summaries.dora import DoraFigures
from ghapp.summaries.periods import DayPeriod
from ghapp.summaries.selection import (
    LEADERBOARD,
    ListSlice,
    NotShown,
    PersonNaming,
    PullOrder,
    PullSelection,
    RankBy,
    TimeGrain,
    year_before,
)

ADOPTION_DAYS = 91
"""13 weeks."""


class SummaryQuestions:
    """The summaries of all repositories.

    Methods raise `NotShown` if a selection is about one person or a group that is too small,
    and `DatabaseUnavailable` if the database is away.
    """

    def __init__(self, database: Database, naming: PersonNaming) -> None:
        self._database = database
        self.naming = naming

    # --- pages ----------------------------------------------------------------------------------

    def repository(self, selection: PullSelection, grain: TimeGrain) -> RepositorySummary:
        """Return what a repository's page shows, except its list, which `pulls` returns."""
        with self._query(selection) as query:
            series = query.series(grain)
            listing = ListSlice(order=PullOrder.EFFECTIVE, limit=LEADERBOARD)
            return RepositorySummary(
                totals=total(point.counts for point in series),
                series=series,
                agents=query.agents(),
                models=query.models(),
                directories=query.directories(),
                languages=query.languages(),
                largest=query.pulls(listing).rows,
                other_branches=query.other_branches(),
            )

    def organization(
        self, selection: PullSelection, grain: TimeGrain, *, today: date
    ) -> OrganizationSummary:
        """Return what an organization's page shows.

        Its adoption covers the last 13 weeks of the selection.
        """
        with self._database.read() as connection:
            transaction = ReadTransaction(connection, self.naming)
            query = SelectionQuery(transaction, selection)
            latest = latest_days(selection, ADOPTION_DAYS, today)
            series = query.series(grain)
            everybody = query.people()
            return OrganizationSummary(
                totals=total(point.counts for point in series),
                series=series,
                agents=query.agents(),
                models=query.models(),
                languages=query.languages(),
                repositories=query.repositories(),
                teams=query.teams(),
                leaderboard_pulls=first(everybody, RankBy.PULLS, LEADERBOARD),
                leaderboard_lines=first(everybody, RankBy.LINES, LEADERBOARD),
                adoption=SelectionQuery(transaction, latest).adoption(),
                quiet=quiet_spots(transaction, selection, today),
                other_branches=query.other_branches(),
            )

    def changes(self, selection: PullSelection, period: DayPeriod) -> PeriodChanges:
        """Compare a period with the one before it; the selection's own days do not count."""
        with self._database.read() as connection:
            transaction = ReadTransaction(connection, self.naming)
            return period_changes(transaction, selection, period)

    # --- parts ----------------------------------------------------------------------------------

    def totals(self, selection: PullSelection) -> PullCounts:
        """Return the counts of everything selected."""
        with self._query(selection) as query:
            return query.totals()

    def series(self, selection: PullSelection, grain: TimeGrain) -> tuple[SeriesPoint, ...]:
        """Return the counts by period, oldest first."""
        with self._query(selection) as query:
            return query.series(grain)

    def unknown(self, selection: PullSelection) -> UnknownSummary:
        """Return what is not known of the selected pull requests, and why."""
        with self._query(selection) as query:
            return UnknownSummary(
                totals=query.totals(),
                causes=query.causes(),
                repositories=query.repositories(),
                teams=query.teams(),
                other_branches=query.other_branches(),
            )

    def agents(
        self, selection: PullSelection
    ) -> tuple[tuple[AgentCounts, ...], tuple[ModelCounts, ...], tuple[RevertedCounts, ...]]:
        """Return the counts by agent and by model, and what became of each agent's work."""
        with self._query(selection) as query:
            return query.agents(), query.models(), query.reverted()

    def models(self, selection: PullSelection) -> tuple[ModelCounts, ...]:
        """Return the counts by agent and model's family, most lines first."""
        with self._query(selection) as query:
            return query.models()

    def people(self, selection: PullSelection) -> tuple[PersonCounts, ...]:
        """Return the counts of each person, or of each team if people are not named, by name."""
        with self._query(selection) as query:
            return query.people()

    def outcomes(self, selection: PullSelection) -> OutcomeSummary:
        """Compare the outcomes of assisted pull requests with those of the others.

        Raises `NotShown` for one author, even where people are named.
        """
        if selection.author is not None:
            raise NotShown("outcomes are not shown for one person: select a team instead")
        with self._query(selection) as query:
            return query.outcomes()

    def dora(self, selection: PullSelection, *, today: date) -> DoraFigures | None:
        """Return the DORA metrics of the selected days, by default the last twelve months.

        ``None``: not known. Whole repositories are deployed, so no filter selects a part of them.
        """
        if not selection.is_plain:
            return None
        until = selection.until or today
        since = selection.since or year_before(until)
        with self._database.read() as connection:
            return dora_figures(connection, selection.repository_ids, since, until)

    def heard(self, selection: PullSelection) -> AuthorsHeard:
        """Return how many of the latest pull requests have an author whose machine is silent."""
        with self._query(selection) as query:
            return query.heard()

    def silent(self, selection: PullSelection, most: int) -> tuple[PullCoverage, ...]:
        """Return those of the latest pull requests whose author's machine is silent."""
        with self._query(selection) as query:
            return query.silent(most)

    def trends(
        self, selection: PullSelection, shown: tuple[int, ...]
    ) -> dict[int, tuple[SeriesPoint, ...]]:
        """Return the counts of each shown repository by month, oldest first, by its id."""
        with self._query(selection) as query:
            return query.trends(shown)

    # --- lists ----------------------------------------------------------------------------------

    def pulls(self, selection: PullSelection, listing: ListSlice) -> PullPage:
        """Return one page of a list of pull requests.

        Raises `WrongPlace` if ``listing.after`` is not from a page of the same list.
        """
        with self._query(selection) as query:
            return query.pulls(listing)

    def pull(self, repository_id: int, pull_request: int) -> PullRow | None:
        """Return one pull request as lists show it; ``None``: it has no audit."""
        asked = [
            pull_summary.c.repository_id == repository_id,
            pull_summary.c.pull_request == pull_request,
        ]
        with self._database.read() as connection:
            teams = teams_of(connection, (repository_id,), None)
            rows = pull_page(connection, asked, ListSlice(limit=1), self.naming, teams).rows
        return rows[0] if rows else None

    @contextmanager
    def _query(self, selection: PullSelection) -> Iterator[SelectionQuery]:
        with self._database.read() as connection:
            yield SelectionQuery(ReadTransaction(connection, self.naming), selection)
