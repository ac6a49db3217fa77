"""Organizations with made pull requests, which one administrator may read; each law draws its own.

An organization can be made again with a part of its pull requests: what a filter shows of the
whole must then be what the part shows without the filter.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from flask.testing import FlaskClient
from sqlalchemy import insert

from ghapp.attribution.model import (
    AuditInputs,
    AuditState,
    AuditTotals,
    Edit,
    FileVerdict,
    Verdict,
)
from ghapp.demo.sandbox.state import HubInstallation
from ghapp.store import (
    DeploymentTold,
    EditSender,
    IncidentTold,
    Installation,
    Repository,
    Store,
)
from ghapp.store.schema import team_member
from ghapp.summaries.counts import PullFacts, PullOutcome
from ghapp.summaries.dora import DeploymentSource, IncidentSource
from tests.store.records import document, edit
from tests.web.conftest import NOW
from tests.web.place import Place

REPOSITORIES = ("r0", "r1")
TEAMS = {
    "core": ("ann", "bob", "cleo", "dan", "eve"),
    "edge": ("fay", "gus", "hal", "ida", "jo"),
}
TEAM_OF = {login: team for team, people in TEAMS.items() for login in people}
NUMBERS = {login: 100 + number for number, login in enumerate([*TEAM_OF, "kim"])}
AGENTS = ("claude-code", "codex")
PATHS = ("README.md", "src/app.py", "src/web/page.ts", "docs/guide.md")
BRANCHES = ("main", "main", "main", "next")
DAYS = 60

SPAN = {
    "since": (NOW - timedelta(days=DAYS)).date().isoformat(),
    "until": NOW.date().isoformat(),
}
"""The days of all pull requests, as addresses give them."""

_accounts = itertools.count(1)


@dataclass(frozen=True)
class MadePull:
    """A merged pull request before any organization has it."""

    repository: str
    number: int
    about: PullFacts
    edits: tuple[Edit, ...]
    document: Callable[[str], bytes]
    """Takes the full name of the repository."""
    outcome: PullOutcome | None

    @property
    def key(self) -> tuple[str, int]:
        """Repository and number."""
        return self.repository, self.number


def make_pulls(seed: int, count: int = 40, verdicts: Iterable[Verdict] = Verdict) -> list[MadePull]:
    """Return pull requests of every kind, the same ones for the same seed."""
    random, of_kind = Random(seed), tuple(verdicts)  # noqa: S311 - lifelike, not secret
    return [_made(random, number, of_kind[number % len(of_kind)]) for number in range(1, count + 1)]


def _made(random: Random, number: int, verdict: Verdict) -> MadePull:
    author = random.choice([*NUMBERS, None])
    merged_at = NOW - timedelta(days=random.randrange(DAYS), minutes=number)
    agents = dict.fromkeys(AGENTS, 0)
    if verdict is Verdict.ASSISTED:
        for agent in random.sample(AGENTS, random.randint(1, 2)):
            agents[agent] = random.randint(1, 9)
    attributed = sum(agents.values())
    paths = random.sample(PATHS, random.randint(1, 3))
    rest = [random.randint(1, 9) for _ in paths]
    files = tuple(
        FileVerdict(path, None, more + own + 1, more + own, own, None, ())
        for path, more, own in zip(paths, rest, [attributed, 0, 0], strict=False)
    )
    whole = number % 7 != 0
    effective = sum(file.effective for file in files)
    is_known = whole and verdict is not Verdict.NO_EVIDENCE
    totals = AuditTotals(
        added=sum(file.added for file in files),
        effective=effective,
        attributed=attributed,
        share=round(attributed / effective, 4) if is_known else None,
        by_reason={"run": attributed, "no_match": effective - attributed},
        by_agent={agent: lines for agent, lines in agents.items() if lines},
    )
    inputs = AuditInputs(
        diff="sha256:d",
        evidence="sha256:e",
        edits_considered=0 if verdict is Verdict.NO_EVIDENCE else 3,
        change_complete=whole,
        missing=() if whole else ("big.bin",),
    )
    state = random.choice(list(AuditState))
    used = [agent for agent, lines in agents.items() if lines]
    return MadePull(
        repository=random.choice(REPOSITORIES),
        number=number,
        about=PullFacts(
            title=f"Change {number}",
            author=author,
            author_id=NUMBERS.get(author or ""),
            base_ref=random.choice(BRANCHES),
            default_branch="main",
        ),
        edits=tuple(
            edit(f"{agent}-{number}", at=merged_at, actor=author, agent=agent)
            for agent in used
            if author is not None
        ),
        document=lambda repository: document(
            merged_at,
            repository=repository,
            pull_request=number,
            verdict=verdict,
            state=state,
            inputs=inputs,
            totals=totals,
            files=files,
        ),
        outcome=_outcome(random, merged_at, attributed, effective - attributed),
    )


def _outcome(random: Random, merged_at: datetime, own: int, others: int) -> PullOutcome | None:
    if random.random() < 0.3:
        return None
    opened = merged_at - timedelta(hours=random.randint(1, 90))
    return PullOutcome(
        collected_at=NOW,
        first_commit_at=opened - timedelta(hours=random.randint(0, 9)),
        opened_at=opened,
        first_review_at=opened + timedelta(minutes=30),
        review_rounds=random.randint(0, 4),
        review_comments=random.randint(0, 9),
        changed_lines=own + others,
        attributed_lines=own,
        other_lines=others,
        reverted=random.random() < 0.2,
        fixed_up=random.random() < 0.2,
        attributed_after_30=random.randint(0, own),
        others_after_30=random.randint(0, others),
    )


@dataclass(frozen=True)
class MadeOrganization:
    """An organization that the app has audited."""

    place: Place
    account: str
    installed: HubInstallation
    first_pull: int
    """Number of a pull request of its first repository."""

    def address(self, rule: str) -> str:
        """Return a route's address for this organization or its first repository."""
        values = {
            "organization": self.account,
            "owner": self.account,
            "name": REPOSITORIES[0],
            "number": str(self.first_pull),
        }
        for name, value in values.items():
            rule = rule.replace(f"<{name}>", value)
        return rule

    def without_name(self, text: str) -> str:
        """Return a text in which every organization has the same name."""
        return text.replace(self.account, "ORGANIZATION")


def make_organization(
    place: Place, pulls: Sequence[MadePull], evidence_of: Iterable[MadePull] = ()
) -> MadeOrganization:
    """Give the place one more organization; ``evidence_of``: whose edits it has as well."""
    account = f"org-{next(_accounts):04}-x"
    hub = {name: place.sandbox.add_repository(account, name) for name in REPOSITORIES}
    app = place.installed.app
    installed = place.sandbox.install(app, account)
    place.sandbox.add_member(account, "admin", "admin")
    for repository in hub.values():
        place.sandbox.allow(repository, "admin", "admin")
    heard = Installation(
        id=installed.id,
        account=account,
        account_id=installed.account.id,
        account_type="Organization",
    )
    store = place.store
    store.installations.seen(heard, now=NOW)
    for name, repository in hub.items():
        seen = Repository(
            id=repository.id, owner=account, name=name, installation_id=installed.id, private=True
        )
        store.installations.repository_seen(seen, now=NOW)
    with store.database.write() as connection:
        connection.execute(insert(team_member), _team_rows(account))
    for number, repository in enumerate(hub.values()):
        _deploy(store, repository.id, number)
    for pull in pulls:
        home = hub[pull.repository].id
        text = pull.document(f"{account}/{pull.repository}")
        store.audits.save(home, pull.number, text, now=NOW, about=pull.about)
        if pull.outcome is not None:
            store.outcomes.keep(home, pull.number, pull.outcome)
    for pull in {one.key: one for one in (*evidence_of, *pulls)}.values():
        sender = EditSender(actor_id=pull.about.author_id)
        store.evidence.add(hub[pull.repository].id, pull.edits, now=NOW, sender=sender)
    first = next(one.number for one in pulls if one.repository == REPOSITORIES[0])
    return MadeOrganization(place, account, installed, first)


def _deploy(store: Store, repository_id: int, number: int) -> None:
    """Deploy a repository twice, and let an incident follow: the same in every organization."""
    for day in (9, 5):
        told = DeploymentTold(
            source=DeploymentSource.API,
            external_id=str(day),
            environment="production",
            is_production=True,
            revision=f"{day + number:040x}",
            succeeded_at=NOW - timedelta(days=day, hours=number),
        )
        store.deployments.told(repository_id, told)
    opened = NOW - timedelta(days=4)
    incident = IncidentTold(
        source=IncidentSource.API,
        external_id="1",
        opened_at=opened,
        resolved_at=opened + timedelta(hours=2 + number),
        told_at=NOW,
    )
    store.deployments.told_incident(repository_id, incident)


def _team_rows(account: str) -> list[dict[str, str]]:
    return [
        {
            "account_lower": account,
            "source": "csv",
            "login_lower": login,
            "login": login,
            "team": team,
        }
        for login, team in TEAM_OF.items()
    ]


def administrator(place: Place) -> FlaskClient:
    """Return the browser of the one who may read every organization."""
    return place.signed_in("admin")
