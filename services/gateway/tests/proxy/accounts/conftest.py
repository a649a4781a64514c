"""People who sign in through a real gateway to a real account API, and the mails that they get."""

from __future__ import annotations

import itertools
import json
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_gateway.domain import passwords, sessions, users
from loyalty_gateway.domain.actors import Actor
from loyalty_gateway.domain.audit import Occasion
from loyalty_gateway.domain.sessions import Minted
from loyalty_gateway.sender import MailSender
from loyalty_gateway.transport import open_mailer
from loyalty_testing import calls
from loyalty_testing.machine import free_port
from loyalty_testing.mailbox import Mailbox

CONTRACTS = Path(__file__).parents[5] / "contracts" / "openapi"
PASSWORD = "a password of Robin's"
# What a real service answers here; the others are played.
_OURS = ("me", "organization", "partner-locations", "api-keys", "users", "sessions", "password-resets", "audit-log")
_numbers = itertools.count(1)


@dataclass
class Visitor:
    """Somebody at an address of his own."""

    door: Any
    address: str
    engine: Engine

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Any:
        sent = {"X-Forwarded-For": self.address} | {name.replace("_", "-"): text for name, text in headers.items()}
        text_body = None if body is None else json.dumps(body)
        answer = self.door.ask(method, f"/api/v1{path}", key=token, headers=sent, body=text_body)
        if path.split("/")[1] in _OURS:
            calls.note(method, path, status=answer.status)
        return answer

    def sign_in(self, user: dict[str, Any], *, mode: str = "live", password: str = PASSWORD) -> Any:
        return self.ask("POST", "/sessions", {"email": user["email"], "password": password, "mode": mode})

    def token(self, user: dict[str, Any], *, mode: str = "live") -> str:
        """Of a session that is there without a password being checked, which takes its time."""
        minted = Minted.of(secrets.token_bytes(40), peppers={1: b"p" * 32})
        occasion = Occasion(Actor("user", user["id"], user["name"]), datetime.now(UTC))
        with self.engine.begin() as connection:
            known = users.lock(connection, user["id"])
            session = sessions.sign_in(connection, known, mode=mode, minted=minted, occasion=occasion)
        token: str = session["token"]
        return token


@pytest.fixture(scope="session")
def internal_environment(environment: dict[str, str], identity_keys: Any, upstream_server: Any) -> dict[str, str]:
    return {
        **environment,
        "PUBLIC_BASE_URL": "https://api.example.com/api/v1",
        "PROGRAMS_URL": upstream_server.url,
        "VOUCHERS_URL": upstream_server.url,
        "ACCOUNTS_PRIVATE_KEY": identity_keys.private_key("accounts"),
        "IDENTITY_PUBLIC_KEYS": identity_keys.public_keys_json,
    }


@pytest.fixture(scope="session")
def account_api(internal_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """URL and log of a real account API."""
    url = f"http://127.0.0.1:{free_port()}"
    log_file = tmp_path_factory.mktemp("internal") / "log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "loyalty_gateway", "internal"],
            env={**internal_environment, "INTERNAL_BIND": url.removeprefix("http://")},
            stderr=log,
        )
    try:
        deadline = time.monotonic() + 90
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the account API did not start:\n{log_file.read_text()}")
            time.sleep(0.05)
        yield url, log_file
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def public_routes(account_api: Any, upstream_server: Any) -> dict[str, str]:
    """Settings of a gateway with all public routes: behind it the account API, ``upstream`` for every other service."""
    services = {f"{name}_URL": upstream_server.url for name in ("CUSTOMERS", "PROGRAMS", "VOUCHERS", "WEBHOOKS")}
    return {"GATEWAY_INTERNAL_URL": account_api[0], "OPENAPI_DIR": str(CONTRACTS), **services}


@pytest.fixture(scope="session")
def door(start_gateway: Callable[..., Any], public_routes: dict[str, str]) -> Any:
    return start_gateway(**public_routes)


@pytest.fixture
def visitor(door: Any, engine: Engine) -> Visitor:
    number = next(_numbers)
    return Visitor(door, f"198.51.{number // 250}.{number % 250 + 1}", engine)


@pytest.fixture(scope="session")
def password_hash() -> str:
    return passwords.hashed(PASSWORD)


@pytest.fixture(scope="session")
def new_user(engine: Engine, password_hash: str, new_organization: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """``new_user(role="staff", organization_id=…)``: active, with the password of all."""

    def create(role: str = "owner", organization_id: int | None = None, plan: str = "demo") -> dict[str, Any]:
        owner = organization_id or new_organization(plan)["id"]
        known = {"status": "active", "password_hash": password_hash, "name": "Robin Owner"}
        with engine.begin() as connection:
            email = f"robin{next(_numbers)}@example.com"
            row = users.add(connection, organization_id=owner, email=email, role=role, **known)
        return users.shape(row) | {"organization_id": owner}

    return create


@pytest.fixture
def user(new_user: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The owner of an organization that no other test knows."""
    return new_user()


@pytest.fixture
def deliver(engine: Engine, mailbox: Mailbox) -> Callable[[], list[Any]]:
    """Sends all that waits and returns what arrived of it."""
    mailer = open_mailer(f"smtp://127.0.0.1:{mailbox.port}?starttls=never", sender="Loyalty <loyalty@example.com>")
    sender = MailSender(engine, mailer, dashboard_url="https://dashboard.example.com")

    def send() -> list[Any]:
        mailbox.letters.clear()
        while sender.step():
            pass
        return list(mailbox.letters)

    return send


@pytest.fixture
def link_for(deliver: Callable[[], list[Any]]) -> Callable[[str], str]:
    """The token in the newest mail to an address."""

    def find(email: str) -> str:
        (letter,) = [letter for letter in deliver() if letter["To"] == email]
        found = re.search(r"https://dashboard\.example\.com/password-resets/(\S+)", letter.get_content())
        assert found is not None
        return found[1]

    return find


@pytest.fixture
def audited(engine: Engine) -> Callable[[int], list[str]]:
    """The actions in the audit log of an organization, in their order."""

    def actions(organization_id: int) -> list[str]:
        with engine.connect() as connection:
            entries = text("select action from audit_entries where organization_id = :id order by id")
            return list(connection.execute(entries, {"id": organization_id}).scalars())

    return actions
