"""Facts that this service publishes, in the past tense. Contracts: ``contracts/events/``.

Objects come in as the API shows them; ``customer`` is the full profile of which most events name the person only.
"""

from __future__ import annotations

from loyalty_programs.events.base import Event, Shown, person
from loyalty_programs.events.enrollments import EnrollmentChanged
from loyalty_programs.events.points import (
    BalanceCorrected,
    CustomerEnrolled,
    PointsEarned,
    PointsRedeemed,
)
from loyalty_programs.events.referrals import ReferralCompleted
from loyalty_programs.events.rewards import RewardClaimed
from loyalty_programs.events.stamps import StampRewardFulfilled, StampsIssued, StampsReversed

__all__ = [
    "BalanceCorrected",
    "CustomerEnrolled",
    "EnrollmentChanged",
    "Event",
    "PointsEarned",
    "PointsRedeemed",
    "ReferralCompleted",
    "RewardClaimed",
    "Shown",
    "StampRewardFulfilled",
    "StampsIssued",
    "StampsReversed",
    "person",
]
