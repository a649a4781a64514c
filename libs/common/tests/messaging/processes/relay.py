"""A relay as a process of its own, to be killed: ``relay.py DATABASE_URL EVENTS_URL``."""

import sys
import threading

from sqlalchemy import MetaData

from loyalty_common.database import create_engine
from loyalty_common.identity import TokenSigner
from loyalty_common.messaging.outbox import outbox_table
from loyalty_common.messaging.relay import run_relay

run_relay(
    engine=create_engine(sys.argv[1], pool_size=5, application_name="relay to be killed"),
    outbox=outbox_table(MetaData()),
    publisher="programs",
    events_url=sys.argv[2],
    signer=TokenSigner("programs", "A" * 43 + "="),
    stop=threading.Event(),
)
