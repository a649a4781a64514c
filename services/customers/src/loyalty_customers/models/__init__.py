"""The nouns: tables, constraints, indexes."""

from loyalty_customers.models.base import Base, idempotency, outbox
from loyalty_customers.models.customers import Customer, customer_ids
from loyalty_customers.models.imports import Import, ImportRow, import_ids, job_ids

__all__ = [
    "Base",
    "Customer",
    "Import",
    "ImportRow",
    "customer_ids",
    "idempotency",
    "import_ids",
    "job_ids",
    "outbox",
]
