"""Composition root: the only module that knows all others."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

from loyalty_common import database, health, logs, metrics, openapi, tracing, web
from loyalty_common.figures import pool_figures
from loyalty_common.identity import TokenVerifier
from loyalty_common.messaging.endpoint import events_blueprint
from loyalty_webhooks import settings as settings_module
from loyalty_webhooks.api import deliveries, endpoint_actions, endpoints, internal, replays
from loyalty_webhooks.api import events as event_log
from loyalty_webhooks.consumers import events
from loyalty_webhooks.domain.secret_box import SecretBox
from loyalty_webhooks.settings import SERVICE, Settings
from loyalty_webhooks.transport.client import Client
from loyalty_webhooks.transport.dialing import Dialer
from loyalty_webhooks.transport.posting import Poster


def create_app(settings: Settings) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config["PUBLIC_BASE_URL"] = settings.public_base_url
    app.config["HTTP_HOSTS"] = settings.allowed_http_hosts
    engine = database.create_engine(
        settings.database_url, pool_size=settings.database_pool_size, application_name=f"{SERVICE} serve"
    )
    dialer = Dialer(allowed_networks=settings.allowed_networks)
    app.extensions |= {
        "engine": engine,
        "dialer": dialer,
        "secret_box": SecretBox(settings.secret_keys),
        "poster": Poster(client=Client(dialer), http_hosts=settings.allowed_http_hosts),
        # A quarter of the threads: the others must not wait for strangers.
        "waiting": endpoint_actions.Waiting(max(1, settings.web_threads // 4)),
    }
    web.install(
        app,
        verifier=TokenVerifier(SERVICE, settings.identity_public_keys),
        path_checks={
            "endpoint_id": endpoints.check_exists,
            "delivery_id": deliveries.check_exists,
            "replay_id": replays.check_exists,
        },
    )
    api = openapi.create_api(app, title="Webhooks")
    for part in (endpoints, endpoint_actions, deliveries, event_log, replays):
        api.register_blueprint(part.blueprint)
    app.register_blueprint(internal.blueprint)
    app.register_blueprint(events_blueprint(events.handler(engine)))
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
