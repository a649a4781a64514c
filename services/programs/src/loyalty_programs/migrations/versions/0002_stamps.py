"""Stamp cards, memberships, the stamps ledger, rewards."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_MEMBERSHIP = ["stamp_memberships.tenant_id", "stamp_memberships.id"]


def upgrade() -> None:
    for name in ("stamp_card_ids", "stamp_membership_ids", "stamp_transaction_ids", "stamp_reward_ids"):
        op.execute(CreateSequence(sa.Sequence(name, cache=1)))
    _stamp_cards()
    _stamp_memberships()
    _stamp_transactions()
    _stamp_rewards()


def _stamp_cards() -> None:
    op.create_table(
        "stamp_cards",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("organization_id", sa.BigInteger, nullable=False),
        sa.Column("partner_location_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("stamps_required_for_reward", sa.Integer, nullable=False),
        sa.Column("stamps_per_purchase", sa.Integer, nullable=False),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.Column("reward_title", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_stamp_cards"),
        sa.CheckConstraint("stamps_required_for_reward > 0", name="needs_stamps"),
        sa.CheckConstraint("stamps_per_purchase > 0", name="gives_stamps"),
        sa.CheckConstraint("valid_until >= valid_from", name="window"),
    )
    op.create_index("ix_stamp_cards_newest", "stamp_cards", ["tenant_id", "created_at", "id"])


def _stamp_memberships() -> None:
    op.create_table(
        "stamp_memberships",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("stamp_card_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("stamps_balance", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_stamp_memberships"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "stamp_card_id"],
            ["stamp_cards.tenant_id", "stamp_cards.id"],
            name="fk_stamp_memberships_stamp_cards",
        ),
        postgresql_with={"fillfactor": 70},
    )
    card_and_customer = ["tenant_id", "stamp_card_id", "customer_id"]
    op.create_index("ux_stamp_memberships_customer", "stamp_memberships", card_and_customer, unique=True)
    op.create_index("ix_stamp_memberships_of_customer", "stamp_memberships", ["tenant_id", "customer_id"])


def _stamp_transactions() -> None:
    op.create_table(
        "stamp_transactions",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("stamp_card_id", sa.BigInteger, nullable=False),
        sa.Column("stamp_membership_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("position", sa.SmallInteger, nullable=False),
        sa.Column("stamps_delta", sa.BigInteger, nullable=False),
        sa.Column("stamps_balance_after", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.Integer),
        sa.Column("amount", sa.Numeric(14, 4)),
        sa.Column("currency", sa.Text),
        sa.Column("partner_location_id", sa.BigInteger),
        sa.Column("notes", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("stamp_reward_id", sa.BigInteger),
        sa.Column("reverses_stamp_id", sa.BigInteger),
        sa.Column("occurred_at", _MOMENT, nullable=False),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_stamp_transactions"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "stamp_membership_id"], _MEMBERSHIP, name="fk_stamp_transactions_stamp_memberships"
        ),
        sa.CheckConstraint("type in ('earn', 'reward', 'reverse')", name="type"),
        sa.CheckConstraint("operation in ('stamps', 'reverse')", name="operation"),
        sa.CheckConstraint("source in ('api', 'dashboard', 'system', 'import')", name="source"),
        sa.CheckConstraint("(amount is null) = (currency is null)", name="amount_has_currency"),
    )
    op.create_index(
        "ux_stamp_transactions_reference",
        "stamp_transactions",
        ["tenant_id", "stamp_card_id", "operation", "reference", "position"],
        unique=True,
        postgresql_where=sa.text("reference is not null"),
    )
    newest = ["recorded_at", "id"]
    op.create_index("ix_stamp_transactions_newest", "stamp_transactions", ["tenant_id", "stamp_card_id", *newest])
    op.create_index(
        "ix_stamp_transactions_of_membership", "stamp_transactions", ["tenant_id", "stamp_membership_id", *newest]
    )


def _stamp_rewards() -> None:
    op.create_table(
        "stamp_rewards",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("stamp_card_id", sa.BigInteger, nullable=False),
        sa.Column("stamp_membership_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("order_reference", sa.Text),
        sa.Column("partner_location_id", sa.BigInteger),
        sa.Column("notes", sa.Text),
        sa.Column("unlocked_at", _MOMENT, nullable=False),
        sa.Column("fulfilled_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_stamp_rewards"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "stamp_membership_id"], _MEMBERSHIP, name="fk_stamp_rewards_stamp_memberships"
        ),
        sa.CheckConstraint("status in ('unlocked', 'fulfilled', 'revoked')", name="status"),
    )
    op.create_index("ix_stamp_rewards_newest", "stamp_rewards", ["tenant_id", "stamp_card_id", "created_at", "id"])
    op.create_index("ix_stamp_rewards_of_membership", "stamp_rewards", ["tenant_id", "stamp_membership_id", "status"])
