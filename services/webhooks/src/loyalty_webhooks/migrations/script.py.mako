"""${message}

Expand, backfill, contract: the release before this one must keep working on the new schema, and this
one on the old. Add columns as nullable or with a default; create indexes concurrently; drop nothing that
the running release reads.
"""

from alembic import op
import sqlalchemy as sa

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
