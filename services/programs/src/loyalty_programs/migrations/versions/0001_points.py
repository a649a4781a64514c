"""Loyalty cards, enrollments, the points ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_MONEY = sa.Numeric(14, 4)


def upgrade() -> None:
    for name in ("loyalty_card_ids", "enrollment_ids", "points_transaction_ids"):
        # CACHE 1: a session that kept ids in hand would number its rows before those of others.
        op.execute(CreateSequence(sa.Sequence(name, cache=1)))
    _loyalty_cards()
    _enrollments()
    _points_transactions()
    _lot_spends()


def _loyalty_cards() -> None:
    op.create_table(
        "loyalty_cards",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("organization_id", sa.BigInteger, nullable=False),
        sa.Column("partner_location_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("card_identifier", sa.Text, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("earn_spend_amount", _MONEY),
        sa.Column("earn_points", sa.Integer),
        sa.Column("earn_currency", sa.Text, nullable=False),
        sa.Column("initial_bonus_points", sa.Integer, nullable=False),
        sa.Column("date_issued", sa.Date, nullable=False),
        sa.Column("expiry_date", sa.Date),
        sa.Column("auto_enroll", sa.Boolean, nullable=False),
        sa.Column("points_expire_after_months", sa.Integer),
        sa.Column("refund_floor", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_loyalty_cards"),
        sa.CheckConstraint("(earn_spend_amount is null) = (earn_points is null)", name="whole_earn_rule"),
        sa.CheckConstraint("earn_spend_amount > 0 and earn_points > 0", name="positive_earn_rule"),
        sa.CheckConstraint("initial_bonus_points >= 0", name="bonus_not_negative"),
        sa.CheckConstraint("points_expire_after_months > 0", name="points_live_a_month"),
        sa.CheckConstraint("expiry_date >= date_issued", name="expires_after_issue"),
        sa.CheckConstraint("refund_floor in ('negative', 'zero')", name="refund_floor"),
    )
    op.create_index(
        "ux_loyalty_cards_card_identifier",
        "loyalty_cards",
        ["tenant_id", sa.text("lower(card_identifier)")],
        unique=True,
    )
    op.create_index("ix_loyalty_cards_newest", "loyalty_cards", ["tenant_id", "created_at", "id"])


def _enrollments() -> None:
    op.create_table(
        "enrollments",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("loyalty_card_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("member_number", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("points_balance", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_enrollments"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "loyalty_card_id"],
            ["loyalty_cards.tenant_id", "loyalty_cards.id"],
            name="fk_enrollments_loyalty_cards",
        ),
        sa.CheckConstraint("status in ('active', 'suspended')", name="status"),
        postgresql_with={"fillfactor": 70},
    )
    card_and_customer = ["tenant_id", "loyalty_card_id", "customer_id"]
    op.create_index("ux_enrollments_customer", "enrollments", card_and_customer, unique=True)
    op.create_index("ux_enrollments_member_number", "enrollments", ["tenant_id", "member_number"], unique=True)
    op.create_index("ix_enrollments_newest", "enrollments", ["tenant_id", "loyalty_card_id", "created_at", "id"])
    op.create_index("ix_enrollments_of_customer", "enrollments", ["tenant_id", "customer_id"])


def _points_transactions() -> None:
    op.create_table(
        "points_transactions",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("loyalty_card_id", sa.BigInteger, nullable=False),
        sa.Column("enrollment_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("operation", sa.Text),
        sa.Column("reference", sa.Text),
        sa.Column("points_delta", sa.BigInteger, nullable=False),
        sa.Column("points_balance_after", sa.BigInteger, nullable=False),
        sa.Column("points_remaining", sa.BigInteger, nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.Column("amount", _MONEY),
        sa.Column("currency", sa.Text),
        sa.Column("partner_location_id", sa.BigInteger),
        sa.Column("notes", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("reverses_transaction_id", sa.BigInteger),
        sa.Column("redemption_id", sa.BigInteger),
        sa.Column("reward_claim_id", sa.BigInteger),
        sa.Column("referral_id", sa.BigInteger),
        sa.Column("occurred_at", _MOMENT, nullable=False),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_points_transactions"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "enrollment_id"],
            ["enrollments.tenant_id", "enrollments.id"],
            name="fk_points_transactions_enrollments",
        ),
        sa.CheckConstraint("type in ('earn', 'bonus', 'adjust', 'redeem', 'reverse', 'expire')", name="type"),
        sa.CheckConstraint("operation in ('transactions', 'redemptions', 'reverse')", name="operation"),
        sa.CheckConstraint("source in ('api', 'dashboard', 'system', 'import')", name="source"),
        sa.CheckConstraint("points_remaining between 0 and greatest(points_delta, 0)", name="lot_remainder"),
        sa.CheckConstraint("(amount is null) = (currency is null)", name="amount_has_currency"),
    )
    op.create_index(
        "ux_points_transactions_reference",
        "points_transactions",
        ["tenant_id", "loyalty_card_id", "operation", "reference"],
        unique=True,
        postgresql_where=sa.text("reference is not null"),
    )
    newest = ["recorded_at", "id"]
    op.create_index("ix_points_transactions_newest", "points_transactions", ["tenant_id", "loyalty_card_id", *newest])
    op.create_index(
        "ix_points_transactions_of_enrollment", "points_transactions", ["tenant_id", "enrollment_id", *newest]
    )
    op.create_index(
        "ix_points_transactions_lots",
        "points_transactions",
        ["tenant_id", "enrollment_id", "expires_on", "id"],
        postgresql_where=sa.text("points_remaining > 0"),
    )


def _lot_spends() -> None:
    ledger = ["points_transactions.tenant_id", "points_transactions.id"]
    op.create_table(
        "lot_spends",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("transaction_id", sa.BigInteger, nullable=False),
        sa.Column("lot_transaction_id", sa.BigInteger, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "transaction_id", "lot_transaction_id", name="pk_lot_spends"),
        sa.ForeignKeyConstraint(["tenant_id", "transaction_id"], ledger, name="fk_lot_spends_spend"),
        sa.ForeignKeyConstraint(["tenant_id", "lot_transaction_id"], ledger, name="fk_lot_spends_lot"),
        sa.CheckConstraint("points > 0", name="points"),
    )
