"""What the process is told by its environment; nothing else reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loyalty_common.settings import Environment

SERVICE = "programs"


@dataclass(frozen=True)
class Settings:
    database_url: str
    database_pool_size: int
    bind: str
    web_workers: int
    web_threads: int
    public_base_url: str
    events_url: str
    identity_public_keys: Mapping[str, Sequence[str]]
    identity_private_key: str
    customers_url: str
    gateway_internal_url: str
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
        public_base_url=environment.url("PUBLIC_BASE_URL"),
        events_url=environment.events_url("EVENTS_URL"),
        identity_public_keys=environment.json_object("IDENTITY_PUBLIC_KEYS"),
        identity_private_key=environment.key32("IDENTITY_PRIVATE_KEY"),
        customers_url=environment.url("CUSTOMERS_URL"),
        gateway_internal_url=environment.url("GATEWAY_INTERNAL_URL"),
        otel_exporter_otlp_endpoint=environment.url("OTEL_EXPORTER_OTLP_ENDPOINT", default=""),
        log_level=environment.text("LOG_LEVEL", default="info"),
        metrics_port=environment.integer("METRICS_PORT", default=0, minimum=0),
    )
    environment.check()
    return settings


def for_document() -> Settings:
    """Settings of a process that only describes itself: it connects to nothing and opens no door."""
    return Settings(
        database_url="postgresql://",
        database_pool_size=1,
        bind="",
        web_workers=1,
        web_threads=1,
        public_base_url="",
        events_url="",
        identity_public_keys={},
        identity_private_key="A" * 43 + "=",
        customers_url="",
        gateway_internal_url="",
        otel_exporter_otlp_endpoint="",
        log_level="warning",
        metrics_port=0,
    )
