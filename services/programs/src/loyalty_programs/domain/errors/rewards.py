"""Why a reward or a claim says no."""

from __future__ import annotations

from datetime import date

from loyalty_common.errors import Refusal, ValidationFailed


class QuantityBelowClaims(ValidationFailed):
    def __init__(self, *, claimed_count: int) -> None:
        sentence = f"The quantity field must not be less than the {claimed_count} that are claimed."
        super().__init__(details={"quantity": [sentence]})


class RewardRefusal(Refusal):
    """The reward cannot be claimed."""


class RewardInactive(RewardRefusal):
    reason = "reward_inactive"

    def __init__(self, title: str) -> None:
        super().__init__(f"{title} is not active.")


class RewardNotYetValid(RewardRefusal):
    reason = "reward_not_yet_valid"

    def __init__(self, title: str, *, valid_from: date) -> None:
        super().__init__(f"{title} is valid from {valid_from}.")


class RewardExpired(RewardRefusal):
    reason = "reward_expired"

    def __init__(self, title: str, *, valid_until: date) -> None:
        super().__init__(f"{title} expired on {valid_until}.")


class RewardOutOfStock(RewardRefusal):
    reason = "reward_out_of_stock"

    def __init__(self, title: str) -> None:
        super().__init__(f"{title} is out of stock.")


class RewardLimitReached(RewardRefusal):
    reason = "reward_limit_reached"

    def __init__(self, title: str, *, limit: int) -> None:
        super().__init__(f"{title} may be claimed {limit} times by one customer.")


class ClaimRefusal(Refusal):
    """The claim has come to its end."""


class ClaimAlreadyFulfilled(ClaimRefusal):
    reason = "claim_already_fulfilled"
    default_message = "This claim was fulfilled before."


class ClaimAlreadyCancelled(ClaimRefusal):
    reason = "claim_already_cancelled"
    default_message = "This claim was cancelled before."
