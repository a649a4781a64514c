"""Indexes for lists of redemptions, timelines, statistics and exports.

The uses of one customer are counted by the index of that customer's list, which replaces the smaller one of 0002.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_UNDONE = "where rolled_back_at is not null"
_INDEXES = {
    "ix_redemptions_newest": "(tenant_id, voucher_id, created_at, id)",
    "ix_redemptions_by_customer": "(tenant_id, voucher_id, customer_id, created_at, id)",
    "ix_redemptions_redeemed_at": "(tenant_id, redeemed_at, id)",
    "ix_redemptions_timeline": "(tenant_id, customer_id, redeemed_at, id)",
    "ix_redemptions_rolled_back": f"(tenant_id, voucher_id, created_at, id) {_UNDONE}",
    "ix_redemptions_rolled_back_timeline": f"(tenant_id, customer_id, rolled_back_at, id) {_UNDONE}",
    "ix_redemptions_former_order_reference": (
        f"(tenant_id, voucher_id, order_reference) {_UNDONE} and order_reference is not null"
    ),
}


def upgrade() -> None:
    # Concurrently, so that tills go on; what an interrupted run left half built is made anew.
    with op.get_context().autocommit_block():
        for name, what in _INDEXES.items():
            op.execute(f"drop index concurrently if exists {name}")
            op.execute(f"create index concurrently {name} on redemptions {what}")
        op.execute("drop index concurrently if exists ix_redemptions_of_customer")
