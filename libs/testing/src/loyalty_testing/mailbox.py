"""An SMTP server that keeps what it is sent, and answers as a test tells it."""

from __future__ import annotations

import email
import email.policy
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage

Behaviour = Callable[[str], str | None]
"""From a command's verb to an answer of its own; ``None``: as usual."""


class Mailbox:
    """``letters`` are those that were accepted. ``behave`` may answer in place of the server, or block it.

    With ``tls`` it offers STARTTLS; ``encrypted`` counts who took it, ``signed_in`` holds what AUTH PLAIN was given.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.letters: list[EmailMessage] = []
        self.behave: Behaviour = lambda _: None
        self.tls = tls
        self.encrypted = 0
        self.signed_in: list[str] = []
        mailbox = self

        class Handler(_Dialogue):
            box = mailbox

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiving_mail(*, tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    mailbox = Mailbox(tls=tls)
    try:
        yield mailbox
    finally:
        mailbox.close()


class _Dialogue(socketserver.StreamRequestHandler):
    box: Mailbox

    def handle(self) -> None:
        self._answer("220 ready")
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            verb = verb.upper()
            own = self.box.behave(verb)
            if own is not None:
                self._answer(own)
            elif not self._follow(verb, rest):
                return

    def finish(self) -> None:
        super().finish()
        self.connection.close()  # Once it is encrypted the server does not know of it.

    def _follow(self, verb: str, rest: str) -> bool:
        """Whether the dialogue goes on."""
        if verb == "EHLO":
            self._answer("250-here\r\n250-AUTH PLAIN" + ("\r\n250 STARTTLS" if self.box.tls else "\r\n250 8BITMIME"))
        elif verb == "STARTTLS" and self.box.tls is not None:
            self._answer("220 go on")
            self.connection = self.box.tls.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
            self.box.encrypted += 1
        elif verb == "AUTH":
            self.box.signed_in.append(rest)
            self._answer("235 welcome")
        elif verb == "DATA":
            self._take()
        else:
            self._answer("221 bye" if verb == "QUIT" else "250 fine")
        return verb != "QUIT"

    def _take(self) -> None:
        self._answer("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        verdict = self.box.behave("ACCEPT")
        if verdict is None:
            message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.box.letters.append(message)
        self._answer(verdict or "250 taken")

    def _answer(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
