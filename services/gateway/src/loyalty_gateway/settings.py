"""What each process of the gateway reads from its environment: the only place that does (and ``mail_settings``).

One class per process, so that a relay is not handed the peppers, nor a migration the signing key.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from loyalty_common.identity import GATEWAY
from loyalty_common.settings import Environment

SERVICES = ("customers", "programs", "vouchers", "webhooks")
ACCOUNTS = "accounts"
"""The issuer of the gateway's own calls: its signing key for callers' identities is in no process but ``serve``."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Of every process: the ``accounts`` database."""

    database_url: str
    database_pool_size: int
    otel_exporter_otlp_endpoint: str
    log_level: str
    metrics_port: int

    @classmethod
    def read(cls, env: Environment) -> Self:
        return cls(
            database_url=env.url("DATABASE_URL", schemes=("postgresql",)),
            database_pool_size=env.integer("DATABASE_POOL_SIZE", default=env.integer("WEB_THREADS", default=8) + 2),
            otel_exporter_otlp_endpoint=env.url("OTEL_EXPORTER_OTLP_ENDPOINT", default=""),
            log_level=env.text("LOG_LEVEL", default="info"),
            metrics_port=env.integer("METRICS_PORT", default=0, minimum=0),
        )


@dataclass(frozen=True, slots=True)
class Serve:
    """The public listener. ``peppers`` by version, the highest is the one for new keys."""

    accounts: Accounts
    bind: str
    forward_auth_bind: str
    workers: int
    replicas: int
    organization_in_flight: int
    public_base_url: str
    openapi_dir: Path
    service_urls: Mapping[str, tuple[str, ...]]
    redis_url: str | None
    peppers: Mapping[int, bytes]
    identity_private_key: str
    forwarded_allow_ips: tuple[IPv4Network | IPv6Network, ...]
    dashboard_url: str

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        env = Environment(variables)
        settings = cls(
            accounts=Accounts.read(env),
            bind=env.text("BIND", default="0.0.0.0:8000"),
            forward_auth_bind=env.text("FORWARD_AUTH_BIND", default="0.0.0.0:8002"),
            workers=env.integer("WEB_WORKERS", default=1),
            replicas=env.integer("REPLICAS", default=1),
            organization_in_flight=env.integer("ORGANIZATION_IN_FLIGHT", default=200),
            public_base_url=env.url("PUBLIC_BASE_URL"),
            openapi_dir=Path(env.text("OPENAPI_DIR")),
            service_urls={
                GATEWAY: _urls(env, "GATEWAY_INTERNAL_URL"),
                **{name: _urls(env, f"{name.upper()}_URL") for name in SERVICES},
            },
            redis_url=env.optional("REDIS_URL"),
            peppers=env.versioned_keys("KEY_PEPPERS"),
            identity_private_key=env.key32("IDENTITY_PRIVATE_KEY"),
            forwarded_allow_ips=_networks(env, "FORWARDED_ALLOW_IPS"),
            dashboard_url=env.url("DASHBOARD_URL", default=""),
        )
        env.check()
        return settings


@dataclass(frozen=True, slots=True)
class Internal:
    """The private listener: the account API, which ``serve`` carries to it, and what the other services ask.

    ``sign_up_plan``: of organizations that come by themselves; ``None``: none may.
    """

    accounts: Accounts
    bind: str
    workers: int
    threads: int
    public_base_url: str
    programs_url: str
    vouchers_url: str
    peppers: Mapping[int, bytes]
    accounts_private_key: str
    identity_public_keys: Mapping[str, Any]
    redis_url: str | None
    replicas: int
    sign_up_plan: str | None

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        env = Environment(variables)
        settings = cls(
            accounts=Accounts.read(env),
            bind=env.text("INTERNAL_BIND", default="0.0.0.0:8001"),
            workers=env.integer("WEB_WORKERS", default=1),
            threads=env.integer("WEB_THREADS", default=8),
            public_base_url=env.url("PUBLIC_BASE_URL"),
            programs_url=env.url("PROGRAMS_URL"),
            vouchers_url=env.url("VOUCHERS_URL"),
            peppers=env.versioned_keys("KEY_PEPPERS"),
            accounts_private_key=env.key32("ACCOUNTS_PRIVATE_KEY"),
            identity_public_keys=env.json_object("IDENTITY_PUBLIC_KEYS"),
            redis_url=env.optional("REDIS_URL"),
            replicas=env.integer("REPLICAS", default=1),
            sign_up_plan=_sign_up_plan(env),
        )
        env.check()
        return settings


def internal_for_document() -> Internal:
    """Settings of a process that only describes itself: it connects to nothing and opens no door."""
    return Internal(
        Accounts(
            "postgresql://", database_pool_size=1, otel_exporter_otlp_endpoint="", log_level="warning", metrics_port=0
        ),
        bind="",
        workers=1,
        threads=1,
        public_base_url="",
        programs_url="",
        vouchers_url="",
        peppers={},
        # A signer wants a key; nobody knows this one, so nobody trusts it.
        accounts_private_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        identity_public_keys={},
        redis_url=None,
        replicas=1,
        sign_up_plan=None,
    )


@dataclass(frozen=True, slots=True)
class Relay:
    accounts: Accounts
    events_url: str
    accounts_private_key: str

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        env = Environment(variables)
        settings = cls(
            accounts=Accounts.read(env),
            events_url=env.events_url("EVENTS_URL"),
            accounts_private_key=env.key32("ACCOUNTS_PRIVATE_KEY"),
        )
        env.check()
        return settings


@dataclass(frozen=True, slots=True)
class Consume:
    accounts: Accounts
    events_url: str

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        env = Environment(variables)
        settings = cls(accounts=Accounts.read(env), events_url=env.events_url("EVENTS_URL"))
        env.check()
        return settings


def read_accounts(variables: Mapping[str, str]) -> Accounts:
    """For ``migrate`` and ``job``."""
    env = Environment(variables)
    settings = Accounts.read(env)
    env.check()
    return settings


def read_account_command(variables: Mapping[str, str], *, needs_peppers: bool) -> tuple[Accounts, Mapping[int, bytes]]:
    """For the commands: the database and, only where a key is made, the peppers."""
    env = Environment(variables)
    settings = Accounts.read(env), env.versioned_keys("KEY_PEPPERS") if needs_peppers else {}
    env.check()
    return settings


def _urls(env: Environment, name: str) -> tuple[str, ...]:
    """One base URL or, comma separated, several between which the gateway fails over."""
    urls = tuple(url.rstrip("/") for url in env.listing(name))
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path or parts.query:
            env.refuse(f"{name} must be a comma list of URLs like http://host:port")
            break
    return urls


def _sign_up_plan(env: Environment) -> str | None:
    sign_up, plan = env.text("SIGN_UP", default="closed"), env.text("SIGN_UP_PLAN", default="starter")
    if sign_up not in ("open", "closed"):
        env.refuse("SIGN_UP must be open or closed")
    return plan if sign_up == "open" else None


def _networks(env: Environment, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(text) for text in env.listing(name, default="127.0.0.1,::1"))
    except ValueError:
        env.refuse(f"{name} must be a comma list of addresses or networks")
        return ()
