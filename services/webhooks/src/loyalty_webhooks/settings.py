"""What the process is told by its environment; nothing else reads it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from loyalty_common.settings import Environment

SERVICE = "webhooks"
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Settings:
    database_url: str
    database_pool_size: int
    bind: str
    web_workers: int
    web_threads: int
    deliver_threads: int
    public_base_url: str
    events_url: str
    identity_public_keys: Mapping[str, Sequence[str]]
    identity_private_key: str
    secret_keys: Mapping[int, bytes]
    allowed_networks: tuple[Network, ...]
    allowed_http_hosts: frozenset[str]
    otel_exporter_otlp_endpoint: str
    log_level: str
    metrics_port: int


def from_environment(variables: Mapping[str, str]) -> Settings:
    """Raises ``SettingsError`` naming everything that is missing or wrong."""
    environment = Environment(variables)
    threads = environment.integer("WEB_THREADS", default=8)
    settings = Settings(
        database_url=environment.url("DATABASE_URL", schemes=("postgresql",)),
        database_pool_size=environment.integer("DATABASE_POOL_SIZE", default=threads + 2),
        bind=environment.text("BIND", default="0.0.0.0:8000"),
        web_workers=environment.integer("WEB_WORKERS", default=1),
        web_threads=threads,
        deliver_threads=environment.integer("DELIVER_THREADS", default=64),
        public_base_url=environment.url("PUBLIC_BASE_URL"),
        events_url=environment.events_url("EVENTS_URL"),
        identity_public_keys=environment.json_object("IDENTITY_PUBLIC_KEYS"),
        identity_private_key=environment.key32("IDENTITY_PRIVATE_KEY"),
        secret_keys=environment.versioned_keys("SECRET_KEYS"),
        allowed_networks=_networks(environment, "WEBHOOKS_ALLOWED_NETWORKS"),
        allowed_http_hosts=frozenset(
            host.lower() for host in environment.listing("WEBHOOKS_ALLOWED_HTTP_HOSTS", default="")
        ),
        otel_exporter_otlp_endpoint=environment.url("OTEL_EXPORTER_OTLP_ENDPOINT", default=""),
        log_level=environment.text("LOG_LEVEL", default="info"),
        metrics_port=environment.integer("METRICS_PORT", default=0, minimum=0),
    )
    environment.check()
    return settings


def _networks(environment: Environment, name: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(text) for text in environment.listing(name, default=""))
    except ValueError:
        environment.refuse(f"{name} must be a comma list of networks such as 10.0.0.0/8")
        return ()


def for_document() -> Settings:
    """Settings of a process that only describes itself: it connects to nothing and opens no door."""
    return Settings(
        database_url="postgresql://",
        database_pool_size=1,
        bind="",
        web_workers=1,
        web_threads=1,
        deliver_threads=1,
        public_base_url="",
        events_url="",
        identity_public_keys={},
        identity_private_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        secret_keys={1: bytes(32)},
        allowed_networks=(),
        allowed_http_hosts=frozenset(),
        otel_exporter_otlp_endpoint="",
        log_level="warning",
        metrics_port=0,
    )
