"""The environment as one frozen value, read once. It opens no connection and starts nothing.

Everything that is missing or wrong is said at once. Settings that a person has to make are
read from the environment first, then from ``credentials.env`` below the data directory, which
the set-up page writes.
"""

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ghapp.summaries.selection import NamesShown

CREDENTIALS_FILE = "credentials.env"
ENCRYPTION_KEY_FILE = "encryption.key"
SHORTEST_WEBHOOK_SECRET = 16
"""Characters; GitHub's own manifest flow gives 40."""
KEY_BYTES = 32
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
ENCODINGS = ("fingerprint", "text")

PLACEHOLDER = re.compile(
    r"change.?me|replace.?me|your.?(webhook.?)?secret|example|placeholder|development|"
    r"default|password|^(.)\2*$|^(0?123456789|abcdefgh)",
    re.IGNORECASE,
)
"""What stands in templates and tutorials instead of a secret; ``aaaa…`` too."""

VARIABLES: dict[str, str] = {
    "GHAPP_DATA_DIR": "where everything is kept that no other setting places",
    "DATABASE_URL": "the record: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
    "REDIS_URL": "the queue: redis://, rediss:// or unix://",
    "GITHUB_APP_ID": "number of the GitHub App",
    "GITHUB_PRIVATE_KEY": "the app's private key, the text of its .pem file",
    "GITHUB_PRIVATE_KEY_FILE": "the app's private key, as the .pem file that GitHub gave",
    "GITHUB_WEBHOOK_SECRETS": "webhook secrets, separated by commas; any of them is accepted",
    "GITHUB_CLIENT_ID": "client id of the app",
    "GITHUB_CLIENT_SECRET": "client secret of the app, for sign-in",
    "GITHUB_API_URL": "GitHub's API: https://HOST/api/v3 for an Enterprise Server",
    "GITHUB_WEB_URL": "GitHub's pages",
    "GHAPP_PUBLIC_URL": "where GitHub and people reach this app",
    "GHAPP_ENCRYPTION_KEY": "32 bytes in base64 that encrypt what is secret at rest",
    "GHAPP_EVIDENCE_ENCODING": "what is kept of an edit's lines: fingerprint or text",
    "GHAPP_EVIDENCE_DAYS": "days for which evidence is kept",
    "GHAPP_UPLOADS_AT_ONCE": "uploads of evidence that are worked on at a time",
    "GHAPP_DELIVERY_DAYS": "days for which webhook deliveries and finished items are kept",
    "GHAPP_ACCESS_LOG_DAYS": "days for which it is kept who looked at audits and exports",
    "GHAPP_NAMES": "how people stand in summaries: teams, pseudonyms or people",
    "GHAPP_SWEEP_SECONDS": "seconds between two looks at GitHub's own list of deliveries",
    "GHAPP_RECONCILE_SECONDS": "seconds between two looks at a repository's merged pull requests",
    "GHAPP_WRITE_PAUSE": "milliseconds between two writes of one installation",
    "GHAPP_WRITES_PER_HOUR": "writes of one installation in an hour",
    "GHAPP_PROXIES": "how many proxies of yours stand before this app",
    "GHAPP_COMPLIANCE_KEY": "key of Anthropic's Compliance API, to pull agent sessions from it",
    "GHAPP_COMPLIANCE_ACCOUNT": "owner on GitHub of the repositories that those sessions edit",
    "GHAPP_COMPLIANCE_URL": "Anthropic's API",
    "GHAPP_OPERATOR_TOKEN": "password of the operator's page and of the metrics",
    "GHAPP_PUBLIC_PAGES": "on: audits of public repositories may be read without signing in",
    "GHAPP_PRIVATE_WEBHOOKS": "on: weekly summaries may go to webhooks in a private network",
    "GHAPP_MAIL_URL": "mail server for weekly summaries: smtps://USER:PASSWORD@HOST:PORT",
    "GHAPP_MAIL_FROM": "whom mail is from",
    "GHAPP_LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR",
}
"""Every variable that is read, with its meaning in a sentence; docs/settings.md says more."""

FROM_CREDENTIALS = (
    "GITHUB_APP_ID",
    "GITHUB_PRIVATE_KEY",
    "GITHUB_PRIVATE_KEY_FILE",
    "GITHUB_WEBHOOK_SECRETS",
    "GITHUB_CLIENT_ID",
    "GITHUB_CLIENT_SECRET",
    "GHAPP_PUBLIC_URL",
)
"""What the credentials file may hold; the environment goes first."""


class SettingsError(Exception):
    """Settings are missing or wrong; ``problems`` names all of them, each with what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        listed = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"{len(problems)} setting(s) missing or wrong:{listed}")


@dataclass(frozen=True)
class AppCredentials:
    """What GitHub gave for the app. Secrets do not appear in ``repr``."""

    app_id: int
    private_key: str = field(repr=False)
    """PEM."""
    webhook_secrets: tuple[str, ...] = field(repr=False)
    """Any of them is accepted; several while one is being replaced."""
    client_id: str | None = None
    """``None``: not given, then the app id stands in for it and nobody can sign in."""
    client_secret: str | None = field(default=None, repr=False)
    """``None``: not given, then nobody can sign in."""


@dataclass(frozen=True)
class ComplianceKey:
    """What opens Anthropic's Compliance API. The key does not appear in ``repr``."""

    url: str
    key: str = field(repr=False)
    account: str
    """Owner on GitHub of the repositories that the agent sessions edit."""


@dataclass(frozen=True)
class Settings:
    """All settings of a running app. Secrets do not appear in ``repr``."""

    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    """``None``: an embedded server is started below the data directory."""
    app: AppCredentials | None
    """``None``: no app is registered yet; the set-up page is served."""
    api_url: str
    web_url: str
    public_url: str | None
    """``None``: not known; links to this app are left out."""
    encryption_key: bytes = field(repr=False)
    """32 bytes."""
    evidence_encoding: Literal["fingerprint", "text"]
    evidence_kept: timedelta
    deliveries_kept: timedelta
    log_level: str
    access_log_kept: timedelta = timedelta(days=400)
    names: NamesShown = NamesShown.TEAMS
    uploads_at_once: int = 1
    """On one machine: so that some of the web door's processes are free for GitHub at any time."""
    sweep_every: timedelta = timedelta(minutes=5)
    reconcile_every: timedelta = timedelta(hours=1)
    write_pause: timedelta = timedelta(seconds=1)
    writes_per_hour: int = 500
    proxies: int = 0
    """How many of the addresses in ``X-Forwarded-For`` were written by proxies of our own."""
    public_pages: bool = False
    """Whether audits of public repositories may be read without signing in."""
    private_webhooks: bool = False
    """Whether weekly summaries may go to webhooks in a private network."""
    mail_url: str | None = field(default=None, repr=False)
    """``None``: not set, then nothing goes by mail."""
    mail_from: str | None = None
    """``None`` only where ``mail_url`` is."""
    compliance: "ComplianceKey | None" = None
    """``None``: no agent sessions are pulled."""
    operator_token: str | None = field(default=None, repr=False)
    """``None``: not set, then there is no operator's page and there are no metrics."""

    @property
    def credentials_file(self) -> Path:
        """Where the set-up page writes what GitHub gave."""
        return self.data_dir / CREDENTIALS_FILE

    @property
    def hidden(self) -> tuple[str, ...]:
        """Every secret by its text, for the log to leave out."""
        addresses = (self.database_url, self.redis_url or "", self.mail_url or "")
        passwords = [urlsplit(address).password or "" for address in addresses]
        app = self.app
        of_app = () if app is None else (*app.webhook_secrets, app.client_secret or "")
        of_app = (*of_app, self.operator_token or "")
        of_app = (*of_app, self.compliance.key if self.compliance else "")
        key = base64.b64encode(self.encryption_key).decode()
        return tuple(one for one in (*passwords, *of_app, key) if one)

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, *, app_required: bool = True
    ) -> "Settings":
        """Read everything; ``None`` reads this process' environment.

        ``app_required=False`` takes the absence of all of the app's credentials for "not
        registered yet"; some of them without the others are an error all the same. Makes the
        data directory and, at first start, the encryption key in it. Raises `SettingsError`.
        """
        reading = _Reading(dict(os.environ if environment is None else environment))
        settings = reading.settings(app_required=app_required)
        if settings is None:
            raise SettingsError(reading.problems)
        return settings


def write_credentials(data_dir: Path, values: Mapping[str, str]) -> Path:
    r"""Write ``credentials.env`` so that only its owner can read it; return its path.

    ``values`` are variables of `FROM_CREDENTIALS`; a line end inside a value becomes ``\n``.
    """
    unknown = sorted(set(values) - set(FROM_CREDENTIALS))
    if unknown:
        message = f"{CREDENTIALS_FILE} does not hold {', '.join(unknown)}"
        raise ValueError(message)
    text = "".join(f"{name}={_one_line(value)}\n" for name, value in values.items())
    return _write_private(data_dir / CREDENTIALS_FILE, text.encode(), replace=True)


# --- reading ------------------------------------------------------------------------------------


class _Reading:
    """One reading of the environment, with the problems found so far."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.given = {name: value.strip() for name, value in environment.items()}
        self.problems: list[str] = []
        self.data_dir = Path(self.text("GHAPP_DATA_DIR") or ".data").expanduser().absolute()

    def settings(self, *, app_required: bool) -> Settings | None:
        """Return the settings, or ``None`` and the problems."""
        self._check_data_dir()
        self._read_credentials_file()
        api_url = self._api_url()
        read = Settings(
            data_dir=self.data_dir,
            database_url=self._database_url(),
            redis_url=self._redis_url(),
            app=self._app(required=app_required),
            api_url=api_url,
            web_url=self._address("GITHUB_WEB_URL") or web_url_of(api_url),
            public_url=self._address("GHAPP_PUBLIC_URL"),
            encryption_key=self._encryption_key(),
            evidence_encoding=self._encoding(),
            evidence_kept=self._days("GHAPP_EVIDENCE_DAYS", default=90, least=24),
            uploads_at_once=self._count("GHAPP_UPLOADS_AT_ONCE", 1, least=1),
            deliveries_kept=self._days("GHAPP_DELIVERY_DAYS", default=30, least=8),
            access_log_kept=self._days("GHAPP_ACCESS_LOG_DAYS", default=400, least=1),
            names=self._names(),
            sweep_every=timedelta(seconds=self._count("GHAPP_SWEEP_SECONDS", 300, least=1)),
            reconcile_every=timedelta(
                seconds=self._count("GHAPP_RECONCILE_SECONDS", 3600, least=1)
            ),
            write_pause=timedelta(milliseconds=self._count("GHAPP_WRITE_PAUSE", 1000, least=0)),
            writes_per_hour=self._count("GHAPP_WRITES_PER_HOUR", 500, least=1),
            proxies=self._count("GHAPP_PROXIES", 0, least=0),
            public_pages=self._switch("GHAPP_PUBLIC_PAGES"),
            private_webhooks=self._switch("GHAPP_PRIVATE_WEBHOOKS"),
            mail_url=self._mail_url(),
            mail_from=self.text("GHAPP_MAIL_FROM"),
            compliance=self._compliance(),
            operator_token=self._operator_token(),
            log_level=self._log_level(),
        )
        return None if self.problems else read

    def text(self, name: str) -> str | None:
        """Return a variable; an empty one counts as not set."""
        return self.given.get(name) or None

    def wrong(self, name: str, found: str, do: str) -> None:
        """Note a problem: the variable, what was found, what to do."""
        self.problems.append(f"{name} {found}: {do}")

    def _check_data_dir(self) -> None:
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            self.wrong(
                "GHAPP_DATA_DIR", f"cannot be made ({error.strerror})", "name a folder of your own"
            )
            return
        if not os.access(self.data_dir, os.W_OK | os.X_OK):
            self.wrong("GHAPP_DATA_DIR", "cannot be written to", "name a folder of your own")

    def _read_credentials_file(self) -> None:
        path = self.data_dir / CREDENTIALS_FILE
        raw = self._private_file(CREDENTIALS_FILE, path) if path.exists() else None
        for number, line in enumerate((raw or "").splitlines(), start=1):
            name, equals, value = line.strip().partition("=")
            if not name or name.startswith("#"):
                continue
            if not equals or name not in FROM_CREDENTIALS:
                self.wrong(CREDENTIALS_FILE, f"line {number} is no setting of it", "remove it")
            elif not self.given.get(name):
                self.given[name] = value.strip().strip("'\"")

    def _private_file(self, name: str, path: Path) -> str | None:
        """Return the text of a file that nobody else may read."""
        try:
            mode = path.stat().st_mode
        except OSError:
            mode = 0
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            self.wrong(name, f"can be read by others (mode {mode & 0o777:o})", "chmod 600 it")
            return None
        return self._file(name, path)

    def _file(self, name: str, path: Path) -> str | None:
        # Mounted secrets are often readable by a group, so a mode is not asked for here.
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.wrong(name, f"cannot be read ({type(error).__name__})", "name a file of text")
            return None

    def _database_url(self) -> str:
        url = self.text("DATABASE_URL")
        if url is None:
            return f"sqlite:///{self.data_dir / 'ghapp.sqlite3'}"
        if not url.startswith(
            ("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg:")
        ):
            self.wrong(
                "DATABASE_URL",
                "is neither SQLite nor PostgreSQL",
                "give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
            )
        return url

    def _redis_url(self) -> str | None:
        url = self.text("REDIS_URL")
        if url is not None and not url.startswith(("redis://", "rediss://", "unix://")):
            self.wrong(
                "REDIS_URL", "is no address of Redis", "give redis://HOST:PORT/0 or unix://PATH"
            )
        return url

    # --- the app ----------------------------------------------------------------------------------

    def _app(self, *, required: bool) -> AppCredentials | None:
        wanted = (
            "GITHUB_APP_ID",
            "GITHUB_PRIVATE_KEY",
            "GITHUB_PRIVATE_KEY_FILE",
            "GITHUB_WEBHOOK_SECRETS",
        )
        if not required and not any(map(self.text, wanted)):
            return None
        app_id, key, webhook_secrets = self._app_id(), self._private_key(), self._secrets()
        if not (app_id and key and webhook_secrets):
            return None
        return AppCredentials(
            app_id=app_id,
            private_key=key,
            webhook_secrets=webhook_secrets,
            client_id=self.text("GITHUB_CLIENT_ID"),
            client_secret=self._client_secret(),
        )

    def _client_secret(self) -> str | None:
        text = self.text("GITHUB_CLIENT_SECRET")
        if text is not None and PLACEHOLDER.search(text):
            self.wrong("GITHUB_CLIENT_SECRET", "is a placeholder", "make one on the app's page")
        return text

    def _app_id(self) -> int | None:
        text = self.text("GITHUB_APP_ID")
        if text is None:
            self.wrong("GITHUB_APP_ID", "is not set", "copy the App ID from the app's page")
            return None
        if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
            self.wrong("GITHUB_APP_ID", "is no number", "copy the App ID from the app's page")
            return None
        return int(text)

    def _private_key(self) -> str | None:
        text, file = self.text("GITHUB_PRIVATE_KEY"), self.text("GITHUB_PRIVATE_KEY_FILE")
        if text is None and file is None:
            self.wrong(
                "GITHUB_PRIVATE_KEY_FILE",
                "is not set",
                "generate a private key on the app's page and name its .pem file here, "
                "or put its text into GITHUB_PRIVATE_KEY",
            )
            return None
        name = "GITHUB_PRIVATE_KEY" if text else "GITHUB_PRIVATE_KEY_FILE"
        # Environments of one line a variable carry the line ends as \n.
        pem = text.replace("\\n", "\n") if text else self._file(name, Path(str(file)))
        if pem is not None and not _is_rsa_key(pem):
            self.wrong(
                name,
                "is no RSA private key in PEM",
                "give the whole text from '-----BEGIN' to the last '-----'",
            )
            return None
        return pem

    def _secrets(self) -> tuple[str, ...]:
        text = self.text("GITHUB_WEBHOOK_SECRETS")
        found = tuple(one.strip() for one in (text or "").split(",") if one.strip())
        if not found:
            self.wrong(
                "GITHUB_WEBHOOK_SECRETS",
                "is not set",
                "make one with 'openssl rand -hex 32', set it here and on the app's page",
            )
        for place, one in enumerate(found, start=1):
            if len(one) < SHORTEST_WEBHOOK_SECRET:
                self.wrong(
                    "GITHUB_WEBHOOK_SECRETS",
                    f"holds a secret of {len(one)} characters (number {place})",
                    f"use {SHORTEST_WEBHOOK_SECRET} or more, as from 'openssl rand -hex 32'",
                )
            elif PLACEHOLDER.search(one):
                self.wrong(
                    "GITHUB_WEBHOOK_SECRETS",
                    f"holds a placeholder (number {place})",
                    "make a secret of your own with 'openssl rand -hex 32'",
                )
        return found

    # --- addresses --------------------------------------------------------------------------------

    def _api_url(self) -> str:
        return self._address("GITHUB_API_URL") or "https://api.github.com"

    def _address(self, name: str) -> str | None:
        """Return an address without a slash at its end; secrets go there, so it has to be safe."""
        text = self.text(name)
        problem = None if text is None else _fault_of(text)
        if problem is not None:
            self.wrong(name, problem, "give https://HOST (http only for this machine)")
        return None if text is None or problem else text.rstrip("/")

    # --- the rest ---------------------------------------------------------------------------------

    def _encryption_key(self) -> bytes:
        name = "GHAPP_ENCRYPTION_KEY"
        text = self.text(name)
        if text is None:
            name = f"{self.data_dir.name}/{ENCRYPTION_KEY_FILE}"
            text = self._kept_key(name)
        key = _decoded(text or "")
        if text is not None and len(key) != KEY_BYTES:
            self.wrong(
                name,
                f"is not {KEY_BYTES} bytes in base64",
                "make one with 'openssl rand -base64 32'",
            )
        elif PLACEHOLDER.search(key.decode("latin-1")):
            self.wrong(name, "is a placeholder", "make one with 'openssl rand -base64 32'")
        return key

    def _kept_key(self, name: str) -> str | None:
        """Return the key below the data directory, made here at the first start."""
        path = self.data_dir / ENCRYPTION_KEY_FILE
        if not self.data_dir.is_dir():
            return None
        try:
            if not path.exists():
                # Two processes may start at once: whoever comes second reads the first one's.
                _write_private(
                    path, base64.b64encode(secrets.token_bytes(KEY_BYTES)), replace=False
                )
        except OSError as error:
            self.wrong(name, f"cannot be written ({error.strerror})", "set GHAPP_ENCRYPTION_KEY")
            return None
        return self._private_file(name, path)

    def _encoding(self) -> Literal["fingerprint", "text"]:
        text = (self.text("GHAPP_EVIDENCE_ENCODING") or "fingerprint").lower()
        if text not in ENCODINGS:
            self.wrong("GHAPP_EVIDENCE_ENCODING", f"is {text!r}", "give fingerprint or text")
        return "text" if text == "text" else "fingerprint"

    def _names(self) -> NamesShown:
        text = (self.text("GHAPP_NAMES") or NamesShown.TEAMS).lower()
        if text not in set(NamesShown):
            self.wrong("GHAPP_NAMES", f"is {text!r}", "give teams, pseudonyms or people")
            return NamesShown.TEAMS
        return NamesShown(text)

    def _days(self, name: str, *, default: int, least: int) -> timedelta:
        text = self.text(name)
        if text is None:
            return timedelta(days=default)
        if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) < least:
            self.wrong(name, f"is {text!r}", f"give a number of days, {least} or more")
            return timedelta(days=default)
        return timedelta(days=int(text))

    def _count(self, name: str, default: int, *, least: int) -> int:
        text = self.text(name) or str(default)
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
            self.wrong(
                name, "is no number that can be used", f"give a whole number, {least} or more"
            )
            return default
        return int(text)

    def _switch(self, name: str) -> bool:
        text = (self.text(name) or "off").lower()
        if text not in {"on", "off"}:
            self.wrong(name, f"is {text!r}", "give on or off")
        return text == "on"

    def _mail_url(self) -> str | None:
        url, sender = self.text("GHAPP_MAIL_URL"), self.text("GHAPP_MAIL_FROM")
        if url is not None and not re.fullmatch(r"smtps?://[^/\s]+", url):
            self.wrong("GHAPP_MAIL_URL", "is no mail server", "give smtps://USER:PASSWORD@HOST:465")
        if url is not None and (sender is None or "@" not in sender):
            self.wrong("GHAPP_MAIL_FROM", "is no mail address", "name whom mail is from")
        return url

    def _compliance(self) -> ComplianceKey | None:
        """Return what opens the Compliance API; a key without an account is an error."""
        key, account = self.text("GHAPP_COMPLIANCE_KEY"), self.text("GHAPP_COMPLIANCE_ACCOUNT")
        url = self._address("GHAPP_COMPLIANCE_URL") or "https://api.anthropic.com"
        if key is None and account is None:
            return None
        if key is None or account is None:
            missing = "GHAPP_COMPLIANCE_ACCOUNT" if account is None else "GHAPP_COMPLIANCE_KEY"
            self.wrong(missing, "is not set", "give both the key and the account, or none")
            return None
        return ComplianceKey(url=url, key=key, account=account)

    def _operator_token(self) -> str | None:
        token = self.text("GHAPP_OPERATOR_TOKEN")
        if token is not None and (
            len(token) < SHORTEST_WEBHOOK_SECRET or PLACEHOLDER.search(token)
        ):
            self.wrong(
                "GHAPP_OPERATOR_TOKEN",
                "is short or a placeholder",
                f"use {SHORTEST_WEBHOOK_SECRET} characters or more, as from 'openssl rand -hex 32'",
            )
        return token

    def _log_level(self) -> str:
        text = (self.text("GHAPP_LOG_LEVEL") or "INFO").upper()
        if text not in LOG_LEVELS:
            self.wrong("GHAPP_LOG_LEVEL", f"is {text!r}", f"give one of {', '.join(LOG_LEVELS)}")
        return text


def web_url_of(api_url: str) -> str:
    """Return where the pages of a GitHub are whose API is at ``api_url``.

    >>> web_url_of("https://api.github.com"), web_url_of("https://git.example.com/api/v3")
    ('https://github.com', 'https://git.example.com')
    """
    parts = urlsplit(api_url)
    host = parts.netloc.removeprefix("api.") if not parts.path.strip("/") else parts.netloc
    return f"{parts.scheme}://{host}"


def _fault_of(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "is no address"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or a password"
    if parts.query or parts.fragment:
        return "holds a query or a fragment"
    if not host or parts.scheme not in {"http", "https"}:
        return "is no address"
    if parts.scheme == "http" and host not in LOOPBACK:
        return "is not encrypted"
    return None


def _is_rsa_key(pem: str) -> bool:
    try:
        return isinstance(load_pem_private_key(pem.encode(), password=None), RSAPrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), altchars=b"-_" if set("-_") & set(text) else None)
    except (binascii.Error, ValueError):
        return b""


def _one_line(value: str) -> str:
    return value.strip().replace("\r\n", "\n").replace("\n", "\\n")


# --- private files --------------------------------------------------------------------------------


def _write_private(path: Path, content: bytes, *, replace: bool) -> Path:
    """Write a file of mode 0600, whole or not at all; an existing one only with ``replace``."""
    with _beside(path) as new:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            new.replace(path)
        else:
            with suppress(FileExistsError):
                path.hardlink_to(new)
    return path


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        yield new
    finally:
        new.unlink(missing_ok=True)
