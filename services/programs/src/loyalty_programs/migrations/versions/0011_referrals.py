"""Referral programs, codes, referrals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateSequence

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name in ("referral_program_ids", "referral_milestone_ids", "referral_code_ids", "referral_ids"):
        op.execute(CreateSequence(sa.Sequence(name, cache=1)))
    _referral_programs()
    _referral_codes()
    _referrals()


def _referral_programs() -> None:
    op.create_table(
        "referral_programs",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("loyalty_card_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("referrer_points", sa.Integer, nullable=False),
        sa.Column("referred_points", sa.Integer, nullable=False),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("milestones", JSONB, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_referral_programs"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "loyalty_card_id"],
            ["loyalty_cards.tenant_id", "loyalty_cards.id"],
            name="fk_referral_programs_loyalty_cards",
        ),
        sa.CheckConstraint("referrer_points >= 0 and referred_points >= 0", name="points_not_negative"),
        sa.CheckConstraint("valid_until >= valid_from", name="window"),
    )
    op.create_index("ix_referral_programs_newest", "referral_programs", ["tenant_id", "created_at", "id"])


def _referral_codes() -> None:
    op.create_table(
        "referral_codes",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("referral_program_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("referral_code", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_referral_codes"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "referral_program_id"],
            ["referral_programs.tenant_id", "referral_programs.id"],
            name="fk_referral_codes_referral_programs",
        ),
    )
    customer = ["tenant_id", "customer_id", "referral_program_id"]
    op.create_index("ux_referral_codes_customer", "referral_codes", customer, unique=True)
    op.create_index("ux_referral_codes_code", "referral_codes", ["tenant_id", "referral_code"], unique=True)


def _referrals() -> None:
    op.create_table(
        "referrals",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("referral_program_id", sa.BigInteger, nullable=False),
        sa.Column("referral_code_id", sa.BigInteger, nullable=False),
        sa.Column("loyalty_card_id", sa.BigInteger, nullable=False),
        sa.Column("referrer_customer_id", sa.BigInteger, nullable=False),
        sa.Column("referred_customer_id", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("awaits_friend", sa.Boolean, nullable=False),
        sa.Column("milestones", JSONB, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("completed_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_referrals"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "referral_code_id"],
            ["referral_codes.tenant_id", "referral_codes.id"],
            name="fk_referrals_referral_codes",
        ),
        sa.CheckConstraint("referrer_customer_id <> referred_customer_id", name="two_people"),
        sa.CheckConstraint("status in ('pending', 'in_progress', 'completed')", name="status"),
        sa.CheckConstraint("(status = 'completed') = (completed_at is not null)", name="completed"),
    )
    friend = ["tenant_id", "referred_customer_id", "loyalty_card_id"]
    newest, program = ["created_at", "id"], ["tenant_id", "referral_program_id"]
    op.create_index("ux_referrals_friend", "referrals", friend, unique=True)
    op.create_index("ix_referrals_newest", "referrals", [*program, *newest])
    op.create_index("ix_referrals_by_status", "referrals", [*program, "status", *newest])
    op.create_index("ix_referrals_of_referrer", "referrals", ["tenant_id", "referrer_customer_id", *newest])
