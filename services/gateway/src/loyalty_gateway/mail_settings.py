"""What the process that sends mails reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, urlsplit

from loyalty_common.settings import Environment
from loyalty_gateway.settings import Accounts


@dataclass(frozen=True, slots=True)
class Mail:
    """``mailer_url``: ``log``, ``smtp://…`` or ``smtps://…``."""

    accounts: Accounts
    mailer_url: str
    mail_from: str
    dashboard_url: str

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        env = Environment(variables)
        settings = cls(
            accounts=Accounts.read(env),
            mailer_url=_mailer_url(env),
            mail_from=env.text("MAIL_FROM", default="Loyalty <no-reply@localhost>"),
            dashboard_url=env.url("DASHBOARD_URL"),
        )
        env.check()
        return settings


def _mailer_url(env: Environment) -> str:
    """Never with what is in it: that is a password."""
    url = env.text("MAILER_URL")
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    is_server = parts.scheme in ("smtp", "smtps") and parts.hostname and not parts.path.strip("/")
    if url and url != "log" and not is_server:
        env.refuse("MAILER_URL must be log, smtp://user:password@host:port or smtps://user:password@host:port")
    elif options.keys() - {"starttls"} or options.get("starttls", ["required"]) not in (["required"], ["never"]):
        env.refuse("MAILER_URL takes one option, starttls=required or starttls=never")
    return url
