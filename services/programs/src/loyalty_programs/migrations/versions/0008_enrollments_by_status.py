"""The few suspended members of a large card are listed without reading all of it."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NAME = "ix_enrollments_by_status"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # One that was interrupted is left behind, invalid.
        op.drop_index(_NAME, "enrollments", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            _NAME,
            "enrollments",
            ["tenant_id", "loyalty_card_id", "status", "created_at", "id"],
            postgresql_concurrently=True,
        )
