"""What check runs on GitHub name is held against a bundle, also where its newest records went."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from ghapp.auditing.check_runs import AuditedPull, RunsCompared, audited_pulls, compare_runs
from ghapp.auditing.export import ExportSpan, export
from ghapp.cli.main import main
from ghapp.demo.sandbox import HubPull
from ghapp.github.answers import BadCredentials
from ghapp.keys.signing import RecordSigner
from ghapp.records.since import ChainRecord, Chains, checked
from ghapp.store import Repository, Store
from tests.github.place import Place
from tests.test_audit import BY_AGENT, Desk

SECRET = b"k" * 32


class Audited:
    """A desk that signs what it saves, and exports it."""

    def __init__(self, place: Place, store: Store, folder: Path) -> None:
        self.place, self.store, self.folder = place, store, folder
        self.signer = RecordSigner(store, SECRET)
        self.desk = Desk(place, store)
        self.desk.context = replace(self.desk.context, witness=self.signer.witness)

    def merged(self, name: str) -> HubPull:
        """Merge a pull request and audit it."""
        pull = self.place.merged({name: BY_AGENT})
        self.desk.audit(pull)
        return pull

    def bundle(self) -> Path:
        """Export the repository's records."""
        path = self.folder / "bundle.jsonl"
        known = self.store.installations.repository(self.place.repository.id)
        assert isinstance(known, Repository)
        with path.open("wb") as file:
            now, span = self.place.clock(), ExportSpan()
            export(self.store, (known,), file, signer=self.signer, now=now, span=span)
        return path

    def compared(self, chains: Chains, pulls: list[AuditedPull]) -> RunsCompared:
        """Ask GitHub with a token that may read the checks."""
        token = self.place.github.token().token
        return compare_runs(pulls, chains, self.place.sandbox.api_url, token)


@pytest.fixture
def audited(tmp_path: Path, sqlite_store: Store) -> Iterator[Audited]:
    place = Place(tmp_path)
    yield Audited(place, sqlite_store, tmp_path)
    place.close()


def test_runs_name_the_records_of_a_whole_bundle(audited: Audited) -> None:
    for name in ("a.py", "b.py"):
        audited.merged(name)
    bundle = audited.bundle()
    pulls = audited_pulls(bundle, frozenset())
    assert [one.name for one in pulls] == ["acme/app#1", "acme/app#2"]
    found = audited.compared(checked(bundle, frozenset()).chains, pulls)
    assert (found.same, found.silent, found.problems) == (2, 0, ())
    assert found.apps == (audited.place.app.app.slug,)


def test_records_that_were_cut_off_or_changed_are_still_named_there(audited: Audited) -> None:
    for name in ("a.py", "b.py"):
        audited.merged(name)
    bundle = audited.bundle()
    pulls, chains = audited_pulls(bundle, frozenset()), checked(bundle, frozenset()).chains
    ((number, records),) = chains.items()
    cut = audited.compared({number: {1: records[1]}}, pulls)
    assert len(cut.problems) == 1
    assert cut.problems[0].startswith("acme/app#2: GitHub's check names record 2, chain sha256:")
    assert cut.problems[0].endswith("which the bundle lacks")
    other = ChainRecord(chain="sha256:" + "0" * 64, name="record 1")
    changed = audited.compared({number: {1: other, 2: records[2]}}, pulls)
    assert [one.rpartition(", ")[2] for one in changed.problems] == [
        "which the bundle has another one there"
    ]


def test_a_run_of_another_pull_request_or_of_none_says_nothing(audited: Audited) -> None:
    pull = audited.merged("a.py")
    (mine,) = audited_pulls(audited.bundle(), frozenset())
    others = [
        AuditedPull(
            repository_id=mine.repository_id,
            number=pull.number + 1,
            repository=mine.repository,
            head=mine.head,
        ),
        AuditedPull(
            repository_id=mine.repository_id,
            number=pull.number,
            repository="acme/nothing",
            head="0" * 40,
        ),
    ]
    found = audited.compared({}, others)
    assert (found.same, found.silent, found.problems) == (0, 2, ())


def test_a_refused_token_is_an_error(audited: Audited) -> None:
    audited.merged("a.py")
    pulls = audited_pulls(audited.bundle(), frozenset())
    with pytest.raises(BadCredentials):
        compare_runs(pulls, {}, audited.place.sandbox.api_url, "ghs_" + "0" * 36)


def test_the_command_compares_and_says_so(audited: Audited) -> None:
    audited.merged("a.py")
    environment = {
        "GITHUB_API_URL": audited.place.sandbox.api_url,
        "GITHUB_TOKEN": audited.place.github.token().token,
    }
    arguments = ["verify", str(audited.bundle()), "--github"]
    done = CliRunner().invoke(main, arguments, env=environment)
    assert done.exit_code == 0, done.output
    assert "1 check run(s) of" in done.output
    refused = CliRunner().invoke(main, arguments, env={**environment, "GITHUB_TOKEN": ""})
    assert refused.exit_code == 2
    assert "GITHUB_TOKEN" in refused.output
