"""Which processes the suite consists of, and what each is told by its environment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from loyalty_local.keys import Keys
from loyalty_local.ports import claim, free_ports_after
from loyalty_local.processes import Command

# The dashboard is a guest: it has no database, and knows the others by the public API alone.
GUESTS = ("dashboard",)
SERVICES = ("gateway", "customers", "programs", "vouchers", "webhooks", *GUESTS)
DATABASES = {service: service for service in SERVICES if service not in GUESTS} | {"gateway": "accounts"}
# Which process of each takes events in where there is no broker.
SUBSCRIBERS = {
    "gateway": "gateway-internal",
    "programs": "programs-serve",
    "vouchers": "vouchers-serve",
    "webhooks": "webhooks-serve",
}
_JOB = "job all --every 600"
# The first seconds belong to the listeners, which are waited for.
_DELAYS_S = {"relay": 6.0, "deliver": 6.0, "consume": 6.0, "mail": 6.0, "work": 6.0, "job": 12.0}
_PROCESSES = {
    "gateway": ("serve", "internal", "relay", "mail", _JOB),
    "customers": ("serve", "relay", "work", _JOB),
    "programs": ("serve", "relay", "work", _JOB),
    "vouchers": ("serve", "relay", _JOB),
    "webhooks": ("serve", "deliver", "relay", "work", _JOB),
    "dashboard": ("serve",),
}
_CONTRACTS = Path(__file__).parents[4] / "contracts"
# The one who starts the suite chooses the rest: a DATABASE_URL of another project must not get in.
_INHERITED = ("HOME", "LANG", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ")


@dataclass(frozen=True)
class Addresses:
    """Where each listener answers on 127.0.0.1: ``ports`` by process, e.g. ``programs-serve``."""

    ports: Mapping[str, int]

    @classmethod
    def beside(cls, port: int) -> Self:
        """The gateway gets ``port``, everything else the next ones that are free."""
        # The dashboard first: it is the other address that people see.
        others = [service for service in (*GUESTS, *DATABASES) if service != "gateway"]
        names = [*(f"{service}-serve" for service in others), "gateway-internal"]
        return cls({"gateway-serve": claim(port), **dict(zip(names, free_ports_after(port), strict=False))})

    def bind(self, process: str) -> str:
        return f"127.0.0.1:{self.ports[process]}"

    def url(self, process: str) -> str:
        return f"http://{self.bind(process)}"

    @property
    def public_url(self) -> str:
        return f"{self.url('gateway-serve')}/api/v1"

    @property
    def dashboard_url(self) -> str:
        return f"{self.url('dashboard-serve')}/dashboard"

    @property
    def events_url(self) -> str:
        """Of the embedded transport, which needs no broker."""
        return ",".join(f"{service}={self.url(process)}" for service, process in SUBSCRIBERS.items())


@dataclass(frozen=True)
class Layout:
    keys: Keys
    addresses: Addresses
    database_urls: Mapping[str, str]
    events_url: str | None
    redis_url: str | None
    extra: Mapping[str, str]

    def commands(self, service: str) -> list[Command]:
        """The long-running processes of a service. A broker's messages are taken in by a process of their own, those
        of the embedded transport by ``serve``."""
        consumes = self.events_url is not None and service in SUBSCRIBERS
        names = [*_PROCESSES[service], *(["consume"] if consumes else [])]
        return [self.command(service, *name.split()) for name in names]

    def command(self, service: str, *arguments: str) -> Command:
        program = [sys.executable, "-m", f"loyalty_{service}", *arguments]
        delay_s = _DELAYS_S.get(arguments[0], 0.0)
        return Command(f"{service}-{arguments[0]}", program, self.environment(service), delay_s=delay_s)

    def environment(self, service: str) -> dict[str, str]:
        at = self.addresses
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
            "BIND": at.bind(f"{service}-serve"),
            "PUBLIC_BASE_URL": at.public_url,
            "PYTHONUNBUFFERED": "1",
        }
        if service not in GUESTS:
            environment |= self._of_services(service)
        return environment | dict(self._own(service)) | dict(self.extra)

    def _of_services(self, service: str) -> dict[str, str]:
        at = self.addresses
        environment = {
            "DATABASE_URL": self.database_urls[service],
            "EVENTS_URL": self.events_url or at.events_url,
            "IDENTITY_PUBLIC_KEYS": json.dumps(self.keys.public_keys),
            "IDENTITY_PRIVATE_KEY": self.keys.private_keys[service],
            "GATEWAY_INTERNAL_URL": at.url("gateway-internal"),
        }
        return environment | {f"{name.upper()}_URL": at.url(f"{name}-serve") for name in DATABASES if name != "gateway"}

    def _own(self, service: str) -> Iterator[tuple[str, str]]:
        if service == "gateway":
            yield "ACCOUNTS_PRIVATE_KEY", self.keys.private_keys["accounts"]
            yield "INTERNAL_BIND", self.addresses.bind("gateway-internal")
            yield "KEY_PEPPERS", json.dumps(self.keys.key_peppers)
            yield "OPENAPI_DIR", str(_CONTRACTS / "openapi")
            yield "DASHBOARD_URL", self.addresses.dashboard_url
            yield "MAILER_URL", "log"
            if self.redis_url:
                yield "REDIS_URL", self.redis_url
        if service == "dashboard":
            yield "API_URL", self.addresses.public_url
            yield "DASHBOARD_URL", self.addresses.dashboard_url
            yield "CONTRACTS_DIR", str(_CONTRACTS)
            yield "SECRET_KEYS", json.dumps(self.keys.session_keys)
        if service == "webhooks":
            yield "SECRET_KEYS", json.dumps(self.keys.secret_keys)
            # Endpoints on this machine are what a newcomer tries first; elsewhere they are refused.
            yield "WEBHOOKS_ALLOWED_NETWORKS", "127.0.0.0/8,::1/128"
            yield "WEBHOOKS_ALLOWED_HTTP_HOSTS", "127.0.0.1,localhost"
