"""The records that check runs on GitHub name, held against those of a bundle. It changes nothing.

GitHub keeps what each run said, so records that somebody took out of the database are still named
there. Who has the app's key can edit its runs, and GitHub forgets old ones: docs/records.md.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from github import Auth

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Struct
from ghapp.git.names import in_path, segment
from ghapp.github.answers import GitHubError, NotFound, TemporaryFailure, decoded, error_of
from ghapp.github.external_id import ExternalId
from ghapp.github.transport import PER_PAGE, GitHubTransport, MovedError
from ghapp.records.check import check
from ghapp.records.since import Chains
from ghapp.records.statement import AuditRecord
from ghapp.reports.record_line import record_in

RUN_NAME = "attribution"


class _App(Struct, frozen=True):
    slug: str = ""


class _Output(Struct, frozen=True):
    text: str | None = None


class _Run(Struct, frozen=True):
    external_id: str | None = None
    output: _Output = _Output()
    app: _App | None = None


class _Runs(Struct, frozen=True):
    check_runs: tuple[_Run, ...]


class AuditedPull(Struct, frozen=True):
    """A pull request of a bundle, as its newest document names it."""

    repository_id: int
    number: int
    repository: str
    head: str

    @property
    def name(self) -> str:
        """The name for messages."""
        return f"{self.repository}#{self.number}"


class RunsCompared(Struct, frozen=True):
    """What the check runs of some pull requests say."""

    same: int
    """Runs that name a record as the bundle has it."""
    silent: int
    """Pull requests without such a run: GitHub forgot it, or the app never wrote it."""
    apps: tuple[str, ...]
    """Which apps wrote the runs."""
    problems: tuple[str, ...]


def audited_pulls(bundle: Path, trusted: frozenset[str]) -> list[AuditedPull]:
    """Return the pull requests whose documents name their repository and head. Raises `OSError`."""
    newest: dict[tuple[int, int], AuditedPull] = {}

    def found(record: AuditRecord, document: bytes) -> None:
        audit, link = from_document(document), record.link
        if audit.repository and audit.head_commit:
            newest[link.repository_id, link.pull_request] = AuditedPull(
                repository_id=link.repository_id,
                number=link.pull_request,
                repository=audit.repository,
                head=audit.head_commit,
            )

    check(bundle, trusted, found=found)
    return list(newest.values())


def compare_runs(
    pulls: list[AuditedPull], chains: Chains, base_url: str, token: str
) -> RunsCompared:
    """Ask GitHub for the runs of pull requests and compare their records with a bundle's chains.

    Raises the errors of `answers`, and `ValueError` for an address that is not safe.
    """
    same = silent = 0
    apps: set[str] = set()
    problems: list[str] = []
    with closing(GitHubTransport(base_url)) as transport:
        for pull in pulls:
            is_silent = True
            for run in _runs(transport, pull, token):
                named = record_in(run.output.text or "")
                if named is None:
                    continue
                is_silent = False
                apps.add(run.app.slug if run.app else "")
                kept = chains.get(pull.repository_id, {}).get(named.position)
                if kept is not None and kept.chain == named.chain:
                    same += 1
                else:
                    there = "has another one there" if kept else "lacks"
                    problems.append(
                        f"{pull.name}: GitHub's check names record {named.position}, "
                        f"chain {named.chain}, which the bundle {there}"
                    )
            silent += is_silent
    return RunsCompared(
        same=same, silent=silent, apps=tuple(sorted(apps)), problems=tuple(problems)
    )


def _runs(transport: GitHubTransport, pull: AuditedPull, token: str) -> Iterator[_Run]:
    """Yield the runs of a pull request; two may share a head, so each run names its own."""
    path = f"/repos/{in_path(pull.repository)}/commits/{segment(pull.head)}/check-runs"
    asked: dict[str, str | int] = {"check_name": RUN_NAME, "filter": "all", "per_page": PER_PAGE}
    try:
        answer = transport.send("GET", path, Auth.Token(token), parameters=asked)
        error = error_of(answer, what=f"GET {path}", at=datetime.now(UTC))
    except MovedError as moved:
        raise TemporaryFailure(f"GET {path}", str(moved)) from moved
    if isinstance(error, NotFound):
        return
    if isinstance(error, GitHubError):
        raise error
    for run in decoded(answer.text, _Runs, path).check_runs:
        about = ExternalId.from_text(run.external_id)
        if about is not None and about[:2] == (pull.repository_id, pull.number):
            yield run
