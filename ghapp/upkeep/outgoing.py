"""Sends a text to a webhook or by mail. It decides neither what to send nor when.

It calls only addresses that an administrator typed, never one from a payload. It does not call
the app's own network, unless the settings allow it, and it follows no redirect.
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

TIMEOUT_SECONDS = 10
LONGEST_ADDRESS = 2_000
"""Characters."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NotSent(Exception):  # noqa: N818 - a result
    """Delivery definitely failed; the message says why. The caller may retry."""


class DeliveryUnsure(Exception):  # noqa: N818 - a result
    """Delivery may have succeeded; a retry could deliver twice."""


class WrongAddress(ValueError):  # noqa: N818 - a state of the address
    """The app must not send to this address; the message says what to use instead."""


class MailServer(Struct, frozen=True, kw_only=True):
    """The server that takes mail, and the sender's address."""

    url: str
    """``smtps://USER:PASSWORD@HOST:PORT``, or ``smtp://…`` with STARTTLS."""
    sender: str

    def __repr__(self) -> str:
        """Hide the password, because a repr ends up in logs."""
        return f"MailServer(sender={self.sender!r})"


# --- webhooks -------------------------------------------------------------------------------------


def check_webhook(url: str, *, private: bool) -> SplitResult:
    """Return the parts of a webhook's address, without a DNS lookup.

    ``private``: allow hosts of our own network, and plain http on this machine.
    Raises `WrongAddress`.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise WrongAddress("this is not an address: use https://HOST/PATH") from error
    is_local = private and parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_local):
        raise WrongAddress("use https://HOST/PATH")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise WrongAddress("remove the login or the fragment from the address")
    if len(url) > LONGEST_ADDRESS or not url.isascii() or not url.isprintable() or " " in url:
        raise WrongAddress(f"use at most {LONGEST_ADDRESS} ASCII characters without spaces")
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
    """Return the checked IP address to call; a second DNS lookup could give another one."""
    host = str(parts.hostname)
    try:
        found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotSent(f"{host} has no address ({type(error).__name__})") from error
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    for one in addresses:
        plain = getattr(one, "ipv4_mapped", None) or one
        if not private and (not plain.is_global or plain.is_multicast):
            raise WrongAddress(f"{host} is in a private network; GHAPP_PRIVATE_WEBHOOKS allows it")
    return str(addresses[0])


def _connection(parts: SplitResult, address: str) -> HTTPConnection:
    """Return a connection to exactly this address that verifies the host's certificate."""
    host = str(parts.hostname)

    def dial(
        _: tuple[str, int], timeout: float, source: tuple[str, int] | None = None
    ) -> socket.socket:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return socket.create_connection((address, port), timeout, source)

    made = (
        HTTPSConnection(
            host, parts.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
        if parts.scheme == "https"
        else HTTPConnection(host, parts.port, timeout=TIMEOUT_SECONDS)
    )
    made._create_connection = dial  # type: ignore[attr-defined]  # noqa: SLF001 - the only way
    return made


# --- mail -----------------------------------------------------------------------------------------


def check_mail_address(address: str) -> str:
    """Return a valid mail address. Raises `WrongAddress`."""
    name, plain = parseaddr(address)
    is_plain = not name and plain == address and address.isascii() and address.isprintable()
    if not is_plain or address.count("@") != 1 or not all(address.split("@")) or " " in address:
        raise WrongAddress("use one mail address, such as leads@example.com")
    return address


def mail(server: MailServer, to: str, subject: str, text: str, html: str) -> None:
    """Send a text by mail, with the same as HTML beside it.

    Raises `WrongAddress`, `NotSent` and `DeliveryUnsure`.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = server.sender, to, subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    try:
        with _smtp(urlsplit(server.url)) as connection:
            connection.send_message(message)
    except smtplib.SMTPServerDisconnected as error:
        raise DeliveryUnsure("the mail server closed the connection") from error
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
            host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        made = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_SECONDS)
        if host not in LOOPBACK:
            made.starttls(context=context)
    if parts.username:
        made.login(unquote(parts.username), unquote(parts.password or ""))
    return made
