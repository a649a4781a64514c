"""Replies of the account API by key."""

from loyalty_common.idempotency import idempotency_table
from loyalty_gateway.models.base import Base

idempotency = idempotency_table(Base.metadata)
