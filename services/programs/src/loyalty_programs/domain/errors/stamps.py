"""Why a stamp card says no."""

from __future__ import annotations

from datetime import date

from loyalty_common.errors import Refusal


class StampCardRefusal(Refusal):
    """The stamp card is not valid for this."""


class StampCardInactive(StampCardRefusal):
    reason = "stamp_card_inactive"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not active.")


class StampCardNotYetValid(StampCardRefusal):
    reason = "stamp_card_not_yet_valid"

    def __init__(self, name: str, *, valid_from: date) -> None:
        super().__init__(f"{name} is valid from {valid_from}.")


class StampCardExpired(StampCardRefusal):
    reason = "stamp_card_expired"

    def __init__(self, name: str, *, valid_until: date) -> None:
        super().__init__(f"{name} expired on {valid_until}.")


class StampRewardRefusal(Refusal):
    """The reward of a full card cannot be handed out."""


class RewardAlreadyFulfilled(StampRewardRefusal):
    reason = "reward_already_fulfilled"
    default_message = "This reward was handed out already."


class RewardRevoked(StampRewardRefusal):
    reason = "reward_revoked"
    default_message = "This reward was taken back, because the stamps that it took were."
