"""The nouns of the ``accounts`` database."""

from loyalty_gateway.models.api_keys import ApiKey
from loyalty_gateway.models.audit import AuditEntry
from loyalty_gateway.models.base import Base
from loyalty_gateway.models.idempotency import idempotency
from loyalty_gateway.models.inbox import inbox
from loyalty_gateway.models.mails import Mail, OneTimeLink
from loyalty_gateway.models.organizations import Organization, PartnerLocation, Plan, Tenant
from loyalty_gateway.models.outbox import outbox
from loyalty_gateway.models.sessions import Session
from loyalty_gateway.models.users import User

metadata = Base.metadata

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Base",
    "Mail",
    "OneTimeLink",
    "Organization",
    "PartnerLocation",
    "Plan",
    "Session",
    "Tenant",
    "User",
    "idempotency",
    "inbox",
    "metadata",
    "outbox",
]
