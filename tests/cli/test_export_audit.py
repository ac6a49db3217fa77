"""``ghapp export-audit``: a bundle appears whole or not at all, and each export is logged."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ghapp.keys.signing import RecordSigner
from ghapp.records.check import check
from ghapp.settings import Settings
from ghapp.store import Repository, Store
from tests.cli.commands import ghapp
from tests.databases import make_sqlite
from tests.store.records import DAY, NOW, document


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the settings of an app that signed an audit of acme/shop on each of three days."""
    url = make_sqlite(f"sqlite:///{tmp_path}/a.db")
    given = {"GHAPP_DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": url}
    settings = Settings.from_environment(given, app_required=False)
    with Store.unmigrated(url) as store:
        signer = RecordSigner(store, settings.encryption_key)
        for number, name in ((42, "shop"), (43, "empty")):
            seen = Repository(id=number, owner="acme", name=name)
            store.installations.repository_seen(seen, now=NOW)
        for number in (1, 2, 3):
            at = NOW + number * DAY
            content = document(pull_request=number, merged_at=at)
            store.audits.save(42, number, content, now=at, witness=signer.witness)
    return given


@pytest.fixture
def store(environment: dict[str, str]) -> Iterator[Store]:
    with Store.unmigrated(environment["DATABASE_URL"]) as opened:
        yield opened


def test_all_repositories_or_one_are_exported_and_the_access_is_logged(
    environment: dict[str, str], store: Store, tmp_path: Path
) -> None:
    done = ghapp("export-audit", "--output", tmp_path / "all", **environment)
    told = f"{tmp_path / 'all'}: 3 document(s), 3 record(s)\n"
    assert (done.returncode, done.stdout, done.stderr.decode()) == (0, b"", told)
    assert {one.repository_id for one in store.access_log.of()} == {42, 43}
    done = ghapp("export-audit", "acme/shop", "--output", tmp_path / "one", **environment)
    header = check(tmp_path / "one").header
    assert header is not None
    assert [one.name for one in header.repositories] == ["acme/shop"]


def test_a_span_is_of_documents_and_stands_in_the_log(
    environment: dict[str, str], store: Store, tmp_path: Path
) -> None:
    day = (NOW + 2 * DAY).date().isoformat()
    given = ("export-audit", "acme/shop", "--since", day, "--until", day)
    done = ghapp(*given, "--output", tmp_path / "b", **environment)
    assert done.stderr.decode().endswith(": 1 document(s), 3 record(s)\n")
    (looked,) = store.access_log.of()
    last = NOW.replace(hour=0, minute=0, second=0) + 3 * DAY - timedelta(microseconds=1)
    assert looked.detail == f"{day}T00:00:00+00:00..{last.isoformat()}"


def test_what_was_altered_is_said_and_the_status_is_1(
    environment: dict[str, str], store: Store, tmp_path: Path
) -> None:
    with store.database.write() as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("UPDATE audit SET document = X'00' WHERE id = 2"))
    done = ghapp("export-audit", "--output", tmp_path / "b", **environment)
    assert done.returncode == 1
    assert b"it cannot be read" in done.stderr
    assert b"recorded audits fail the check" in done.stderr


def test_an_export_that_fails_leaves_the_older_file_and_no_half_one(
    environment: dict[str, str], store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "b").write_bytes(b"older")
    store.audits.save(42, 4, document(pull_request=4), now=NOW)
    done = ghapp("export-audit", "--output", folder / "b", **environment)
    assert done.returncode == 1
    assert b"ghapp admin sign-records" in done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"b": b"older"}


def test_a_folder_that_is_not_there_is_wrong_use(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = ghapp("export-audit", "--output", tmp_path / "none" / "b", **environment)
    assert done.returncode == 2
    assert b"No such file or directory" in done.stderr


def test_a_repository_that_is_not_known(environment: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "b"
    done = ghapp("export-audit", "acme/none", "--output", output, **environment)
    assert done.returncode == 2
    assert b"it knows acme/empty, acme/shop" in done.stderr
    assert not output.exists()
