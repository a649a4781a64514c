"""The events that integrators can subscribe to: the ten of the reference. Contracts: ``contracts/events/``."""

from __future__ import annotations

EVERY_EVENT = "*"
TEST_EVENT = "webhook.test"
"""Comes to an endpoint when its owner asks for it, and only then: nobody subscribes to it."""

EVENT_NAMES = (
    "customer.created",
    "customer.updated",
    "loyalty.enrolled",
    "loyalty.points_earned",
    "loyalty.points_redeemed",
    "loyalty.reward_claimed",
    "stamp.issued",
    "stamp.reward_fulfilled",
    "voucher.redeemed",
    "referral.completed",
)
