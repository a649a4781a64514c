"""Events between services: out of a transaction (outbox, relay), into another (inbox, consumer, endpoint)."""
