"""The log says up to which number it has been forgotten, so that a reader can prove that he missed nothing.

Of what was dropped before, nobody wrote down the numbers: the log is whole from the end of its last gap on. The job of
the release before this one does not write them down either: let it be replaced before the day ends.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "event_sequences",
        sa.Column(
            "dropped_up_to",
            sa.BigInteger,
            nullable=False,
            server_default="0",
            comment="the last sequence that is not kept any more; all behind it are",
        ),
    )
    op.execute("""
        update event_sequences log set dropped_up_to = whole.first - 1
          from (select tenant_id, max(sequence) as first
                  from (select tenant_id, sequence,
                               lag(sequence) over (partition by tenant_id order by sequence) as before
                          from webhook_events) numbered
                 where before is distinct from sequence - 1
                 group by tenant_id) whole
         where log.tenant_id = whole.tenant_id
    """)
    # Of whom nothing is left. Locked, so that no first event comes in unseen.
    op.execute("lock table event_sequences in share row exclusive mode")
    op.execute("""
        update event_sequences log set dropped_up_to = last_sequence
         where not exists (select from webhook_events event where event.tenant_id = log.tenant_id)
    """)
