"""Who is signed in. This service keeps nothing: what it has to remember is sealed in a cookie of the browser.

``flask.session`` is that cookie. Before signing in it holds no more than the CSRF token. Signing in, renewing and
switching the mode replace all of it, so that nothing known before opens anything afterwards.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import Flask, Request, Response, session
from flask.sessions import SecureCookieSession, SessionInterface, SessionMixin

from loyalty_dashboard.api import Answer

# A session lives for an hour and is renewed while somebody works. Not at every step: a renewal ends the token that
# other requests of the same browser may be under way with.
_RENEWED_AFTER = timedelta(minutes=20)
_LONGEST = timedelta(hours=12)
_SIGNED_IN = "signed_in"


@dataclass(frozen=True, slots=True)
class Person:
    """``role``: owner, manager or staff. ``mode``: live or test."""

    token: str
    mode: str
    began_at: datetime
    user: Mapping[str, Any]
    organization: Mapping[str, Any]

    @property
    def role(self) -> str:
        role: str = self.user["role"]
        return role

    def should_be_renewed(self, now: datetime) -> bool:
        return now - self.began_at > _RENEWED_AFTER


def person() -> Person | None:
    """Who is signed in, as far as the cookie knows: only the API knows whether the session still lives."""
    try:
        kept = session[_SIGNED_IN]
        return Person(**kept | {"began_at": datetime.fromisoformat(kept["began_at"])})
    except (KeyError, TypeError):  # Nobody, or the cookie of a release that kept something else.
        return None


def begin(answer: Answer, *, now: datetime) -> None:
    """From what the API answers to a sign-in or a renewal."""
    given = answer.data
    session.clear()
    session[_SIGNED_IN] = {name: given[name] for name in ("token", "mode", "user", "organization")} | {
        "began_at": now.isoformat()
    }


def remember(**changed: Any) -> None:
    """``organization`` or ``user``, after somebody changed it here."""
    session[_SIGNED_IN] = session[_SIGNED_IN] | changed


def end() -> None:
    session.clear()


class SealedSessions(SessionInterface):
    """The newest of ``keys`` seals, each of them opens. Over https the cookie cannot be set by a sister domain."""

    def __init__(self, keys: Mapping[int, bytes], *, is_https: bool) -> None:
        newest_first = [keys[version] for version in sorted(keys, reverse=True)]
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in newest_first])
        self._is_https = is_https
        self.cookie_name = "__Host-loyalty" if is_https else "loyalty"

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        sealed = request.cookies.get(self.cookie_name, "")
        try:
            return SecureCookieSession(self.opened(sealed))
        except (InvalidToken, ValueError):
            return SecureCookieSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not session.modified:
            return
        if session:
            response.set_cookie(
                self.cookie_name,
                self.sealed(dict(session)),
                secure=self._is_https,
                httponly=True,
                samesite="Lax",
            )
        else:
            response.delete_cookie(self.cookie_name, secure=self._is_https, httponly=True, samesite="Lax")

    def sealed(self, content: Mapping[str, Any]) -> str:
        return self._fernet.encrypt(orjson.dumps(content)).decode()

    def opened(self, sealed: str) -> dict[str, Any]:
        content: dict[str, Any] = orjson.loads(self._fernet.decrypt(sealed.encode(), ttl=int(_LONGEST.total_seconds())))
        return content


def now() -> datetime:
    return datetime.now(UTC)
