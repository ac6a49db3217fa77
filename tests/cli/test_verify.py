"""``ghapp export-audit`` and ``ghapp verify`` as an auditor runs them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ghapp.cli.main import main
from ghapp.keys.signing import RecordSigner
from ghapp.records.keys import PublicKey
from ghapp.settings import Settings
from ghapp.store import Installation, Repository, Store
from tests.cli.commands import ghapp
from tests.databases import make_sqlite
from tests.histories import History, Step
from tests.records.bundles import OTHER_KEY, bundle, lines
from tests.store.records import DAY, NOW, document


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the settings of an app that saved and signed two audits, and has an old one."""
    url = make_sqlite(f"sqlite:///{tmp_path}/a.db")
    given = {"GHAPP_DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": url}
    settings = Settings.from_environment(given, app_required=False)
    with Store.open(settings.database_url) as store:
        signer = RecordSigner(store, settings.encryption_key)
        seen = Repository(id=42, owner="acme", name="shop")
        store.installations.repository_seen(seen, now=NOW)
        for number in (1, 2):
            content = document(pull_request=number)
            store.audits.save(42, number, content, now=NOW, witness=signer.witness)
    return given


def run(environment: dict[str, str], *arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, [*map(str, arguments)], env=environment)
    return done.exit_code, done.output


def test_an_export_verifies_with_the_key_of_the_app(
    environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "shop.jsonl"
    status, told = run(environment, "export-audit", "acme/shop", "--output", path)
    assert (status, told) == (0, f"{path}: 2 document(s), 2 record(s)\n")
    status, told = run({}, "verify", path)
    assert status == 0
    assert "bundle of acme/shop" in told
    assert "ask its operator" in told
    status, keys = run(environment, "admin", "record-keys")
    (tmp_path / "key.pem").write_text(keys)
    status, told = run({}, "verify", path, "--public-key", tmp_path / "key.pem")
    assert status == 0
    assert told.endswith("signatures, chains and seal are whole\n")
    assert run({}, "verify", path, "--public-key", keys.split()[1])[0] == 0
    with Store.open(environment["DATABASE_URL"]) as store:
        (looked,) = store.access_log.of(42)
    assert (looked.what, looked.door, looked.who[:7]) == ("bundle", "command_line", "system:")


def test_json_says_what_the_text_says(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "shop.bundle.jsonl"
    assert run(environment, "export-audit", "acme/shop", "--output", path, "--quiet") == (0, "")
    status, told = run(environment, "verify", path, "--format", "json")
    found = json.loads(told)
    assert (status, found["is_whole"], found["records"], found["problems"]) == (0, True, 2, [])
    assert (found["repositories"], found["recomputed"]) == (["acme/shop"], None)
    path.write_bytes(path.read_bytes().replace(b"acme/shop", b"acme/shap", 1))
    done = CliRunner().invoke(main, ["verify", str(path), "--format", "json"], env=environment)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["is_whole"] is False
    assert json.loads(done.stdout)["problems"]


@pytest.mark.parametrize("content", [b"", b"# A page\n\n" * 500, b"{}\n", b"\xff\x00\n"])
def test_a_file_that_is_no_bundle_is_told_once(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    done = ghapp("verify", path)
    assert done.returncode == 2
    assert done.stderr.decode().count("is no bundle of records") == 1
    assert len(done.stderr.splitlines()) == 4
    assert done.stdout == b""


def test_a_changed_bundle_does_not(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "shop.jsonl"
    run(environment, "export-audit", "--output", path)
    path.write_bytes(path.read_bytes().replace(b'"attributed":2', b'"attributed":3', 1))
    status, told = run({}, "verify", path)
    assert status == 1
    assert "line 4: record 1 of acme/shop (pull request 1, audit 1): the document" in told
    assert told.endswith("the bundle is NOT whole\n")


def test_a_bundle_of_another_key_does_not(tmp_path: Path, environment: dict[str, str]) -> None:
    path = tmp_path / "forged.jsonl"
    path.write_bytes(bundle(lines(key=OTHER_KEY), OTHER_KEY))
    assert run({}, "verify", path)[0] == 0
    known = run(environment, "admin", "record-keys")[1].split()[1]
    assert run({}, "verify", path, "--public-key", known)[0] == 1


def test_who_kept_an_older_bundle_learns_what_is_missing(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for path, records in ((old, 4), (new, 2)):
        path.write_bytes(bundle(lines(records)))
    assert run({}, "verify", new)[0] == 0
    status, told = run({}, "verify", new, "--since", old)
    assert status == 1
    assert "record 3 of acme/shop (pull request 3, audit 1) is missing" in told
    status, told = run({}, "verify", old, "--since", new)
    assert status == 0
    assert f"it has every record of {new}" in told
    new.write_bytes(new.read_bytes()[:-10])
    assert "NOT whole itself" in run({}, "verify", old, "--since", new)[1]


def test_a_database_from_before_with_its_older_head_hides_nothing_from_an_older_bundle(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The newest records are gone and the head that was signed before them is back."""
    before, old, new = tmp_path / "before", tmp_path / "old", tmp_path / "new"
    assert run(environment, "admin", "backup", before)[0] == 0
    settings = Settings.from_environment(environment, app_required=False)
    with Store.open(settings.database_url) as store:
        signer = RecordSigner(store, settings.encryption_key)
        store.audits.save(42, 3, document(pull_request=3), now=NOW, witness=signer.witness)
    assert run(environment, "export-audit", "--output", old)[0] == 0
    assert run(environment, "admin", "restore", "--yes", before)[0] == 0
    assert run(environment, "export-audit", "--output", new)[0] == 0
    assert run({}, "verify", new)[0] == 0, "the bundle alone cannot tell"
    status, told = run({}, "verify", new, "--since", old)
    assert status == 1
    assert "record 3 of acme/shop (pull request 3, audit 1) is missing" in told


@pytest.mark.parametrize("key", ["no-such.pem", "a.txt", "rsa.pem"])
def test_what_is_no_key_is_wrong_use(tmp_path: Path, key: str) -> None:
    path = tmp_path / "b.jsonl"
    path.write_bytes(bundle(lines()))
    (tmp_path / "a.txt").write_text("no key")
    status, told = run({}, "verify", path, "--public-key", tmp_path / key)
    assert status == 2
    assert key in told


def test_old_records_are_signed_by_hand(environment: dict[str, str], tmp_path: Path) -> None:
    with Store.open(environment["DATABASE_URL"]) as store:
        store.audits.save(42, 3, document(pull_request=3), now=NOW - DAY)
    path = tmp_path / "shop.jsonl"
    status, told = run(environment, "export-audit", "--output", path)
    assert (status, path.exists()) == (1, False)
    assert "ghapp admin sign-records" in told
    assert "1 record(s) to sign with --yes" in run(environment, "admin", "sign-records")[1]
    assert run(environment, "admin", "sign-records", "--yes") == (0, "1 record(s) signed\n")
    assert run(environment, "export-audit", "--output", path)[0] == 0
    assert "1 of them signed later" in run({}, "verify", path)[1]


def test_a_new_key_takes_over(environment: dict[str, str]) -> None:
    before = run(environment, "admin", "record-keys")[1]
    assert run(environment, "admin", "rotate-record-key")[0] == 0
    after = run(environment, "admin", "record-keys")[1]
    assert before.count("BEGIN") == 1
    assert after.count("BEGIN") == 2
    assert PublicKey(bytes(32)).pem not in after


def test_verdicts_are_worked_out_with_a_clone(tmp_path: Path, environment: dict[str, str]) -> None:
    history = History(tmp_path / "clone")
    history.do(Step(write={"a.py": "total = 1\n"}, message="Add (#1)"))
    (tmp_path / "evidence").mkdir()
    path = tmp_path / "shop.jsonl"
    run(environment, "export-audit", "--output", path)
    given = ("--git", tmp_path / "clone", "--evidence", tmp_path / "evidence")
    status, told = run({}, "verify", path, *given)
    assert status == 1
    assert "pull request 1, audit 1): could not be recomputed: its merge commit is not in" in told
    assert "0 verdicts are the same, recomputed here\n2 not found\n" in told
    assert run({}, "verify", path, "--evidence", tmp_path)[0] == 2
    assert run({}, "verify", path, "--git", tmp_path / "evidence")[0] == 2


def test_a_fingerprint_key_is_handed_out_by_hand(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with Store.open(environment["DATABASE_URL"]) as store:
        store.installations.seen(Installation(id=1, account="acme"), now=NOW)
        seen = Repository(id=42, owner="acme", name="shop", installation_id=1)
        store.installations.repository_seen(seen, now=NOW)
    path = tmp_path / "key"
    status, told = run(environment, "admin", "fingerprint-key", "acme/shop", "--output", path)
    assert (status, path.stat().st_mode & 0o777) == (0, 0o600), told
    with Store.open(environment["DATABASE_URL"]) as store:
        assert store.access_log.of(42)[0].what == "fingerprint_key"
    bundle_path = tmp_path / "b.jsonl"
    bundle_path.write_bytes(bundle(lines()))
    history = History(tmp_path / "clone")
    history.do(Step(write={"a.py": "total = 1\n"}))
    given = ("--git", tmp_path / "clone", "--fingerprint-key")
    assert "2 not found" not in run({}, "verify", bundle_path, *given, path)[1]
    path.write_text("bm90IGEga2V5\n")
    assert "holds 9 bytes" in run({}, "verify", bundle_path, *given, path)[1]
