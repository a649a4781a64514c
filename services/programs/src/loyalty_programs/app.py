"""Composition root: the only module that knows all others."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

from loyalty_common import database, health, logs, metrics, openapi, tracing, web
from loyalty_common.directory import DirectoryFallback
from loyalty_common.figures import pool_figures
from loyalty_common.identity import TokenSigner, TokenVerifier
from loyalty_common.messaging.endpoint import events_blueprint
from loyalty_common.service_client import ServiceClient
from loyalty_programs import consumers
from loyalty_programs import settings as settings_module
from loyalty_programs.api import (
    cards,
    claims,
    enrollments,
    exports,
    internal_customers,
    internal_imports,
    internal_members,
    internal_usage,
    points,
    previews,
    reconciliations,
    redemptions,
    referral_programs,
    referrals,
    reversals,
    rewards,
    stamp_cards,
    stamp_rewards,
    stamps,
)
from loyalty_programs.models import directory
from loyalty_programs.settings import SERVICE, Settings


def create_app(settings: Settings) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config["PUBLIC_BASE_URL"] = settings.public_base_url
    engine = database.create_engine(
        settings.database_url, pool_size=settings.database_pool_size, application_name=f"{SERVICE} serve"
    )
    signer = TokenSigner(SERVICE, settings.identity_private_key)
    app.extensions["engine"] = engine
    app.extensions["directory"] = DirectoryFallback(
        engine,
        directory,
        customers=ServiceClient(settings.customers_url, audience="customers", signer=signer),
        accounts=ServiceClient(settings.gateway_internal_url, audience="gateway", signer=signer),
    )
    web.install(
        app,
        verifier=TokenVerifier(SERVICE, settings.identity_public_keys),
        path_checks={
            "card_id": cards.check_exists,
            "claim_id": claims.check_exists,
            "enrollment_id": enrollments.check_exists,
            "loyalty_reward_id": rewards.check_exists,
            "reconciliation_id": reconciliations.check_exists,
            "stamp_card_id": stamp_cards.check_exists,
            "stamp_id": stamps.check_exists,
            "stamp_reward_id": stamp_rewards.check_exists,
            "transaction_id": points.check_transaction_exists,
            "referral_program_id": referral_programs.check_exists,
            "referral_id": referrals.check_exists,
        },
    )
    api = openapi.create_api(app, title="Programs")
    for module in (
        cards,
        enrollments,
        points,
        previews,
        redemptions,
        reversals,
        rewards,
        claims,
        stamp_cards,
        stamps,
        stamp_rewards,
        reconciliations,
        referral_programs,
        referrals,
        exports,
    ):
        api.register_blueprint(module.blueprint)
    for internal in (internal_customers, internal_imports, internal_members, internal_usage):
        app.register_blueprint(internal.blueprint)
    app.register_blueprint(events_blueprint(consumers.handler(engine)))
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
