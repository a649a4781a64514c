"""How a mail leaves: to an SMTP server, or to the log of whoever develops."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import structlog

from loyalty_gateway.domain.letters import Letter

_TIMEOUT_S = 15
_FOR_GOOD = 500
_log = structlog.get_logger()


class MailRefused(Exception):
    """It will be refused again, however often it is sent. Says the server's code and nothing of the mail."""


class MailDelayed(Exception):
    """The server is away, or wants it later."""


class Mailer(Protocol):
    def send(self, letter: Letter) -> None:
        """Returns once the mail was taken. Raises ``MailRefused`` or ``MailDelayed``."""


class LogMailer:
    """Writes mails, links and all, to the log: with it, that is what they are for."""

    def send(self, letter: Letter) -> None:
        _log.info("mail", kind=letter.kind, to=letter.to, subject=letter.subject, text=letter.text)


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """One server. ``security``: ``tls`` from the first byte, ``starttls`` (refused without), or ``none``."""

    host: str
    port: int
    user: str | None
    password: str | None
    security: str
    sender: str

    def send(self, letter: Letter) -> None:
        try:
            server = self._connected()
        except (smtplib.SMTPException, OSError) as error:
            # Also a sign-in that was refused, or no TLS: a setting, which somebody will put right.
            raise MailDelayed(_told(error)) from None
        try:
            with server:
                server.send_message(self._message(letter))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise (MailRefused if _is_final(error) else MailDelayed)(_told(error)) from None

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_S)
        try:
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self.user is not None:
                server.login(self.user, self.password or "")
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = formatdate()
        message["Message-ID"] = f"<mail-{letter.mail_id}@{self.sender.rpartition('@')[2].rstrip('>')}>"
        # Nobody is to answer that he is on holiday.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message


def open_mailer(url: str, *, sender: str) -> Mailer:
    """``log``, ``smtp://user:password@host:587?starttls=required|never`` or ``smtps://user:password@host:465``."""
    if url == "log":
        return LogMailer()
    parts = urlsplit(url)
    if parts.scheme == "smtps":
        port, security = 465, "tls"
    else:
        port, security = 587, "none" if parse_qs(parts.query).get("starttls") == ["never"] else "starttls"
    user, password = (None if text is None else unquote(text) for text in (parts.username, parts.password))
    return SmtpMailer(parts.hostname or "", parts.port or port, user, password, security, sender)


def _is_final(error: Exception) -> bool:
    """Whether it is this mail that will never be taken: an address that does not exist, or cannot even be written."""
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        return _code(error) >= _FOR_GOOD
    return isinstance(error, smtplib.SMTPNotSupportedError | ValueError)


def _code(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return int(next(iter(error.recipients.values()))[0])
    return error.smtp_code


def _told(error: Exception) -> str:
    """For the log. Never the text of a server: it repeats the recipient."""
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException):
        return f"{type(error).__name__} {_code(error)}"
    return type(error).__name__
