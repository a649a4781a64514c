"""Imports: files of customers, and their rows until they are done."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import CreateSequence

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("import_ids", cache=1)))
    op.execute(CreateSequence(sa.Sequence("job_ids", cache=1)))
    op.create_table(
        "imports",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("organization_id", sa.BigInteger, nullable=False),
        sa.Column("country", sa.Text, nullable=False, comment="where phone numbers without a country are at home"),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("file_name", sa.Text),
        sa.Column("columns", ARRAY(sa.Text), nullable=False, comment="the file's own, in its order"),
        sa.Column("job_id", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("succeeded", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("created_count", sa.BigInteger, nullable=False),
        sa.Column("existing_count", sa.BigInteger, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("recorded_through", sa.BigInteger, nullable=False),
        sa.Column("settled_through", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, comment="taken up so often without getting on"),
        sa.Column("due_at", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("started_at", _MOMENT),
        sa.Column("finished_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_imports"),
        sa.CheckConstraint(
            "status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="ck_imports_status"
        ),
        sa.CheckConstraint("succeeded + failed <= total", name="ck_imports_counts"),
    )
    op.create_index("ix_imports_newest", "imports", ["tenant_id", "created_at", "id"])
    op.create_index("ix_imports_due_at", "imports", ["due_at"], postgresql_where=sa.text("due_at is not null"))
    op.create_table(
        "import_rows",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("import_id", sa.BigInteger, nullable=False),
        sa.Column("row_number", sa.BigInteger, nullable=False),
        sa.Column("email_key", sa.Text),
        sa.Column("customer_id", sa.BigInteger, comment="whom the row made or found"),
        sa.Column("content", sa.Text, comment="the cells by the import's columns, a JSON array"),
        sa.Column("errors", JSONB),
        sa.Column("failed_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "import_id", "row_number", name="pk_import_rows"),
    )
    op.create_index("ix_import_rows_email_key", "import_rows", ["tenant_id", "email_key"])
    op.create_index(
        "ix_import_rows_customer_id",
        "import_rows",
        ["tenant_id", "customer_id"],
        postgresql_where=sa.text("customer_id is not null"),
    )
    op.create_index(
        "ix_import_rows_failed_at", "import_rows", ["failed_at"], postgresql_where=sa.text("failed_at is not null")
    )
