"""Why a referral program says no."""

from __future__ import annotations

from collections.abc import Sequence

from loyalty_common.errors import Refusal, ValidationFailed


class UnknownLoyaltyCard(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"loyalty_card_id": ["The loyalty card does not exist."]})


class UnknownReferralCode(ValidationFailed):
    def __init__(self) -> None:
        sentence = "The referral code does not exist in this referral program."
        super().__init__(details={"referral_code": [sentence]})


class InvalidMilestones(ValidationFailed):
    """``at``: the position in the list of each field that is wrong."""

    def __init__(self, faults: Sequence[tuple[int, str, str]]) -> None:
        super().__init__(details={f"milestones.{at}.{field}": [sentence] for at, field, sentence in faults})


class UnknownMilestone(ValidationFailed):
    """``meant``: how many milestones it could be."""

    def __init__(self, *, meant: int) -> None:
        sentence = "The milestone id field must name a custom milestone of this referral."
        if meant:
            sentence = "The milestone id field is required where several custom milestones are open."
        super().__init__(details={"milestone_id": [sentence]})


class ReferralRefusal(Refusal):
    """The two may not be brought together, or get nothing more for it."""


class ReferralProgramInactive(ReferralRefusal):
    reason = "referral_program_inactive"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not running at the moment.")


class SelfReferral(ReferralRefusal):
    reason = "self_referral"

    def __init__(self, field: str) -> None:
        """``field``: the one that the friend was named by."""
        message = "Nobody can refer themselves."
        super().__init__(message, details={field: [message]})


class AlreadyReferred(ReferralRefusal):
    reason = "already_referred"

    def __init__(self, field: str) -> None:
        message = "The customer was referred to this loyalty card before."
        super().__init__(message, details={field: [message]})


class CustomerNotNew(ReferralRefusal):
    reason = "customer_not_new"

    def __init__(self, field: str) -> None:
        message = "The customer was enrolled on this loyalty card before."
        super().__init__(message, details={field: [message]})


class MilestoneAlreadyCompleted(ReferralRefusal):
    reason = "milestone_already_completed"

    def __init__(self) -> None:
        message = "This milestone was completed before."
        super().__init__(message, details={"milestone_id": [message]})
