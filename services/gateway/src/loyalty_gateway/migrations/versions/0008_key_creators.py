"""Keys tell who made them: a user, another key, or an operator.

``created_by_user_id``, which nothing ever wrote, goes with a later release: the last one still names it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("created_by_type", sa.Text, nullable=False, server_default="system"))
    op.add_column("api_keys", sa.Column("created_by_id", sa.BigInteger))
    op.add_column("api_keys", sa.Column("created_by_name", sa.Text, nullable=False, server_default="Operator"))
