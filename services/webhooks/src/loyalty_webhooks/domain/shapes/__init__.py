"""What the API shows, one module per noun: the same in a list, on its own, and in the answer to a write."""

from loyalty_webhooks.domain.shapes.deliveries import attempt, delivery, listed_delivery
from loyalty_webhooks.domain.shapes.endpoints import endpoint
from loyalty_webhooks.domain.shapes.replays import replay

__all__ = ["attempt", "delivery", "endpoint", "listed_delivery", "replay"]
