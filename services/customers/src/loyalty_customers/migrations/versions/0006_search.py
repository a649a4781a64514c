"""Searching customers takes an index of trigrams, where PostgreSQL has one to offer.

Without pg_trgm and btree_gin (the embedded server has neither), or where this role may not create them, a search finds
the same customers by reading all of the tenant's. Whoever gets the extensions later makes the index by hand: the
service's README says how.
"""

import psycopg
import sqlalchemy as sa
import structlog
from alembic import op
from sqlalchemy.exc import ProgrammingError

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_EXTENSIONS = ("pg_trgm", "btree_gin")


def upgrade() -> None:
    if not _has_extensions():
        structlog.get_logger().warning("search_is_not_indexed", needs=_EXTENSIONS)
        return
    # Concurrently: a million customers take half a minute, and tills go on writing meanwhile. What a failed attempt
    # left is of no use.
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists ix_customers_search")
        op.create_index(
            "ix_customers_search",
            "customers",
            ["tenant_id", "search_text", "phone"],
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops", "phone": "gin_trgm_ops"},
            postgresql_where=sa.text("erased_at is null"),
            postgresql_concurrently=True,
        )


def _has_extensions() -> bool:
    connection = op.get_bind()
    available = connection.execute(sa.text("select name from pg_available_extensions")).scalars().all()
    if not set(_EXTENSIONS) <= set(available):
        return False
    try:
        with connection.begin_nested():
            for name in _EXTENSIONS:
                connection.execute(sa.text(f"create extension if not exists {name}"))
    except ProgrammingError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            return False
        raise
    return True
