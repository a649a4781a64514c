"""Search by any part of a name or code, where the server has the extensions for it; elsewhere it reads all vouchers."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Both are trusted: whoever may create in the database may add them.
_ADDABLE = """
select count(*) = 2 from pg_available_extensions
where name in ('pg_trgm', 'btree_gin')
and (installed_version is not null or has_database_privilege(current_database(), 'create'))
"""


def upgrade() -> None:
    if not op.get_bind().execute(sa.text(_ADDABLE)).scalar_one():
        return
    op.execute("create extension if not exists pg_trgm")
    op.execute("create extension if not exists btree_gin")
    # Concurrently, so that tills go on; what an interrupted run left half built is made anew.
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists ix_vouchers_search")
        op.execute(
            "create index concurrently ix_vouchers_search on vouchers"
            " using gin (tenant_id, lower(name || ' ' || voucher_code) gin_trgm_ops)"
        )
