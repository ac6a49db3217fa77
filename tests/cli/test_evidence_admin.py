"""What an administrator does with evidence: erase, change a key, let machines in no more."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghapp.keys.evidence import EvidenceKeys
from ghapp.settings import Settings
from ghapp.store import (
    EditSender,
    Installation,
    MachineReport,
    NewToken,
    Repository,
    Store,
    TokenKind,
    new_secret,
)
from ghapp.summaries.counts import PullFacts
from tests.cli.commands import ghapp
from tests.databases import make_sqlite
from tests.store.records import DAY, document, edit

NOW = datetime.now(UTC)
ANN = NewToken(kind=TokenKind.UPLOAD, login="ann", user_id=11, installations=(1,))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data directory with evidence of ann and bob in acme/shop."""
    folder = tmp_path / "data"
    folder.mkdir()
    with Store.unmigrated(make_sqlite(f"sqlite:///{folder / 'ghapp.sqlite3'}")) as store:
        store.installations.seen(Installation(id=1, account="acme"), now=NOW)
        for number, name in ((7, "shop"), (8, "app")):
            known = Repository(id=number, owner="acme", name=name, installation_id=1)
            store.installations.repository_seen(known, now=NOW)
            for at, (login, person) in enumerate((("ann", 11), ("bob", 12))):
                one = edit(f"{login}{at}", actor=login, at=NOW)
                store.evidence.add(number, [one], now=NOW, sender=EditSender(actor_id=person))
        store.tokens.issue(ANN, new_secret(TokenKind.UPLOAD), now=NOW)
        report = MachineReport(
            installation_id=1, repository_id=7, user_id=11, login="ann", machine="0" * 32,
            client="ghapp/1.0.0", edits=1,
        )  # fmt: skip
        store.coverage.note([report], now=NOW)
        about = PullFacts(author="dan", author_id=14)
        store.audits.save(7, 17, document(NOW - DAY), now=NOW, about=about)
    return folder


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    with Store.unmigrated(f"sqlite:///{data / 'ghapp.sqlite3'}") as opened:
        yield opened


def run(data: Path, *arguments: str) -> tuple[int, str, str]:
    url = f"sqlite:///{data / 'ghapp.sqlite3'}"
    done = ghapp("evidence", *arguments, "--data", data, DATABASE_URL=url)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_a_persons_evidence_and_tokens_are_erased_and_no_other(data: Path, store: Store) -> None:
    status, said, _ = run(data, "erase", "--login", "Ann", "--yes")
    assert (status, said) == (0, "2 edit(s) erased\n")
    left = [one.actor for number in (7, 8) for one in store.evidence.of(number, NOW, NOW)]
    assert left == ["bob", "bob"]
    (token,) = store.tokens.of_login("ann")
    assert token.revoked_at is not None
    assert store.coverage.weeks(7, NOW, NOW) == ()
    (noted,) = store.erasures.of(7, NOW, NOW)
    assert noted.erased_by == "administrator"
    assert len(store.audits.all_of(7, 17)) == 1
    (logged,) = store.access_log.of()
    assert (logged.what, logged.door, logged.detail) == ("erasure", "command_line", None)
    assert logged.who.startswith("system:")


def test_erasure_asks_first_and_may_be_of_one_repository(data: Path, store: Store) -> None:
    assert run(data, "erase", "--login", "ann")[0] == 1
    assert run(data, "erase", "--login", "ann", "--repository", "acme/none", "--yes")[0] == 2
    status, said, _ = run(data, "erase", "--login", "ann", "--repository", "acme/app", "--yes")
    assert (status, said) == (0, "1 edit(s) erased\n")
    (token,) = store.tokens.of_login("ann")
    assert token.revoked_at is None
    assert len(store.evidence.of(7, NOW, NOW)) == 2


def test_a_key_is_replaced(data: Path, store: Store) -> None:
    status, said, _ = run(data, "rotate-key", "acme")
    assert status == 0
    assert "key 1-1 " in said
    assert "key 1-2 " in run(data, "rotate-key", "ACME")[1]
    assert [key.id for key in store.fingerprint_keys.of(1)] == ["1-1", "1-2"]
    logged = [(one.what, one.detail) for one in store.access_log.of()]
    assert logged == [("fingerprint_key_rotation", f"acme 1-{number}") for number in (2, 1)]
    environment = {"GHAPP_DATA_DIR": str(data)}
    settings = Settings.from_environment(environment, app_required=False)
    assert EvidenceKeys(store, settings.encryption_key).present(1, now=NOW).id == "1-2"
    assert run(data, "rotate-key", "nobody")[0] == 2


def test_machines_are_listed_and_revoked(data: Path, store: Store) -> None:
    (token,) = store.tokens.of_login("ann")
    assert run(data, "machines", "--login", "ann")[1].startswith(f"{token.id}\tvalid\t")
    assert run(data, "revoke", "--login", "ann", "--token", "99")[0] == 1
    assert run(data, "revoke", "--login", "ann")[1] == "1 token(s) revoked\n"
    assert run(data, "machines", "--login", "ann")[1].startswith(f"{token.id}\trevoked\t")


def test_coverage_names_weeks_and_pull_requests_of_silent_authors(data: Path) -> None:
    status, said, _ = run(data, "coverage", "acme/shop")
    week, sentence, pull = said.splitlines()
    assert (status, week.split("\t")[1:]) == (0, ["1 machine(s)", "1 edit(s)", "ann"])
    assert sentence.startswith("For 1 of 1 pull request the author's machine did not report")
    assert pull.split() == ["#17", (NOW - DAY).date().isoformat(), "dan"]
