"""Composition root: the only module that knows all others."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

from loyalty_common import database, health, logs, metrics, openapi, tracing, web
from loyalty_common.figures import pool_figures
from loyalty_common.identity import TokenSigner, TokenVerifier
from loyalty_common.service_client import ServiceClient
from loyalty_customers import settings as settings_module
from loyalty_customers.api import customers, exports, identifiers, imports, internal, statistics, views
from loyalty_customers.domain.composing import Suite
from loyalty_customers.settings import SERVICE, Settings


def create_app(settings: Settings) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config["PUBLIC_BASE_URL"] = settings.public_base_url
    engine = database.create_engine(
        settings.database_url, pool_size=settings.database_pool_size, application_name=f"{SERVICE} serve"
    )
    app.extensions["engine"] = engine
    signer = TokenSigner(SERVICE, settings.identity_private_key)
    urls = {"programs": settings.programs_url, "vouchers": settings.vouchers_url, "webhooks": settings.webhooks_url}
    services = {name: ServiceClient(url, audience=name, signer=signer) for name, url in urls.items()}
    app.extensions["programs"] = services["programs"]
    app.extensions["suite"] = Suite(services)
    web.install(
        app,
        verifier=TokenVerifier(SERVICE, settings.identity_public_keys),
        path_checks={"customer_id": customers.check_exists, "import_id": imports.check_exists},
    )
    api = openapi.create_api(app, title="Customers")
    for module in (customers, identifiers, views, imports, exports, statistics):
        api.register_blueprint(module.blueprint)
    app.register_blueprint(internal.blueprint)
    app.register_blueprint(
        health.blueprint({"database": health.database_check(engine, Path(__file__).with_name("migrations"))})
    )
    app.extensions["api"] = api
    return app


def from_environment() -> Flask:
    """What gunicorn calls in each worker."""
    settings = settings_module.from_environment(os.environ)
    logs.configure(SERVICE, level=settings.log_level)
    tracing.start(SERVICE, settings.otel_exporter_otlp_endpoint)
    app = create_app(settings)
    metrics.serve(settings.metrics_port, pool_figures(app.extensions["engine"]), workers=settings.web_workers)
    return app
