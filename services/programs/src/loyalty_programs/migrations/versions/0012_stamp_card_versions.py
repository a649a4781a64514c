"""Stamp cards count their changes, so that two changes at once cannot undo each other."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stamp_cards", sa.Column("version", sa.BigInteger, nullable=False, server_default="1"))
