"""Composition root: the only module that knows all others."""

from __future__ import annotations

import os

from flask import Flask

from loyalty_common import logs, metrics
from loyalty_dashboard import portal
from loyalty_dashboard import settings as settings_module
from loyalty_dashboard.api import Api
from loyalty_dashboard.settings import SERVICE, Settings
from loyalty_dashboard.views import (
    api_keys,
    audit,
    comparison,
    counter,
    customers,
    home,
    imports,
    locations,
    loyalty_cards,
    managed_customers,
    organization,
    password_resets,
    preferences,
    referral_programs,
    rewards,
    sign_in,
    stamp_cards,
    users,
    voucher_batches,
    vouchers,
    webhook_deliveries,
    webhook_replays,
    webhooks,
)
from loyalty_dashboard.web import (
    access,
    assets,
    csrf,
    edge,
    error_pages,
    formats,
    forms,
    languages,
    navigation,
)
from loyalty_dashboard.web.sessions import SealedSessions

_VIEWS = (
    api_keys,
    audit,
    comparison,
    counter,
    customers,
    home,
    imports,
    locations,
    loyalty_cards,
    managed_customers,
    organization,
    password_resets,
    portal,
    preferences,
    referral_programs,
    rewards,
    sign_in,
    stamp_cards,
    users,
    voucher_batches,
    vouchers,
    webhook_deliveries,
    webhook_replays,
    webhooks,
)
# Of a form; a file that is imported is read in pieces, up to what the API takes.
_LARGEST_BODY = 64 * 1024 * 1024 + 64 * 1024


def create_app(settings: Settings) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config |= {"MAX_CONTENT_LENGTH": _LARGEST_BODY, "TEMPLATES_AUTO_RELOAD": False}
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.session_interface = SealedSessions(settings.secret_keys, is_https=settings.is_https)
    app.extensions |= {"settings": settings, "api": Api(settings.api_url, connections=2 * settings.web_threads)}
    # In the order in which they see a request.
    edge.install(app, is_https=settings.is_https)
    access.install(app)
    csrf.install(app)
    for part in (assets, error_pages, formats, forms, languages, navigation, portal):
        part.install(app)
    app.jinja_env.globals["api_url"] = settings.public_base_url
    for view in _VIEWS:
        app.register_blueprint(view.blueprint)
    return app


def from_environment() -> Flask:
    """What gunicorn calls in each worker."""
    settings = settings_module.from_environment(os.environ)
    logs.configure(SERVICE, level=settings.log_level)
    app = create_app(settings)
    metrics.serve(settings.metrics_port, workers=settings.web_workers)
    return app
