"""Purchases keep the rule they earned by, so that refunds can go by it later."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("points_transactions", sa.Column("earn_spend_amount", sa.Numeric(14, 4)))
    op.add_column("points_transactions", sa.Column("earn_points", sa.Integer))
