"""``loyalty-programs serve | migrate | relay | consume | work | job NAME | check-ledger | openapi``

Imports stand in the commands: ``serve`` becomes gunicorn and a migration needs no web, so each process
loads only what it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from loyalty_common import logs
from loyalty_common.settings import SettingsError
from loyalty_programs import settings as settings_module
from loyalty_programs.settings import SERVICE, Settings

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
    _COMMANDS[arguments.command](settings, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"loyalty-{SERVICE}", description="Loyalty cards, points, stamps.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer HTTP")
    commands.add_parser("migrate", help="bring the database to the newest schema")
    commands.add_parser("relay", help="publish what the outbox holds")
    commands.add_parser("consume", help="learn from the events of other services")
    commands.add_parser("work", help="apply reconciliations that are too long for one request")
    job = commands.add_parser("job", help="run a scheduled job")
    job.add_argument("name", help="expire_points, forget_erased, prune_idempotency, …, or all")
    job.add_argument("--every", type=float, metavar="SECONDS", help="again and again")
    check = commands.add_parser("check-ledger", help="say where balances, lots and events are not what the ledger says")
    check.add_argument("--every", type=float, metavar="SECONDS", help="again and again, for Prometheus")
    commands.add_parser("openapi", help="print the OpenAPI document")
    return parser


def _serve(settings: Settings, _: argparse.Namespace) -> None:
    from loyalty_common.serving import serve

    app = "loyalty_programs.app:from_environment()"
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
    from loyalty_programs.models import outbox

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
    from loyalty_programs.consumers import handler

    tracing.start(SERVICE, settings.otel_exporter_otlp_endpoint)
    engine = database.create_engine(settings.database_url, pool_size=2, application_name=f"{SERVICE} consume")
    metrics.serve(settings.metrics_port, pool_figures(engine), queue_figures(settings.events_url, SERVICE))
    run_consumer(url=settings.events_url, subscriber=SERVICE, handle=handler(engine), stop=until_stopped())


def _work(settings: Settings, _: argparse.Namespace) -> None:
    from loyalty_common import database, metrics
    from loyalty_common.directory import DirectoryFallback
    from loyalty_common.figures import pool_figures
    from loyalty_common.identity import TokenSigner
    from loyalty_common.process import run_worker, until_stopped
    from loyalty_common.service_client import ServiceClient
    from loyalty_programs.jobs.reconciliations import worker
    from loyalty_programs.models import directory

    engine = database.create_engine(settings.database_url, pool_size=2, application_name=f"{SERVICE} work")
    metrics.serve(settings.metrics_port, pool_figures(engine))
    signer = TokenSigner(SERVICE, settings.identity_private_key)
    customers = ServiceClient(settings.customers_url, audience="customers", signer=signer)
    accounts = ServiceClient(settings.gateway_internal_url, audience="gateway", signer=signer)
    fallback = DirectoryFallback(engine, directory, customers=customers, accounts=accounts)
    run_worker(worker(engine, fallback), stop=until_stopped())


def _job(settings: Settings, arguments: argparse.Namespace) -> None:
    from loyalty_common import database, metrics
    from loyalty_common.figures import pool_figures
    from loyalty_common.process import run_jobs
    from loyalty_programs.jobs import all_jobs

    engine = database.create_engine(settings.database_url, pool_size=1, application_name=f"{SERVICE} job")
    metrics.serve(settings.metrics_port, pool_figures(engine))
    run_jobs(all_jobs(engine), name=arguments.name, every_s=arguments.every)


def _check_ledger(settings: Settings, arguments: argparse.Namespace) -> None:
    from dataclasses import asdict

    from loyalty_common import database, metrics
    from loyalty_common.process import until_stopped
    from loyalty_programs.domain.ledger_faults import check
    from loyalty_programs.jobs.ledger_check import LedgerWatch

    engine = database.create_engine(settings.database_url, pool_size=1, application_name=f"{SERVICE} check")
    if arguments.every is not None:
        watch = LedgerWatch(engine)
        metrics.serve(settings.metrics_port, watch.figures)
        watch.run(until_stopped(), every_s=arguments.every)
        return
    findings = check(engine)
    print(json.dumps(asdict(findings), indent=2))
    if findings.faults:
        sys.exit(1)


def _openapi() -> None:
    from loyalty_common.openapi import document
    from loyalty_programs.app import create_app

    print(json.dumps(document(create_app(settings_module.for_document()).extensions["api"]), indent=2))


_COMMANDS: Mapping[str, Callable[[Settings, argparse.Namespace], None]] = {
    "serve": _serve,
    "migrate": _migrate,
    "relay": _relay,
    "consume": _consume,
    "work": _work,
    "job": _job,
    "check-ledger": _check_ledger,
}


if __name__ == "__main__":
    main()
