"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import CreateSequence

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("webhook_endpoint_ids")))
    op.execute(CreateSequence(sa.Sequence("webhook_delivery_ids")))
    _endpoints()
    _events()
    _deliveries()
    _queue()
    _attempts()
    _of_the_suite()
    # The net for rows of a day whose own partition is not there; the job makes those ahead.
    for table in ("webhook_events", "webhook_deliveries", "webhook_attempts"):
        op.execute(f"create table {table}_default partition of {table} default")


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("events", ARRAY(sa.Text), nullable=False, comment="names, or the one element *"),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("disabled_reason", sa.Text, comment="why we stopped by ourselves: gone"),
        sa.Column("disabled_at", _MOMENT),
        sa.Column("max_in_flight", sa.SmallInteger, nullable=False),
        sa.Column("rate_limit_per_second", sa.SmallInteger),
        sa.Column("sealed_secret", sa.Text, comment="as domain/secret_box.py writes it"),
        sa.Column("signing_secret_hint", sa.Text, nullable=False),
        sa.Column("previous_sealed_secret", sa.Text),
        sa.Column("previous_secret_expires_at", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("deleted_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_webhook_endpoints"),
        sa.CheckConstraint(
            "(disabled_at is null) = (disabled_reason is null)", name="ck_webhook_endpoints_disabled_has_reason"
        ),
        sa.CheckConstraint("disabled_at is null or not is_active", name="ck_webhook_endpoints_disabled_is_inactive"),
        sa.CheckConstraint(
            "(sealed_secret is null) = (deleted_at is not null)", name="ck_webhook_endpoints_deleted_has_no_secret"
        ),
    )
    op.create_index(
        "ix_webhook_endpoints_newest",
        "webhook_endpoints",
        ["tenant_id", "created_at", "id"],
        postgresql_where=sa.text("deleted_at is null"),
    )


def _events() -> None:
    op.create_table(
        "event_sequences",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("last_sequence", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_event_sequences"),
    )
    op.create_table(
        "webhook_events",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False, comment="what is signed and sent, to the byte"),
        sa.PrimaryKeyConstraint("tenant_id", "id", "created_at", name="pk_webhook_events"),
        sa.UniqueConstraint("tenant_id", "sequence", "created_at", name="uq_webhook_events_sequence"),
        postgresql_partition_by="RANGE (created_at)",
    )


def _deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column(
            "id", sa.BigInteger, nullable=False, server_default=sa.text("nextval('webhook_delivery_ids'::regclass)")
        ),
        sa.Column("event_created_at", _MOMENT, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("endpoint_id", sa.BigInteger, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False, comment="event, redelivery or replay"),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempt_count", sa.Integer, nullable=False),
        sa.Column("last_status_code", sa.SmallInteger),
        sa.Column("next_attempt_at", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("completed_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "id", "event_created_at", name="pk_webhook_deliveries"),
        sa.UniqueConstraint(
            "tenant_id", "event_id", "endpoint_id", "event_created_at", name="uq_webhook_deliveries_event_endpoint"
        ),
        sa.CheckConstraint(
            "status in ('pending', 'succeeded', 'exhausted', 'cancelled')", name="ck_webhook_deliveries_known_status"
        ),
        postgresql_partition_by="RANGE (event_created_at)",
    )


def _queue() -> None:
    op.create_table(
        "delivery_queue",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("delivery_id", sa.BigInteger, nullable=False),
        sa.Column("endpoint_id", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("event_created_at", _MOMENT, nullable=False),
        sa.Column("attempt_count", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", _MOMENT, nullable=False),
        sa.Column("claim_id", sa.Uuid),
        sa.Column("lease_until", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "delivery_id", name="pk_delivery_queue"),
        sa.CheckConstraint("(claim_id is null) = (lease_until is null)", name="ck_delivery_queue_claimed_is_leased"),
        postgresql_with={"autovacuum_vacuum_scale_factor": "0.02", "autovacuum_vacuum_threshold": "1000"},
    )
    op.create_index(
        "ix_delivery_queue_waiting",
        "delivery_queue",
        ["tenant_id", "endpoint_id", "next_attempt_at"],
        postgresql_where=sa.text("claim_id is null"),
    )
    op.create_index(
        "ix_delivery_queue_leased",
        "delivery_queue",
        ["tenant_id", "endpoint_id", "lease_until"],
        postgresql_where=sa.text("claim_id is not null"),
    )


def _attempts() -> None:
    op.create_table(
        "webhook_attempts",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("delivery_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("event_created_at", _MOMENT, nullable=False),
        sa.Column("endpoint_id", sa.BigInteger, nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.Column("status_code", sa.SmallInteger),
        sa.Column("error_stage", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("response_headers", JSONB, nullable=False),
        sa.Column("response_body", sa.Text, comment="the first 16 KB"),
        sa.Column("response_truncated", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "delivery_id", "number", "event_created_at", name="pk_webhook_attempts"),
        postgresql_partition_by="RANGE (event_created_at)",
    )


def _of_the_suite() -> None:
    op.create_table(
        "idempotency",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False, comment="the reply's data as JSON, secrets as null"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"], postgresql_using="brin")
    op.create_table(
        "inbox",
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("message_id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], postgresql_using="brin")
