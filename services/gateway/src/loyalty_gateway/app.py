"""Composition roots of the two listeners: the only module that knows all others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from sqlalchemy import Engine

from loyalty_common import database, health, logs, metrics, openapi, tracing, web
from loyalty_common.figures import pool_figures
from loyalty_common.identity import GATEWAY, TokenSigner, TokenVerifier
from loyalty_common.messaging.endpoint import events_blueprint
from loyalty_common.service_client import ServiceClient
from loyalty_gateway import settings as settings_module
from loyalty_gateway.api import (
    account,
    api_keys,
    audit,
    contracts,
    internal,
    locations,
    pages,
    password_resets,
    public_document,
    sessions,
    sign_up,
    users,
)
from loyalty_gateway.api.client_address import ClientAddresses
from loyalty_gateway.api.decision import Door
from loyalty_gateway.api.forward_auth import ForwardAuth
from loyalty_gateway.api.proxy import Proxy
from loyalty_gateway.api.routes import RouteTable
from loyalty_gateway.api.upstream import Upstream
from loyalty_gateway.consumers import handler
from loyalty_gateway.domain import passwords
from loyalty_gateway.domain.access import Authenticator
from loyalty_gateway.domain.failed_attempts import FailedAttempts
from loyalty_gateway.domain.in_flight import InFlight
from loyalty_gateway.domain.key_cache import KeyCache
from loyalty_gateway.domain.known_callers import KnownCallers
from loyalty_gateway.domain.last_use import LastUse
from loyalty_gateway.domain.limits import LocalLimits, open_limits
from loyalty_gateway.domain.revocations import Listener
from loyalty_gateway.domain.usage import Usage
from loyalty_gateway.domain.visitor_limits import VisitorLimits

_MIGRATIONS = Path(__file__).with_name("migrations")


def create_gateway(settings: settings_module.Serve) -> Proxy:
    """The public listener, in one process."""
    engine = _engine(settings.accounts, "serve")
    metrics.serve(settings.accounts.metrics_port, pool_figures(engine), workers=settings.workers)
    documents = contracts.load(settings.openapi_dir, settings.service_urls)
    return Proxy(
        door=_door(settings, engine, documents, process="serve"),
        in_flight=InFlight(settings.organization_in_flight),
        upstreams={service: Upstream(service, urls) for service, urls in settings.service_urls.items()},
        pages=_pages(
            engine,
            public_document.merge(documents, server_url=settings.public_base_url),
            dashboard_url=settings.dashboard_url,
        ),
        page_paths=pages.paths(settings.dashboard_url),
    )


def create_internal(settings: settings_module.Internal) -> Flask:
    """The private listener: the account API and what the other services ask."""
    app = Flask(__name__, static_folder=None)
    app.config["PUBLIC_BASE_URL"] = settings.public_base_url
    engine = _engine(settings.accounts, "internal")
    metrics.serve(settings.accounts.metrics_port, pool_figures(engine), workers=settings.workers)
    app.extensions["engine"] = engine
    app.extensions["peppers"] = settings.peppers
    signer = TokenSigner(settings_module.ACCOUNTS, settings.accounts_private_key)
    urls = {"programs": settings.programs_url, "vouchers": settings.vouchers_url}
    app.extensions["usage"] = Usage([ServiceClient(url, audience=name, signer=signer) for name, url in urls.items()])
    app.extensions["sign_up_plan"] = settings.sign_up_plan
    limits = open_limits(settings.redis_url, parts=settings.replicas * settings.workers)
    app.extensions["visitors"] = VisitorLimits(limits)
    passwords.prepare()
    web.install(
        app,
        verifier=TokenVerifier(GATEWAY, settings.identity_public_keys),
        path_checks={
            "partner_location_id": locations.check_exists,
            "api_key_id": api_keys.check_exists,
            "user_id": users.check_exists,
            "token": password_resets.check_exists,
        },
    )
    api = openapi.create_api(app, title="Accounts")
    for part in (account, locations, api_keys, audit, users, sessions, password_resets, sign_up):
        api.register_blueprint(part.blueprint)
    app.extensions["api"] = api
    app.register_blueprint(internal.blueprint)
    app.register_blueprint(events_blueprint(handler(engine)))
    app.register_blueprint(health.blueprint({"database": health.database_check(engine, _MIGRATIONS)}))
    return app


def create_forward_auth(settings: settings_module.Serve) -> ForwardAuth:
    """The listener that decides and carries nothing, for a proxy that carries."""
    engine = _engine(settings.accounts, "forward-auth")
    metrics.serve(settings.accounts.metrics_port, pool_figures(engine), workers=settings.workers)
    documents = contracts.load(settings.openapi_dir, settings.service_urls)
    return ForwardAuth(
        door=_door(settings, engine, documents, process="forward-auth"),
        pages=_pages(engine, {}),
    )


def gateway_from_environment() -> Proxy:
    """What gunicorn calls in each worker of ``serve``."""
    settings = settings_module.Serve.read(os.environ)
    logs.configure(GATEWAY, level=settings.accounts.log_level)
    tracing.start(GATEWAY, settings.accounts.otel_exporter_otlp_endpoint)
    return create_gateway(settings)


def forward_auth_from_environment() -> ForwardAuth:
    """What gunicorn calls in each worker of ``forward-auth``."""
    settings = settings_module.Serve.read(os.environ)
    logs.configure(GATEWAY, level=settings.accounts.log_level)
    tracing.start(GATEWAY, settings.accounts.otel_exporter_otlp_endpoint)
    return create_forward_auth(settings)


def internal_from_environment() -> Flask:
    """What gunicorn calls in each worker of ``internal``."""
    settings = settings_module.Internal.read(os.environ)
    logs.configure(GATEWAY, level=settings.accounts.log_level)
    tracing.start(GATEWAY, settings.accounts.otel_exporter_otlp_endpoint)
    return create_internal(settings)


def _door(settings: settings_module.Serve, engine: Engine, documents: Mapping[str, object], *, process: str) -> Door:
    known_keys, last_use = KeyCache(KnownCallers(engine).find), LastUse(engine)
    name = f"{GATEWAY} {process}, revocations"
    Listener(settings.accounts.database_url, known_keys, application_name=name).start()
    last_use.start()
    return Door(
        routes=RouteTable(contracts.public_operations(documents)),
        authenticator=Authenticator(known_keys, peppers=settings.peppers, last_use=last_use),
        failed_attempts=FailedAttempts(LocalLimits()),
        limits=open_limits(settings.redis_url, parts=settings.replicas * settings.workers),
        addresses=ClientAddresses(settings.forwarded_allow_ips),
        signer=TokenSigner(GATEWAY, settings.identity_private_key),
        has_tls=settings.public_base_url.startswith("https://"),
    )


def _pages(engine: Engine, document: dict[str, object], *, dashboard_url: str = "") -> Flask:
    app = Flask(__name__, static_folder=None)
    # No identity opens anything here: the pages are for everybody.
    web.install(app, verifier=TokenVerifier(GATEWAY, {}))
    app.register_blueprint(pages.blueprint(document, dashboard_url=dashboard_url))
    app.register_blueprint(health.blueprint({"database": health.database_check(engine, _MIGRATIONS)}))
    return app


def _engine(accounts: settings_module.Accounts, process: str) -> Engine:
    return database.create_engine(
        accounts.database_url, pool_size=accounts.database_pool_size, application_name=f"{GATEWAY} {process}"
    )
