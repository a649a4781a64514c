"""``loyalty-webhooks serve | migrate | consume | deliver | relay | work | job NAME | listen | openapi``

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
from loyalty_webhooks import settings as settings_module
from loyalty_webhooks.settings import SERVICE, Settings

MIGRATIONS = str(Path(__file__).parent / "migrations")


def main() -> None:
    arguments = _parser().parse_args()
    if arguments.command in _WITHOUT_SETTINGS:
        _WITHOUT_SETTINGS[arguments.command](arguments)
        return
    try:
        settings = settings_module.from_environment(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    logs.configure(SERVICE, level=settings.log_level)
    _COMMANDS[arguments.command](settings, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"loyalty-{SERVICE}", description="Webhook endpoints and deliveries.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer HTTP")
    commands.add_parser("migrate", help="bring the database to the newest schema")
    commands.add_parser("consume", help="take in events from the broker")
    commands.add_parser("deliver", help="send to the endpoints what is due")
    commands.add_parser("relay", help="publish what the outbox holds")
    commands.add_parser("work", help="work off what was ordered: replays")
    job = commands.add_parser("job", help="run a scheduled job")
    job.add_argument(
        "name",
        help="make_partitions, drop_old_events, redact_erased, reseal_secrets, prune_inbox, prune_idempotency, or all",
    )
    job.add_argument("--every", type=float, metavar="SECONDS", help="again and again")
    listen = commands.add_parser(
        "listen", help="forward new events to a program on this machine, by LOYALTY_URL and LOYALTY_API_KEY"
    )
    listen.add_argument("--forward-to", required=True, metavar="URL", help="http://localhost:3000/hook")
    listen.add_argument("--event", action="append", default=[], metavar="NAME", help="only these; may be repeated")
    listen.add_argument("--after", type=int, metavar="SEQUENCE", help="begin behind this event, not with the next one")
    commands.add_parser("openapi", help="print the OpenAPI document")
    return parser


def _serve(settings: Settings, _: argparse.Namespace) -> None:
    from loyalty_common.serving import serve

    app = "loyalty_webhooks.app:from_environment()"
    serve(app, bind=settings.bind, workers=settings.web_workers, threads=settings.web_threads)


def _migrate(settings: Settings, _: argparse.Namespace) -> None:
    from datetime import UTC, datetime

    from loyalty_common import database, migrations
    from loyalty_webhooks.jobs import partitions

    engine = database.create_engine(settings.database_url, pool_size=2, application_name=f"{SERVICE} migrate")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    # The first events must not have to wait in the default partition for the first run of the job.
    partitions.make_ahead(engine, today=datetime.now(UTC).date())


def _consume(settings: Settings, _: argparse.Namespace) -> None:
    from loyalty_common import database, metrics, tracing
    from loyalty_common.figures import pool_figures
    from loyalty_common.messaging.consumer import run_consumer
    from loyalty_common.messaging.figures import queue_figures
    from loyalty_common.process import until_stopped
    from loyalty_webhooks.consumers import events

    tracing.start(SERVICE, settings.otel_exporter_otlp_endpoint)
    engine = database.create_engine(settings.database_url, pool_size=1, application_name=f"{SERVICE} consume")
    metrics.serve(settings.metrics_port, pool_figures(engine), queue_figures(settings.events_url, SERVICE))
    run_consumer(url=settings.events_url, subscriber=SERVICE, handle=events.handler(engine), stop=until_stopped())


def _deliver(settings: Settings, _: argparse.Namespace) -> None:
    from loyalty_common import database, metrics, tracing
    from loyalty_common.figures import pool_figures
    from loyalty_common.process import until_stopped
    from loyalty_webhooks.domain.secret_box import SecretBox
    from loyalty_webhooks.sender.attempting import Attempter
    from loyalty_webhooks.sender.figures import delivery_figures
    from loyalty_webhooks.sender.processor import keep_to_one_processor
    from loyalty_webhooks.sender.sending import Sender
    from loyalty_webhooks.transport.client import Client
    from loyalty_webhooks.transport.dialing import Dialer

    keep_to_one_processor()
    tracing.start(SERVICE, settings.otel_exporter_otlp_endpoint)
    client = Client(Dialer(allowed_networks=settings.allowed_networks))
    secret_box = SecretBox(settings.secret_keys)
    # One connection looks for work, one claims it, one writes down what came of it, one counts what is left; attempts
    # hold none.
    engine = database.create_engine(settings.database_url, pool_size=4, application_name=f"{SERVICE} deliver")
    metrics.serve(settings.metrics_port, pool_figures(engine), delivery_figures(engine))
    sender = Sender(
        engine=engine,
        attempter=Attempter(client=client, secret_box=secret_box, http_hosts=settings.allowed_http_hosts),
        threads=settings.deliver_threads,
    )
    sender.run(until_stopped())
    client.close()


def _relay(settings: Settings, _: argparse.Namespace) -> None:
    from loyalty_common import database, metrics
    from loyalty_common.figures import pool_figures
    from loyalty_common.identity import TokenSigner
    from loyalty_common.messaging.figures import outbox_figures
    from loyalty_common.messaging.relay import run_relay
    from loyalty_common.process import until_stopped
    from loyalty_webhooks.models import outbox

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


def _work(settings: Settings, _: argparse.Namespace) -> None:
    from functools import partial

    from loyalty_common import database, metrics
    from loyalty_common.figures import pool_figures
    from loyalty_common.process import run_worker, until_stopped
    from loyalty_webhooks.domain import replaying
    from loyalty_webhooks.domain.plans import prefer_indexes

    engine = database.create_engine(settings.database_url, pool_size=1, application_name=f"{SERVICE} work")
    prefer_indexes(engine)
    metrics.serve(settings.metrics_port, pool_figures(engine))
    run_worker(partial(replaying.step, engine), stop=until_stopped(), idle_s=0.1)


def _job(settings: Settings, arguments: argparse.Namespace) -> None:
    from loyalty_common import database, metrics
    from loyalty_common.figures import pool_figures
    from loyalty_common.process import run_jobs
    from loyalty_webhooks.domain.secret_box import SecretBox
    from loyalty_webhooks.jobs import all_jobs

    engine = database.create_engine(settings.database_url, pool_size=1, application_name=f"{SERVICE} job")
    metrics.serve(settings.metrics_port, pool_figures(engine))
    run_jobs(all_jobs(engine, SecretBox(settings.secret_keys)), name=arguments.name, every_s=arguments.every)


def _listen(arguments: argparse.Namespace) -> None:
    from functools import partial

    from loyalty_common.process import until_stopped
    from loyalty_webhooks.commands.listening import Log, Refused, listen

    missing = [name for name in ("LOYALTY_URL", "LOYALTY_API_KEY") if not os.environ.get(name)]
    if missing:
        sys.exit(f"{missing[0]} is not set.")
    log = Log(os.environ["LOYALTY_URL"].rstrip("/"), os.environ["LOYALTY_API_KEY"], say=partial(print, flush=True))
    wanted = {"events": arguments.event, "after": arguments.after}
    try:
        listen(log, forward_to=arguments.forward_to, stop=until_stopped(), **wanted)
    except Refused as refused:
        sys.exit(str(refused))


def _openapi(_: argparse.Namespace) -> None:
    from loyalty_common.openapi import document
    from loyalty_webhooks.app import create_app

    print(json.dumps(document(create_app(settings_module.for_document()).extensions["api"]), indent=2))


_WITHOUT_SETTINGS = {"listen": _listen, "openapi": _openapi}
_COMMANDS = {
    "serve": _serve,
    "migrate": _migrate,
    "consume": _consume,
    "deliver": _deliver,
    "relay": _relay,
    "work": _work,
    "job": _job,
}


if __name__ == "__main__":
    main()
