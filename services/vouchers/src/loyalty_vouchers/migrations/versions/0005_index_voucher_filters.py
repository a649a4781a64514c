"""An index for each filter of the list of vouchers, and for what a wallet shows."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_vouchers_active": "(tenant_id, is_active, created_at, id)",
    "ix_vouchers_location": "(tenant_id, partner_location_id, created_at, id)",
    "ix_vouchers_batch": "(tenant_id, voucher_batch_id, created_at, id) where voucher_batch_id is not null",
    "ix_vouchers_offered": "(tenant_id, created_at, id) where is_active and voucher_batch_id is null",
}


def upgrade() -> None:
    # Concurrently, so that tills go on; what an interrupted run left half built is made anew.
    with op.get_context().autocommit_block():
        for name, what in _INDEXES.items():
            op.execute(f"drop index concurrently if exists {name}")
            op.execute(f"create index concurrently {name} on vouchers {what}")
