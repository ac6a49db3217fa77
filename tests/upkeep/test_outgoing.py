"""Outgoing texts: refused addresses, successful deliveries, and unsure ones."""

import ipaddress
import socket
import socketserver
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ghapp.upkeep.outgoing import (
    DeliveryUnsure,
    MailServer,
    NotSent,
    WrongAddress,
    check_mail_address,
    check_webhook,
    mail,
    post,
)
from tests.receivers import Receiver, serving


def test_a_webhook_gets_json_once() -> None:
    with serving(receiver := Receiver(204)):
        post(f"http://127.0.0.1:{receiver.server_port}/a?b=1", {"text": "Hi"}, private=True)
    assert receiver.received == [b'{"text":"Hi"}']


@pytest.mark.parametrize("status", [301, 307, 400, 500])
def test_what_was_refused_was_not_sent_and_redirects_are_refusals(status: int) -> None:
    with serving(receiver := Receiver(status)), pytest.raises(NotSent, match=str(status)):
        post(f"http://127.0.0.1:{receiver.server_port}/", {}, private=True)
    assert len(receiver.received) == 1


def test_a_host_that_is_not_there_got_nothing() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(NotSent, match="cannot be reached"):
            post(f"http://127.0.0.1:{probe.getsockname()[1]}/", {}, private=True)


def test_a_host_that_hangs_up_may_have_got_it() -> None:
    with serving(receiver := Receiver(0)), pytest.raises(DeliveryUnsure):
        post(f"http://127.0.0.1:{receiver.server_port}/", {}, private=True)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "[::1]", "10.1.2.3", "192.168.0.9", "172.16.0.1"),
        *("169.254.169.254", "0.0.0.1", "100.64.0.1", "[::ffff:127.0.0.1]", "[fd00::1]"),
        *("[fe80::1]", "224.0.0.1", "2130706433", "0x7f.1"),
    ],
)
def test_our_own_network_is_out_of_reach(host: str) -> None:
    with pytest.raises(WrongAddress, match="private network"):
        post(f"https://{host}/", {}, private=False)


@pytest.mark.parametrize(
    "url",
    [
        *("http://hooks.example.com/", "ftp://hooks.example.com/", "https://", "hooks.example.com"),
        *("https://me:secret@hooks.example.com/", "https://a/#b", "https://a:99999/"),
        *(
            "https://a/ b",
            "https://a/\r\nHost: b",
            "https://a/" + "x" * 2_000,
            "https://ä.example/",
        ),
    ],
)
def test_what_is_no_webhook_is_refused(url: str) -> None:
    with pytest.raises(WrongAddress):
        check_webhook(url, private=False)


# --- certificates: for the name, although the call goes to the address ---------------------------


def make_certificate(directory: Path, host: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / f"{host}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.mark.parametrize(("named", "comes_in"), [("localhost", 1), ("other.example", 0)])
def test_the_host_has_to_show_its_own_certificate(
    named: str, comes_in: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_certificate(tmp_path, named)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    receiver = Receiver()
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
    with serving(receiver):
        url = f"https://localhost:{receiver.server_port}/"
        if comes_in:
            post(url, {"text": "Hi"}, private=True)
        else:
            with pytest.raises(NotSent):
                post(url, {"text": "Hi"}, private=True)
    assert len(receiver.received) == comes_in


# --- mail -----------------------------------------------------------------------------------------


class MailHost(socketserver.ThreadingTCPServer):
    """Accepts mail as the protocol says; with ``refuses`` it refuses every recipient."""

    daemon_threads = True

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses, self.received = refuses, list[str]()
        super().__init__(("127.0.0.1", 0), _MailHandler)


class _MailHandler(socketserver.StreamRequestHandler):
    server: MailHost

    def handle(self) -> None:
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "DATA":
                self.say("354 go on")
                lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                self.server.received.append("".join(lines))
            if word == "QUIT":
                self.say("221 bye")
                return
            self.say("550 no" if word == "RCPT" and self.server.refuses else "250 fine")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


def server_of(host: MailHost) -> MailServer:
    address = ipaddress.ip_address("127.0.0.1")
    return MailServer(url=f"smtp://{address}:{host.server_address[1]}", sender="audits@example.com")


def test_a_letter_goes_by_mail() -> None:
    with serving(host := MailHost()):
        mail(server_of(host), "leads@example.com", "acme: 2026-W21", "Ümlaut\n", "<p>Ümlaut</p>")
    (received,) = host.received
    assert "To: leads@example.com" in received
    assert "Subject: acme: 2026-W21" in received
    assert "Auto-Submitted: auto-generated" in received
    assert received.index("text/plain") < received.index("text/html")  # the last one is preferred


def test_a_refused_letter_was_not_sent() -> None:
    with serving(host := MailHost(refuses=True)), pytest.raises(NotSent):
        mail(server_of(host), "leads@example.com", "s", "t", "<p>t</p>")
    assert host.received == []


@pytest.mark.parametrize(
    "address", ["", "a", "a@b@c", "a@b, c@d", "A <a@b>", "a@b\nBcc: c@d", "@b"]
)
def test_what_is_no_mail_address_is_refused(address: str) -> None:
    with pytest.raises(WrongAddress):
        check_mail_address(address)
