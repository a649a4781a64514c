"""Imports: a file of customers that is worked off row by row, and its rows as long as they are needed."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Sequence, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from loyalty_customers.models.base import Base, BigInt, Id, Moment, Words

import_ids = Sequence("import_ids", metadata=Base.metadata)
job_ids = Sequence("job_ids", metadata=Base.metadata)


class Import(Base):
    """A file that was taken in, and how far its job has come.

    ``due_at``: when a worker may take it up; a worker that does puts it off (its lease) and counts ``version`` up,
    so that one that was taken for dead changes nothing any more. Null once nothing is left to be done.
    Rows are worked off in their order: those up to ``recorded_through`` have their customer, those up to
    ``settled_through`` their opening balance too.
    """

    __tablename__ = "imports"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    version: Mapped[BigInt]
    organization_id: Mapped[BigInt]
    country: Mapped[Words] = mapped_column(comment="where phone numbers without a country are at home")
    type: Mapped[Words]
    file_name: Mapped[Words | None]
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="the file's own, in its order")
    job_id: Mapped[BigInt]
    status: Mapped[Words]
    total: Mapped[BigInt]
    succeeded: Mapped[BigInt]
    failed: Mapped[BigInt]
    created_count: Mapped[BigInt]
    existing_count: Mapped[BigInt]
    error: Mapped[Words | None]
    recorded_through: Mapped[BigInt]
    settled_through: Mapped[BigInt]
    attempts: Mapped[int] = mapped_column(comment="taken up so often without getting on")
    due_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    started_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]

    __table_args__ = (
        CheckConstraint("status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="status"),
        CheckConstraint("succeeded + failed <= total", name="counts"),
        Index("ix_imports_newest", "tenant_id", "created_at", "id"),
        Index("ix_imports_due_at", "due_at", postgresql_where=text("due_at is not null")),
    )


class ImportRow(Base):
    """A row of a file that is not done: still to come, or failed and kept for the file of errors. Done ones are gone.

    What it says of a person is found by ``email_key`` and ``customer_id``, and is null once he is erased. Written in
    the transaction that makes the import: a foreign key would only check each of a million rows again.
    """

    __tablename__ = "import_rows"

    tenant_id: Mapped[Id]
    import_id: Mapped[Id]
    row_number: Mapped[Id]
    email_key: Mapped[Words | None]
    customer_id: Mapped[BigInt | None] = mapped_column(comment="whom the row made or found")
    content: Mapped[Words | None] = mapped_column(comment="the cells by the import's columns, a JSON array")
    errors: Mapped[dict[str, list[str]] | None] = mapped_column(JSONB)
    failed_at: Mapped[Moment | None]

    __table_args__ = (
        Index("ix_import_rows_email_key", "tenant_id", "email_key"),
        Index(
            "ix_import_rows_customer_id",
            "tenant_id",
            "customer_id",
            postgresql_where=text("customer_id is not null"),
        ),
        Index("ix_import_rows_failed_at", "failed_at", postgresql_where=text("failed_at is not null")),
    )
