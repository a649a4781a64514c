"""``loyalty-vouchers serve | migrate | relay | consume | job NAME | openapi``

Imports stand in the commands: ``serve`` becomes gunicorn and a migration needs no web, so each process
loads only what it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from loyalty_common import logs
from loyalty_common.settings import SettingsError
from loyalty_vouchers import settings as settings_module
from loyalty_vouchers.settings import SERVICE, Settings

MIGRATIONS = str(Path(__file__).parent / "migrations")


def main() -> None:
    arguments = _parser().parse_args()
    if arguments.command == "openapi":
        _openapi()
        return
    try:
        settings = settings_module.from_environment(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    logs.configure(SERVICE, level=settings.log_level)
    {"serve": _serve, "migrate": _migrate, "relay": _relay, "consume": _consume, "job": _job}[arguments.command](
        settings, arguments
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"loyalty-{SERVICE}", description="Vouchers and their redemptions.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer HTTP")
    commands.add_parser("migrate", help="bring the database to the newest schema")
    commands.add_parser("relay", help="publish what the outbox holds")
    commands.add_parser("consume", help="take in what other services publish")
    job = commands.add_parser("job", help="run a scheduled job")
    job.add_argument("name", help="forget_erased, prune_idempotency, prune_inbox, or all")
    job.add_argument("--every", type=float, metavar="SECONDS", help="again and again")
    commands.add_parser("openapi", help="print the OpenAPI document")
    return parser


def _serve(settings: Settings, _: argparse.Namespace) -> None:
    from loyalty_common.serving import serve

    app = "loyalty_vouchers.app:from_environment()"
    serve(app, bind=settings.bind, workers=settings.web_workers, threads=settings.web_threads)


def _migrate(settings: Settings, _: argparse.Namespace) -> None:
    from loyalty_common import database, migrations

    engine = database.create_engine(settings.database_url, pool_size=2, application_name=f"{SERVICE} migrate")
    migrations.upgrade(engine, script_location=MIGRATIONS)


def _relay(settings: Settings, _: argparse.Namespace) -> None:
    from loyalty_common import database, metrics
    from loyalty_common.figures import pool_figures
    from loyalty_common.identity import TokenSigner
    from loyalty_common.messaging.figures import outbox_figures
    from loyalty_common.messaging.relay import run_relay
    from loyalty_common.process import until_stopped
    from loyalty_vouchers.models import outbox

    engine = database.create_engine(settings.database_url, pool_size=2, application_name=f"{SERVICE} relay")
    metrics.serve(settings.metrics_port, pool_figures(engine), outbox_figures(engine, outbox))
    run_relay(
        engine=engine,
        outbox=outbox,
        publisher=SERVICE,
        events_url=settings.events_url,
        signer=TokenSigner(SERVICE, settings.identity_private_key),
        stop=until_stopped(),
    )


def _consume(settings: Settings, _: argparse.Namespace) -> None:
    from loyalty_common import database, metrics, tracing
    from loyalty_common.figures import pool_figures
    from loyalty_common.messaging.consumer import run_consumer
    from loyalty_common.messaging.figures import queue_figures
    from loyalty_common.process import until_stopped
    from loyalty_vouchers.consumers import handler

    tracing.start(SERVICE, settings.otel_exporter_otlp_endpoint)
    engine = database.create_engine(settings.database_url, pool_size=2, application_name=f"{SERVICE} consume")
    metrics.serve(settings.metrics_port, pool_figures(engine), queue_figures(settings.events_url, SERVICE))
    run_consumer(url=settings.events_url, subscriber=SERVICE, handle=handler(engine), stop=until_stopped())


def _job(settings: Settings, arguments: argparse.Namespace) -> None:
    from loyalty_common import database, metrics
    from loyalty_common.figures import pool_figures
    from loyalty_common.process import run_jobs
    from loyalty_vouchers.jobs import all_jobs

    engine = database.create_engine(settings.database_url, pool_size=1, application_name=f"{SERVICE} job")
    metrics.serve(settings.metrics_port, pool_figures(engine))
    run_jobs(all_jobs(engine), name=arguments.name, every_s=arguments.every)


def _openapi() -> None:
    from loyalty_common.openapi import document
    from loyalty_vouchers.app import create_app

    print(json.dumps(document(create_app(settings_module.for_document()).extensions["api"]), indent=2))


if __name__ == "__main__":
    main()
