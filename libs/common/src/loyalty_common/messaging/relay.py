"""Carries events from a service's outbox to their subscribers, over the transport that the URL names."""

from __future__ import annotations

import threading

from sqlalchemy import Engine, Table

from loyalty_common.messaging.amqp_transport import relay_over_amqp
from loyalty_common.messaging.http_subscriber import TokenMinter
from loyalty_common.messaging.http_transport import relay_over_http


def run_relay(
    *, engine: Engine, outbox: Table, publisher: str, events_url: str, signer: TokenMinter, stop: threading.Event
) -> None:
    """Runs until ``stop`` and waits out whatever is down. Any number may run side by side.

    ``events_url`` is ``amqp://…`` or ``subscriber=http://…,subscriber=http://…``; only the latter needs ``signer``.
    """
    if events_url.startswith(("amqp://", "amqps://")):
        relay_over_amqp(engine, outbox, publisher=publisher, events_url=events_url, stop=stop)
    else:
        relay_over_http(engine, outbox, publisher=publisher, events_url=events_url, signer=signer, stop=stop)
