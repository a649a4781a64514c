"""Facts on their way to the services, written with the change that they tell of."""

from loyalty_common.messaging.outbox import outbox_table
from loyalty_gateway.models.base import Base

outbox = outbox_table(Base.metadata)
