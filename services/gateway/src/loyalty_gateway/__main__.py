"""``loyalty-gateway serve | forward-auth | internal | migrate | relay | consume | mail | job NAME | openapi``,
and the account commands.

Imports stand in the commands: only relay and consumer load a broker's client, and ``serve`` loads nothing at all.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from loyalty_common import logs
from loyalty_common.identity import GATEWAY
from loyalty_common.settings import SettingsError
from loyalty_gateway import settings as settings_module

MIGRATIONS = str(Path(__file__).parent / "migrations")


def main() -> None:
    arguments = _parser().parse_args()
    processes = {
        "serve": _serve,
        "forward-auth": _forward_auth,
        "internal": _internal,
        "migrate": _migrate,
        "relay": _relay,
        "consume": _consume,
        "mail": _mail,
        "job": _job,
        "openapi": _openapi,
    }
    try:
        processes.get(arguments.group, _account_command)(arguments)
    except SettingsError as error:
        sys.exit(str(error))


def _parser() -> argparse.ArgumentParser:
    from loyalty_gateway import commands as account_commands

    parser = argparse.ArgumentParser(prog="loyalty-gateway", description="The only door of the suite.")
    commands = parser.add_subparsers(dest="group", required=True)
    commands.add_parser("serve", help="answer the public")
    commands.add_parser("forward-auth", help="decide for a proxy that carries the bytes")
    commands.add_parser("internal", help="answer the account API and the other services")
    commands.add_parser("migrate", help="bring the accounts database to the newest schema")
    commands.add_parser("relay", help="publish what the outbox holds")
    commands.add_parser("consume", help="take in what other services publish")
    commands.add_parser("mail", help="send what waits to be sent")
    job = commands.add_parser("job", help="run a scheduled job")
    job.add_argument("name", help="prune_idempotency, prune_inbox, prune_links, prune_sessions, or all")
    job.add_argument("--every", type=float, metavar="SECONDS", help="again and again")
    commands.add_parser("openapi", help="print the OpenAPI document of the account API")
    account_commands.add_to(commands)
    return parser


def _serve(_: argparse.Namespace) -> None:
    from loyalty_gateway.api.public_server import serve

    settings = settings_module.Serve.read(os.environ)
    serve(settings, app="gateway_from_environment", bind=settings.bind)


def _forward_auth(_: argparse.Namespace) -> None:
    from loyalty_gateway.api.public_server import serve

    settings = settings_module.Serve.read(os.environ)
    serve(settings, app="forward_auth_from_environment", bind=settings.forward_auth_bind)


def _internal(_: argparse.Namespace) -> None:
    from loyalty_common.serving import serve

    settings = settings_module.Internal.read(os.environ)
    app = "loyalty_gateway.app:internal_from_environment()"
    serve(app, bind=settings.bind, workers=settings.workers, threads=settings.threads)


def _migrate(_: argparse.Namespace) -> None:
    from loyalty_common import database, migrations

    settings = settings_module.read_accounts(os.environ)
    logs.configure(GATEWAY, level=settings.log_level)
    engine = database.create_engine(settings.database_url, pool_size=2, application_name=f"{GATEWAY} migrate")
    migrations.upgrade(engine, script_location=MIGRATIONS)


def _relay(_: argparse.Namespace) -> None:
    from loyalty_common import database, metrics
    from loyalty_common.figures import pool_figures
    from loyalty_common.identity import TokenSigner
    from loyalty_common.messaging.figures import outbox_figures
    from loyalty_common.messaging.relay import run_relay
    from loyalty_common.process import until_stopped
    from loyalty_gateway.models import outbox

    settings = settings_module.Relay.read(os.environ)
    logs.configure(GATEWAY, level=settings.accounts.log_level)
    url = settings.accounts.database_url
    engine = database.create_engine(url, pool_size=2, application_name=f"{GATEWAY} relay")
    metrics.serve(settings.accounts.metrics_port, pool_figures(engine), outbox_figures(engine, outbox))
    run_relay(
        engine=engine,
        outbox=outbox,
        publisher=GATEWAY,
        events_url=settings.events_url,
        signer=TokenSigner(settings_module.ACCOUNTS, settings.accounts_private_key),
        stop=until_stopped(),
    )


def _consume(_: argparse.Namespace) -> None:
    from loyalty_common import database, metrics, tracing
    from loyalty_common.figures import pool_figures
    from loyalty_common.messaging.consumer import run_consumer
    from loyalty_common.messaging.figures import queue_figures
    from loyalty_common.process import until_stopped
    from loyalty_gateway.consumers import handler

    settings = settings_module.Consume.read(os.environ)
    logs.configure(GATEWAY, level=settings.accounts.log_level)
    tracing.start(GATEWAY, settings.accounts.otel_exporter_otlp_endpoint)
    url = settings.accounts.database_url
    engine = database.create_engine(url, pool_size=2, application_name=f"{GATEWAY} consume")
    metrics.serve(settings.accounts.metrics_port, pool_figures(engine), queue_figures(settings.events_url, GATEWAY))
    run_consumer(url=settings.events_url, subscriber=GATEWAY, handle=handler(engine), stop=until_stopped())


def _mail(_: argparse.Namespace) -> None:
    from loyalty_common import database, metrics
    from loyalty_common.figures import pool_figures
    from loyalty_common.process import run_worker, until_stopped
    from loyalty_gateway.mail_settings import Mail
    from loyalty_gateway.sender import MailSender
    from loyalty_gateway.transport import open_mailer

    settings = Mail.read(os.environ)
    logs.configure(GATEWAY, level=settings.accounts.log_level)
    url = settings.accounts.database_url
    engine = database.create_engine(url, pool_size=1, application_name=f"{GATEWAY} mail")
    metrics.serve(settings.accounts.metrics_port, pool_figures(engine))
    sender = MailSender(
        engine,
        open_mailer(settings.mailer_url, sender=settings.mail_from),
        dashboard_url=settings.dashboard_url,
    )
    run_worker(sender.step, stop=until_stopped())


def _job(arguments: argparse.Namespace) -> None:
    from loyalty_common import database, metrics
    from loyalty_common.figures import pool_figures
    from loyalty_common.process import run_jobs
    from loyalty_gateway.jobs import all_jobs

    settings = settings_module.read_accounts(os.environ)
    logs.configure(GATEWAY, level=settings.log_level)
    engine = database.create_engine(settings.database_url, pool_size=1, application_name=f"{GATEWAY} job")
    metrics.serve(settings.metrics_port, pool_figures(engine))
    run_jobs(all_jobs(engine), name=arguments.name, every_s=arguments.every)


def _openapi(_: argparse.Namespace) -> None:
    import json

    from loyalty_common.openapi import document
    from loyalty_gateway.app import create_internal

    internal = create_internal(settings_module.internal_for_document())
    print(json.dumps(document(internal.extensions["api"]), indent=2))


def _account_command(arguments: argparse.Namespace) -> None:
    import orjson

    from loyalty_common import database
    from loyalty_gateway import commands as account_commands
    from loyalty_gateway.domain.errors import AccountRefused

    needs_peppers = (arguments.group, arguments.verb) == ("keys", "create")
    settings, peppers = settings_module.read_account_command(os.environ, needs_peppers=needs_peppers)
    engine = database.create_engine(settings.database_url, pool_size=1, application_name=f"{GATEWAY} accounts")
    try:
        with engine.begin() as connection:
            answer = account_commands.run(connection, arguments, peppers=peppers)
    except AccountRefused as refusal:
        sys.exit(str(refusal))
    finally:
        engine.dispose()
    print(orjson.dumps(answer).decode())


if __name__ == "__main__":
    main()
