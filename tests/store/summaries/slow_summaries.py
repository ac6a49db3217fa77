"""Every number of the summaries once more, slowly: from the audit documents, one by one.

It shares no query, no table and no sum with the program; only the nouns that are compared.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import msgspec

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, AuditState, Edit, Struct, Verdict
from ghapp.store import Store
from ghapp.summaries.counts import (
    AdoptionDay,
    AgentCounts,
    LineCounts,
    ModelCounts,
    PersonCounts,
    PullCounts,
    PullFacts,
    RepositoryCounts,
    SeriesPoint,
    TeamCounts,
)
from ghapp.summaries.languages import language_of
from ghapp.summaries.models import family_of
from ghapp.summaries.selection import NamesShown, PersonNaming, PullOrder, PullSelection, TimeGrain


class Pull(Struct, frozen=True):
    """One pull request with the audit that is in force."""

    repository_id: int
    number: int
    audit: Audit
    about: PullFacts

    @property
    def day(self) -> date:
        """The day of the merge."""
        return self.audit.merged_at.astimezone(UTC).date()

    @property
    def author(self) -> str:
        """Login; empty: not known."""
        return self.about.author or ""


class Slow:
    """The summaries of some repositories, from documents and edits."""

    def __init__(
        self,
        store: Store,
        abouts: dict[tuple[int, int], PullFacts],
        teams: dict[str, str],
        edits: dict[int, list[Edit]],
    ) -> None:
        self.pulls: list[Pull] = []
        for repository_id in sorted({one for one, _ in abouts}):
            latest: dict[int, bytes] = {}
            for saved in store.audits.all_of(repository_id):
                document = store.audits.document(saved.id)
                assert document is not None
                latest[saved.pull_request] = document
            self.pulls += [
                Pull(repository_id, number, from_document(one), abouts[repository_id, number])
                for number, one in latest.items()
            ]
        self.teams = teams
        self.edits = edits

    # --- selecting --------------------------------------------------------------------------

    def selected(self, asked: PullSelection) -> list[Pull]:
        """Return the pull requests that are meant."""
        return [pull for pull in self.pulls if self.is_meant(pull, asked)]

    def is_meant(self, pull: Pull, asked: PullSelection) -> bool:
        """Say whether one is meant, condition by condition."""
        audit, share = pull.audit, pull.audit.totals.share
        agents = {agent for agent, lines in audit.totals.by_agent.items() if lines}
        return all(
            (
                pull.repository_id in asked.repository_ids,
                asked.since is None or pull.day >= asked.since,
                asked.until is None or pull.day <= asked.until,
                asked.author is None or pull.author.lower() == asked.author.lower(),
                asked.team is None or self.teams.get(pull.author.lower()) == asked.team,
                asked.verdict in {None, audit.verdict},
                asked.state in {None, audit.state},
                asked.share_from is None or (share is not None and share >= asked.share_from),
                asked.share_to is None or (share is not None and share <= asked.share_to),
                asked.path is None
                or any(is_below(file.path, asked.path) and file.added for file in audit.files),
                asked.agent is None or asked.agent in agents,
                self.is_of_branch(pull.about, asked.base),
            )
        )

    @staticmethod
    def is_of_branch(about: PullFacts, base: str | None) -> bool:
        """Say whether it was merged into the branch that is meant, the default one or unknown."""
        if base is None:
            return None in {about.base_ref, about.default_branch} or (
                about.base_ref == about.default_branch
            )
        return base in {"any", about.base_ref}

    def other_branches(self, asked: PullSelection) -> int:
        """Count what is only left out because of its branch."""
        if asked.base is not None:
            return 0
        every = msgspec.structs.replace(asked, base="any")
        return len(self.selected(every)) - len(self.selected(asked))

    # --- counting -----------------------------------------------------------------------------

    def totals(self, asked: PullSelection) -> PullCounts:
        """Count all."""
        return counts(self.selected(asked), asked.counting)

    def series(self, asked: PullSelection, grain: TimeGrain) -> tuple[SeriesPoint, ...]:
        """Count period by period."""
        pulls = self.selected(asked)
        days = {pull.day for pull in pulls}
        first = asked.since or min(days, default=None)
        last = asked.until or max(days, default=None)
        if first is None or last is None:
            return ()
        starts = sorted({begin(day, grain) for day in every_day(first, last)})
        return tuple(
            SeriesPoint(
                start, counts([p for p in pulls if begin(p.day, grain) == start], asked.counting)
            )
            for start in starts
        )

    def agents(self, asked: PullSelection) -> tuple[AgentCounts, ...]:
        """Count agent by agent."""
        found: dict[str, list[int]] = {}
        for pull in self.selected(asked):
            for agent, lines in pull.audit.totals.by_agent.items():
                if lines:
                    found.setdefault(agent, []).append(lines)
        rows = (AgentCounts(agent, len(one), sum(one)) for agent, one in found.items())
        return tuple(sorted(rows, key=lambda row: (-row.attributed, row.agent)))

    def models(self, asked: PullSelection) -> tuple[ModelCounts, ...]:
        """Count agent by agent and family by family; what no record names is one of them."""
        found: dict[tuple[str, str], list[int]] = {}
        for pull in self.selected(asked):
            lines: Counter[tuple[str, str]] = Counter()
            totals = pull.audit.totals
            for agent, attributed in totals.by_agent.items():
                named = (totals.by_model or {}).get(agent, {})
                for model, count in named.items():
                    lines[agent, family_of(model) if model else ""] += count
                lines[agent, ""] += attributed - sum(named.values())
            for name, count in lines.items():
                if count:
                    found.setdefault(name, []).append(count)
        rows = (
            ModelCounts(agent, family or None, len(one), sum(one))
            for (agent, family), one in found.items()
        )
        return tuple(sorted(rows, key=lambda row: (-row.attributed, row.agent, row.model or "")))

    def directories(self, asked: PullSelection) -> tuple[LineCounts, ...]:
        """Count lines by directory."""
        return self.lines(asked, lambda path: directory_right_below(path, asked.path))

    def languages(self, asked: PullSelection) -> tuple[LineCounts, ...]:
        """Count lines by language."""
        return self.lines(asked, language_of)

    def lines(self, asked: PullSelection, name: Callable[[str], str]) -> tuple[LineCounts, ...]:
        """Count lines by whatever the path tells."""
        found: dict[str, LineCounts] = {}
        for pull in self.selected(asked):
            whole = pull.audit.inputs.change_complete
            known = whole and pull.audit.verdict is not Verdict.NO_EVIDENCE
            for file in pull.audit.files:
                if not file.added or (asked.path and not is_below(file.path, asked.path)):
                    continue
                one = name(file.path)
                row = found.get(one, LineCounts(one, 0, 0, 0, 0, 0, 0))
                found[one] = LineCounts(
                    name=one,
                    added=row.added + file.added,
                    effective=row.effective + file.effective,
                    attributed=row.attributed + file.attributed,
                    whole_effective=row.whole_effective + (file.effective if whole else 0),
                    whole_attributed=row.whole_attributed + (file.attributed if whole else 0),
                    known_effective=row.known_effective + (file.effective if known else 0),
                )
        return tuple(sorted(found.values(), key=lambda row: (-row.effective, row.name)))

    def repositories(self, asked: PullSelection) -> tuple[RepositoryCounts, ...]:
        """Count repository by repository."""
        pulls = self.selected(asked)
        rows = [
            RepositoryCounts(
                one,
                f"acme/r{one}",
                counts([pull for pull in pulls if pull.repository_id == one], asked.counting),
            )
            for one in {pull.repository_id for pull in pulls}
        ]
        return tuple(sorted(rows, key=lambda row: (-row.counts.pulls, row.repository)))

    def trends(self, asked: PullSelection) -> dict[int, tuple[SeriesPoint, ...]]:
        """Count the months of each repository that has any pull request."""
        of_each = {one: self.only(asked, one) for one in asked.repository_ids}
        return {
            number: self.series(one, TimeGrain.MONTH)
            for number, one in of_each.items()
            if self.selected(one)
        }

    @staticmethod
    def only(asked: PullSelection, repository_id: int) -> PullSelection:
        """Ask the same of one repository."""
        return msgspec.structs.replace(asked, repository_ids=(repository_id,))

    # --- people -------------------------------------------------------------------------------

    def team_rows(self, asked: PullSelection) -> tuple[TeamCounts, ...]:
        """Count team by team, small ones in the rest."""
        pulls = self.selected(asked)
        team = {pull.author: self.teams.get(pull.author.lower()) for pull in pulls}
        groups: dict[str | None, set[str]] = defaultdict(set)
        for author, name in team.items():
            groups[name].add(author)
        rest = groups.pop(None, set())
        for name in sorted(groups, key=lambda one: (humans(groups[one]), str(one))):
            if humans(groups[name]) < 5 or 0 < humans(rest) < 5:
                rest |= groups.pop(name)

        def row(name: str | None, authors: set[str]) -> TeamCounts:
            theirs = [pull for pull in pulls if pull.author in authors]
            return TeamCounts(name, humans(authors), counts(theirs, asked.counting))

        rows = [row(name, authors) for name, authors in groups.items()]
        rows.sort(key=lambda one: (-one.counts.pulls, str(one.team)))
        return (*rows, row(None, rest)) if rest else tuple(rows)

    def people(self, asked: PullSelection, naming: PersonNaming) -> tuple[PersonCounts, ...]:
        """Count person by person, or team by team."""
        if naming.names is NamesShown.TEAMS:
            named = [
                (row.team or "(others)", row.people, row.counts) for row in self.team_rows(asked)
            ]
        else:
            pulls = self.selected(asked)
            named = [
                (
                    naming.of(author) if author else "(unknown)",
                    humans([author]),
                    counts([pull for pull in pulls if pull.author == author], asked.counting),
                )
                for author in {pull.author for pull in pulls}
            ]
        rows = (
            PersonCounts(
                name,
                size,
                one.assisted if one.no_evidence < one.pulls else None,
                one.pulls,
                one.attributed if one.no_evidence < one.pulls else None,
                one.effective,
                one.no_evidence,
            )
            for name, size, one in named
        )
        return tuple(sorted(rows, key=lambda row: row.name))

    def adoption(self, asked: PullSelection) -> tuple[AdoptionDay, ...] | None:
        """Count who was active, day by day, if edits can tell."""
        of_edits = PullSelection(
            asked.repository_ids, asked.since, asked.until, team=asked.team, agent=asked.agent
        )
        if asked != of_edits:
            return None
        merged = [pull.day for pull in self.selected(asked)]
        edits = [
            edit
            for repository_id in asked.repository_ids
            for edit in self.edits.get(repository_id, [])
            if asked.agent in {None, edit.agent}
            and (asked.since is None or edit.at.date() >= asked.since)
            and (asked.until is None or edit.at.date() <= asked.until)
            and (asked.team is None or self.teams.get((edit.actor or "").lower()) == asked.team)
        ]
        if not edits:
            return None
        return tuple(
            AdoptionDay(
                day=day,
                developers=len({e.actor.lower() for e in edits if e.actor and e.at.date() == day}),
                agent_sessions=len(
                    {(e.agent, e.agent_session) for e in edits if e.at.date() == day}
                ),
                pulls=merged.count(day),
            )
            for day in sorted({*merged, *(edit.at.date() for edit in edits)})
        )

    # --- lists --------------------------------------------------------------------------------

    def listed(
        self, asked: PullSelection, order: PullOrder, *, ascending: bool
    ) -> list[tuple[int, int]]:
        """Sort what is meant."""

        def key(pull: Pull) -> tuple[object, ...]:
            totals = pull.audit.totals
            value = {
                PullOrder.MERGED: pull.audit.merged_at,
                PullOrder.EFFECTIVE: totals.effective,
                PullOrder.ATTRIBUTED: totals.attributed,
                PullOrder.SHARE: -1.0 if totals.share is None else totals.share,
            }[order]
            return (value, pull.repository_id, pull.number)

        found = sorted(self.selected(asked), key=key, reverse=not ascending)
        return [(pull.repository_id, pull.number) for pull in found]


def counts(pulls: Iterable[Pull], agent: str | None) -> PullCounts:
    """Count pull requests one by one, each member by its own sentence of docs/metrics.md."""
    pulls = list(pulls)

    def lines(pull: Pull) -> int:
        by_agent = pull.audit.totals.by_agent
        return pull.audit.totals.attributed if agent is None else by_agent.get(agent, 0)

    def is_with(pull: Pull) -> bool:
        return pull.audit.verdict is Verdict.ASSISTED if agent is None else lines(pull) > 0

    known = [p for p in pulls if p.audit.verdict is not Verdict.NO_EVIDENCE]
    whole = [p for p in pulls if p.audit.inputs.change_complete]
    provisional = [p for p in pulls if p.audit.state is AuditState.PROVISIONAL]
    return PullCounts(
        pulls=len(pulls),
        assisted=sum(is_with(p) for p in pulls),
        not_assisted=sum(not is_with(p) for p in known),
        no_evidence=len(pulls) - len(known),
        provisional=len(provisional),
        incomplete=len(pulls) - len(whole),
        added=sum(p.audit.totals.added for p in pulls),
        effective=sum(p.audit.totals.effective for p in pulls),
        attributed=sum(lines(p) for p in pulls),
        whole_effective=sum(p.audit.totals.effective for p in whole),
        whole_attributed=sum(lines(p) for p in whole),
        known_effective=sum(p.audit.totals.effective for p in whole if p in known),
        provisional_effective=sum(p.audit.totals.effective for p in whole if p in provisional),
        provisional_attributed=sum(lines(p) for p in whole if p in provisional),
    )


def humans(logins: Iterable[str]) -> int:
    return len({login.lower() for login in logins if login and not login.endswith("[bot]")})


def is_below(path: str, directory: str) -> bool:
    own = path.split("/")[:-1] or ["."]
    asked = directory.strip("/").split("/")
    return own[: len(asked)] == asked


def directory_right_below(path: str, directory: str | None) -> str:
    own = path.split("/")[:-1]
    depth = len(directory.strip("/").split("/")) if directory and directory != "." else 0
    return "/".join(own[: depth + 1]) or "."


def begin(day: date, grain: TimeGrain) -> date:
    match grain:
        case TimeGrain.DAY:
            return day
        case TimeGrain.WEEK:
            return date.fromisocalendar(*day.isocalendar()[:2], 1)
        case TimeGrain.MONTH:
            return date(day.year, day.month, 1)


def every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
