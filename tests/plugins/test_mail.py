"""Notices by mail: one message, whose header nobody from outside can add to (THREATS D6)."""

from __future__ import annotations

import email
import socket
import ssl
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jprs_client.errors import HookFailed
from jprs_client.plugin import Notice, Notifier
from jprs_plugins.mail import Mail
from tests.plugins.smtp_server import smtp_server

WARNING = Notice(
    "warning", "failing", "WARNING: 証明書を更新できません", "証明書を更新できません。\n.対処: 待つ", "example.jp"
)
CRITICAL = Notice("critical", "expired", "CRITICAL: expired", "It has expired.", "shop.jp")
HOST = socket.gethostname()


def parsed(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def sendmail(tmp_path: Path, text: str = "") -> tuple[str, Path, Path]:
    """A sendmail that keeps its arguments and what it is given."""
    path, arguments, mail = tmp_path / "sendmail", tmp_path / "arguments", tmp_path / "mail"
    path.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {arguments}\ncat > {mail}\n{text}\n')
    path.chmod(0o755)
    return str(path), arguments, mail


def by_sendmail(tmp_path: Path, *notices: Notice, **settings: object) -> EmailMessage:
    program, arguments, mail = sendmail(tmp_path)
    Mail({"to": ["admin@example.jp"], "sendmail": program, **settings}).notify(notices)
    assert arguments.read_text() == "-t|-oi|"
    return parsed(mail.read_bytes())


def test_one_mail_has_everything_and_the_gravest_is_its_subject(tmp_path: Path) -> None:
    mail = by_sendmail(tmp_path, WARNING, CRITICAL, to=["admin@example.jp", "ops@example.jp"])

    assert mail["Subject"] == f"[jprs-client {HOST}] CRITICAL: expired (+1)"
    assert mail["To"] == "admin@example.jp, ops@example.jp"
    assert mail["From"] is None  # sendmail knows who calls it
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"]
    assert mail["Message-ID"]
    assert mail.get_content() == ("CRITICAL: It has expired.\n\nWARNING: 証明書を更新できません。\n.対処: 待つ\n")


def test_japanese_travels_in_seven_bits(tmp_path: Path) -> None:
    mail = by_sendmail(tmp_path, WARNING, subject="【証明書】")
    raw = (tmp_path / "mail").read_bytes()

    assert raw.isascii()
    assert mail["Subject"] == "【証明書】 WARNING: 証明書を更新できません"
    assert mail.get_content_charset() == "utf-8"
    assert max(map(len, raw.splitlines())) < 998


@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: evil@example.net", "x\nBcc: evil@example.net\n\nbody", "x\u2028Bcc: e@e", "\x1b]0;x\x07"]
)
def test_no_word_of_a_ca_becomes_a_header_field_or_steers_a_terminal(tmp_path: Path, evil: str) -> None:
    said = Notice("warning", "failing", f"WARNING: {evil}", f"It said: {evil}")

    mail = by_sendmail(tmp_path, said, subject=f"[{evil}]")

    assert sorted(mail.keys()) == sorted(
        [
            "Subject",
            "To",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "Content-Type",
            "Content-Transfer-Encoding",
            "MIME-Version",
        ]
    )
    assert not {"\x1b", "\x07", "\r"} & set(mail.get_content() + mail["Subject"])


@pytest.mark.parametrize(
    "address",
    [
        "a@example.jp\nBcc: b@example.net",
        "a@example.jp, b@example.jp",
        "-oQ/tmp@example.jp",
        "|sh@example.jp",
        "admin",
        "a@b c",
        "",
    ],
)
@pytest.mark.parametrize("key", ["to", "from"])
def test_an_address_is_one_address_and_nothing_else(address: str, key: str) -> None:
    settings: dict[str, object] = {"to": ["admin@example.jp"]}
    settings[key] = [address] if key == "to" else address

    with pytest.raises(HookFailed) as failed:
        Mail(settings)

    assert (failed.value.code, failed.value.exit_code) == ("mail-bad-address", 7)


def test_nobody_is_no_recipient() -> None:
    with pytest.raises(HookFailed, match="mail-bad-address"):
        Mail({"to": []})


def test_a_sendmail_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    program, _, _ = sendmail(tmp_path, "echo queue full >&2; exit 75")

    with pytest.raises(HookFailed) as failed:
        Mail({"to": ["admin@example.jp"], "sendmail": program}).notify([WARNING])

    assert failed.value.code == "notifier-failed"
    assert (failed.value.params["exit"], failed.value.params["output"]) == (75, "queue full")


def test_a_mail_server_is_handed_the_same_mail(tmp_path: Path) -> None:
    with smtp_server() as box:
        notifier: Notifier = Mail(
            {"to": ["admin@example.jp", "ops@example.jp"], "from": "tls@example.jp", "smtp": f"127.0.0.1:{box.port}"}
        )
        notifier.notify([WARNING])

    (raw,) = box.mails
    mail = parsed(raw)
    assert [line.partition(" ")[0] for line in box.senders] == ["mail"]
    assert "<tls@example.jp>" in box.senders[0]
    assert box.recipients == ["rcpt TO:<admin@example.jp>", "rcpt TO:<ops@example.jp>"]
    assert (mail["From"], mail["To"]) == ("tls@example.jp", "admin@example.jp, ops@example.jp")
    assert mail.get_content().replace("\r\n", "\n") == "WARNING: 証明書を更新できません。\n.対処: 待つ\n"
    assert b"\r\n" in raw


def test_without_a_sender_it_is_this_host() -> None:
    with smtp_server() as box:
        Mail({"to": ["admin@example.jp"], "smtp": f"127.0.0.1:{box.port}"}).notify([WARNING])

    assert parsed(box.mails[0])["From"] == f"jprs-client@{HOST}"


def snake_oil(tmp_path: Path) -> ssl.SSLContext:
    """A certificate that nobody issued, as Debian's mail servers have it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "snake oil")])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(begins).not_valid_after(begins.replace(year=2050)).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path / "both.pem"
    path.write_bytes(
        certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_a_mail_server_elsewhere_has_to_show_who_it_is(tmp_path: Path) -> None:
    """0.0.0.0 reaches the loopback here, and is not called so."""
    with smtp_server(tls=snake_oil(tmp_path)) as box, pytest.raises(HookFailed) as failed:
        Mail({"to": ["admin@example.jp"], "smtp": f"0.0.0.0:{box.port}"}).notify([WARNING])

    assert failed.value.code == "mail-smtp-failed"
    assert "CERTIFICATE_VERIFY_FAILED" in str(failed.value.params["cause"])
    assert (box.mails, box.senders) == ([], [])


def test_on_this_host_no_certificate_is_asked_for(tmp_path: Path) -> None:
    with smtp_server(tls=snake_oil(tmp_path)) as box:
        Mail({"to": ["admin@example.jp"], "smtp": f"localhost:{box.port}"}).notify([WARNING])

    assert len(box.mails) == 1


def test_who_is_refused_is_told_by_name() -> None:
    with smtp_server(refusing="gone@") as box, pytest.raises(HookFailed) as failed:
        Mail({"to": ["gone@example.jp", "ops@example.jp"], "smtp": f"127.0.0.1:{box.port}"}).notify([WARNING])

    assert (failed.value.code, failed.value.params["addresses"]) == ("mail-refused", "gone@example.jp")
    assert len(box.mails) == 1


def test_when_everybody_is_refused_nothing_is_delivered() -> None:
    with smtp_server(refusing="@") as box, pytest.raises(HookFailed) as failed:
        Mail({"to": ["gone@example.jp"], "smtp": f"127.0.0.1:{box.port}"}).notify([WARNING])

    assert failed.value.code == "mail-smtp-failed"
    assert "nobody of that name" in str(failed.value.params["cause"])
    assert box.mails == []


def test_a_mail_server_that_is_not_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(HookFailed) as failed:
        Mail({"to": ["admin@example.jp"], "smtp": f"127.0.0.1:{port}"}).notify([WARNING])

    assert (failed.value.code, failed.value.params["server"]) == ("mail-smtp-failed", f"127.0.0.1:{port}")
