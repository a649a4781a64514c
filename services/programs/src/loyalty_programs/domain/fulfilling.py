"""Whether a reward of a full card may be handed out. Pure."""

from __future__ import annotations

from loyalty_programs.domain.errors import RewardAlreadyFulfilled, RewardRevoked


def was_fulfilled(*, status: str, fulfilled_by: str | None, order_reference: str | None) -> bool:
    """True where this very order had the reward already, so that nothing is left to do.

    Two orders without a reference are two orders.
    """
    if status == "revoked":
        raise RewardRevoked
    if status != "fulfilled":
        return False
    if order_reference is None or order_reference != fulfilled_by:
        raise RewardAlreadyFulfilled
    return True
