"""A letter on its way to an SMTP server: as it was written, encrypted, and with nobody's name in what is told of it."""

import base64
import os
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from loyalty_gateway.domain.letters import Letter
from loyalty_gateway.transport import MailDelayed, MailRefused, open_mailer
from loyalty_testing.mailbox import receiving_mail

SENDER = "Loyalty <loyalty@example.com>"
LETTER = Letter(7, "invitation", "kim@example.com", "You are invited to Café Riverside", "Grüße,\n\nhttps://x/secret\n")


@pytest.fixture
def mailer(mailbox):
    return open_mailer(f"smtp://127.0.0.1:{mailbox.port}?starttls=never", sender=SENDER)


def test_a_letter_arrives_as_it_was_written(mailbox, mailer):
    mailer.send(LETTER)
    (received,) = mailbox.letters
    assert (received["From"], received["To"], received["Subject"]) == (SENDER, "kim@example.com", LETTER.subject)
    assert (received["Message-ID"], received["Auto-Submitted"]) == ("<mail-7@example.com>", "auto-generated")
    assert received.get_content().replace("\r\n", "\n") == LETTER.text


def test_without_tls_nothing_is_said_unless_that_was_chosen(mailbox):
    mailer = open_mailer(f"smtp://user:secret@127.0.0.1:{mailbox.port}", sender=SENDER)
    with pytest.raises(MailDelayed):
        mailer.send(LETTER)
    assert (mailbox.letters, mailbox.signed_in) == ([], [])


def test_the_password_is_given_once_the_line_is_encrypted(tmp_path, monkeypatch):
    with receiving_mail(tls=certified(tmp_path, monkeypatch)) as mailbox:
        open_mailer(f"smtp://us%40er:sec%2Fret@127.0.0.1:{mailbox.port}", sender=SENDER).send(LETTER)
    assert (mailbox.encrypted, len(mailbox.letters)) == (1, 1)
    assert base64.b64decode(mailbox.signed_in[0].removeprefix("PLAIN ")) == b"\0us@er\0sec/ret"


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path, monkeypatch):
    context = certified(tmp_path, monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    with receiving_mail(tls=context) as mailbox:
        with pytest.raises(MailDelayed):
            open_mailer(f"smtp://user:secret@127.0.0.1:{mailbox.port}", sender=SENDER).send(LETTER)
        assert mailbox.signed_in == []


@pytest.mark.parametrize(
    ("verb", "answer", "raised"),
    [
        ("RCPT", "550 no such user kim@example.com", MailRefused),
        ("RCPT", "450 busy", MailDelayed),
        ("ACCEPT", "554 spam", MailRefused),
        ("ACCEPT", "451 later", MailDelayed),
        ("MAIL", "530 sign in first", MailDelayed),
    ],
)
def test_a_refusal_for_good_is_told_from_one_for_now_and_names_nobody(mailbox, mailer, verb, answer, raised):
    mailbox.behave = lambda said: answer if said == verb else None
    with pytest.raises(raised) as refusal:
        mailer.send(LETTER)
    assert "kim" not in str(refusal.value)


def certified(folder, monkeypatch):
    """A server's context with a certificate that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    unlocked = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, unlocked))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "certificate.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
