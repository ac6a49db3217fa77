"""The environment as one frozen value, read once. It opens no connection and starts nothing.

`VARIABLES` is the one list of settings: docs/renew_settings.py makes docs/settings.md and
.env.example from it. The environment goes first; ``credentials.env`` in the data directory, which
the set-up page writes, fills in the rest.
"""

import base64
import binascii
import logging
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ghapp.spend.cost import CostBasis
from ghapp.spend.rate_card import RateCard, RateCardError, read_rate_card
from ghapp.summaries.selection import NamesShown

CREDENTIALS_FILE = "credentials.env"
ENCRYPTION_KEY_FILE = "encryption.key"
SHORTEST_SECRET = 16
"""Characters; GitHub's own manifest flow gives 40."""
OURS = frozenset({CREDENTIALS_FILE, ENCRYPTION_KEY_FILE, "ghapp.sqlite3", "valkey", "serve.lock"})
"""Names in a data directory that show that it is one."""
KEY_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
HOW_SECRET = "use one from 'openssl rand -hex 32'"  # noqa: S105 - advice
HOW_KEY = "use one from 'openssl rand -base64 32'"

# "changeme", "your-webhook-secret", "aaaa", "0123456789": what templates hold instead of a secret.
PLACEHOLDER = re.compile(
    r"change.?me|replace.?me|your.?(webhook.?)?secret|example|placeholder|development|"
    r"default|password|^(.)\2*$|^(0?123456789|abcdefgh)",
    re.IGNORECASE,
)
_DATABASE = re.compile(r"sqlite:///|postgres(ql)?://|postgresql\+psycopg:")
_REDIS = re.compile(r"rediss?://|unix://")
_REDIS_NUMBER = re.compile(r"/?\d*/?")  # the path in redis://host/0
_MAIL = re.compile(r"smtps?://[^/\s]+\Z")
# postgresql://user:pa/ss@host/name: a driver may take what an address does not allow.
_PASSWORD = re.compile(r"[\w+.-]+://[^:/?#@]*:(.*)@")


log = logging.getLogger(__name__)


class SettingsError(Exception):
    """Settings are missing or wrong; ``problems`` names all of them, each with what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        listed = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"{len(problems)} setting(s) missing or wrong:{listed}")


class _WrongValueError(Exception):
    """A value cannot be used; each argument says what is wrong and what to do."""


# --- parsers: each turns a text into a value, or raises `_WrongValueError` ------------------------


def _whole(least: int, unit: Any = 1, digits: int = 9) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        if not (text.isascii() and text.isdecimal() and len(text) <= digits) or int(text) < least:
            raise _WrongValueError(f"is {text!r}: give a whole number, {least} or more")
        return int(text) * unit

    return parse


def _days(least: int) -> Callable[[str], Any]:
    return _whole(least, timedelta(days=1), digits=5)  # a date reaches no further back


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        for choice in choices:
            if choice.lower() == text.lower():
                return choice
        raise _WrongValueError(f"is {text!r}: give {', '.join(choices[:-1])} or {choices[-1]}")

    return parse


def _switch(text: str) -> bool:
    return _one_of("on", "off")(text) == "on"


def _database_address(text: str) -> str:
    if not _DATABASE.match(text):
        how = "give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        raise _WrongValueError(f"is neither SQLite nor PostgreSQL: {how}")
    return text


def _address(text: str) -> str:
    """Return an address without a slash at its end; secrets go there, so it has to be safe."""
    fault = _fault_of(text)
    if fault is not None:
        raise _WrongValueError(f"{fault}: give https://HOST (http only for this machine)")
    return text.rstrip("/")


def _fault_of(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not an address"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or a password"
    if parts.query or parts.fragment:
        return "holds a query or a fragment"
    if not host or parts.scheme not in {"http", "https"}:
        return "is not an address"
    is_open = parts.scheme == "http" and not is_this_machine(address)
    return "is not encrypted" if is_open else None


def _public_address(text: str) -> str:
    try:
        return public_address(text)
    except ValueError as error:
        raise _WrongValueError(str(error)) from None


def public_address(text: str) -> str:
    """Return the app's public address without a slash at its end.

    The set-up page and the settings both ask this. Raises `ValueError`, which says what is wrong
    and what to give. The address has no path: the app's links and cookies begin at its root.
    """
    text = text.strip()
    fault = _fault_of(text)
    if fault is None and urlsplit(text).path.strip("/"):
        fault = "has a path, and the app answers at the root of a host name of its own"
    if fault is not None:
        raise ValueError(f"{fault}: give https://HOST (http only for this machine)")
    return text.rstrip("/")


def is_this_machine(address: str) -> bool:
    """Return whether an address is one of the machine's own, which no other machine reaches."""
    host = (urlsplit(address).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _redis_address(text: str) -> str:
    """Return an address of Redis; what a password breaks is said without the password.

    ``#``, ``?`` and ``/`` end the host part of an address, so the rest of a password that holds
    one bare would be read as something else: https://www.rfc-editor.org/rfc/rfc3986#section-3.2
    """
    how = "give redis://:PASSWORD@HOST:PORT/0 or unix://PATH"
    if not _REDIS.match(text):
        raise _WrongValueError(f"is not an address of Redis: {how}")
    _check_password(text)
    parts = urlsplit(text)
    if parts.scheme == "unix":
        fault = "" if parts.path else "names no path of a socket"
    elif not parts.hostname:
        fault = "names no host"
    else:
        fault = "" if _REDIS_NUMBER.fullmatch(parts.path) else "has a path that is no number"
    if fault:
        raise _WrongValueError(f"{fault}: {how}")
    return text


def _check_password(text: str) -> None:
    """Refuse an address in whose user name or password a character ends the host part too early."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        is_whole = False
    else:
        rest = parts.path + parts.query + parts.fragment
        is_whole = not parts.fragment and ("@" not in rest or parts.scheme == "unix")
    if not is_whole:
        raise _WrongValueError(
            "cannot be read as an address: in a password write # as %23, / as %2F, ? as %3F, "
            "@ as %40"
        )


def _passwords(address: str) -> tuple[str, ...]:
    """Return the password in an address as it is written, and as it is meant."""
    found = _PASSWORD.match(address)
    return (found[1], unquote(found[1])) if found else ()


def _mail_address(text: str) -> str:
    _check_password(text)
    if not _MAIL.match(text):
        raise _WrongValueError("is not a mail server: give smtps://USER:PASSWORD@HOST:465")
    return text


def _private_key(text: str) -> str:
    pem = text.replace("\\n", "\n")  # where a variable cannot hold a line end
    if not _is_rsa(pem):
        how = "give the whole text from '-----BEGIN' to the last '-----'"
        raise _WrongValueError(f"is not an RSA private key in PEM: {how}")
    return pem


@lru_cache(maxsize=2)  # checking a key takes longer than all else that settings ask
def _is_rsa(pem: str) -> bool:
    try:
        return isinstance(load_pem_private_key(pem.encode(), password=None), RSAPrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _private_key_file(path: str) -> str:
    # Mounted secrets are often readable by a group, so the file's mode is not checked.
    return _private_key(_text_of(Path(path)))


def _rate_card(path: str) -> RateCard:
    try:
        return read_rate_card(_text_of(Path(path)))
    except RateCardError as error:
        raise _WrongValueError(f"cannot be used: {error} (docs/spend.md)") from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        name = type(error).__name__
        raise _WrongValueError(f"cannot be read ({name}): name a text file") from error


def _fault_of_secret(text: str) -> str | None:
    if len(text) < SHORTEST_SECRET:
        return f"has fewer than {SHORTEST_SECRET} characters"
    return "is a placeholder" if PLACEHOLDER.search(text) else None


def _secret(text: str) -> str:
    fault = _fault_of_secret(text)
    if fault is not None:
        raise _WrongValueError(f"{fault}: {HOW_SECRET}")
    return text


def _secrets(text: str) -> tuple[str, ...]:
    found = tuple(one.strip() for one in text.split(",") if one.strip())
    faults = [(number, _fault_of_secret(one)) for number, one in enumerate(found, start=1)]
    wrong = [f"holds a secret (number {number}) that {fault}" for number, fault in faults if fault]
    if wrong or not found:
        problems = wrong or ["holds no secret"]
        raise _WrongValueError(*(f"{problem}: {HOW_SECRET}" for problem in problems))
    return found


def _client_secret(text: str) -> str:
    if PLACEHOLDER.search(text):
        raise _WrongValueError("is a placeholder: make one on the app's page")
    return text


def _encryption_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), altchars=b"-_" if set("-_") & set(text) else None)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise _WrongValueError(f"is not {KEY_BYTES} bytes in base64: {HOW_KEY}")
    if PLACEHOLDER.search(key.decode("latin-1")):
        raise _WrongValueError(f"is a placeholder: {HOW_KEY}")
    return key


# --- the table ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SettingVariable:
    """One environment variable: how it is read, and what the documentation says of it."""

    name: str
    member: str
    """The member that it fills: of `Settings`, `AppCredentials` or `ComplianceKey`."""
    parse: Callable[[str], Any]
    default: str
    """As the environment would give it; empty: there is none, and ``unset`` says what happens."""
    sentence: str
    """Markdown."""
    unset: str = ""
    required: str = ""
    """How to get it; empty: the app runs without it."""
    in_credentials: bool = False
    """Whether ``credentials.env`` may hold it."""
    is_secret: bool = False
    """Whether the log leaves it out: all of it, or the password of an address."""


_Row, _SECOND = SettingVariable, timedelta(seconds=1)
# fmt: off
_ROWS = (
    _Row("GHAPP_DATA_DIR", "data_dir", Path, ".data",
         "Directory of the SQLite database, the embedded queue and the encryption key."),
    _Row("DATABASE_URL", "database_url", _database_address, "",
         "Database: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.",
         unset="the app uses `ghapp.sqlite3` in the data directory", is_secret=True),
    _Row("REDIS_URL", "redis_url", _redis_address, "",
         "Redis or Valkey for the queue: `redis://`, `rediss://` or `unix://`.",
         unset="`ghapp serve` starts an embedded Valkey", is_secret=True),
    _Row("GITHUB_APP_ID", "app_id", _whole(1, digits=18), "", "Number of the GitHub App.",
         required="copy the App ID from the app's page", in_credentials=True),
    _Row("GITHUB_PRIVATE_KEY", "private_key", _private_key, "",
         "Private key of the app: the text of its `.pem` file.",
         unset="the app reads `GITHUB_PRIVATE_KEY_FILE`", in_credentials=True, is_secret=True),
    _Row("GITHUB_PRIVATE_KEY_FILE", "private_key", _private_key_file, "",
         "Private key of the app: the path of its `.pem` file.",
         required="generate a private key on the app's page and name its .pem file here, "
                  "or put its text into GITHUB_PRIVATE_KEY", in_credentials=True),
    _Row("GITHUB_WEBHOOK_SECRETS", "webhook_secrets", _secrets, "",
         "Webhook secrets, separated by commas; a delivery may be signed with any of them.",
         required="make one with 'openssl rand -hex 32', set it here and on the app's page",
         in_credentials=True, is_secret=True),
    _Row("GITHUB_CLIENT_ID", "client_id", str, "", "Client ID of the app, for sign-in.",
         unset="the app ID signs requests, and nobody can sign in", in_credentials=True),
    _Row("GITHUB_CLIENT_SECRET", "client_secret", _client_secret, "",
         "Client secret of the app, for sign-in.",
         unset="nobody can sign in", in_credentials=True, is_secret=True),
    _Row("GITHUB_API_URL", "api_url", _address, "https://api.github.com",
         "GitHub's API. An Enterprise Server has it at `https://HOST/api/v3`."),
    _Row("GITHUB_WEB_URL", "web_url", _address, "", "GitHub's pages.",
         unset="the app uses the host of `GITHUB_API_URL`, such as `https://github.com`"),
    _Row("GHAPP_PUBLIC_URL", "public_url", _public_address, "",
         "Address at which GitHub and people reach this app.",
         unset="the app leaves out links to itself", in_credentials=True),
    _Row("GHAPP_ENCRYPTION_KEY", "known_key", _encryption_key, "",
         "32 bytes in base64 that encrypt the secrets in the database.",
         unset="the app makes `encryption.key` in the data directory and uses it", is_secret=True),
    _Row("GHAPP_EVIDENCE_ENCODING", "evidence_encoding", _one_of("fingerprint", "text"),
         "fingerprint",
         "How the app stores an edit's lines: `fingerprint` (keyed hashes, no code) or `text`."),
    _Row("GHAPP_EVIDENCE_DAYS", "evidence_kept", _days(24), "90",
         "Days for which the app keeps evidence, 24 or more."),
    _Row("GHAPP_UPLOADS_AT_ONCE", "uploads_at_once", _whole(1), "1",
         "Uploads of evidence that one machine handles at the same time."),
    _Row("GHAPP_DELIVERY_DAYS", "deliveries_kept", _days(8), "30",
         "Days for which the app keeps settled deliveries and finished work items, 8 or more."),
    _Row("GHAPP_ACCESS_LOG_DAYS", "access_log_kept", _days(1), "400",
         "Days for which the app keeps its record of who looked at audits and exports."),
    _Row("GHAPP_USAGE_DAYS", "usage_kept", _days(100), "800",
         "Days for which the app keeps usage (tokens, edits, amounts by day), 100 or more."),
    _Row("GHAPP_RATE_CARD", "rate_card", _rate_card, "",
         "Your own prices of tokens, for contract estimates: the path of a TOML file.",
         unset="there are estimates at list prices only"),
    _Row("GHAPP_NAMES", "names", _one_of(*NamesShown), NamesShown.TEAMS,
         "How summaries show people: `teams`, `pseudonyms` or `people`."),
    _Row("GHAPP_SWEEP_SECONDS", "sweep_every", _whole(1, _SECOND), "300",
         "Seconds between two reads of GitHub's own list of deliveries."),
    _Row("GHAPP_RECONCILE_SECONDS", "reconcile_every", _whole(1, _SECOND), "3600",
         "Seconds between two looks at a repository's recently merged pull requests."),
    _Row("GHAPP_WRITE_PAUSE", "write_pause", _whole(0, timedelta(milliseconds=1)), "1000",
         "Milliseconds between two writes of one installation."),
    _Row("GHAPP_WRITES_PER_HOUR", "writes_per_hour", _whole(1), "500",
         "Writes that one installation may make in an hour."),
    _Row("GHAPP_PROXIES", "proxies", _whole(0), "0",
         "Number of your proxies in front of this app."),
    _Row("GHAPP_COMPLIANCE_KEY", "key", str, "",
         "Compliance Access Key of a Claude Enterprise organization.",
         unset="the app pulls no agent sessions", is_secret=True),
    _Row("GHAPP_COMPLIANCE_ACCOUNT", "account", str, "",
         "Owner on GitHub of the repositories that those agent sessions edit."),
    _Row("GHAPP_COMPLIANCE_URL", "url", _address, "https://api.anthropic.com", "Anthropic's API."),
    _Row("GHAPP_OPERATOR_TOKEN", "operator_token", _secret, "",
         "Password of the operator's page (`/operator`) and of the metrics (`/metrics`).",
         unset="both are closed", is_secret=True),
    _Row("GHAPP_PUBLIC_PAGES", "public_pages", _switch, "off",
         "`on`: anyone may read pages, API and badges of public repositories without signing in."),
    _Row("GHAPP_NOTICE_FILE", "notice_file", Path, "",
         "A file whose text stands at the top of every page, such as an outage to come. The file "
         "may come, change and go while the app runs.",
         unset="no page has a notice"),
    _Row("GHAPP_PRIVATE_WEBHOOKS", "private_webhooks", _switch, "off",
         "`on`: weekly summaries may go to webhooks in a private network."),
    _Row("GHAPP_MAIL_URL", "mail_url", _mail_address, "",
         "Mail server for weekly summaries: `smtps://USER:PASSWORD@HOST:465` or `smtp://…:587`.",
         unset="the app sends no mail", is_secret=True),
    _Row("GHAPP_MAIL_FROM", "mail_from", str, "", "Sender of mail, such as `audits@example.com`."),
    _Row("GHAPP_LOG_LEVEL", "log_level", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO",
         "Level of the log: `DEBUG`, `INFO`, `WARNING` or `ERROR`."),
)
# fmt: on
VARIABLES = {row.name: row for row in _ROWS}
"""Every variable that is read, in the order of the documentation."""
FROM_CREDENTIALS = tuple(row.name for row in _ROWS if row.in_credentials)
"""What ``credentials.env`` may hold."""


# --- the values -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class AppCredentials:
    """What GitHub gave for the app. Secrets do not appear in ``repr``."""

    app_id: int
    private_key: str = field(repr=False)
    """PEM."""
    webhook_secrets: tuple[str, ...] = field(repr=False)
    """The app accepts any of them; there are several while one is being replaced."""
    client_id: str | None
    """``None``: not given; the app ID stands in for it, and nobody can sign in."""
    client_secret: str | None = field(repr=False)
    """``None``: not given; nobody can sign in."""


@dataclass(frozen=True)
class ComplianceKey:
    """What opens Anthropic's Compliance API. The key does not appear in ``repr``."""

    url: str
    key: str = field(repr=False)
    account: str
    """Owner on GitHub of the repositories that the agent sessions edit."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of a running app. Secrets do not appear in ``repr``."""

    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    """``None``: `ghapp.serve.programs` starts an embedded server in the data directory."""
    app: AppCredentials | None
    """``None``: no app is registered yet; the set-up page is served."""
    api_url: str
    web_url: str
    public_url: str | None
    """``None``: not known; the app leaves out links to itself."""
    known_key: bytes | None = field(repr=False)
    """32 bytes; ``None``: nobody gave one, and a command does not make one."""
    evidence_encoding: Literal["fingerprint", "text"]
    evidence_kept: timedelta
    uploads_at_once: int
    """On one machine: so that some web processes are always free for GitHub."""
    deliveries_kept: timedelta
    access_log_kept: timedelta
    usage_kept: timedelta
    rate_card: RateCard | None
    """``None``: there are no contract estimates."""
    names: NamesShown
    sweep_every: timedelta
    reconcile_every: timedelta
    write_pause: timedelta
    writes_per_hour: int
    proxies: int
    """How many of the addresses in ``X-Forwarded-For`` our own proxies wrote."""
    compliance: ComplianceKey | None
    """``None``: the app pulls no agent sessions."""
    operator_token: str | None = field(repr=False)
    """``None``: there is no operator's page and there are no metrics."""
    public_pages: bool
    notice_file: Path | None
    """``None``: no page has a notice."""
    """Whether anyone may read audits of public repositories without signing in."""
    private_webhooks: bool
    """Whether weekly summaries may go to webhooks in a private network."""
    mail_url: str | None = field(repr=False)
    """``None``: the app sends no mail."""
    mail_from: str | None
    """``None`` only where ``mail_url`` is."""
    log_level: str
    hidden: tuple[str, ...] = field(repr=False)
    """Every secret by its text, for the log to leave out."""

    @property
    def estimate(self) -> CostBasis:
        """Which estimate goes before the other: by contract where there is a rate card."""
        return CostBasis.LIST if self.rate_card is None else CostBasis.CONTRACT

    @property
    def estimates(self) -> tuple[CostBasis, ...]:
        """The estimates that there are: without a rate card nothing is known by contract."""
        whole = (CostBasis.LIST, CostBasis.CONTRACT)
        return whole[:1] if self.rate_card is None else whole

    @property
    def encryption_key(self) -> bytes:
        """Return the key that encrypts secrets, 32 bytes. Raises `SettingsError` without one."""
        if self.known_key is None:
            problem = (
                f"{ENCRYPTION_KEY_FILE} is not in {self.data_dir}: name the app's data directory "
                "with --data or GHAPP_DATA_DIR, or set GHAPP_ENCRYPTION_KEY"
            )
            raise SettingsError([problem])
        return self.known_key

    @property
    def credentials_file(self) -> Path:
        """Where the set-up page writes what GitHub gave."""
        return self.data_dir / CREDENTIALS_FILE

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] | None = None,
        *,
        app_required: bool = True,
        makes: bool = True,
    ) -> "Settings":
        """Read everything; ``None`` reads this process' environment.

        ``app_required=False`` allows that none of the app's credentials is given: it is not
        registered yet. Some of them without the others are an error all the same. Makes the data
        directory and, at the first start, the encryption key in it; ``makes=False``: nothing, for
        commands on an app that exists. Raises `SettingsError`.
        """
        reading = _Reading(os.environ if environment is None else environment, makes=makes)
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
    lines = (f"{name}={_one_line(value)}\n" for name, value in values.items())
    return write_private(data_dir / CREDENTIALS_FILE, "".join(lines).encode(), replace=True)


def _one_line(value: str) -> str:
    return value.strip().replace("\r\n", "\n").replace("\n", "\\n")


def web_url_of(api_url: str) -> str:
    """Return the address of the pages of the GitHub whose API is at ``api_url``.

    >>> web_url_of("https://api.github.com"), web_url_of("https://git.example.com/api/v3")
    ('https://github.com', 'https://git.example.com')
    """
    parts = urlsplit(api_url)
    host = parts.netloc.removeprefix("api.") if not parts.path.strip("/") else parts.netloc
    return f"{parts.scheme}://{host}"


# --- reading --------------------------------------------------------------------------------------


class _Reading:
    """One reading of the environment, with the problems found so far."""

    def __init__(self, environment: Mapping[str, str], *, makes: bool) -> None:
        self.makes = makes
        # A variable without a value counts as not set.
        texts = ((name, environment.get(name, "").strip()) for name in VARIABLES)
        self.given = {name: text for name, text in texts if text}
        self.sources: dict[str, str] = {}
        """Variable → the file that gave it."""
        self.problems: list[str] = []
        self.data_dir = Path(self.given.get("GHAPP_DATA_DIR", ".data")).expanduser().absolute()

    def settings(self, *, app_required: bool) -> Settings | None:
        """Return the settings, or ``None`` where there are problems."""
        self._make_data_dir()
        self._read_credentials_file()
        self._read_kept_key()
        app, compliance = self._app(required=app_required), self._compliance()
        nested = {row.member for row in _ROWS} - set(Settings.__dataclass_fields__)
        values = {row.member: self.value(row.name) for row in _ROWS if row.member not in nested}
        self._check_mail()
        if self.problems:
            return None
        values["data_dir"] = self.data_dir
        values["database_url"] = (
            values["database_url"] or f"sqlite:///{self.data_dir}/ghapp.sqlite3"
        )
        values["web_url"] = values["web_url"] or web_url_of(values["api_url"])
        return Settings(app=app, compliance=compliance, hidden=self._hidden(), **values)

    def value(self, name: str) -> Any:
        """Return a variable's value; ``None``: it is not set, or a problem was noted."""
        row = VARIABLES[name]
        text = self.given.get(name, row.default)
        try:
            return row.parse(text) if text else None
        except _WrongValueError as error:
            source = self.sources.get(name, name)
            self.problems += [f"{source} {problem}" for problem in error.args]
            return None

    def needed(self, name: str) -> Any:
        """Return the value of a variable that must be given."""
        if name not in self.given:
            self.problems.append(f"{name} is not set: {VARIABLES[name].required}")
        return self.value(name)

    def _app(self, *, required: bool) -> AppCredentials | None:
        is_given = any(row.required and row.name in self.given for row in _ROWS)
        by_text = "GITHUB_PRIVATE_KEY" in self.given
        if not required and not is_given and not by_text:
            return None
        return AppCredentials(
            app_id=self.needed("GITHUB_APP_ID"),
            private_key=self.needed("GITHUB_PRIVATE_KEY" if by_text else "GITHUB_PRIVATE_KEY_FILE"),
            webhook_secrets=self.needed("GITHUB_WEBHOOK_SECRETS"),
            client_id=self.value("GITHUB_CLIENT_ID"),
            client_secret=self.value("GITHUB_CLIENT_SECRET"),
        )

    def _compliance(self) -> ComplianceKey | None:
        names = ("GHAPP_COMPLIANCE_KEY", "GHAPP_COMPLIANCE_ACCOUNT")
        url, (key, account) = self.value("GHAPP_COMPLIANCE_URL"), map(self.value, names)
        missing = [name for name in names if name not in self.given]
        if len(missing) == 1:
            self.problems.append(f"{missing[0]} is not set: give key and account, or neither")
        return None if missing else ComplianceKey(url=url, key=key, account=account)

    def _check_mail(self) -> None:
        if "GHAPP_MAIL_URL" in self.given and "@" not in self.given.get("GHAPP_MAIL_FROM", ""):
            self.problems.append("GHAPP_MAIL_FROM is not a mail address: name the sender of mail")

    def _hidden(self) -> tuple[str, ...]:
        """Return every secret's text; of an address only its password is secret."""
        texts = [self.given[row.name] for row in _ROWS if row.is_secret and row.name in self.given]
        parts = [
            part
            for text in texts
            for part in (_passwords(text) if "://" in text else map(str.strip, text.split(",")))
        ]
        return tuple(part for part in parts if part)

    # --- files ------------------------------------------------------------------------------------

    def _make_data_dir(self) -> None:
        if not self.makes:
            return
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            fault = f"cannot be made ({error.strerror})"
        else:
            fault = "" if os.access(self.data_dir, os.W_OK | os.X_OK) else "cannot be written to"
            fault = fault or _taken_from_others(self.data_dir)
        if fault:
            self.problems.append(f"GHAPP_DATA_DIR {fault}: name a folder of your own")

    def _read_credentials_file(self) -> None:
        path = self.data_dir / CREDENTIALS_FILE
        text = self._private_text(CREDENTIALS_FILE, path) if path.exists() else ""
        for number, line in enumerate(text.splitlines(), start=1):
            name, equals, value = line.strip().partition("=")
            if not name or name.startswith("#"):
                continue
            if not equals or name not in FROM_CREDENTIALS:
                problem = f"{CREDENTIALS_FILE} line {number} is not one of its settings: remove it"
                self.problems.append(problem)
            elif text := value.strip().strip("'\""):
                self.given.setdefault(name, text)

    def _read_kept_key(self) -> None:
        """Read the encryption key in the data directory; make it at the first start."""
        path = self.data_dir / ENCRYPTION_KEY_FILE
        if "GHAPP_ENCRYPTION_KEY" in self.given or not self.data_dir.is_dir():
            return
        name = f"{self.data_dir.name}/{ENCRYPTION_KEY_FILE}"
        if not self.makes and not path.exists():
            return
        try:
            if not path.exists():
                # Two processes may start at once: the second reads the key of the first.
                key = base64.b64encode(secrets.token_bytes(KEY_BYTES))
                write_private(path, key, replace=False)
        except OSError as error:
            fault = f"cannot be written ({error.strerror})"
            self.problems.append(f"{name} {fault}: set GHAPP_ENCRYPTION_KEY")
            return
        self.sources["GHAPP_ENCRYPTION_KEY"] = name
        self.given["GHAPP_ENCRYPTION_KEY"] = self._private_text(name, path)

    def _private_text(self, name: str, path: Path) -> str:
        """Return the text of a file that nobody else may read."""
        try:
            mode = path.stat().st_mode
            if not mode & _OTHERS:
                return _text_of(path)
            fault = f"can be read by others (mode {mode & 0o777:o}): chmod 600 it"
        except (OSError, _WrongValueError) as error:
            fault = str(error)
        self.problems.append(f"{name} {fault}")
        return ""


# --- private files --------------------------------------------------------------------------------


def _taken_from_others(folder: Path) -> str:
    """Take a folder from everybody but its owner; return why that failed.

    Somebody may have made it beforehand, and a umask is often 022. A folder that others use, too,
    is left as it is.
    """
    mode = folder.stat().st_mode
    if not mode & _OTHERS:
        return ""
    fault = f"can be read by others (mode {mode & 0o777:o})"
    try:
        names = {one.name for one in folder.iterdir()}
        if mode & stat.S_ISVTX or (names and names.isdisjoint(OURS)):
            return f"{fault} and holds what is not ours"
        folder.chmod(mode & ~_OTHERS & 0o7777)
    except OSError:
        return f"{fault} and does not belong to us"
    log.warning("%s could be read by others (mode %o): now by its owner only", folder, mode & 0o777)
    return ""


def write_private(path: Path, content: bytes, *, replace: bool) -> Path:
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
