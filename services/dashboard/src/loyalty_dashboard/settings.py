"""The only place that reads the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loyalty_common.settings import Environment

SERVICE = "dashboard"


@dataclass(frozen=True, slots=True)
class Settings:
    """``dashboard_url``: of the dashboard as browsers know it, ending in ``/dashboard``. ``api_url``: where this
    service reaches the public API; ``public_base_url``: what integrators are told that the API's address is.
    ``contracts_dir``: the events and examples that the portal shows."""

    bind: str
    web_workers: int
    web_threads: int
    dashboard_url: str
    api_url: str
    public_base_url: str
    contracts_dir: Path
    secret_keys: Mapping[int, bytes]
    log_level: str
    metrics_port: int

    @property
    def is_https(self) -> bool:
        return self.dashboard_url.startswith("https://")

    @property
    def public_url(self) -> str:
        """Of everything that this service shows."""
        return self.dashboard_url.removesuffix("/dashboard")


def from_environment(variables: Mapping[str, str]) -> Settings:
    """Raises ``SettingsError`` naming everything that is missing or wrong."""
    environment = Environment(variables)
    settings = Settings(
        bind=environment.text("BIND", default="0.0.0.0:8000"),
        web_workers=environment.integer("WEB_WORKERS", default=1),
        web_threads=environment.integer("WEB_THREADS", default=8),
        dashboard_url=environment.url("DASHBOARD_URL"),
        api_url=environment.url("API_URL"),
        public_base_url=environment.url("PUBLIC_BASE_URL"),
        contracts_dir=Path(environment.text("CONTRACTS_DIR")),
        secret_keys=environment.versioned_keys("SECRET_KEYS"),
        log_level=environment.text("LOG_LEVEL", default="info"),
        metrics_port=environment.integer("METRICS_PORT", default=0, minimum=0),
    )
    if settings.dashboard_url and not settings.dashboard_url.endswith("/dashboard"):
        environment.refuse("DASHBOARD_URL must end in /dashboard")
    environment.check()
    return settings
