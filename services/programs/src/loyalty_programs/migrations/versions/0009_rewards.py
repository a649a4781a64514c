"""Rewards of a loyalty card, and their claims."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name in ("loyalty_reward_ids", "reward_claim_ids"):
        op.execute(CreateSequence(sa.Sequence(name, cache=1)))
    _loyalty_rewards()
    _reward_claims()


def _loyalty_rewards() -> None:
    op.create_table(
        "loyalty_rewards",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("loyalty_card_id", sa.BigInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("points_cost", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.BigInteger),
        sa.Column("claimed_count", sa.BigInteger, nullable=False),
        sa.Column("max_claims_per_customer", sa.BigInteger),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_loyalty_rewards"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "loyalty_card_id"],
            ["loyalty_cards.tenant_id", "loyalty_cards.id"],
            name="fk_loyalty_rewards_loyalty_cards",
        ),
        sa.CheckConstraint("points_cost > 0", name="costs_points"),
        sa.CheckConstraint("claimed_count >= 0 and claimed_count <= quantity", name="stock"),
        sa.CheckConstraint("max_claims_per_customer > 0", name="claims_per_customer"),
        sa.CheckConstraint("valid_until >= valid_from", name="window"),
        postgresql_with={"fillfactor": 70},
    )
    newest = ["tenant_id", "loyalty_card_id", "created_at", "id"]
    op.create_index("ix_loyalty_rewards_newest", "loyalty_rewards", newest)


def _reward_claims() -> None:
    op.create_table(
        "reward_claims",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("loyalty_reward_id", sa.BigInteger, nullable=False),
        sa.Column("loyalty_card_id", sa.BigInteger, nullable=False),
        sa.Column("enrollment_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("points_transaction_id", sa.BigInteger, nullable=False),
        sa.Column("reward_title", sa.Text, nullable=False),
        sa.Column("points_cost", sa.BigInteger, nullable=False),
        sa.Column("claim_code", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("partner_location_id", sa.BigInteger),
        sa.Column("notes", sa.Text),
        sa.Column("order_reference", sa.Text),
        sa.Column("claimed_at", _MOMENT, nullable=False),
        sa.Column("fulfilled_at", _MOMENT),
        sa.Column("cancelled_at", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_reward_claims"),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], name=f"fk_reward_claims_{table}"
            )
            for column, table in (
                ("loyalty_reward_id", "loyalty_rewards"),
                ("enrollment_id", "enrollments"),
                ("points_transaction_id", "points_transactions"),
            )
        ),
        sa.CheckConstraint("status in ('claimed', 'fulfilled', 'cancelled')", name="status"),
        sa.CheckConstraint("(status = 'fulfilled') = (fulfilled_at is not null)", name="fulfilled_at"),
        sa.CheckConstraint("(status = 'cancelled') = (cancelled_at is not null)", name="cancelled_at"),
    )
    newest = ["created_at", "id"]
    op.create_index("ux_reward_claims_claim_code", "reward_claims", ["tenant_id", "claim_code"], unique=True)
    op.create_index("ix_reward_claims_newest", "reward_claims", ["tenant_id", "loyalty_card_id", *newest])
    op.create_index("ix_reward_claims_by_status", "reward_claims", ["tenant_id", "loyalty_card_id", "status", *newest])
    op.create_index(
        "ix_reward_claims_of_customer", "reward_claims", ["tenant_id", "customer_id", "loyalty_card_id", *newest]
    )
