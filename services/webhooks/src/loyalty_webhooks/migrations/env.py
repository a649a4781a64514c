"""Run by loyalty_common.migrations, which hands over the connection."""

from alembic import context

from loyalty_webhooks.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # CREATE INDEX CONCURRENTLY must be able to leave the transaction of its own migration, not of all.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
