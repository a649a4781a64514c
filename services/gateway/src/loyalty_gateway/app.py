"""Composition roots of the two listeners: the only module that knows all others."""

from __future__ import annotations

import os

from flask import Flask
from sqlalchemy import Engine

from loyalty_common import database, health, logs, web
from loyalty_common.identity import GATEWAY, TokenSigner, TokenVerifier
from loyalty_gateway import settings as settings_module
from loyalty_gateway.api import contracts, internal, pages, public_document
from loyalty_gateway.api.client_address import ClientAddresses
from loyalty_gateway.api.proxy import Proxy
from loyalty_gateway.api.routes import RouteTable
from loyalty_gateway.api.upstream import Upstream
from loyalty_gateway.domain.access import Authenticator
from loyalty_gateway.domain.failed_attempts import FailedAttempts
from loyalty_gateway.domain.key_cache import KeyCache
from loyalty_gateway.domain.known_keys import KnownKeys
from loyalty_gateway.domain.limits import LocalLimits, open_limits


def create_gateway(settings: settings_module.Serve) -> Proxy:
    """The public listener, in one process."""
    engine = _engine(settings.accounts, "serve")
    documents = contracts.load(settings.openapi_dir, settings.service_urls)
    return Proxy(
        routes=RouteTable(contracts.public_operations(documents)),
        authenticator=Authenticator(KeyCache(KnownKeys(engine).find), peppers=settings.peppers),
        failed_attempts=FailedAttempts(LocalLimits()),
        limits=open_limits(settings.redis_url, parts=settings.replicas * settings.workers),
        signer=TokenSigner(GATEWAY, settings.identity_private_key),
        upstreams={service: Upstream(service, urls) for service, urls in settings.service_urls.items()},
        addresses=ClientAddresses(settings.forwarded_allow_ips),
        pages=_pages(engine, public_document.merge(documents, server_url=settings.public_base_url)),
        page_paths=pages.PATHS,
    )


def create_internal(settings: settings_module.Internal) -> Flask:
    """The private listener."""
    app = Flask(__name__, static_folder=None)
    engine = _engine(settings.accounts, "internal")
    app.extensions["engine"] = engine
    web.install(app, verifier=TokenVerifier(GATEWAY, settings.identity_public_keys))
    app.register_blueprint(internal.blueprint)
    app.register_blueprint(health.blueprint({"database": health.database_check(engine)}))
    return app


def gateway_from_environment() -> Proxy:
    """What gunicorn calls in each worker of ``serve``."""
    settings = settings_module.Serve.read(os.environ)
    logs.configure(GATEWAY, level=settings.accounts.log_level)
    return create_gateway(settings)


def internal_from_environment() -> Flask:
    """What gunicorn calls in each worker of ``internal``."""
    settings = settings_module.Internal.read(os.environ)
    logs.configure(GATEWAY, level=settings.accounts.log_level)
    return create_internal(settings)


def _pages(engine: Engine, document: dict[str, object]) -> Flask:
    app = Flask(__name__, static_folder=None)
    # No identity opens anything here: the pages are for everybody.
    web.install(app, verifier=TokenVerifier(GATEWAY, {}))
    app.register_blueprint(pages.blueprint(document))
    app.register_blueprint(health.blueprint({"database": health.database_check(engine)}))
    return app


def _engine(accounts: settings_module.Accounts, process: str) -> Engine:
    return database.create_engine(
        accounts.database_url, pool_size=accounts.database_pool_size, application_name=f"{GATEWAY} {process}"
    )
