"""The nouns: tables, constraints, indexes."""

from loyalty_webhooks.models.base import Base, idempotency, inbox, outbox
from loyalty_webhooks.models.deliveries import QueuedDelivery, WebhookAttempt, WebhookDelivery, delivery_ids
from loyalty_webhooks.models.endpoints import WebhookEndpoint, endpoint_ids
from loyalty_webhooks.models.events import ErasedCustomer, EventSequence, WebhookEvent
from loyalty_webhooks.models.lanes import Lane
from loyalty_webhooks.models.replays import WebhookReplay, job_ids, replay_ids

__all__ = [
    "Base",
    "ErasedCustomer",
    "EventSequence",
    "Lane",
    "QueuedDelivery",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
    "WebhookReplay",
    "delivery_ids",
    "endpoint_ids",
    "idempotency",
    "inbox",
    "job_ids",
    "outbox",
    "replay_ids",
]
