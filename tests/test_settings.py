"""Settings: all problems at once, secrets out of sight, the documentation held to the code."""

import base64
import re
import runpy
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ghapp.settings import (
    FROM_CREDENTIALS,
    VARIABLES,
    Settings,
    SettingsError,
    web_url_of,
    write_credentials,
)
from tests.cases import TOP

SECRET = "4f0d" * 10
DOCUMENTATION = TOP / "docs" / "settings.md"


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().strip()


@pytest.fixture(scope="module")
def key() -> str:
    # The shortest that is an RSA key: each time it is read, it is checked.
    return pem(rsa.generate_private_key(65537, 1024))  # noqa: S505 - it signs nothing


@pytest.fixture
def environment(tmp_path: Path, key: str) -> dict[str, str]:
    return {
        "GHAPP_DATA_DIR": str(tmp_path / "data"),
        "GITHUB_APP_ID": "123",
        "GITHUB_PRIVATE_KEY": key.replace("\n", "\\n"),
        "GITHUB_WEBHOOK_SECRETS": f"{SECRET}, {SECRET[::-1]}",
    }


def problems(environment: dict[str, str], **changed: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment(environment | changed)
    return raised.value.problems


def test_defaults_need_nothing_but_the_app(environment: dict[str, str], key: str) -> None:
    read = Settings.from_environment(environment)
    assert read.app is not None
    assert (read.app.app_id, read.app.private_key) == (123, key)
    assert read.app.webhook_secrets == (SECRET, SECRET[::-1])
    assert read.database_url == f"sqlite:///{read.data_dir / 'ghapp.sqlite3'}"
    assert (read.redis_url, read.public_url) == (None, None)
    assert (read.api_url, read.web_url) == ("https://api.github.com", "https://github.com")
    assert (read.evidence_encoding, read.evidence_kept) == ("fingerprint", timedelta(days=90))


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    wrong = {
        "GHAPP_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "mysql://host/name",
        "REDIS_URL": "host:6379",
        "GITHUB_API_URL": "http://github.example.com",
        "GITHUB_WEB_URL": "https://user:word@github.example.com",
        "GHAPP_PUBLIC_URL": "shop",
        "GHAPP_ENCRYPTION_KEY": "c2hvcnQ=",
        "GHAPP_EVIDENCE_ENCODING": "both",
        "GHAPP_EVIDENCE_DAYS": "7",
        "GHAPP_DELIVERY_DAYS": "soon",
        "GHAPP_NAMES": "everybody",
        "GHAPP_LOG_LEVEL": "loud",
    }
    found = problems(wrong)
    named = {problem.split()[0] for problem in found}
    needed = {"GITHUB_APP_ID", "GITHUB_PRIVATE_KEY_FILE", "GITHUB_WEBHOOK_SECRETS"}
    assert named == (set(wrong) | needed) - {"GHAPP_DATA_DIR"}
    assert len(found) == len(named)


def test_no_app_is_no_error_where_it_may_be_registered_later(environment: dict[str, str]) -> None:
    only = {"GHAPP_DATA_DIR": environment["GHAPP_DATA_DIR"]}
    assert Settings.from_environment(only, app_required=False).app is None
    with pytest.raises(SettingsError, match="GITHUB_PRIVATE_KEY_FILE is not set"):
        Settings.from_environment(only | {"GITHUB_APP_ID": "1"}, app_required=False)


@pytest.mark.parametrize(
    "secret", ["short", "changeme-changeme", "your-webhook-secret", "a" * 40, "development" * 3]
)
def test_a_weak_webhook_secret_is_refused_and_not_repeated(
    environment: dict[str, str], secret: str
) -> None:
    (problem,) = problems(environment, GITHUB_WEBHOOK_SECRETS=f"{SECRET},{secret}")
    assert "number 2" in problem
    assert secret not in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_CLIENT_SECRET", "your-secret-of-the-app"),
        ("GHAPP_OPERATOR_TOKEN", "hunter2"),
        ("GHAPP_OPERATOR_TOKEN", "change-me-change-me"),
        ("GHAPP_ENCRYPTION_KEY", base64.b64encode(bytes(32)).decode()),
        ("GHAPP_ENCRYPTION_KEY", base64.b64encode(b"change-me" * 3 + b"12345").decode()),
    ],
)
def test_no_other_secret_is_a_placeholder_either(
    environment: dict[str, str], name: str, value: str
) -> None:
    (problem,) = problems(environment, **{name: value})
    assert re.match(rf"{name} (is a placeholder|has fewer than 16)", problem)
    assert value not in problem


@pytest.mark.parametrize("name", ["GITHUB_PRIVATE_KEY", "GITHUB_PRIVATE_KEY_FILE"])
def test_another_kind_of_key_is_refused(
    environment: dict[str, str], tmp_path: Path, name: str
) -> None:
    other = pem(ec.generate_private_key(ec.SECP256R1()))
    del environment["GITHUB_PRIVATE_KEY"]
    (tmp_path / "key.pem").write_text(other)
    given = other if name == "GITHUB_PRIVATE_KEY" else str(tmp_path / "key.pem")
    (problem,) = problems(environment, **{name: given})
    assert problem.startswith(f"{name} is not an RSA private key")


def test_a_key_file_is_read(environment: dict[str, str], tmp_path: Path, key: str) -> None:
    del environment["GITHUB_PRIVATE_KEY"]
    (tmp_path / "key.pem").write_text(key)
    read = Settings.from_environment(
        environment | {"GITHUB_PRIVATE_KEY_FILE": str(tmp_path / "key.pem")}
    )
    assert read.app is not None
    assert read.app.private_key == key
    assert "cannot be read" in problems(environment, GITHUB_PRIVATE_KEY_FILE="/nowhere.pem")[0]


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("https://me@github.example.com/api/v3", "user name"),
        ("https://:x@github.example.com", "user name"),
        ("http://github.example.com", "not encrypted"),
        ("http://127.0.0.1.example.com", "not encrypted"),
        ("https://github.example.com/?a", "query"),
        ("ftp://github.example.com", "not an address"),
        ("https://[", "not an address"),
        ("https://", "not an address"),
    ],
)
def test_an_address_that_could_carry_a_token_away_is_refused(
    environment: dict[str, str], address: str, fault: str
) -> None:
    (problem,) = problems(environment, GITHUB_API_URL=address)
    assert fault in problem


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_this_machine_may_be_reached_without_encryption(
    environment: dict[str, str], host: str
) -> None:
    read = Settings.from_environment(
        environment | {"GITHUB_API_URL": f"http://{host}:8080/api/v3/"}
    )
    assert read.api_url == f"http://{host}:8080/api/v3"
    assert read.web_url == f"http://{host}:8080"


def test_pages_stand_beside_the_api() -> None:
    assert web_url_of("https://api.acme.ghe.com") == "https://acme.ghe.com"
    assert web_url_of("https://git.example.com/api/v3") == "https://git.example.com"


# --- private files --------------------------------------------------------------------------------


def test_the_encryption_key_is_made_once_and_for_its_owner_only(
    environment: dict[str, str],
) -> None:
    with ThreadPoolExecutor(4) as threads:
        read = list(threads.map(lambda _: Settings.from_environment(environment), range(8)))
    assert len({one.encryption_key for one in read}) == 1
    assert len(read[0].encryption_key) == 32
    kept = read[0].data_dir / "encryption.key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert sorted(path.name for path in read[0].data_dir.iterdir()) == ["encryption.key"]


def test_an_encryption_key_that_others_can_read_is_refused(environment: dict[str, str]) -> None:
    read = Settings.from_environment(environment)
    (read.data_dir / "encryption.key").chmod(0o644)
    assert "mode 644" in problems(environment)[0]


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_given_encryption_key_goes_first(
    environment: dict[str, str], encode: "type[base64.b64encode]"
) -> None:
    given = bytes(range(224, 256))
    read = Settings.from_environment(environment | {"GHAPP_ENCRYPTION_KEY": encode(given).decode()})
    assert read.encryption_key == given
    assert not (read.data_dir / "encryption.key").exists()


def test_written_credentials_are_read_back(tmp_path: Path, key: str) -> None:
    values = {
        "GITHUB_APP_ID": "5",
        "GITHUB_PRIVATE_KEY": key + "\n",
        "GITHUB_WEBHOOK_SECRETS": SECRET,
        "GITHUB_CLIENT_ID": "Iv1.0",
        "GITHUB_CLIENT_SECRET": "s" * 20 + "t",
    }
    path = write_credentials(tmp_path, values)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path == Settings.from_environment({"GHAPP_DATA_DIR": str(tmp_path)}).credentials_file
    app = Settings.from_environment({"GHAPP_DATA_DIR": str(tmp_path), "GITHUB_APP_ID": "6"}).app
    assert app is not None
    assert (app.app_id, app.private_key, app.client_id) == (6, key, "Iv1.0")


def test_credentials_that_others_can_read_are_refused(tmp_path: Path) -> None:
    write_credentials(tmp_path, {"GITHUB_APP_ID": "5"}).chmod(0o640)
    assert any("mode 640" in one for one in problems({"GHAPP_DATA_DIR": str(tmp_path)}))


def test_credentials_hold_nothing_else(tmp_path: Path, environment: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="PATH"):
        write_credentials(tmp_path, {"PATH": "/bin"})
    data = Path(environment["GHAPP_DATA_DIR"])
    data.mkdir()
    (data / "credentials.env").write_text("# comment\n\nPATH=/bin\nnonsense\n")
    (data / "credentials.env").chmod(0o600)
    assert [one.split(":")[0] for one in problems(environment)] == [
        "credentials.env line 3 is not one of its settings",
        "credentials.env line 4 is not one of its settings",
    ]


def test_a_file_in_the_place_of_the_data_directory_is_said(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("")
    assert "GHAPP_DATA_DIR cannot be made" in problems(environment)[0]


# --- out of sight, and documented -----------------------------------------------------------------


def test_no_secret_is_shown(environment: dict[str, str]) -> None:
    environment |= {
        "DATABASE_URL": "postgresql://u:hunter22@h/n",
        "REDIS_URL": "redis://:hunter33@h/0",
        "GITHUB_CLIENT_SECRET": "hunter44",
    }
    read = Settings.from_environment(environment)
    assert not re.search(r"hunter|PRIVATE|4f0d", repr(read))
    assert {"hunter22", "hunter33", "hunter44", SECRET} < set(read.hidden)


def test_a_key_of_the_compliance_api_needs_an_account_and_stays_hidden(
    environment: dict[str, str],
) -> None:
    key = "sk-ant-compliance-1"
    (problem,) = problems(environment, GHAPP_COMPLIANCE_KEY=key)
    assert problem.startswith("GHAPP_COMPLIANCE_ACCOUNT is not set")
    given = {**environment, "GHAPP_COMPLIANCE_KEY": key, "GHAPP_COMPLIANCE_ACCOUNT": "acme"}
    settings = Settings.from_environment(given)
    assert settings.compliance is not None
    assert settings.compliance.url == "https://api.anthropic.com"
    assert key in settings.hidden
    assert key not in repr(settings)


def test_the_documentation_is_made_from_the_table() -> None:
    renew = runpy.run_path(str(TOP / "docs" / "renew_settings.py"))
    text = DOCUMENTATION.read_text("utf-8")
    assert renew["page"](text) == text
    assert (TOP / ".env.example").read_text("utf-8") == renew["example"]()
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == list(VARIABLES)


def test_credentials_are_of_the_app() -> None:
    of_app = {name for name in VARIABLES if name.startswith("GITHUB_") and "_URL" not in name}
    assert set(FROM_CREDENTIALS) == of_app | {"GHAPP_PUBLIC_URL"}


def test_the_encryption_key_is_named_by_the_file_that_holds_it(
    environment: dict[str, str],
) -> None:
    read = Settings.from_environment(environment)
    (read.data_dir / "encryption.key").write_text("c2hvcnQ=")
    (problem,) = problems(environment)
    assert problem.startswith("data/encryption.key is not 32 bytes")


def test_every_variable_that_is_read_is_listed() -> None:
    source = (TOP / "ghapp" / "settings.py").read_text()
    read = set(re.findall(r'"((?:GITHUB|GHAPP|DATABASE|REDIS)_[A-Z_]+)"', source))
    assert read == set(VARIABLES)


@pytest.mark.parametrize(
    "address",
    [
        "redis://:hunter2#hunter3@host:6379/0",
        "redis://:hunter2/hunter3@host:6379/0",
        "redis://:hunter2?hunter3@host:6379/0",
        "rediss://ann:hunter2#hunter3@host/1",
        "rediss://:22/hunter3@host",
        "redis://:hunter2]hunter3[@host",
        "redis://:hunter2hunter3@",
        "redis://:hunter2hunter3@host/name",
    ],
)
def test_a_redis_address_that_a_password_breaks_is_refused_without_it(
    environment: dict[str, str], address: str
) -> None:
    (problem,) = problems(environment, REDIS_URL=address)
    assert problem.startswith("REDIS_URL ")
    assert not {"hunter2", "hunter3"} & set(re.findall(r"hunter\d", problem))


def test_a_mail_server_s_password_breaks_no_address_either(environment: dict[str, str]) -> None:
    given = {"GHAPP_MAIL_URL": "smtps://ann:hunter2#3@host:465", "GHAPP_MAIL_FROM": "a@b.example"}
    (problem,) = problems(environment, **given)
    assert problem.startswith("GHAPP_MAIL_URL cannot be read")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("address", "password"),
    [
        ("postgresql://ghapp:pa/ss#wo?rd@host/name", "pa/ss#wo?rd"),
        ("postgresql://ghapp:pass%2Fword@host/name", "pass/word"),
    ],
)
def test_a_password_is_hidden_as_it_is_written_and_as_it_is_meant(
    environment: dict[str, str], address: str, password: str
) -> None:
    assert password in Settings.from_environment(environment | {"DATABASE_URL": address}).hidden


def test_a_public_address_has_no_path(environment: dict[str, str]) -> None:
    given = environment | {"GHAPP_PUBLIC_URL": "https://example.com/"}
    assert Settings.from_environment(given).public_url == "https://example.com"
    (problem,) = problems(environment, GHAPP_PUBLIC_URL="https://example.com/audits")
    assert problem.startswith("GHAPP_PUBLIC_URL has a path")


def test_a_command_on_an_app_that_exists_makes_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    read = Settings.from_environment(environment, makes=False)
    assert read.app is not None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SettingsError, match=r"encryption.key is not in .*--data"):
        _ = read.encryption_key
    made = Settings.from_environment(environment).encryption_key
    assert Settings.from_environment(environment, makes=False).encryption_key == made


@pytest.mark.parametrize("held", [(), ("ghapp.sqlite3",)], ids=["empty", "ours"])
def test_a_data_directory_that_others_can_read_is_closed_and_said(
    environment: dict[str, str],
    tmp_path: Path,
    held: tuple[str, ...],
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    for name in held:
        (folder / name).touch()
    Settings.from_environment(environment)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "could be read by others (mode 755)" in caplog.text


@pytest.mark.parametrize(("mode", "held"), [(0o755, "notes.txt"), (0o1777, "")])
def test_a_directory_of_others_is_refused_and_left_alone(
    environment: dict[str, str], tmp_path: Path, mode: int, held: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    if held:
        (folder / held).touch()
    (problem,) = problems(environment)
    assert "can be read by others" in problem
    assert stat.S_IMODE(folder.stat().st_mode) == mode
