"""A text sent out of the house: to a webhook or by mail. It decides neither what nor when.

Only addresses that an administrator typed are called, never one from a payload; not into
the network that this app stands in, unless the settings say so; and no redirect is followed.
"""

import ipaddress
import smtplib
import socket
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import parseaddr
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from ghapp import __version__
from ghapp.attribution.model import Struct

PATIENCE_SECONDS = 10
LONGEST_ADDRESS = 2_000
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NotSent(Exception):  # noqa: N818 - what became of it
    """It was surely not delivered; the message says why. Another try is worth it."""


class DeliveryUnsure(Exception):  # noqa: N818 - what became of it
    """It was sent off and nobody said that it came in; another try may bring it twice."""


class WrongAddress(ValueError):  # noqa: N818 - a state of the address
    """Nothing may be sent there; the message says what to give instead."""


class MailServer(Struct, frozen=True, kw_only=True):
    """Where mail is handed over, and whom it is from."""

    url: str
    """``smtps://USER:PASSWORD@HOST:PORT`` or ``smtp://…``, which is then encrypted too."""
    sender: str

    def __repr__(self) -> str:
        """Leave the password out: a repr ends up in logs."""
        return f"MailServer(sender={self.sender!r})"


# --- webhooks -------------------------------------------------------------------------------------


def check_webhook(url: str, *, private: bool) -> SplitResult:
    """Return the parts of a webhook's address, before anything is asked of its name.

    ``private``: hosts of our own network are allowed, and plain http on this machine.
    Raises `WrongAddress`.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise WrongAddress("this is no address: give https://HOST/PATH") from error
    is_local = private and parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_local):
        raise WrongAddress("give https://HOST/PATH")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise WrongAddress("the address holds a login or a fragment: leave it out")
    if len(url) > LONGEST_ADDRESS or not url.isascii() or not url.isprintable() or " " in url:
        raise WrongAddress(f"give at most {LONGEST_ADDRESS} characters of ASCII without spaces")
    return parts


def post(url: str, members: Mapping[str, object], *, private: bool) -> None:
    """Send a JSON object to a webhook. Raises `WrongAddress`, `NotSent` and `DeliveryUnsure`."""
    parts = check_webhook(url, private=private)
    connection = _connection(parts, _resolved(parts, private=private))
    try:
        connection.connect()
    except (OSError, HTTPException) as error:
        connection.close()
        raise NotSent(f"{parts.hostname} cannot be reached ({type(error).__name__})") from error
    try:
        status = _posted(connection, parts, msgspec.json.encode(members))
    except (OSError, HTTPException) as error:
        raise DeliveryUnsure(f"{parts.hostname} did not answer ({type(error).__name__})") from error
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise NotSent(f"{parts.hostname} answered with status {status}")


def _posted(connection: HTTPConnection, parts: SplitResult, body: bytes) -> int:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": "application/json", "User-Agent": f"ghapp/{__version__}"}
    connection.request("POST", path, body=body, headers=headers)
    return connection.getresponse().status


def _resolved(parts: SplitResult, *, private: bool) -> str:
    """Return the address that is called: it was looked at, so no second answer can differ."""
    host = str(parts.hostname)
    try:
        found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotSent(f"{host} has no address ({type(error).__name__})") from error
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    for one in addresses:
        plain = getattr(one, "ipv4_mapped", None) or one
        if not private and (not plain.is_global or plain.is_multicast):
            raise WrongAddress(f"{host} is in a private network: GHAPP_PRIVATE_WEBHOOKS allows it")
    return str(addresses[0])


def _connection(parts: SplitResult, address: str) -> HTTPConnection:
    """Return a connection to exactly that address, whose certificate is for the host's name."""
    host = str(parts.hostname)

    def dial(
        _: tuple[str, int], timeout: float, source: tuple[str, int] | None = None
    ) -> socket.socket:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return socket.create_connection((address, port), timeout, source)

    made = (
        HTTPSConnection(
            host, parts.port, timeout=PATIENCE_SECONDS, context=ssl.create_default_context()
        )
        if parts.scheme == "https"
        else HTTPConnection(host, parts.port, timeout=PATIENCE_SECONDS)
    )
    made._create_connection = dial  # type: ignore[attr-defined]  # noqa: SLF001 - the only seam there is
    return made


# --- mail -----------------------------------------------------------------------------------------


def check_mail_address(address: str) -> str:
    """Return a mail address as it is used; raises `WrongAddress`."""
    name, plain = parseaddr(address)
    is_plain = not name and plain == address and address.isascii() and address.isprintable()
    if not is_plain or address.count("@") != 1 or not all(address.split("@")) or " " in address:
        raise WrongAddress("give one mail address, such as leads@example.com")
    return address


def mail(server: MailServer, to: str, subject: str, text: str) -> None:
    """Send a text by mail. Raises `WrongAddress`, `NotSent` and `DeliveryUnsure`."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = server.sender, to, subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    try:
        with _smtp(urlsplit(server.url)) as connection:
            connection.send_message(message)
    except smtplib.SMTPServerDisconnected as error:
        raise DeliveryUnsure("the mail server hung up") from error
    except smtplib.SMTPException as error:
        raise NotSent(f"the mail server refused ({type(error).__name__})") from error
    except TimeoutError as error:
        raise DeliveryUnsure("the mail server did not answer") from error
    except OSError as error:
        raise NotSent(f"the mail server cannot be reached ({type(error).__name__})") from error


def _smtp(parts: SplitResult) -> smtplib.SMTP:
    host, context = str(parts.hostname), ssl.create_default_context()
    if parts.scheme == "smtps":
        made: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=PATIENCE_SECONDS, context=context
        )
    else:
        made = smtplib.SMTP(host, parts.port or 587, timeout=PATIENCE_SECONDS)
        if host not in LOOPBACK:
            made.starttls(context=context)
    if parts.username:
        made.login(unquote(parts.username), unquote(parts.password or ""))
    return made
