"""The nouns: tables, constraints, indexes."""

from loyalty_customers.models.base import Base, idempotency, outbox
from loyalty_customers.models.customers import Customer, customer_ids

__all__ = ["Base", "Customer", "customer_ids", "idempotency", "outbox"]
