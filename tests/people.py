"""People who sign in to the dashboard of a suite."""

from __future__ import annotations

import base64
import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Connection

from loyalty_common.database import create_engine
from loyalty_dashboard.web.sessions import SealedSessions
from loyalty_gateway.domain import one_time_links, passwords, sessions, users
from loyalty_gateway.domain.actors import Actor
from loyalty_gateway.domain.audit import Occasion
from loyalty_gateway.domain.keys import ENTROPY_BYTES
from loyalty_gateway.domain.sessions import Minted
from loyalty_local.suite import Suite

PASSWORD = "a password of everybody's"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    user_id: int
    organization_id: int
    name: str
    email: str
    role: str


@cache
def _password_hash() -> str:
    return passwords.hashed(PASSWORD)


def new_person(suite: Suite, organization_id: int, role: str = "owner", *, name: str | None = None) -> Person:
    """Active, and with the password of everybody."""
    number = next(_numbers)
    name = name or f"{role.title()} {number}"
    email = f"person{number}-{secrets.token_hex(4)}@example.com"
    known = {"status": "active", "password_hash": _password_hash(), "name": name, "email": email, "role": role}
    with accounts(suite) as connection:
        user = users.add(connection, organization_id=organization_id, **known)
    return Person(user["id"], organization_id, name, email, role)


def cookie(suite: Suite, person: Person, *, mode: str = "live") -> tuple[str, str]:
    """Name and value: what the dashboard gives to somebody who signs in, without the work of checking a password."""
    peppers = {int(version): base64.b64decode(key) for version, key in suite.layout.keys.key_peppers.items()}
    minted = Minted.of(secrets.token_bytes(ENTROPY_BYTES), peppers=peppers)
    now = datetime.now(UTC)
    with accounts(suite) as connection:
        known = users.lock(connection, person.user_id)
        occasion = Occasion(Actor("user", person.user_id, person.name), now)
        begun = sessions.sign_in(connection, known, mode=mode, minted=minted, occasion=occasion)
    kept = {name: begun[name] for name in ("token", "mode", "user", "organization")} | {"began_at": now.isoformat()}
    seals = seals_of(suite)
    return seals.cookie_name, seals.sealed({"signed_in": kept})


def seals_of(suite: Suite) -> SealedSessions:
    keys = {int(version): base64.b64decode(key) for version, key in suite.layout.keys.session_keys.items()}
    return SealedSessions(keys, is_https=False)


def one_time_link(suite: Suite, user_id: int, *, kind: str = "password_reset") -> str:
    """The secret end of the link in a mail."""
    with accounts(suite) as connection:
        return one_time_links.mint(connection, user_id=user_id, kind=kind, at=datetime.now(UTC))


@contextmanager
def accounts(suite: Suite) -> Iterator[Connection]:
    engine = create_engine(suite.layout.database_urls["gateway"], pool_size=1, application_name="tests")
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
