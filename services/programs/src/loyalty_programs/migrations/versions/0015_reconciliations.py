"""Reconciliations and their entries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_MONEY = sa.Numeric(14, 4)


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("reconciliation_ids", cache=1)))
    op.create_table(
        "reconciliations",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("organization_id", sa.BigInteger, nullable=False),
        sa.Column("loyalty_card_id", sa.BigInteger, nullable=False),
        sa.Column("from_at", _MOMENT, nullable=False),
        sa.Column("to_at", _MOMENT, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("applying_at", _MOMENT),
        sa.Column("applied_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_reconciliations"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "loyalty_card_id"],
            ["loyalty_cards.tenant_id", "loyalty_cards.id"],
            name="fk_reconciliations_loyalty_cards",
        ),
        sa.CheckConstraint("status in ('compared', 'applying', 'applied')", name="status"),
        sa.CheckConstraint("from_at < to_at", name="window"),
    )
    op.create_index("ix_reconciliations_newest", "reconciliations", ["tenant_id", "created_at", "id"])
    op.create_index(
        "ix_reconciliations_applying",
        "reconciliations",
        ["tenant_id", "id"],
        postgresql_where=sa.text("status = 'applying'"),
    )
    _entries()


def _entries() -> None:
    op.create_table(
        "reconciliation_entries",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("reconciliation_id", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("amount", _MONEY),
        sa.Column("currency", sa.Text),
        sa.Column("recorded_amount", _MONEY),
        sa.Column("recorded_currency", sa.Text),
        sa.Column("customer_id", sa.BigInteger),
        sa.Column("customer_email", sa.Text),
        sa.Column("occurred_at", _MOMENT),
        sa.Column("transaction_id", sa.BigInteger),
        sa.Column("applied_transaction_id", sa.BigInteger),
        sa.Column("error", sa.Text),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "reconciliation_id", "position", name="pk_reconciliation_entries"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reconciliation_id"],
            ["reconciliations.tenant_id", "reconciliations.id"],
            name="fk_reconciliation_entries_reconciliations",
        ),
        sa.CheckConstraint(
            "status in ('matched', 'missing', 'amount_differs', 'reversed', 'not_in_request')", name="status"
        ),
        sa.CheckConstraint("applied_transaction_id is null or error is null", name="one_outcome"),
    )
    op.create_index(
        "ix_reconciliation_entries_open",
        "reconciliation_entries",
        ["tenant_id", "reconciliation_id", "position"],
        postgresql_where=sa.text("status = 'missing' and applied_transaction_id is null and error is null"),
    )
    op.create_index(
        "ix_reconciliation_entries_addresses",
        "reconciliation_entries",
        ["tenant_id", "created_at"],
        postgresql_where=sa.text("customer_email is not null"),
    )
