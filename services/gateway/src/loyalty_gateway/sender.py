"""The process that sends what ``mails`` holds. Any number of them may run side by side."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine

from loyalty_gateway.domain import letters, mails
from loyalty_gateway.transport import MailDelayed, Mailer, MailRefused

_log = structlog.get_logger()


class MailSender:
    def __init__(self, engine: Engine, mailer: Mailer, *, dashboard_url: str) -> None:
        self._engine = engine
        self._mailer = mailer
        self._dashboard_url = dashboard_url

    def step(self) -> bool:
        """Send the mail that is due, if there is one. The server is asked outside of any transaction."""
        with self._engine.begin() as connection:
            mail = mails.lease(connection)
        if mail is None:
            return False
        with self._engine.begin() as connection:
            letter = letters.write(connection, mail, dashboard_url=self._dashboard_url, at=datetime.now(UTC))
        told = {"mail_id": mail["id"], "kind": mail["kind"], "attempt": mail["attempts"]}
        try:
            if letter is not None:
                self._mailer.send(letter)
        except MailRefused as refusal:
            _log.error("mail_refused", **told, error=str(refusal))
            with self._engine.begin() as connection:
                mails.give_up(connection, mail["id"])
        except MailDelayed as delay:
            with self._engine.begin() as connection:
                pause = mails.postpone(connection, mail)
            _log.warning("mail_delayed", **told, error=str(delay), retry_in_s=pause and pause.total_seconds())
        else:
            with self._engine.begin() as connection:
                mails.remove(connection, mail["id"])
            _log.info("mail_sent" if letter else "mail_dropped", **told)
        return True
