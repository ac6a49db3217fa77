"""The year's deployments and incidents, alike with and without an agent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

from ghapp.store import Store
from ghapp.store.schema import deployed_commit, deployment, incident

HOUR = timedelta(hours=1)


class MergedPull(Protocol):
    """A merged pull request of the year."""

    @property
    def number(self) -> int:
        """Its number."""

    @property
    def merged_at(self) -> datetime:
        """When it was merged."""


def merge_commit(name: str, number: int) -> str:
    """Return the commit that merged a pull request."""
    return f"{Random(f'{name}{number}').getrandbits(160):040x}"  # noqa: S311 - lifelike, not secret


def deliver(
    store: Store, repository_id: int, name: str, pulls: Sequence[MergedPull], until: datetime
) -> None:
    """Store a deployment after most merges, and an incident after some deployments.

    The rows are those that GitHub's events and its list of commits would leave.
    """
    found = _Delivery(repository_id, name, until)
    for pull, following in zip(pulls, [*pulls[1:], None], strict=True):
        found.merge(pull, following.merged_at if following is not None else until)
    tables = (deployment, deployed_commit, incident)
    with store.database.write() as connection:
        for table in tables:
            if rows := found.rows[table.name]:
                connection.execute(store.database.insert(table), rows)


class _Delivery:
    """How one repository is deployed, pull request by pull request."""

    def __init__(self, repository_id: int, name: str, until: datetime) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {
            "deployment": [],
            "deployed_commit": [],
            "incident": [],
        }
        self._repository_id, self._name, self._until = repository_id, name, until
        self._random = Random(f"delivery {name}")  # noqa: S311 - lifelike, not secret
        self._waiting: list[str] = []
        self._before: str | None = None

    def merge(self, pull: MergedPull, following: datetime) -> None:
        """Merge a pull request, and perhaps deploy all that wait, before the following one."""
        random = self._random
        self._waiting.append(merge_commit(self._name, pull.number))
        at = pull.merged_at + HOUR * random.uniform(0.3, 3)
        if at >= following or random.random() < 0.3:
            return
        self._deploy(at)
        opened_at = at + HOUR * random.uniform(0.2, 9)
        if random.random() < 0.07 and opened_at < self._until:
            self._break(opened_at)

    def _deploy(self, at: datetime) -> None:
        number, revision = len(self.rows["deployment"]) + 1, self._waiting[-1]
        key = self._key("github", f"{number:06}")
        self.rows["deployment"].append(
            {
                **key,
                "environment": "production",
                "is_production": True,
                "revision": revision,
                "succeeded_at": at,
                "read_after": self._before,
            }
        )
        if self._before is not None:
            self.rows["deployed_commit"] += [{**key, "sha": sha} for sha in self._waiting]
        self._before, self._waiting = revision, []

    def _break(self, at: datetime) -> None:
        number = 100_000 + len(self.rows["incident"])
        end = at + HOUR * self._random.lognormvariate(0.8, 0.9)
        is_over = end < self._until
        self.rows["incident"].append(
            {
                **self._key("issue", str(number)),
                "is_incident": True,
                "opened_at": at,
                "resolved_at": end if is_over else None,
                "told_at": end if is_over else at,
            }
        )

    def _key(self, source: str, external_id: str) -> dict[str, Any]:
        return {
            "repository_id": self._repository_id,
            "source": source,
            "external_id": external_id,
        }
