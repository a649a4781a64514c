"""What was heard from other services already."""

from loyalty_common.messaging.inbox import inbox_table
from loyalty_gateway.models.base import Base

inbox = inbox_table(Base.metadata)
